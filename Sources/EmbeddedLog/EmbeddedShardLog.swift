import EventLog
import PaymentModel
import RocksStore
import Synchronization

/// One shard's end of the embedded log.
public final class EmbeddedShardLog: ShardLog {
    private let core: LogCore
    private let id: Int

    init(core: LogCore, id: Int) {
        self.core = core
        self.id = id
    }

    /// The number of partitions of every topic.
    public var partitionCount: Int32 { core.partitionCount }

    /// Begins ownership under new epochs, durable before `poll` tells of it. See `ShardLog`.
    public func start(
        wake: @escaping @Sendable () -> Void, completion: @escaping @Sendable (LogError?) -> Void
    ) {
        core.board.withLock { board in
            board.shards[id]?.wake = wake
            board.shards[id]?.started = true
            // The first poll has not asked yet, but the assignments are news for it.
            board.shards[id]?.waiting = true
        }
        if !core.queue.add(.claim(shard: id, recover: false, completion: completion)) {
            completion(LogError(.closed, "the log is closed"))
        }
    }

    /// What a poll is about to read.
    private struct Plan {
        var topic: Topic
        var partition: Int32
        var epoch: UInt64
        var next: Int64
        var end: Int64
    }

    /// Takes what is ready, from memory or blocks of the store. See `ShardLog`.
    public func poll(into batch: inout RecordBatch, limit: PollLimit) throws(LogError) -> [LogEvent] {
        var events: [LogEvent] = []
        let known = core.board.withLock { board in plan(&board, &events) }
        guard var plans = known else { throw LogError(.closed, "the shard is not started, or closed") }
        guard !plans.isEmpty else { return events }
        let firstRecord = batch.records.count
        let firstByte = batch.bytes.count
        let database = try core.database()
        for index in plans.indices {
            let rest = PollLimit(
                records: limit.records - (batch.records.count - firstRecord),
                bytes: limit.bytes - (batch.bytes.count - firstByte))
            guard rest.records > 0, rest.bytes > 0 || batch.records.count == firstRecord else { break }
            let plan = plans[index]
            plans[index].next = try RecordReading.read(
                database, topic: plan.topic, partition: plan.partition, range: plan.next..<plan.end, into: &batch,
                limit: rest)
        }
        core.board.withLock { board in
            for plan in plans where board.shards[id]?.owned[plan.partition]?.epoch == plan.epoch {
                if plan.topic == .commands {
                    board.shards[id]?.owned[plan.partition]?.commands = plan.next
                } else {
                    board.shards[id]?.owned[plan.partition]?.notifications = plan.next
                }
            }
        }
        let count = batch.records.count - firstRecord
        if count > 0 { events.append(.records(count: count)) }
        return events
    }

    /// What there is to read, beginning with another partition each time; nil where the shard is not open. Sets the
    /// flag that the next news must wake, where there is nothing.
    private func plan(_ board: inout Board, _ events: inout [LogEvent]) -> [Plan]? {
        guard var shard = board.shards[id], shard.started, !shard.closed else { return nil }
        events = shard.pending
        shard.pending.removeAll()
        var plans: [Plan] = []
        if !shard.failed, !shard.owned.isEmpty {
            let partitions = shard.owned.keys.sorted()
            shard.rotation &+= 1
            for step in partitions.indices {
                let partition = partitions[(step + shard.rotation % partitions.count) % partitions.count]
                guard let cursor = shard.owned[partition] else { continue }
                for topic in [Topic.notifications, .commands] {
                    let next = topic == .commands ? cursor.commands : cursor.notifications
                    let end = board.ledger.ends[board.ledger.slot(topic, partition)]
                    guard next < end else { continue }
                    plans.append(
                        Plan(topic: topic, partition: partition, epoch: cursor.epoch, next: next, end: end))
                }
            }
        }
        shard.waiting = events.isEmpty && plans.isEmpty
        board.shards[id] = shard
        return plans
    }

    /// Makes the batch durable and visible at once, or fails; completes on the writer's thread. See `ShardLog`.
    public func commit(_ batch: CommitBatch, completion: @escaping @Sendable (CommitBatch, LogError?) -> Void) {
        let refusal: LogError? = core.board.withLock { board in
            guard let shard = board.shards[id], shard.started, !shard.closed else {
                return LogError(.closed, "the shard is not started, or closed")
            }
            if shard.failed { return LogError(.aborted, "a commit failed: recover first") }
            if shard.inFlight { return LogError(.aborted, "a commit is in flight") }
            board.shards[id]?.inFlight = true
            return nil
        }
        if let refusal { return completion(batch, refusal) }
        if !core.queue.add(.commit(shard: id, batch, completion: completion)) {
            core.board.withLock { $0.shards[id]?.inFlight = false }
            completion(batch, LogError(.closed, "the log is closed"))
        }
    }

