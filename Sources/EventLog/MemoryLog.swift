import PaymentModel
import RecordFormat
import Synchronization

/// What goes wrong with one operation of the memory log.
public enum MemoryFault: Sendable, Equatable {
    /// Nothing becomes visible, and the caller knows it.
    case aborted
    /// The device is full: nothing becomes visible.
    case full
    /// Nothing answers.
    case unavailable
    /// It becomes visible, and the caller is told that nobody knows.
    case unknownApplied
    /// It does not become visible, and the caller is told that nobody knows.
    case unknownLost

    var error: LogError {
        switch self {
        case .aborted: LogError(.aborted, "injected")
        case .full: LogError(.full, "injected")
        case .unavailable: LogError(.unavailable, "injected")
        case .unknownApplied, .unknownLost: LogError(.outcomeUnknown, "injected")
        }
    }
}

/// The event log in memory: for simulation and unit tests. The same calls in the same order give the same contents.
///
/// Every effect and every completion goes through `deliver`; the default runs it at once, on the caller's thread and
/// with no lock held. A simulation passes its scheduler instead: it may delay, order and drop what is delivered, which
/// is a crash before or after the commit took effect (first the change is delivered, from there the completion).
public final class MemoryLog: LogAppender, LogReader {
    /// Runs a piece of work now or later.
    public typealias Deliver = @Sendable (_ work: @escaping @Sendable () -> Void) -> Void

    /// An operation that a fault can befall.
    public enum Operation: Sendable, Equatable {
        /// A shard's commit, with the number of its records and states.
        case commit(shard: Int, records: Int, states: Int)
        /// An append of so many records.
        case append(records: Int)
        /// A shard's `start` or `recover`.
        case recover(shard: Int)
    }

    /// The number of partitions of every topic.
    public let partitionCount: Int32
    let contents: Mutex<MemoryContents>
    let deliver: Deliver
    private let faults = Mutex<(@Sendable (Operation) -> MemoryFault?)?>(nil)
    private let nextShard = Mutex(0)

    /// An empty log.
    ///
    /// - Parameter retainedBytes: about how many bytes of records each partition of a topic keeps (whole chunks of
    ///   1 MiB go); inputs that are not taken in stay. Default: all.
    public init(
        partitionCount: Int32, retainedBytes: Int = .max, deliver: @escaping Deliver = { $0() }
    ) {
        precondition(partitionCount > 0, "a log has at least one partition")
        self.partitionCount = partitionCount
        self.deliver = deliver
        contents = Mutex(MemoryContents(partitionCount: partitionCount, retainedBytes: retainedBytes))
    }

    /// The end of one shard that owns `partitions` once it is started. Starting another one for the same partition
    /// fences the one before.
    public func shard(partitions: [Int32]) -> MemoryShardLog {
        let id = nextShard.withLock { next in
            defer { next += 1 }
            return next
        }
        contents.withLock { $0.shards[id] = MemoryContents.Shard(configured: partitions.sorted()) }
        return MemoryShardLog(log: self, id: id)
    }

    /// Asks `hook` before each operation whether it fails, and how. Nil ends that.
    public func injectFaults(_ hook: (@Sendable (Operation) -> MemoryFault?)?) {
        faults.withLock { $0 = hook }
    }

    /// What the next assignments say of the owners before (default: all proven dead).
    public func setPredecessorProvenDead(_ value: Bool) {
        contents.withLock { $0.predecessorProvenDead = value }
    }

    /// Gives the partition to a shard that is started, or to nobody, as a rebalance does. Its owner before is fenced and
    /// learns of it when it polls.
    public func move(partition: Int32, to shard: MemoryShardLog?) {
        let wakes = contents.withLock { contents in
            guard let shard else { return contents.release(partition) }
            return contents.claim(partition, for: shard.id)
        }
        run(wakes)
    }

    func fault(_ operation: Operation) -> MemoryFault? {
        // Called outside the lock: a hook may look at the log.
        let hook = faults.withLock { $0 }
        return hook?(operation)
    }

    func run(_ wakes: [@Sendable () -> Void]) {
        for wake in wakes { deliver(wake) }
    }

    /// Stores the records. See `LogAppender`.
    public func append(_ batch: RecordBatch, completion: @escaping @Sendable (LogError?) -> Void) {
        for record in batch.records where !(0..<partitionCount).contains(record.partition) {
            deliver { completion(LogError(.misconfigured, "partition \(record.partition)")) }
            return
        }
        let fault = fault(.append(records: batch.records.count))
        deliver { [self] in
            if fault == nil || fault == .unknownApplied {
                run(contents.withLock { $0.append(batch) })
            }
            deliver { completion(fault?.error) }
        }
    }

