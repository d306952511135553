import EventLog
import EventLogConformance
import Foundation
import KafkaLog
import KafkaTransport
import PaymentModel
import Synchronization
import TestSupport
import Testing

/// The rule of recovery on a real broker that stands still, or dies, in the middle of a transaction: between any two of
/// its steps. Whatever the broker had already done, the command takes effect once.
@Suite(
    "A broker in trouble", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct BrokerTroubleTests {
    enum Trouble: Sendable {
        /// Stands still until every call has timed out, then goes on with what lies in its sockets.
        case paused
        /// Killed, and started again with its data.
        case killed
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var trouble: Trouble
        var step: CommitStep
        var testDescription: String { "\(trouble) when the transaction is \(step)" }
    }

    static let rows: [Row] = [Trouble.paused, .killed].flatMap { trouble in
        [CommitStep.staged, .produced, .offsetsSent].map { Row(trouble: trouble, step: $0) }
    }

    private static let broker: Result<TestKafka, any Error> = Result { try TestKafka() }

    @Test("a command takes effect once", arguments: rows)
    func once(_ row: Row) async throws {
        let broker = try Self.broker.get()
        let log = try KafkaLogUnderTest(partitions: 1, cluster: KafkaTest.Cluster(broker: broker))
        let shard = try #require(try await log.makeShard() as? KafkaShardLog)
        let owner = Owner(shard, patience: .seconds(60))
        try await log.append(.commands, 0, [Content(key: "p1", value: "c1")])
        try await owner.start()
        let input = try await owner.take(1)[0]
        func draft(_ input: Input) -> BatchDraft {
            var draft = BatchDraft()
            draft.record(.events, 0, Content(key: "p1", value: "once"))
            draft.state("p1", "once", partition: 0)
            draft.position(.commands, 0, input.offset + 1)
            return draft
        }
        let used = Mutex(false)
        let failure = Mutex<(any Error)?>(nil)
        shard.watcher.withLock {
            $0 = { step in
                let now = used.withLock { used in
                    defer { if step == row.step { used = true } }
                    return step == row.step && !used
                }
                if now {
                    do {
                        switch row.trouble {
                        case .paused: try broker.signal(SIGSTOP)
                        case .killed: try broker.halt(kill: true)
                        }
                    } catch {
                        failure.withLock { $0 = error }
                    }
                }
                return .proceed
            }
        }
        let error = await owner.commit(draft(input))
        if let problem = failure.withLock({ $0 }) { throw problem }
        // Once the end was asked for nobody knows; before, nothing can have become visible.
        #expect(
            error?.kind == (row.step == .offsetsSent ? .outcomeUnknown : .aborted), "\(String(describing: error))")
        switch row.trouble {
        case .paused: try broker.signal(SIGCONT)
        case .killed: try broker.restart()
        }
        // Either its effect is there, or it is handed over again; never both, never neither. A generation may end
        // meanwhile, as the sessions of the time of trouble expire: then once more.
        for _ in 0..<6 {
            try await owner.recover()
            let deadline = ContinuousClock.now + .seconds(3)
            while ContinuousClock.now < deadline, await owner.inputs.isEmpty {
                try await owner.poll()
                try await Task.sleep(for: .milliseconds(20))
            }
            guard let again = await owner.inputs.first else { break }
            #expect(again == input)
            #expect(try await owner.entry("p1", partition: 0) == nil)
            if await owner.commit(draft(again)) == nil { break }
        }
        usleep(300_000)
        let values = try log.readAll(.events, 0).map { String(decoding: $0.content.value ?? [], as: UTF8.self) }
        #expect(values == ["once"])
        #expect(try await owner.entry("p1", partition: 0)?[0] == Array("once".utf8))
        await log.tearDown()
    }

    @Test("no call that belongs to the shard's thread waits for a broker")
    func nothingWaits() async throws {
        let broker = try Self.broker.get()
        let log = try KafkaLogUnderTest(partitions: 1, cluster: KafkaTest.Cluster(broker: broker))
        let shard = try #require(try await log.makeShard() as? KafkaShardLog)
        let owner = Owner(shard, patience: .seconds(60))
        try await owner.start()
        var draft = BatchDraft()
        draft.record(.events, 0, Content(key: "p1", value: "v"))
        draft.state("p1", "v", partition: 0)
        let batch = draft.build(await owner.assignments)
        try broker.signal(SIGSTOP)
        let start = ContinuousClock.now
        let ended = Mutex(0)
        let done: @Sendable () -> Void = { ended.withLock { $0 += 1 } }
        var polled = RecordBatch()
        _ = try shard.poll(into: &polled, limit: PollLimit(records: 10, bytes: 1 << 20))
        shard.commit(batch) { _, _ in done() }
        _ = try shard.poll(into: &polled, limit: PollLimit(records: 10, bytes: 1 << 20))
        _ = try shard.entry(partition: 0, space: .payment, key: Array("p1".utf8)) { _ in true }
        _ = try shard.key(reference: Array("r".utf8), partition: 0)
        _ = try shard.timers(partition: 0, through: Timestamp(milliseconds: 1), after: nil, limit: 1)
        shard.recover { _ in done() }
        let appended = batchOfOne()
        log.appender.append(appended) { _ in done() }
        shard.close { done() }
        // Every call that asks a broker has a time-out of seconds; all of these together take microseconds.
        #expect(start.duration(to: .now) < .seconds(1))
        #expect(ended.withLock { $0 } == 0, "nothing has ended: the broker stands still")
        try broker.signal(SIGCONT)
        let deadline = ContinuousClock.now + .seconds(60)
        while ended.withLock({ $0 }) < 4, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(ended.withLock { $0 } == 4, "each is told its end")
        await log.tearDown()
    }

    private func batchOfOne() -> RecordBatch {
        var batch = RecordBatch()
        batch.append(topic: .commands, partition: 0, offset: -1, frame: Content(key: "p1", value: "c").frame)
        return batch
    }
}