    /// Takes the partitions again under new epochs; reopens the store first, where a write has failed. See `ShardLog`.
    public func recover(completion: @escaping @Sendable (LogError?) -> Void) {
        if !core.queue.add(.claim(shard: id, recover: true, completion: completion)) {
            completion(LogError(.closed, "the log is closed"))
        }
    }

    /// An entry as of the last commit. See `ShardLog`.
    public func entry<Result>(
        partition: Int32, space: StateSpace, key: [UInt8], _ body: (borrowing StoredEntry) throws -> Result
    ) throws -> Result? {
        let database = try core.database()
        let family = database.family(StoreLayout.state)
        var name = KeyBuilder()
        name.entry(partition, space, body: false, key)
        var bodyName = KeyBuilder()
        bodyName.entry(partition, space, body: true, key)
        let outcome: Swift.Result<Result?, any Error>
        do throws(RocksError) {
            outcome = try database.read(family, key: name.bytes.span.bytes) { state in
                guard let state else { return .success(nil) }
                return Swift.Result<Swift.Result<Result?, any Error>, any Error> {
                    try database.read(family, key: bodyName.bytes.span.bytes) { stored in
                        Swift.Result<Result?, any Error> {
                            guard let stored else { return try body(StoredEntry(state: state.bytes, body: nil)) }
                            return try body(StoredEntry(state: state.bytes, body: stored.bytes))
                        }
                    }
                }.flatMap { $0 }
            }
        } catch {
            throw LogError(error)
        }
        do { return try outcome.get() } catch let error as RocksError { throw LogError(error) }
    }

    /// The payment of a reference. See `ShardLog`.
    public func key(reference: [UInt8], partition: Int32) throws(LogError) -> [UInt8]? {
        let database = try core.database()
        var name = KeyBuilder()
        name.reference(partition, reference)
        do throws(RocksError) {
            return try database.value(database.family(StoreLayout.indexes), key: name.bytes.span.bytes)
        } catch { throw LogError(error) }
    }

    /// Due timers, by a walk over the index from the first one that can be there. See `ShardLog`.
    public func timers(
        partition: Int32, through: Timestamp, after: DueTimer?, limit: Int
    ) throws(LogError) -> [DueTimer] {
        guard (0..<partitionCount).contains(partition) else { throw LogError(.misconfigured, "partition \(partition)") }
        guard limit > 0 else { return [] }
        let database = try core.database()
        let floor = core.board.withLock { $0.floors[Int(partition)] }
        var start = KeyBuilder()
        if let after {
            start.timer(partition, after.due, after.space, after.key)
            start.append(UInt8(0))
        } else {
            start.begin(partition: partition)
            start.append(floor.due)
        }
        var end = KeyBuilder()
        end.begin(partition: partition)
        end.append(through)
        // Behind every key of that very millisecond: a space is never 255.
        end.append(UInt8.max)
        guard start.bytes.lexicographicallyPrecedes(end.bytes) else { return [] }
        var found: [DueTimer] = []
        do throws(RocksError) {
            try database.scan(
                database.family(StoreLayout.timers), from: start.bytes.span.bytes, to: end.bytes.span.bytes
            ) { key, _ in
                guard let due = StoreLayout.timestamp(key, at: 4), key.count > 13,
                    let space = StateSpace(rawValue: key[12])
                else { return true }
                found.append(DueTimer(due: due, partition: partition, space: space, key: Array(key[13...])))
                return found.count < limit
            }
        } catch { throw LogError(error) }
        if after == nil { raiseFloor(partition, floor, to: found.first?.due ?? through) }
        return found
    }

    /// Remembers that nothing lies before `due`, unless a commit has set timers since the floor was read.
    private func raiseFloor(_ partition: Int32, _ floor: Board.TimerFloor, to due: Timestamp) {
        core.board.withLock { board in
            let index = Int(partition)
            guard board.floors[index].version == floor.version, board.floors[index].due < due else { return }
            board.floors[index].due = due
        }
    }

    /// Ends ownership after the commit in flight. See `ShardLog`.
    public func close(completion: @escaping @Sendable () -> Void) {
        core.board.withLock { board in
            board.shards[id]?.closed = true
            board.shards[id]?.wake = nil
        }
        if !core.queue.add(.release(shard: id, completion: completion)) { completion() }
    }
}
