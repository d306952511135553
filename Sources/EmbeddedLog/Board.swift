import EventLog
import PaymentModel

/// Offsets, positions and owners. The writer has one of its own, ahead of the disk; what others see follows the disk.
struct Ledger: Sendable {
    let partitionCount: Int32
    /// First retained offset, by slot.
    var firsts: [Int64]
    /// Next offset, by slot.
    var ends: [Int64]
    /// Committed input position, by slot.
    var positions: [Int64]
    /// Epoch of the last owner, by partition.
    var epochs: [UInt64]
    /// The owner's number in this process, by partition.
    var owners: [Int?]

    init(partitionCount: Int32) {
        self.partitionCount = partitionCount
        let slots = (Topic.allCases.count + 1) * Int(partitionCount)
        firsts = Array(repeating: 0, count: slots)
        ends = Array(repeating: 0, count: slots)
        positions = Array(repeating: 0, count: slots)
        epochs = Array(repeating: 0, count: Int(partitionCount))
        owners = Array(repeating: nil, count: Int(partitionCount))
    }

    func slot(_ topic: Topic, _ partition: Int32) -> Int {
        Int(topic.rawValue) * Int(partitionCount) + Int(partition)
    }

    /// Why a batch of this shard may not be written, nil where it may.
    func refusal(_ batch: borrowing CommitBatch, by shard: Int) -> LogError? {
        if let problem = batch.problem(partitionCount: partitionCount) { return LogError(.aborted, problem) }
        for assignment in batch.epochs {
            let index = Int(assignment.partition)
            guard epochs.indices.contains(index) else { return LogError(.aborted, "epoch of partition \(index)") }
            guard owners[index] == shard, epochs[index] == assignment.epoch else {
                return LogError(.fenced, "partition \(index) has epoch \(epochs[index])")
            }
        }
        for position in batch.positions {
            let slot = slot(position.topic, position.partition)
            guard position.next >= positions[slot], position.next <= ends[slot] else {
                return LogError(.aborted, "position \(position.next) outside the log")
            }
        }
        return nil
    }
}

/// What all threads see of the log, under one lock: only what is durable.
struct Board: Sendable {
    /// One owner in this process.
    struct Shard: Sendable {
        var configured: [Int32]
        var owned: [Int32: Cursor] = [:]
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

    /// How far an owner has polled.
    struct Cursor: Sendable {
        var epoch: UInt64
        var commands: Int64
        var notifications: Int64
    }

    /// Where reading a partition's timers may begin: nothing lies before. Spares a walk over deleted keys.
    struct TimerFloor: Sendable {
        var due = Timestamp(milliseconds: .min)
        /// Changes with every commit that sets timers.
        var version: UInt64 = 0
    }

    var ledger: Ledger
    var shards: [Int: Shard] = [:]
    var nextShard = 0
    var floors: [TimerFloor]

    init(_ ledger: Ledger) {
        self.ledger = ledger
        floors = Array(repeating: TimerFloor(), count: Int(ledger.partitionCount))
    }

    /// The shard's wake-up, if it waits for one.
    mutating func wakeUp(_ shard: Int?) -> (@Sendable () -> Void)? {
        guard let shard, shards[shard]?.waiting == true else { return nil }
        shards[shard]?.waiting = false
        return shards[shard]?.wake
    }

    /// Tells the owner of the partition, if there is one in this process, that it has it no longer.
    mutating func revoke(_ partition: Int32) -> Int? {
        for (id, shard) in shards where shard.owned[partition] != nil {
            shards[id]?.owned[partition] = nil
            shards[id]?.pending.append(.revoked(partition: partition))
            return id
        }
        return nil
    }

    /// Gives the partition to a shard under the ledger's epoch.
    mutating func assign(_ partition: Int32, to shard: Int, provenDead: Bool) {
        let cursor = Cursor(
            epoch: ledger.epochs[Int(partition)],
            commands: ledger.positions[ledger.slot(.commands, partition)],
            notifications: ledger.positions[ledger.slot(.notifications, partition)])
        shards[shard]?.owned[partition] = cursor
        shards[shard]?.pending.append(
            .assigned(
                Assignment(partition: partition, epoch: cursor.epoch, predecessorProvenDead: provenDead)))
    }
}
