import EventLog
import EventLogConformance
import Synchronization
import TestSupport
import Testing

/// The memory log under the conformance suite.
final class MemoryLogUnderTest: LogUnderTest {
    let log: MemoryLog
    var appender: any LogAppender { log }
    var reader: any LogReader { log }
    let offsetsAreContiguous = true
    let patience = Duration.seconds(10)
    private let failure = Mutex<MemoryFault?>(nil)

    init(partitions: Int32) {
        log = MemoryLog(partitionCount: partitions)
        log.injectFaults { [weak self] operation in
            guard case .commit = operation else { return nil }
            return self?.failure.withLock { failure in
                defer { failure = nil }
                return failure
            }
        }
    }

    func makeShard() async throws -> any ShardLog { log.shard(partitions: Array(0..<log.partitionCount)) }

    func takeOver(by successor: any ShardLog, wake: @escaping @Sendable () -> Void) async throws {
        let error = await withCheckedContinuation { continuation in
            successor.start(wake: wake) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
    }

    /// A crash leaves what was applied; the shards of before are never used again, as a dead process's are not.
    func crashAndReopen() async throws {}

    func failNextCommit(_ failure: InjectedFailure) -> Bool {
        self.failure.withLock {
            $0 =
                switch failure {
                case .aborted: .aborted
                case .unknownApplied: .unknownApplied
                case .unknownLost: .unknownLost
                }
        }
        return true
    }

    func tearDown() async {}
}

@Suite("The memory log")
struct MemoryLogTests {
    static let factory = LogFactory("memory") { MemoryLogUnderTest(partitions: $0) }

    @Test("conforms", arguments: Conformance.cases)
    func conforms(_ property: ConformanceCase) async throws {
        try await property.run(Self.factory)
    }

    @Test("equals a simple model", arguments: 0..<8)
    func model(_ run: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("memory model run \(run): seed \(seed)")
        try await RandomModel.run(Self.factory, steps: 150, random: SeededGenerator(seed: seed))
    }

    @Test("holds a commit back until its delivery, and forgets it where that never comes")
    func deliveries() throws {
        let queue = Mutex<[@Sendable () -> Void]>([])
        let log = MemoryLog(partitionCount: 1) { work in queue.withLock { $0.append(work) } }
        func deliverNext() { queue.withLock { $0.removeFirst() }() }
        func deliverAll() { while !queue.withLock({ $0.isEmpty }) { deliverNext() } }
        let shard = log.shard(partitions: [0])
        shard.start(wake: {}, completion: { _ in })
        deliverAll()
        var batch = RecordBatch()
        guard
            case .assigned(let assignment)? = try shard.poll(into: &batch, limit: PollLimit(records: 1, bytes: 1)).first
        else {
            Issue.record("no assignment")
            return
        }
        var commit = CommitBatch()
        commit.bytes = Content(key: "k", value: "v").frame
        commit.records = [RecordSlot(topic: .events, partition: 0, offset: 0, frame: 0..<commit.bytes.count)]
        commit.epochs = [assignment]
        let completed = Mutex(0)
        shard.commit(commit) { _, error in completed.withLock { $0 += error == nil ? 1 : 100 } }
        #expect(try log.offsets(topic: .events, partition: 0) == 0..<0, "not yet delivered")
        deliverNext()
        #expect(try log.offsets(topic: .events, partition: 0) == 0..<1, "durable, the owner does not know yet")
        #expect(completed.withLock { $0 } == 0)
        deliverAll()
        #expect(completed.withLock { $0 } == 1)
        shard.commit(commit) { _, _ in completed.withLock { $0 += 1 } }
        queue.withLock { $0.removeAll() }
        let successor = log.shard(partitions: [0])
        successor.start(wake: {}, completion: { _ in })
        deliverAll()
        #expect(try log.offsets(topic: .events, partition: 0) == 0..<1, "the crash came before the commit")
        #expect(completed.withLock { $0 } == 1)
    }

    @Test("a moved partition is revoked here and assigned there")
    func moves() throws {
        let log = MemoryLog(partitionCount: 2)
        let left = log.shard(partitions: [0, 1])
        let right = log.shard(partitions: [])
        left.start(wake: {}, completion: { _ in })
        right.start(wake: {}, completion: { _ in })
        var batch = RecordBatch()
        let limit = PollLimit(records: 10, bytes: 1_000)
        _ = try left.poll(into: &batch, limit: limit)
        log.setPredecessorProvenDead(false)
        log.move(partition: 1, to: right)
        #expect(try left.poll(into: &batch, limit: limit) == [.revoked(partition: 1)])
        let assigned = try right.poll(into: &batch, limit: limit)
        #expect(assigned == [.assigned(Assignment(partition: 1, epoch: 2, predecessorProvenDead: false))])
    }

    @Test("drops old records in chunks, never an input that is not taken in")
    func retention() throws {
        let log = MemoryLog(partitionCount: 1, retainedBytes: 2 << 20)
        var batch = RecordBatch()
        let frame = Content(key: "k", value: String(repeating: "x", count: 100_000)).frame
        for _ in 0..<60 {
            batch.append(topic: .events, partition: 0, offset: 0, frame: frame)
            batch.append(topic: .commands, partition: 0, offset: 0, frame: frame)
        }
        log.append(batch) { _ in }
        let events = try log.offsets(topic: .events, partition: 0)
        #expect(events.upperBound == 60)
        #expect(events.lowerBound > 20)
        #expect(try log.offsets(topic: .commands, partition: 0) == 0..<60)
        var read = RecordBatch()
        let next = try log.read(
            topic: .events, partition: 0, from: 0, into: &read, limit: PollLimit(records: 1, bytes: 1))
        #expect(read.records.first?.offset == events.lowerBound)
        #expect(next == events.lowerBound + 1)
    }
}