    /// First retained and next offset. See `LogReader`.
    public func offsets(topic: Topic, partition: Int32) throws(LogError) -> Range<Int64> {
        try check(partition)
        return contents.withLock { contents in
            let records = contents.records[contents.slot(topic, partition)]
            return records.first..<records.end
        }
    }

    /// The committed input position of a partition: where its owner goes on. For who wants to know the lag.
    public func position(topic: Topic, partition: Int32) -> Int64 {
        contents.withLock { $0.positions[$0.slot(topic, partition)] }
    }

    /// Reads records. See `LogReader`.
    public func read(
        topic: Topic, partition: Int32, from: Int64, into batch: inout RecordBatch, limit: PollLimit
    ) throws(LogError) -> Int64 {
        try check(partition)
        let (found, next) = contents.withLock { contents in
            var found = RecordBatch()
            let records = contents.records[contents.slot(topic, partition)]
            let next = MemoryLog.take(
                records, topic: topic, partition: partition, from: from, into: &found,
                limit: limit)
            return (found, next)
        }
        for slot in found.records {
            batch.append(topic: topic, partition: partition, offset: slot.offset, frame: found.bytes[slot.frame])
        }
        return next
    }

    /// A payment's events; scans the partition. See `LogReader`.
    public func history(paymentID: [UInt8], into batch: inout RecordBatch, limit: Int) throws(LogError) {
        let partition = PartitionHash.partition(of: paymentID, count: partitionCount)
        let found = contents.withLock { contents in
            var found = RecordBatch()
            contents.records[contents.slot(.events, partition)].walk(from: 0) { offset, frame in
                guard found.records.count < limit else { return false }
                let key = frame.withUnsafeBytes { bytes in
                    RecordFrame.key(of: bytes.bytes).map { [UInt8](bytes[$0]) }
                }
                if key == paymentID {
                    found.append(topic: .events, partition: partition, offset: offset, frame: frame)
                }
                return true
            }
            return found
        }
        for slot in found.records {
            batch.append(topic: .events, partition: partition, offset: slot.offset, frame: found.bytes[slot.frame])
        }
    }

    /// An entry. See `LogReader`.
    public func entry(space: StateSpace, key: [UInt8]) throws(LogError) -> (state: [UInt8], body: [UInt8]?)? {
        contents.withLock { contents in
            for entries in contents.entries {
                if let entry = entries.find(space, key) { return (entry.state, entry.body) }
            }
            return nil
        }
    }

    /// The operators' list. See `LogReader`. Cost: all payments, in memory.
    public func payments(_ listing: PaymentListing) throws(LogError) -> PaymentPage {
        let found = contents.withLock { contents in
            var found: [PaymentRow] = []
            for partition in contents.entries.indices {
                contents.entries[partition].forEach { entry in
                    guard let summary = entry.summary else { return }
                    if let since = listing.since, summary.since > since { return }
                    guard listing.statuses.isEmpty ? !summary.finished : listing.statuses.contains(summary.status)
                    else { return }
                    found.append(
                        PaymentRow(
                            paymentID: String(decoding: entry.key, as: UTF8.self), partition: Int32(partition),
                            summary: summary))
                }
            }
            return found
        }
        var sorted = found.sorted { $0.isListed(before: $1) }[...]
        if let after = listing.after { sorted = sorted.drop { !after.isListed(before: $0) } }
        let looked = sorted.prefix(listing.scan)
        let rows = looked.filter { listing.partner == nil || $0.summary.partner == listing.partner }
        let cut = looked.count < sorted.count ? looked.last.map { [$0] } : nil
        return PaymentPage(Array(rows.prefix(listing.limit + 1)), cut: cut ?? [], limit: listing.limit)
    }

    func check(_ partition: Int32) throws(LogError) {
        guard (0..<partitionCount).contains(partition) else {
            throw LogError(.misconfigured, "partition \(partition)")
        }
    }

    /// Appends records from `from` on within the limit; the offset to go on from.
    static func take(
        _ records: MemoryRecords, topic: Topic, partition: Int32, from: Int64, into batch: inout RecordBatch,
        limit: PollLimit
    ) -> Int64 {
        var next = max(from, records.first)
        let startCount = batch.records.count
        let startBytes = batch.bytes.count
        records.walk(from: next) { offset, frame in
            let taken = batch.records.count - startCount
            guard taken < limit.records else { return false }
            guard taken == 0 || batch.bytes.count - startBytes + frame.count <= limit.bytes else { return false }
            batch.append(topic: topic, partition: partition, offset: offset, frame: frame)
            next = offset + 1
            return true
        }
        return next
    }
}
