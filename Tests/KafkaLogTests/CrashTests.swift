import EventLog
import EventLogConformance
import Foundation
import KafkaLog
import KafkaTransport
import PaymentModel
import TestSupport
import Testing

/// Owners that are processes of their own, killed, stopped and drowned, against real brokers: whatever happens, every
/// command has exactly one event, and the state counts every command once.
@Suite(
    "Owners that die and stall", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct CrashTests {
    /// Topics with an appender and a reader, and owners beside.
    final class World {
        let broker: TestKafka
        let prefix = "c\(UUID().uuidString.prefix(8))."
        let directory = TemporaryDirectory("crash")
        let log: KafkaEventLog
        let appender: KafkaAppender
        let reader: KafkaLogReader
        var sent: [Int32: [String]] = [:]
        var serial = 0

        init(partitions: Int32, broker: TestKafka) throws {
            self.broker = broker
            var settings = KafkaLogSettings(
                cluster: try KafkaTest.Cluster(broker: broker).configuration(),
                directory: directory.appending("observer"))
            settings.topicPrefix = prefix
            settings.groupID = "g-\(prefix)"
            settings.partitions = partitions
            settings.finishedRetention = KafkaTest.finishedRetention
            try KafkaTest.makeInputs(KafkaTest.Cluster(broker: broker), prefix, partitions)
            log = try KafkaEventLog(settings)
            appender = try log.appender()
            reader = log.reader()
        }

        func owner(_ name: String, _ mode: [String] = ["run"]) throws -> ChildProcess {
            try ChildProcess(
                ChildProcess.built("KafkaLogOwner"),
                [broker.bootstrap, prefix, directory.appending(name), name] + mode)
        }

        func send(_ count: Int) async throws {
            var batch = RecordBatch()
            for _ in 0..<count {
                serial += 1
                let partition = Int32(serial) % log.partitionCount
                sent[partition, default: []].append("c\(serial)")
                batch.append(
                    topic: .commands, partition: partition, offset: -1,
                    frame: Content(key: "p\(partition)", value: "c\(serial)").frame)
            }
            let appended = batch
            let appender = appender
            let error = await withCheckedContinuation { continuation in
                appender.append(appended) { continuation.resume(returning: $0) }
            }
            if let error { throw error }
        }

        func events(_ partition: Int32) throws -> [String] {
            var found: [String] = []
            var next: Int64 = 0
            while true {
                var batch = RecordBatch()
                let from = next
                next = try reader.read(
                    topic: .events, partition: partition, from: from, into: &batch,
                    limit: PollLimit(records: 1_000, bytes: 1 << 20))
                found += try batch.records.map {
                    String(decoding: try Content(frame: batch.bytes[$0.frame]).value ?? [], as: UTF8.self)
                }
                if batch.records.isEmpty, next == from { return found }
            }
        }

        /// Waits until every command has an event; then each has exactly one, in order.
        func expectExactlyOnce(within seconds: Double) async throws {
            let deadline = ContinuousClock.now + .seconds(seconds)
            for partition in 0..<log.partitionCount {
                let wanted = sent[partition] ?? []
                var got: [String] = []
                repeat {
                    do {
                        got = try events(partition)
                    } catch let error as LogError where error.kind == .unavailable && ContinuousClock.now < deadline {
                        // The broker is away, or has just come back.
                    }
                    if got.count >= wanted.count { break }
                    try await Task.sleep(for: .milliseconds(100))
                } while ContinuousClock.now < deadline
                #expect(got == wanted, "partition \(partition)")
            }
        }

        func close() {
            appender.close()
            log.close()
        }
    }

    @Test("a killed owner's open transaction is ended by its successor, not waited for (C26)")
    func hangingTransaction() async throws {
        let world = try World(partitions: 1, broker: try TestKafka.shared())
        try await world.send(1)
        let first = try world.owner("a", ["hold", "1"])
        #expect(try await first.line(within: 20) { $0 == "committed 1" } != nil)
        try await world.send(1)
        #expect(try await first.line(within: 20) { $0 == "holding" } != nil)
        first.kill()
        let start = ContinuousClock.now
        let second = try world.owner("b")
        #expect(try await second.line(within: 20) { $0.contains("ending what the dead owner") } != nil)
        #expect(try await second.line(within: 20) { $0 == "committed 1" } != nil)
        // The transaction's time-out is 10 s; the session's 1.5 s and the group's own pace remain.
        #expect(start.duration(to: .now) < .seconds(9))
        // Another directory took over: the killed process is not proven dead.
        #expect(try await second.line(within: 1) { $0.hasPrefix("assigned 0") && $0.hasSuffix("false") } != nil)
        try await world.expectExactlyOnce(within: 10)
        second.kill()
        // The same directory again: its lock proves that the process before is dead, but not the one before that.
        let third = try world.owner("a")
        #expect(try await third.line(within: 20) { $0.hasPrefix("assigned 0") && $0.hasSuffix("false") } != nil)
        third.kill()
        world.close()
    }

    @Test("the same directory opened again proves the owner before dead")
    func provenDead() async throws {
        let world = try World(partitions: 1, broker: try TestKafka.shared())
        try await world.send(1)
        for _ in 0..<2 {
            let owner = try world.owner("a")
            #expect(try await owner.line(within: 20) { $0.hasPrefix("assigned 0") && $0.hasSuffix("true") } != nil)
            #expect(try await owner.line(within: 20) { $0 == "committed 1" } != nil)
            owner.kill()
            try await world.send(1)
        }
        world.close()
    }

    @Test("an owner stopped past its session is fenced when it wakes, and serves again")
    func stopped() async throws {
        let world = try World(partitions: 2, broker: try TestKafka.shared())
        let first = try world.owner("a")
        try await world.send(20)
        #expect(try await first.line(within: 20) { $0.hasPrefix("committed") } != nil)
        first.signal(SIGSTOP)
        try await world.send(20)
        let second = try world.owner("b")
        #expect(try await second.line(within: 20) { $0.hasPrefix("committed") } != nil)
        first.signal(SIGCONT)
        for _ in 0..<20 {
            try await world.send(5)
            try await Task.sleep(for: .milliseconds(100))
        }
        try await world.expectExactlyOnce(within: 120)
        // SIGTERM leaves the group in order: the other one has everything at once.
        second.signal(SIGTERM)
        #expect(try await second.exitStatus(within: 30) == 0)
        try await world.send(10)
        try await world.expectExactlyOnce(within: 120)
        first.kill()
        world.close()
    }

    @Test("kill -9 over and over, two instances", arguments: [11 as UInt64])
    func killed(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let world = try World(partitions: 2, broker: try TestKafka.shared())
        var owners = [try world.owner("a"), try world.owner("b")]
        for _ in 0..<8 {
            for _ in 0..<10 {
                try await world.send(Int.random(in: 1...10, using: &random))
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...80, using: &random)))
            }
            let victim = Int.random(in: 0...1, using: &random)
            owners[victim].kill()
            owners[victim] = try world.owner(["a", "b"][victim])
        }
        try await world.expectExactlyOnce(within: 120)
        for owner in owners { owner.kill() }
        world.close()
    }

    @Test("a broker that stalls during a commit, dies and comes back")
    func brokerTrouble() async throws {
        let broker = try TestKafka()
        let world = try World(partitions: 1, broker: broker)
        let owner = try world.owner("a")
        try await world.send(10)
        #expect(try await owner.line(within: 20) { $0.hasPrefix("committed") } != nil)
        try await world.send(200)
        try broker.signal(SIGSTOP)
        try await Task.sleep(for: .seconds(10))
        try broker.signal(SIGCONT)
        try await world.send(50)
        try await world.expectExactlyOnce(within: 120)
        try broker.halt(kill: true)
        try broker.restart()
        try await world.send(50)
        try await world.expectExactlyOnce(within: 120)
        owner.kill()
        world.close()
        broker.stop()
    }
}
