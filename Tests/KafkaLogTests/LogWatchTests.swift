import EventLog
import EventLogConformance
import Foundation
import KafkaLog
import KafkaTransport
import TestSupport
import Testing

/// What the log tells of lags and of transactions that hang, which the library's own statistics do not show.
@Suite(
    "Lags and open transactions", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct LogWatchTests {
    private func row(_ log: KafkaEventLog, _ topic: Topic, _ partition: Int32) -> KafkaPartitionFigures? {
        log.figures.first { $0.topic == topic.suffix && $0.partition == partition }
    }

    private func wait(
        _ what: String, _ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(30))
        }
        Issue.record("not within 30 s: \(what)", sourceLocation: sourceLocation)
    }

    @Test("inputs that no commit has taken in are the lag, and only those")
    func lag() async throws {
        let log = try KafkaLogUnderTest(partitions: 2, cluster: try KafkaTest.Cluster.shared())
        let owner = try await log.startOwner()
        let watched = log.firstLog
        watched.startWatch(every: .milliseconds(50))
        try await wait("looked") { row(watched, .commands, 1)?.lag == 0 }
        try await log.append(.commands, 1, (0..<3).map { Content(key: "p", value: "\($0)") })
        let inputs = try await owner.take(3)
        // Taken over by the shard, and committed by nobody: the library would show no lag any more.
        try await wait("behind") { row(watched, .commands, 1)?.lag == 3 }
        var draft = BatchDraft()
        draft.position(.commands, 1, inputs[1].offset + 1)
        #expect(await owner.commit(draft) == nil)
        try await wait("two are taken in") { row(watched, .commands, 1)?.lag == 1 }
        #expect(row(watched, .commands, 0)?.lag == 0)
        #expect(row(watched, .commands, 1)?.unstable == nil && row(watched, .events, 1)?.lag == nil)
        await log.tearDown()
    }

    @Test("a transaction that hangs on an output shows, for how long, and ends")
    func hanging() async throws {
        let log = try KafkaLogUnderTest(partitions: 2, cluster: try KafkaTest.Cluster.shared())
        _ = try await log.startOwner()
        let watched = log.firstLog
        watched.startWatch(every: .milliseconds(50))
        try await wait("looked") { row(watched, .events, 1)?.unstable == 0 }
        let stranger = try KafkaTransactionalProducer(
            try log.cluster.configuration(), transactionalID: "s-\(log.prefix)", clientID: "s",
            topics: [log.prefix + "events"], trackedTopic: 0)
        try stranger.initTransactions(timeout: .seconds(10))
        try stranger.begin()
        try Array("v".utf8).withUnsafeBytes {
            try stranger.produce(KafkaOutgoing(topic: 0, partition: 1, timestamp: 1, key: $0, value: $0))
        }
        while stranger.deliveredOffsets.isEmpty {
            stranger.service()
            usleep(2_000)
        }
        try await wait("it shows") {
            guard let row = row(watched, .events, 1) else { return false }
            return row.unstable == 1 && row.stalled ?? .zero > .milliseconds(300)
        }
        #expect(row(watched, .events, 0)?.unstable == 0 && row(watched, .events, 0)?.stalled == .zero)
        try stranger.abort(timeout: .seconds(10))
        try await wait("it ends") {
            row(watched, .events, 1)?.unstable == 0 && row(watched, .events, 1)?.stalled == .zero
        }
        await log.tearDown()
    }

    @Test("partitions of other instances are not shown, and nothing after the end")
    func ownOnly() async throws {
        let log = try KafkaLogUnderTest(partitions: 2, cluster: try KafkaTest.Cluster.shared())
        let watched = log.firstLog
        watched.startWatch(every: .milliseconds(50))
        try await Task.sleep(for: .milliseconds(500))
        #expect(watched.figures.isEmpty, "no partition yet")
        _ = try await log.startOwner()
        try await wait("both") { Set(watched.figures.map(\.partition)) == [0, 1] }
        await log.tearDown()
        #expect(watched.figures.isEmpty)
    }
}
