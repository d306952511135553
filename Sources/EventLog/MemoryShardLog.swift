import PaymentModel
import Synchronization

/// One shard's end of the memory log.
public final class MemoryShardLog: ShardLog {
    private let log: MemoryLog
    /// Names the shard in `MemoryLog.Operation`.
    public let id: Int

    init(log: MemoryLog, id: Int) {
        self.log = log
        self.id = id
    }

    /// The number of partitions of every topic.
    public var partitionCount: Int32 { log.partitionCount }

    /// Begins ownership. See `ShardLog`.
    public func start(
        wake: @escaping @Sendable () -> Void, completion: @escaping @Sendable (LogError?) -> Void
    ) {
        let fault = log.fault(.recover(shard: id))
        log.deliver { [self] in
            guard fault == nil else { return log.deliver { completion(fault?.error) } }
            let wakes = log.contents.withLock { contents in
                contents.shards[id]?.wake = wake
                contents.shards[id]?.started = true
                // The first poll has not asked yet, but the assignments are news for it.
                contents.shards[id]?.waiting = true
                return (contents.shards[id]?.configured ?? []).flatMap { contents.claim($0, for: id) }
            }
            log.run(wakes)
            log.deliver { completion(nil) }
        }
    }

    /// Takes what is ready. See `ShardLog`.
    public func poll(into batch: inout RecordBatch, limit: PollLimit) throws(LogError) -> [LogEvent] {
        let events = log.contents.withLock { Self.poll(&$0, id, into: &batch, limit: limit) }
        guard let events else { throw LogError(.closed, "the shard is not started, or closed") }
        return events
    }

    private static func poll(
        _ contents: inout MemoryContents, _ id: Int, into batch: inout RecordBatch, limit: PollLimit
    ) -> [LogEvent]? {
        guard var shard = contents.shards[id], shard.started, !shard.closed else { return nil }
        defer { contents.shards[id] = shard }
        var events = shard.pending
        shard.pending.removeAll()
        let firstRecord = batch.records.count
        let firstByte = batch.bytes.count
        let partitions = shard.owned.keys.sorted()
        if !shard.failed, !partitions.isEmpty {
            shard.rotation += 1
            for step in partitions.indices {
                let partition = partitions[(step + shard.rotation) % partitions.count]
                guard var owned = shard.owned[partition] else { continue }
                for topic in [Topic.notifications, .commands] {
                    let rest = PollLimit(
                        records: limit.records - (batch.records.count - firstRecord),
                        bytes: limit.bytes - (batch.bytes.count - firstByte))
                    guard rest.records > 0, rest.bytes > 0 || batch.records.count == firstRecord else { break }
                    let from = topic == .commands ? owned.commands : owned.notifications
                    let next = MemoryLog.take(
                        contents.records[contents.slot(topic, partition)], topic: topic, partition: partition,
                        from: from, into: &batch, limit: rest)
                    if topic == .commands { owned.commands = next } else { owned.notifications = next }
                }
                shard.owned[partition] = owned
            }
        }
        let count = batch.records.count - firstRecord
        if count > 0 { events.append(.records(count: count)) }
        shard.waiting = events.isEmpty
        return events
    }

    /// Applies the batch at once or not at all. See `ShardLog`.
    public func commit(_ batch: CommitBatch, completion: @escaping @Sendable (CommitBatch, LogError?) -> Void) {
        let refusal: LogError? = log.contents.withLock { contents in
            guard let shard = contents.shards[id], shard.started, !shard.closed else {
                return LogError(.closed, "the shard is not started, or closed")
            }
            if shard.failed { return LogError(.aborted, "a commit failed: recover first") }
            if shard.inFlight { return LogError(.aborted, "a commit is in flight") }
            contents.shards[id]?.inFlight = true
            return nil
        }
        if let refusal { return log.deliver { completion(batch, refusal) } }
        let fault = log.fault(
            .commit(shard: id, records: batch.records.count, states: batch.states.count))
        log.deliver { [self] in
            let error: LogError? = log.contents.withLock { contents in
                contents.shards[id]?.inFlight = false
                var error = contents.refusal(batch, by: id)
                if error == nil, fault == nil || fault == .unknownApplied { contents.apply(batch) }
                error = error ?? fault?.error
                if error != nil { contents.shards[id]?.failed = true }
                return error
            }
            log.deliver { completion(batch, error) }
        }
    }

