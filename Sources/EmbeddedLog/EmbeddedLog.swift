import EventLog
import PaymentModel
import RocksStore
import Synchronization

/// The default event log: one process, one directory, nothing else to run. Nothing acknowledged is lost on kill -9 or,
/// where the device keeps its promise of a sync, on loss of power.
///
/// All appends and commits that gather while one synced write is under way become the next one. A full disk fails
/// commits and appends; nothing is lost, and the log heals itself once there is room: owners `recover`, and appends try
/// once a second.
public final class EmbeddedLog: LogAppender, LogReader {
    let core: LogCore

    /// The number of partitions of every topic.
    public var partitionCount: Int32 { core.partitionCount }
    /// The directory.
    public var directory: String { core.directory }

    /// Opens, or begins, the log in `directory`, whose parent must exist. Does not scan what is there: the time it takes
    /// is that of RocksDB's open, bounded by its write buffers.
    ///
    /// - Throws: `.heldElsewhere` where another process holds the directory longer than the options wait,
    ///   `.misconfigured` where the number of partitions is not the recorded one; `.corrupt`, `.full`.
    public init(directory: String, options: EmbeddedLogOptions) throws(LogError) {
        core = try LogCore(directory: directory, options: options)
        try core.startWriter()
    }

    deinit { core.stop() }

    /// The end of one shard that owns `partitions` once it is started. Starting another one for the same partition fences
    /// the one before.
    public func shard(partitions: [Int32]) -> EmbeddedShardLog {
        precondition(partitions.allSatisfy { (0..<partitionCount).contains($0) }, "no such partition")
        let id = core.board.withLock { board in
            defer { board.nextShard += 1 }
            board.shards[board.nextShard] = Board.Shard(configured: partitions.sorted())
            return board.nextShard
        }
        return EmbeddedShardLog(core: core, id: id)
    }

    /// Finishes what is queued, closes the store and gives the directory free. Blocks; once is enough.
    public func close() { core.stop() }

    /// Writes a consistent copy of the store into `directory`, which must not exist, while work goes on: a backup that
    /// can be opened as a log (inside a directory, as `store`).
    public func checkpoint(to directory: String) throws(LogError) {
        let database = try core.database()
        do throws(RocksError) { try database.checkpoint(to: directory) } catch { throw LogError(error) }
    }

    /// What has been done since the opening.
    public var statistics: EmbeddedLogStatistics {
        var statistics = core.counters.withLock { $0 }
        statistics.memoryBytes = (try? core.database())?.memoryBytes ?? 0
        return statistics
    }

    /// Stores the records; completes on the writer's thread when they are durable. See `LogAppender`.
    public func append(_ batch: RecordBatch, completion: @escaping @Sendable (LogError?) -> Void) {
        for record in batch.records {
            guard (0..<partitionCount).contains(record.partition), record.frame.lowerBound >= 0,
                record.frame.upperBound <= batch.bytes.count
            else { return completion(LogError(.misconfigured, "a record outside the log or its batch")) }
        }
        if let refusal = core.queue.addAppend(batch, completion) { completion(refusal) }
    }

    /// Makes the next write of the log fail; for tests.
    package func failNextWrite(_ fault: WriteFault) { core.injected.withLock { $0 = fault } }

    /// How often the store has synced its log since it was opened; nil without `EmbeddedLogOptions.countsSyncs`.
    package var syncs: UInt64? { (try? core.database())?.count("rocksdb.wal.synced") }
}
