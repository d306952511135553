import PaymentModel
import RecordFormat

/// Everything the memory log holds, under one lock.
struct MemoryContents {
    struct EntryKey: Hashable {
        var partition: Int32
        var space: StateSpace
        var key: [UInt8]
    }

    struct Entry {
        var state: [UInt8]
        var body: [UInt8]?
    }

    /// Order of one partition's timers: by time, then by key.
    struct TimerKey: Comparable {
        var due: Timestamp
        var space: StateSpace
        var key: [UInt8]

        static func < (left: TimerKey, right: TimerKey) -> Bool {
            if left.due != right.due { return left.due < right.due }
            if left.space != right.space { return left.space.rawValue < right.space.rawValue }
            return left.key.lexicographicallyPrecedes(right.key)
        }
    }

    /// Order of the operators' list: longest in its status first.
    struct RowKey: Comparable {
        var since: Timestamp
        var key: [UInt8]
        var partition: Int32 = 0
        var summary: PaymentSummary?

        static func < (left: RowKey, right: RowKey) -> Bool {
            if left.since != right.since { return left.since < right.since }
            return left.key.lexicographicallyPrecedes(right.key)
        }

        static func == (left: RowKey, right: RowKey) -> Bool {
            left.since == right.since && left.key == right.key
        }
    }

    /// What one owner has.
    struct Shard {
        var configured: [Int32]
        /// Epoch and next offsets to poll, by partition.
        var owned: [Int32: Owned] = [:]
        var pending: [LogEvent] = []
        /// Whether the last poll found nothing, so that the next news must wake.
        var waiting = false
        /// Whether a commit failed, so that nothing goes on before `recover`.
        var failed = false
        var inFlight = false
        var started = false
        var closed = false
        var rotation = 0
        var wake: (@Sendable () -> Void)?
    }

    struct Owned {
        var epoch: UInt64
        var commands: Int64
        var notifications: Int64
    }

    let partitionCount: Int32
    let retainedBytes: Int
    var predecessorProvenDead = true
    var records: [MemoryRecords]
    var entries: [EntryKey: Entry] = [:]
    var timers: [SortedList<TimerKey>]
    var rows = SortedList<RowKey>()
    var references: [EntryKey: [UInt8]] = [:]
    /// Committed input positions, at `slot`.
    var positions: [Int64]
    var epochs: [UInt64]
    var owners: [Int?]
    var shards: [Int: Shard] = [:]

    init(partitionCount: Int32, retainedBytes: Int) {
        self.partitionCount = partitionCount
        self.retainedBytes = retainedBytes
        let slots = (Topic.allCases.count + 1) * Int(partitionCount)
        records = Array(repeating: MemoryRecords(), count: slots)
        positions = Array(repeating: 0, count: slots)
        timers = Array(repeating: SortedList(), count: Int(partitionCount))
        epochs = Array(repeating: 0, count: Int(partitionCount))
        owners = Array(repeating: nil, count: Int(partitionCount))
    }

    func slot(_ topic: Topic, _ partition: Int32) -> Int {
        Int(topic.rawValue) * Int(partitionCount) + Int(partition)
    }

    // MARK: Commit

    /// Why this batch may not be applied for this shard, nil where it may.
    func refusal(_ batch: CommitBatch, by shard: Int) -> LogError? {
        if let problem = batch.problem(partitionCount: partitionCount) { return LogError(.aborted, problem) }
        for assignment in batch.epochs {
            guard (0..<partitionCount).contains(assignment.partition) else {
                return LogError(.aborted, "epoch of partition \(assignment.partition)")
            }
            let index = Int(assignment.partition)
            guard owners[index] == shard, epochs[index] == assignment.epoch else {
                return LogError(.fenced, "partition \(index) has epoch \(epochs[index])")
            }
        }
        for position in batch.positions {
            let slot = slot(position.topic, position.partition)
            guard position.next >= positions[slot], position.next <= records[slot].end else {
                return LogError(.aborted, "position \(position.next) outside the log")
            }
        }
        return nil
    }