    /// Takes the partitions again that nobody else has taken. See `ShardLog`.
    public func recover(completion: @escaping @Sendable (LogError?) -> Void) {
        let fault = log.fault(.recover(shard: id))
        log.deliver { [self] in
            guard fault == nil else { return log.deliver { completion(fault?.error) } }
            let outcome: ([@Sendable () -> Void], LogError?) = log.contents.withLock { contents in
                guard let shard = contents.shards[id], shard.started, !shard.closed else {
                    return ([], LogError(.closed, "the shard is not started, or closed"))
                }
                contents.shards[id]?.failed = false
                contents.shards[id]?.inFlight = false
                let mine = shard.configured.filter { contents.owners[Int($0)].map { $0 == id } ?? true }
                let moved = shard.owned.keys.filter { !shard.configured.contains($0) }.sorted()
                return ((mine + moved).flatMap { contents.claim($0, for: id) }, nil)
            }
            log.run(outcome.0)
            log.deliver { completion(outcome.1) }
        }
    }

    /// An entry as of the last commit. See `ShardLog`.
    public func entry<Result>(
        partition: Int32, space: StateSpace, key: [UInt8], _ body: (borrowing StoredEntry) throws -> Result
    ) throws -> Result? {
        // Taken out of the lock first: the closure may come back to the log.
        let found = log.contents.withLock { contents in
            contents.entries.indices.contains(Int(partition))
                ? contents.entries[Int(partition)].find(space, key) : nil
        }
        guard let found else { return nil }
        guard let kept = found.body else {
            return try body(StoredEntry(state: found.state.span.bytes, body: nil))
        }
        return try body(StoredEntry(state: found.state.span.bytes, body: kept.span.bytes))
    }

    /// The payment of a reference. See `ShardLog`.
    public func key(reference: [UInt8], partition: Int32) throws(LogError) -> [UInt8]? {
        try log.check(partition)
        return log.contents.withLock { $0.references[Int(partition)].find(.payment, reference)?.state }
    }

    /// Due timers. See `ShardLog`.
    public func timers(
        partition: Int32, through: Timestamp, after: DueTimer?, limit: Int
    ) throws(LogError) -> [DueTimer] {
        try log.check(partition)
        let found = log.contents.withLock { contents in
            var found: [DueTimer] = []
            contents.entries[Int(partition)].forEach { entry in
                guard let due = entry.timer, due <= through else { return }
                let timer = DueTimer(due: due, partition: partition, space: entry.space, key: entry.key)
                if after.map({ MemoryShardLog.isDueBefore($0, timer) }) ?? true { found.append(timer) }
            }
            return found
        }
        return Array(found.sorted(by: MemoryShardLog.isDueBefore).prefix(limit))
    }

    /// The order of timers: by time, then by key.
    private static func isDueBefore(_ left: DueTimer, _ right: DueTimer) -> Bool {
        if left.due != right.due { return left.due < right.due }
        if left.space != right.space { return left.space.rawValue < right.space.rawValue }
        return left.key.lexicographicallyPrecedes(right.key)
    }

    /// Ends ownership. See `ShardLog`.
    public func close(completion: @escaping @Sendable () -> Void) {
        log.deliver { [self] in
            log.contents.withLock { contents in
                for partition in contents.shards[id]?.owned.keys.sorted() ?? [] {
                    contents.owners[Int(partition)] = nil
                }
                contents.shards[id]?.owned = [:]
                contents.shards[id]?.closed = true
                contents.shards[id]?.wake = nil
            }
            log.deliver(completion)
        }
    }
}
