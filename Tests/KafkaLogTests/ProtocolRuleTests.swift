#if DEBUG
    import EventLog
    import EventLogConformance
    import Foundation
    import KafkaLog
    import KafkaTransport
    import Synchronization
    import TestSupport
    import Testing

    /// Two owners of one partition on a real broker, driven through the runs that the model checker found: with the rule
    /// nothing is lost or doubled, without it the broker lets it happen. The rows are those of the protocol's table.
    @Suite(
        "Rules of the log", .serialized,
        .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
    struct ProtocolRuleTests {
        @Test("B40: a transaction with results only is fenced, too", arguments: [true, false])
        func offsetsInEveryTransaction(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.offsetsInEveryTransaction])
            try await pair.old.start()
            let error = try await pair.staleAfterTakeOver()
            #expect((error != nil) == kept)
            #expect(try pair.values() == (kept ? ["new"] : ["new", "stale"]), "without the rule the log forks")
            await pair.log.tearDown()
        }

        @Test("B41: a member that lost the partition cannot commit under its new generation", arguments: [true, false])
        func metadataOfAssignment(kept: Bool) async throws {
            // The callback does not wait for the transaction: only so can a member outlive its assignment with one open.
            let pair = try await Pair(kept ? [.finishBeforeRevoke] : [.finishBeforeRevoke, .metadataOfAssignment])
            try await pair.old.start()
            let gate = Gate(.staged)
            pair.oldShard.watcher.withLock { $0 = gate.watch }
            async let stale = pair.old.commit(result("stale"))
            gate.waitUntilReached()
            try await pair.join()
            try await pair.new.pollUntil("assigned to the successor") { $0.assignments.count == 1 }
            #expect(await pair.new.commit(result("new")) == nil)
            gate.open()
            #expect((await stale != nil) == kept)
            #expect(try pair.values() == (kept ? ["new"] : ["new", "stale"]), "without the rule the log forks")
            await pair.log.tearDown()
        }

        @Test("B42: positions without a member are refused before they are sent", arguments: [true, false])
        func checkedMetadata(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.checkedMetadata])
            try await pair.old.start()
            if !kept { pair.newShard.omitted.withLock { $0 = [] } }
            let error = try await pair.staleAfterTakeOver()
            #expect((error != nil) == kept)
            #expect(try pair.values() == (kept ? ["new"] : ["new", "stale"]), "the broker checks no empty member")
            await pair.log.tearDown()
        }

        @Test("B43: a successor waits for the open transaction that holds the position", arguments: [true, false])
        func stableOffsets(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.stableOffsets, .restoreToEnd])
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            try await pair.old.start()
            let input = try await pair.old.take(1)[0]
            let gate = Gate(.offsetsSent)
            pair.oldShard.watcher.withLock { $0 = gate.watch }
            async let first = pair.old.commit(command(input, "old"))
            gate.waitUntilReached()
            try await pair.takeOver(waits: !kept)
            if kept {
                // The old owner has never committed, so nobody knows its name: the successor can only wait.
                try await Task.sleep(for: .seconds(4))
                try await pair.new.poll()
                #expect(await pair.new.assignments.isEmpty)
                gate.open()
                #expect(await first == nil)
                try await pair.new.pollUntil("assigned") { $0.assignments.count == 1 }
                #expect(try await pair.new.entry("p1", partition: 0)?[0] == Array("old".utf8))
                try await Task.sleep(for: .milliseconds(200))
                try await pair.new.poll()
                #expect(await pair.new.inputs.isEmpty)
            } else {
                let again = try await pair.new.take(1)[0]
                #expect(again == input)
                #expect(await pair.new.commit(command(again, "new")) == nil)
                gate.open()
                #expect(await first == nil)
            }
            #expect(try pair.values().count == (kept ? 1 : 2), "without the rule the command takes effect twice")
            await pair.log.tearDown()
        }

        @Test("B44: restored is the end with open transactions in it", arguments: [true, false])
        func restoreToEnd(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.restoreToEnd])
            // A commit that is decided, with its marker on the state partition still missing, looks like this one.
            let late = try KafkaTransactionalProducer(
                try pair.log.cluster.configuration(), transactionalID: "late-\(pair.log.prefix)", clientID: "late",
                topics: [pair.log.prefix + "state"], trackedTopic: 0)
            try late.initTransactions(timeout: .seconds(10))
            try late.begin()
            try Array("late".utf8).withUnsafeBytes {
                try late.produce(KafkaOutgoing(topic: 0, partition: 0, timestamp: 1, key: $0, value: nil))
            }
            while late.deliveredOffsets.isEmpty { late.service() }
            let shard = pair.oldShard
            let wake = pair.old.wakes.wake
            _ = await withCheckedContinuation { continuation in
                shard.start(wake: wake) { continuation.resume(returning: $0) }
            }
            let deadline = ContinuousClock.now + .seconds(4)
            while ContinuousClock.now < deadline {
                try await pair.old.poll()
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(
                await pair.old.assignments.isEmpty == kept, "without the rule it runs on a state that misses a commit")
            try late.commit(timeout: .seconds(10))
            try await pair.old.pollUntil("assigned") { $0.assignments.count == 1 }
            await pair.log.tearDown()
        }

        @Test("B45: committed offsets first, then the state", arguments: [true, false])
        func offsetsBeforeRestore(kept: Bool) async throws {
            // Records linger at the old owner while its position is already with the broker.
            let pair = try await Pair(
                kept ? [] : [.offsetsBeforeRestore],
                properties: ["linger.ms": "9000", "transaction.timeout.ms": "15000"])
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            try await pair.old.start()
            let input = try await pair.old.take(1)[0]
            let gate = Gate(.offsetsSent)
            pair.oldShard.watcher.withLock { $0 = gate.watch }
            async let first = pair.old.commit(command(input, "old"))
            gate.waitUntilReached()
            try await pair.takeOver(waits: false)
            // Long enough for the successor to come as far as it can.
            try await Task.sleep(for: .seconds(4))
            gate.open()
            #expect(await first == nil)
            try await pair.new.pollUntil("assigned") { $0.assignments.count == 1 }
            let restored = try await pair.new.entry("p1", partition: 0)
            #expect((restored != nil) == kept, "without the rule the position is taken over and the state is not")
            try await Task.sleep(for: .milliseconds(300))
            try await pair.new.poll()
            #expect(await pair.new.inputs.isEmpty)
            await pair.log.tearDown()
        }

        @Test("B46: the local copy holds committed state only", arguments: [true, false])
        func copyAfterCommit(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.copyAfterCommit])
            try await pair.old.start()
            _ = pair.log.failNextCommit(.unknownLost)
            #expect(await pair.old.commit(result("lost"))?.kind == .outcomeUnknown)
            try await pair.old.recover()
            let entry = try await pair.old.entry("p1", partition: 0)
            #expect((entry == nil) == kept, "without the rule memory runs ahead of the log")
            await pair.log.tearDown()
        }
    }
#endif
