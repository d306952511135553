#if DEBUG
    import EventLog
    import EventLogConformance
    import Foundation
    import KafkaLog
    import KafkaTransport
    import Synchronization
    import TestSupport
    import Testing

    /// What the local copy may be trusted for: topics that were created anew, and partitions in which nothing happens.
    @Suite(
        "The local copy", .serialized,
        .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
    struct LocalCopyTests {
        private func settings(_ prefix: String, _ directory: TemporaryDirectory) throws -> KafkaLogSettings {
            var settings = KafkaLogSettings(
                cluster: try KafkaTest.Cluster.shared().configuration(), directory: directory.path)
            settings.topicPrefix = prefix
            settings.groupID = "g-\(prefix)"
            settings.partitions = 1
            settings.finishedRetention = KafkaTest.finishedRetention
            return settings
        }

        private func open(
            _ settings: KafkaLogSettings, without: Set<ProtocolRule> = [], patience: Duration = .seconds(30)
        ) async throws -> (log: KafkaEventLog, owner: Owner) {
            let log = try KafkaEventLog(settings)
            let shard = log.shard(0)
            shard.omitted.withLock { $0 = without }
            let owner = Owner(shard, patience: patience)
            try await owner.start()
            return (log, owner)
        }

        private func commit(_ owner: Owner, _ keys: [String]) async throws {
            for key in keys {
                var draft = BatchDraft()
                draft.state(key, "of \(key)", partition: 0)
                if let error = await owner.commit(draft) { throw error }
            }
        }

        private func close(_ pair: (log: KafkaEventLog, owner: Owner)) async {
            await pair.owner.close()
            pair.log.close()
        }

        /// Deletes topics and waits until they are gone; false without Kafka's tools.
        private func delete(_ names: [String], _ cluster: KafkaConfiguration) throws -> Bool {
            for name in names {
                let done = try TestKafka.tool([
                    "topics", "--bootstrap-server", try TestKafka.shared().bootstrap, "--delete", "--topic", name,
                ])
                if done == nil { return false }
            }
            let admin = try KafkaAdmin(cluster, clientID: "a")
            for _ in 0..<100 {
                if try admin.partitions(of: names, timeout: .seconds(5)).isEmpty { return true }
                usleep(100_000)
            }
            Issue.record("the topics are still there")
            return false
        }

        /// An owner has committed p1 to p3 and closed, and its state topic is gone; nil without Kafka's tools.
        private func deletedState() async throws -> (prefix: String, mine: KafkaLogSettings)? {
            let prefix = "l\(UUID().uuidString.prefix(8))."
            let mine = try settings(prefix, TemporaryDirectory())
            let first = try await open(mine)
            try await commit(first.owner, ["p1", "p2", "p3"])
            await close(first)
            return try delete([prefix + "state"], mine.cluster) ? (prefix, mine) : nil
        }

        @Test("a state topic that was created anew under the same name is noticed", arguments: [true, false])
        func stateTopicAnew(kept: Bool) async throws {
            guard let (prefix, mine) = try await deletedState() else { return }
            // Another instance, which makes the topic anew and writes more than ours ever had.
            // Its owner must be told that the group's positions may go with another state.
            let other = try await open(try settings(prefix, TemporaryDirectory()), without: [.stateIsThere])
            try await commit(other.owner, ["q1", "q2", "q3", "q4", "q5"])
            await close(other)
            let again = try await open(mine, without: kept ? [] : [.sameTopic])
            #expect((try await again.owner.entry("p1", partition: 0) == nil) == kept, "without the rule ghosts stay")
            #expect((try await again.owner.entry("q1", partition: 0) != nil) == kept, "and what is there is missing")
            #expect(try await again.owner.entry("q5", partition: 0) != nil)
            await close(again)
        }

        @Test("a state topic that has lost its end makes its partition stand still", arguments: [true, false])
        func stateLost(kept: Bool) async throws {
            guard let (prefix, _) = try await deletedState() else { return }
            // Without the copy, too: nobody else can know what was lost.
            var others = try settings(prefix, TemporaryDirectory())
            let alarms = Alarms()
            others.report = alarms.take
            let counted = Mutex<[KafkaAlarm]>([])
            others.measure = { measure in if case .alarm(let alarm) = measure { counted.withLock { $0.append(alarm) } }
            }
            let log = try KafkaEventLog(others)
            let shard = log.shard(0)
            shard.omitted.withLock { $0 = kept ? [] : [.stateIsThere] }
            let owner = Owner(shard, patience: .seconds(30))
            let wake = owner.wakes.wake
            _ = await withCheckedContinuation { continuation in
                shard.start(wake: wake) { continuation.resume(returning: $0) }
            }
            let deadline = ContinuousClock.now + .seconds(30)
            while alarms.texts.isEmpty, await owner.assignments.isEmpty, ContinuousClock.now < deadline {
                try await owner.poll()
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(await owner.assignments.isEmpty == kept, "without the rule payments are forgotten")
            #expect(alarms.texts.contains { $0.contains("state [0] ends at 0, but had reached") } == kept)
            #expect(counted.withLock { $0 } == (kept ? [.stateLost] : []))
            await owner.close()
            log.close()
        }

        @Test("a state topic that is created anew under its owner is told, and no successor takes it for the old one")
        func stateTopicAnewUnderUs() async throws {
            let prefix = "l\(UUID().uuidString.prefix(8))."
            var mine = try settings(prefix, TemporaryDirectory())
            let alarms = Alarms()
            mine.report = alarms.take
            let first = try await open(mine, patience: .seconds(10))
            try await commit(first.owner, ["p1", "p2", "p3", "p4"])
            guard try delete([prefix + "state"], mine.cluster) else { return await close(first) }
            try KafkaAdmin(mine.cluster, clientID: "a").create(
                topics: [
                    KafkaNewTopic(
                        name: prefix + "state", partitions: 1,
                        settings: ["cleanup.policy": "compact", "delete.retention.ms": "604800000"])
                ], timeout: .seconds(10))
            // The client may first find that the topic is away.
            let deadline = ContinuousClock.now + .seconds(60)
            while alarms.texts.isEmpty, ContinuousClock.now < deadline {
                do {
                    try await commit(first.owner, ["p5"])
                } catch {
                    // It may stand still from now on.
                    try? await first.owner.recover()
                }
            }
            #expect(alarms.texts.contains { $0.contains("created anew") }, "\(alarms.texts)")
            await close(first)
        }

        @Test("topics that were all created anew, with a directory of before", arguments: [true, false])
        func allAnew(kept: Bool) async throws {
            let prefix = "l\(UUID().uuidString.prefix(8))."
            let mine = try settings(prefix, TemporaryDirectory())
            let first = try await open(mine)
            try await commit(first.owner, ["p1"])
            await close(first)
            guard try delete(Topic.allCases.map { prefix + $0.suffix }, mine.cluster) else { return }
            // Nothing but the offsets fits by chance: somebody else's record and marker.
            let other = try await open(try settings(prefix, TemporaryDirectory()))
            let producer = try KafkaTransactionalProducer(
                mine.cluster, transactionalID: "o-\(prefix)", clientID: "o", topics: [prefix + "state"])
            try producer.initTransactions(timeout: .seconds(10))
            try producer.begin()
            try Array("q1".utf8).withUnsafeBytes {
                try producer.produce(KafkaOutgoing(topic: 0, partition: 0, timestamp: 1, key: $0, value: nil))
            }
            try producer.commit(timeout: .seconds(10))
            await close(other)
            let again = try await open(mine, without: kept ? [] : [.sameTopic])
            #expect((try await again.owner.entry("p1", partition: 0) == nil) == kept)
            await close(again)
        }

        @Test("the same topic is read on, not anew, also where the copy's last record was compacted away")
        func sameTopic() async throws {
            let prefix = "l\(UUID().uuidString.prefix(8))."
            var mine = try settings(prefix, TemporaryDirectory())
            let read = Mutex<[Int]>([])
            mine.measure = { measure in
                if case .restored(_, _, let records, _) = measure { read.withLock { $0.append(records) } }
            }
            let first = try await open(mine)
            try await commit(first.owner, (0..<20).map { "p\($0)" })
            await close(first)
            // Another instance changes the last payment, and one more.
            let other = try await open(try settings(prefix, TemporaryDirectory()))
            try await commit(other.owner, ["p19", "q"])
            await close(other)
            let again = try await open(mine)
            #expect(try await again.owner.entry("q", partition: 0) != nil)
            await close(again)
            #expect(read.withLock { $0 } == [0, 2], "the first time there is nothing, then what the other one wrote")
            await close(try await open(mine))
            #expect(read.withLock { $0 }.last == 0, "then nothing again")
        }

        @Test("a partition in which nothing happens keeps its copy, however old", arguments: [true, false])
        func idle(quiet: Bool) async throws {
            let prefix = "l\(UUID().uuidString.prefix(8))."
            var mine = try settings(prefix, TemporaryDirectory())
            let read = Mutex<[Int]>([])
            mine.measure = { measure in
                if case .restored(_, _, let records, _) = measure { read.withLock { $0.append(records) } }
            }
            let first = try await open(mine)
            try await commit(first.owner, (0..<20).map { "p\($0)" })
            await first.owner.close()
            // Longer ago than half of what tombstones are kept for.
            try first.log.setCopyAge(partition: 0, days: 400)
            first.log.close()
            if !quiet {
                let other = try await open(try settings(prefix, TemporaryDirectory()))
                try await commit(other.owner, ["q"])
                await close(other)
            }
            await close(try await open(mine))
            // Where something was written since, a tombstone may be gone: everything is read.
            #expect(read.withLock { $0 }.last == (quiet ? 0 : 21))
        }

        @Test("while it is owned, a quiet partition's copy is confirmed from time to time, and no other")
        func confirmed() async throws {
            let prefix = "l\(UUID().uuidString.prefix(8))."
            let mine = try settings(prefix, TemporaryDirectory())
            let first = try await open(mine)
            try await commit(first.owner, ["p1"])
            try first.log.setCopyAge(partition: 0, days: 400)
            first.log.startWatch(every: .milliseconds(100))
            let deadline = ContinuousClock.now + .seconds(20)
            while try first.log.copyAge(partition: 0) > 3_600, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try first.log.copyAge(partition: 0) < 60)
            // Somebody else writes: the copy is not known to be whole any more.
            let producer = try KafkaTransactionalProducer(
                mine.cluster, transactionalID: "o-\(prefix)", clientID: "o", topics: [prefix + "state"])
            try producer.initTransactions(timeout: .seconds(10))
            try producer.begin()
            try Array("q1".utf8).withUnsafeBytes {
                try producer.produce(KafkaOutgoing(topic: 0, partition: 0, timestamp: 1, key: $0, value: nil))
            }
            try producer.commit(timeout: .seconds(10))
            try first.log.setCopyAge(partition: 0, days: 400)
            try await Task.sleep(for: .seconds(1))
            #expect(try first.log.copyAge(partition: 0) > 3_600)
            await close(first)
        }
    }
#endif