    /// Applies a batch that was not refused.
    mutating func apply(_ batch: CommitBatch) {
        for record in batch.records {
            let slot = slot(record.topic, record.partition)
            records[slot].append(batch.bytes[record.frame])
            trim(slot, record.topic)
        }
        for write in batch.states { apply(write, batch.bytes) }
        for position in batch.positions { positions[slot(position.topic, position.partition)] = position.next }
    }

    private mutating func apply(_ write: StateWrite, _ bytes: [UInt8]) {
        let key = Array(bytes[write.key])
        let entryKey = EntryKey(partition: write.partition, space: write.space, key: key)
        let partition = Int(write.partition)
        if let before = write.timerBefore {
            timers[partition].remove(TimerKey(due: before, space: write.space, key: key))
        }
        if let before = write.summaryBefore { rows.remove(RowKey(since: before.since, key: key)) }
        for range in write.references {
            let reference = EntryKey(partition: write.partition, space: .payment, key: Array(bytes[range]))
            references[reference] = write.state == nil ? nil : key
        }
        guard let state = write.state else {
            entries[entryKey] = nil
            return
        }
        let body: [UInt8]? =
            switch write.body {
            case .unchanged: entries[entryKey]?.body
            case .set(let range): Array(bytes[range])
            case .removed: nil
            }
        entries[entryKey] = Entry(state: Array(bytes[state]), body: body)
        if let timer = write.timer { timers[partition].insert(TimerKey(due: timer, space: write.space, key: key)) }
        if let summary = write.summary {
            rows.insert(RowKey(since: summary.since, key: key, partition: write.partition, summary: summary))
        }
    }

    /// Drops old records; an input that no commit has taken in yet is never dropped.
    private mutating func trim(_ slot: Int, _ topic: Topic) {
        guard retainedBytes < Int.max else { return }
        records[slot].trim(keepingBytes: retainedBytes, below: topic.isInput ? positions[slot] : records[slot].end)
    }

    /// Stores appended records; returns the wake-ups that are due.
    mutating func append(_ batch: RecordBatch) -> [@Sendable () -> Void] {
        var wakes: [@Sendable () -> Void] = []
        for record in batch.records {
            let slot = slot(record.topic, record.partition)
            records[slot].append(batch.bytes[record.frame])
            trim(slot, record.topic)
            if record.topic.isInput, let owner = owners[Int(record.partition)], let wake = wakeUp(owner) {
                wakes.append(wake)
            }
        }
        return wakes
    }

    // MARK: Ownership

    /// The shard's wake-up, if it waits for one.
    mutating func wakeUp(_ shard: Int) -> (@Sendable () -> Void)? {
        guard shards[shard]?.waiting == true else { return nil }
        shards[shard]?.waiting = false
        return shards[shard]?.wake
    }

    /// Makes the shard the partition's owner under a new epoch; the owner before learns of it when it polls.
    mutating func claim(_ partition: Int32, for shard: Int) -> [@Sendable () -> Void] {
        var wakes = release(partition)
        let index = Int(partition)
        epochs[index] += 1
        owners[index] = shard
        let owned = Owned(
            epoch: epochs[index], commands: positions[slot(.commands, partition)],
            notifications: positions[slot(.notifications, partition)])
        shards[shard]?.owned[partition] = owned
        shards[shard]?.pending.append(
            .assigned(
                Assignment(
                    partition: partition, epoch: epochs[index], predecessorProvenDead: predecessorProvenDead)))
        if let wake = wakeUp(shard) { wakes.append(wake) }
        return wakes
    }

    /// Takes the partition from its owner, if it has one.
    mutating func release(_ partition: Int32) -> [@Sendable () -> Void] {
        let index = Int(partition)
        guard let owner = owners[index] else { return [] }
        owners[index] = nil
        guard shards[owner]?.owned.removeValue(forKey: partition) != nil else { return [] }
        shards[owner]?.pending.append(.revoked(partition: partition))
        return wakeUp(owner).map { [$0] } ?? []
    }
}
