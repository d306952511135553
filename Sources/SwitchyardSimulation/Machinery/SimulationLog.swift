import EventLog
import PaymentModel

/// A shard's end of the memory log. With `answersEarly` it says "durable" of a commit before it is (the mutation
/// `intentCommitRemoved`): what the process then does is behind nothing, and is forgotten with it.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
public final class SimulationLog: ShardLog, @unchecked Sendable {
    private let base: MemoryShardLog
    private let scheduler: Scheduler
    private let answersEarly: Bool
    private var late: [CommitBatch] = []
    private var isWriting = false
    private var isDead = false

    init(_ base: MemoryShardLog, scheduler: Scheduler, answersEarly: Bool) {
        self.base = base
        self.scheduler = scheduler
        self.answersEarly = answersEarly
    }

    /// The process is gone.
    func die() { isDead = true }

    /// See `ShardLog`.
    public var partitionCount: Int32 { base.partitionCount }

    /// See `ShardLog`.
    public func start(
        wake: @escaping @Sendable () -> Void, completion: @escaping @Sendable (LogError?) -> Void
    ) { base.start(wake: wake, completion: completion) }

    /// See `ShardLog`.
    public func poll(into batch: inout RecordBatch, limit: PollLimit) throws(LogError) -> [LogEvent] {
        try base.poll(into: &batch, limit: limit)
    }

    /// See `ShardLog`.
    public func commit(_ batch: CommitBatch, completion: @escaping @Sendable (CommitBatch, LogError?) -> Void) {
        guard answersEarly else { return base.commit(batch, completion: completion) }
        late.append(batch)
        completion(CommitBatch(), nil)
        scheduler.after(300) { [self] in writeLate() }
    }

    private func writeLate() {
        guard !isDead, !isWriting, !late.isEmpty else { return }
        isWriting = true
        base.commit(late.removeFirst()) { [self] _, _ in
            isWriting = false
            writeLate()
        }
    }

    /// See `ShardLog`.
    public func recover(completion: @escaping @Sendable (LogError?) -> Void) { base.recover(completion: completion) }

    /// See `ShardLog`.
    public func entry<Result>(
        partition: Int32, space: StateSpace, key: [UInt8], _ body: (borrowing StoredEntry) throws -> Result
    ) throws -> Result? { try base.entry(partition: partition, space: space, key: key, body) }

    /// See `ShardLog`.
    public func key(reference: [UInt8], partition: Int32) throws(LogError) -> [UInt8]? {
        try base.key(reference: reference, partition: partition)
    }

    /// See `ShardLog`.
    public func timers(
        partition: Int32, through: Timestamp, after: DueTimer?, limit: Int
    ) throws(LogError) -> [DueTimer] {
        try base.timers(partition: partition, through: through, after: after, limit: limit)
    }

    /// See `ShardLog`.
    public func close(completion: @escaping @Sendable () -> Void) { base.close(completion: completion) }
}
