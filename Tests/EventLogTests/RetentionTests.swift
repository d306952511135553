import EmbeddedLog
import EventLog
import EventLogConformance
import PaymentModel
import TestSupport
import Testing

@Suite("Retention of the embedded log")
struct RetentionTests {
    private static func fill(_ log: EmbeddedLog, _ topic: Topic, count: Int, bytes: Int) async throws {
        var random = SeededGenerator(seed: 7)
        for start in stride(from: 0, to: count, by: 50) {
            let contents = (start..<min(count, start + 50)).map { number in
                let filler = String(decoding: random.bytes(bytes).map { $0 % 94 + 33 }, as: UTF8.self)
                return Content(key: "k", value: "\(number) \(filler)", timestamp: Int64(number))
            }
            try await EmbeddedLogTests.append(log, topic, 0, contents)
        }
    }

    @Test("records older than their age go, inputs that are not taken in stay, offsets never repeat")
    func age() async throws {
        let directory = TemporaryDirectory("retention")
        defer { withExtendedLifetime(directory) {} }
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.retention = [
            .events: TopicRetention(age: Milliseconds(100)), .commands: TopicRetention(age: Milliseconds(10)),
        ]
        let log = try EmbeddedLog(directory: directory.path, options: options)
        try await Self.fill(log, .events, count: 200, bytes: 10)
        try await Self.fill(log, .settlements, count: 20, bytes: 10)
        try await Self.fill(log, .commands, count: 30, bytes: 10)
        let owner = Owner(log.shard(partitions: [0]), patience: .seconds(10))
        try await owner.start()
        _ = try await owner.take(30)
        var draft = BatchDraft()
        draft.position(.commands, 0, 12)
        #expect(await owner.commit(draft) == nil)
        #expect(try log.enforceRetention(now: Timestamp(milliseconds: 250)) == 150 + 12)
        #expect(try log.offsets(topic: .events, partition: 0) == 150..<200)
        #expect(try log.offsets(topic: .settlements, partition: 0) == 0..<20, "no retention, no loss")
        #expect(try log.offsets(topic: .commands, partition: 0) == 12..<30, "not taken in: kept")
        #expect(try log.enforceRetention(now: Timestamp(milliseconds: 250)) == 0)
        var batch = RecordBatch()
        let next = try log.read(
            topic: .events, partition: 0, from: 3, into: &batch, limit: PollLimit(records: 2, bytes: 1_000))
        #expect(batch.records.map(\.offset) == [150, 151])
        #expect(next == 152)
        #expect(try log.enforceRetention(now: Timestamp(milliseconds: 1_000_000)) == 50)
        log.close()
        let again = try EmbeddedLog(directory: directory.path, options: options)
        #expect(try again.offsets(topic: .events, partition: 0) == 200..<200, "an empty topic goes on where it was")
        try await EmbeddedLogTests.append(again, .events, 0, [Content(key: "k", value: "new")])
        #expect(try again.offsets(topic: .events, partition: 0) == 200..<201)
        let successor = Owner(again.shard(partitions: [0]), patience: .seconds(10))
        try await successor.start()
        #expect(try await successor.take(18).first?.offset == 12)
        again.close()
    }

    @Test("where a partition takes more bytes than it may, the oldest records go")
    func bytes() async throws {
        let directory = TemporaryDirectory("retention")
        defer { withExtendedLifetime(directory) {} }
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.writeBufferBytes = 2 << 20
        options.retention = [.events: TopicRetention(age: nil, bytes: 3 << 20)]
        let log = try EmbeddedLog(directory: directory.path, options: options)
        try await Self.fill(log, .events, count: 4_000, bytes: 2_000)
        let gone = try log.enforceRetention(now: Timestamp(milliseconds: 0))
        let left = try log.offsets(topic: .events, partition: 0)
        #expect(gone == left.lowerBound)
        #expect(gone > 500, "8 MB written, \(gone) of 4000 records went")
        #expect(left.count > 500, "\(left.count) records stayed")
        var batch = RecordBatch()
        _ = try log.read(
            topic: .events, partition: 0, from: 0, into: &batch, limit: PollLimit(records: 10_000, bytes: .max))
        #expect(batch.records.map(\.offset) == Array(left))
        log.close()
    }

    @Test("the history of a payment forgets what its topic forgot")
    func history() async throws {
        let directory = TemporaryDirectory("retention")
        defer { withExtendedLifetime(directory) {} }
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.retention = [.events: TopicRetention(age: Milliseconds(10))]
        let log = try EmbeddedLog(directory: directory.path, options: options)
        let owner = Owner(log.shard(partitions: [0]), patience: .seconds(10))
        try await owner.start()
        for number in 0..<10 {
            var draft = BatchDraft()
            for copy in 0..<3 {
                let content = Content(key: "p", value: "\(number).\(copy)", timestamp: Int64(number * 3 + copy))
                draft.record(.events, 0, content)
            }
            #expect(await owner.commit(draft) == nil)
        }
        try log.enforceRetention(now: Timestamp(milliseconds: 30))
        var batch = RecordBatch()
        try log.history(paymentID: Array("p".utf8), into: &batch, limit: 100)
        #expect(batch.records.map(\.offset) == Array(20..<30))
        var gone = BatchDraft()
        gone.state("p", nil, partition: 0)
        #expect(await owner.commit(gone) == nil)
        batch.removeAll()
        try log.history(paymentID: Array("p".utf8), into: &batch, limit: 100)
        #expect(batch.records.isEmpty, "a tombstone takes the history with it")
        log.close()
    }
}
