import PaymentModel
import RecordFormat

/// Everything the memory log holds, under one lock.
struct MemoryContents {
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
    /// By partition.
    var entries: [MemoryEntries]
    /// Payment ids by reference, by partition.
    var references: [MemoryEntries]
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
        entries = Array(repeating: MemoryEntries(), count: Int(partitionCount))
        references = Array(repeating: MemoryEntries(), count: Int(partitionCount))
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
        batch.bytes.withUnsafeBufferPointer { bytes in
            for record in batch.records {
                append(UnsafeBufferPointer(rebasing: bytes[record.frame]), record.topic, record.partition)
            }
            for write in batch.states {
                let partition = Int(write.partition)
                for range in write.references {
                    references[partition].set(
                        .payment, UnsafeBufferPointer(rebasing: bytes[range]),
                        to: write.state == nil ? nil : UnsafeBufferPointer(rebasing: bytes[write.key]))
                }
                entries[partition].apply(write, bytes)
            }
        }
        for position in batch.positions { positions[slot(position.topic, position.partition)] = position.next }
    }

    /// Adds a record and drops old ones; an input that no commit has taken in yet is never dropped.
    private mutating func append(_ frame: UnsafeBufferPointer<UInt8>, _ topic: Topic, _ partition: Int32) {
        let slot = slot(topic, partition)
        records[slot].append(frame)
        guard retainedBytes < Int.max else { return }
        records[slot].trim(keepingBytes: retainedBytes, below: topic.isInput ? positions[slot] : records[slot].end)
    }

    /// Stores appended records; returns the wake-ups that are due.
    mutating func append(_ batch: RecordBatch) -> [@Sendable () -> Void] {
        var wakes: [@Sendable () -> Void] = []
        for record in batch.records {
            batch.bytes.withUnsafeBufferPointer { bytes in
                append(UnsafeBufferPointer(rebasing: bytes[record.frame]), record.topic, record.partition)
            }
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
