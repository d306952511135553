#if DEBUG
    import EventLog
    import EventLogConformance
    import Foundation
    import KafkaLog
    import KafkaTransport
    import Synchronization
    import TestSupport
    import Testing

    /// The rules of what follows a failure (rows B47 and C20 to C24): each run once with the rule and once by an owner
    /// that leaves it out, whose fork the broker lets happen.
    @Suite(
        "Rules of recovery", .serialized,
        .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
    struct RecoveryRuleTests {
        /// How often commands took effect on a payment, as its entry says.
        private func count(_ owner: Owner) async throws -> Int {
            let entry = try await owner.entry("p1", partition: 0)
            return entry.flatMap { Int(String(decoding: $0[0] ?? [], as: UTF8.self)) } ?? 0
        }

        @Test(
            "B47: a payment leaves memory after the commit with its last state has returned", arguments: [true, false])
        func passivation(kept: Bool) async throws {
            let pair = try await Pair([])
            try await pair.old.start()
            #expect(await pair.old.commit(result("1")) == nil)
            let gate = Gate(.offsetsSent)
            pair.oldShard.watcher.withLock { $0 = gate.watch }
            async let second = pair.old.commit(result("2"))
            gate.waitUntilReached()
            // The commit is in flight: the entry is the one before. An actor that was passivated now is activated from it.
            let early = try await count(pair.old)
            #expect(early == 1)
            gate.open()
            #expect(await second == nil)
            let basis = kept ? try await count(pair.old) : early
            #expect(await pair.old.commit(result("\(basis + 1)")) == nil)
            #expect(
                try pair.values() == (kept ? ["1", "2", "3"] : ["1", "2", "2"]), "without the rule a change is lost")
            await pair.log.tearDown()
        }

        @Test("C20: a producer that was fenced ends its transaction with it", arguments: [true, false])
        func fenced(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.fencedIsTheEnd])
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            try await pair.old.start()
            let input = try await pair.old.take(1)[0]
            let gate = Gate(.produced)
            pair.oldShard.watcher.withLock { $0 = gate.watch }
            async let first = pair.old.commit(command(input, "one"))
            gate.waitUntilReached()
            // Whoever it was: its records are with the broker, and its epoch is over.
            usleep(300_000)
            try KafkaTransactionalProducer.fence(
                try pair.log.cluster.configuration(), transactionalID: "g-\(pair.log.prefix)-z-0", clientID: "x",
                timeout: .seconds(10))
            gate.open()
            let error = await first
            #expect((error?.kind == .fenced) == kept)
            try await pair.old.recover()
            if kept {
                let again = try await pair.old.take(1)[0]
                #expect(again == input)
                #expect(await pair.old.commit(command(again, "one")) == nil)
                #expect(try pair.values() == ["one"])
            } else {
                try await Task.sleep(for: .milliseconds(500))
                try await pair.old.poll()
                #expect(await pair.old.inputs.isEmpty)
                #expect(try pair.values().isEmpty, "without the rule a command is taken in and has no effect")
            }
            await pair.log.tearDown()
        }

        @Test("C21: an end whose reply was lost is no success", arguments: [true, false])
        func unknown(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.unknownIsNoSuccess])
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            try await pair.old.start()
            let input = try await pair.old.take(1)[0]
            _ = pair.log.failNextCommit(.unknownLost)
            var submissions = 0
            let error = await pair.old.commit(command(input, "intent"))
            // The effect behind the commit: a request to a partner.
            if error == nil { submissions += 1 }
            #expect((error?.kind == .outcomeUnknown) == kept)
            try await pair.old.recover()
            #expect(try pair.values().isEmpty, "the intent never became durable")
            #expect(submissions == (kept ? 0 : 1), "without the rule money moves without an intent")
            let again = try await pair.old.take(1)[0]
            if await pair.old.commit(command(again, "intent")) == nil { submissions += 1 }
            #expect(submissions == (kept ? 1 : 2), "without the rule it moves twice")
            await pair.log.tearDown()
        }

        @Test("C22: a transaction whose positions were refused is aborted", arguments: [true, false])
        func refusedPositionsFork(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.refusedPositionsAbort])
            try await pair.old.start()
            let error = try await pair.staleAfterTakeOver()
            #expect((error?.kind == .fenced) == kept)
            #expect(try pair.values() == (kept ? ["new"] : ["new", "stale"]), "without the rule the log forks")
            await pair.log.tearDown()
        }

        @Test("C23: positions that were refused are not left for later", arguments: [true, false])
        func refusedPositionsTwice(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.refusedPositionsAbort])
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            try await pair.old.start()
            let input = try await pair.old.take(1)[0]
            try await pair.takeOver()
            let again = try await pair.new.take(1)[0]
            #expect(again == input)
            #expect(await pair.new.commit(command(again, "once")) == nil)
            let error = await pair.old.commit(command(input, "twice"))
            #expect((error?.kind == .fenced) == kept)
            #expect(try pair.values().count == (kept ? 1 : 2), "without the rule a command takes effect twice")
            await pair.log.tearDown()
        }

        @Test("C22, C23: the library itself commits nothing after refused positions")
        func libraryRefuses() async throws {
            let pair = try await Pair([])
            try await pair.old.start()
            let generation = try #require(pair.oldShard.generation)
            try await pair.takeOver()
            let producer = try KafkaTransactionalProducer(
                try pair.log.cluster.configuration(), transactionalID: "hand-\(pair.log.prefix)", clientID: "hand",
                topics: [pair.log.prefix + "events"])
            try producer.initTransactions(timeout: .seconds(10))
            try producer.begin()
            try Array("v".utf8).withUnsafeBytes {
                try producer.produce(KafkaOutgoing(topic: 0, partition: 0, timestamp: 1, key: $0, value: $0))
            }
            let refused = #expect(throws: KafkaError.self) {
                try producer.sendOffsets(
                    [KafkaOffset(topic: pair.log.prefix + "commands", partition: 0, offset: 0)], group: generation,
                    timeout: .seconds(5))
            }
            #expect(refused?.isStaleOwner == true)
            #expect(throws: KafkaError.self) { try producer.commit(timeout: .seconds(5)) }
            #expect(try pair.values().isEmpty)
            await pair.log.tearDown()
        }

        @Test(
            "C24: the new producer's initialisation fences the end that is still on its way", arguments: [true, false])
        func newProducer(kept: Bool) async throws {
            // As in the model's run: nothing else that would hold the owner back is there.
            let others: Set<ProtocolRule> = [.stableOffsets, .restoreToEnd]
            let pair = try await Pair(kept ? others : others.union([.newProducerFences]))
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            try await pair.old.start()
            let input = try await pair.old.take(1)[0]
            pair.oldShard.watcher.withLock { $0 = { $0 == .offsetsSent ? .late : .proceed } }
            #expect(await pair.old.commit(command(input, "first"))?.kind == .outcomeUnknown)
            pair.oldShard.watcher.withLock { $0 = nil }
            let late = try #require(pair.oldShard.lateProducer)
            try await pair.old.recover()
            let again = try await pair.old.take(1)[0]
            #expect(again == input)
            // Now it arrives.
            if kept {
                let error = #expect(throws: KafkaError.self) { try late.commit(timeout: .seconds(10)) }
                #expect(error?.isStaleOwner == true, "\(String(describing: error))")
            } else {
                try late.commit(timeout: .seconds(10))
            }
            #expect(await pair.old.commit(command(again, "second")) == nil)
            #expect(
                try pair.values() == (kept ? ["second"] : ["first", "second"]),
                "without the rule a command takes effect twice")
            await pair.log.tearDown()
        }

        @Test("C26: what a dead owner left open is ended by its successor, not waited for", arguments: [true, false])
        func deadOwner(kept: Bool) async throws {
            let pair = try await Pair(kept ? [] : [.endDeadOwners])
            try await pair.log.append(.commands, 0, [Content(key: "p1", value: "c1"), Content(key: "p1", value: "c2")])
            try await pair.old.start()
            let inputs = try await pair.old.take(2)
            #expect(await pair.old.commit(command(inputs[0], "one")) == nil)
            // The next one is open when its owner dies.
            pair.oldShard.watcher.withLock { $0 = { $0 == .offsetsSent ? .late : .proceed } }
            #expect(await pair.old.commit(command(inputs[1], "lost"))?.kind == .outcomeUnknown)
            let open = try #require(pair.oldShard.lateProducer)
            pair.oldShard.abandon()
            try await pair.join()
            // The session ends after 1.5 s, the transaction after 10 s.
            let deadline = ContinuousClock.now + .seconds(6)
            while ContinuousClock.now < deadline, await pair.new.assignments.isEmpty {
                try await pair.new.poll()
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(await pair.new.assignments.isEmpty != kept, "without the rule its partitions wait")
            if kept {
                #expect(try await pair.new.take(1)[0] == inputs[1])
                #expect(await pair.new.commit(command(inputs[1], "two")) == nil)
                #expect(try pair.values() == ["one", "two"])
            }
            withExtendedLifetime(open) {}
            await pair.log.tearDown()
        }
    }
#endif
