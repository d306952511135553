import RecordFormat

/// The topics of the contract, section 1. The raw value is stored in the embedded log's keys: never change one.
public enum Topic: UInt8, Sendable, CaseIterable {
    /// Commands, from upstream.
    case commands = 1
    /// Verified partner notifications, stored before they are processed.
    case notifications = 2
    /// Domain events.
    case events = 3
    /// Balanced postings for the ledger.
    case settlements = 4
    /// Payment state, for restore; compacted.
    case state = 5
    /// Records that could not be decoded, untouched.
    case deadLetters = 6

    /// The topic's name without its prefix.
    public var suffix: String {
        switch self {
        case .commands: "commands"
        case .notifications: "notifications"
        case .events: "events"
        case .settlements: "settlements"
        case .state: "state"
        case .deadLetters: "dead-letters"
        }
    }
}

/// One record that an owner polled, or that a reader read. Its frame lies in the batch's shared bytes.
public struct RecordSlot: Sendable, Equatable {
    /// The topic it lies in.
    public var topic: Topic
    /// Its partition.
    public var partition: Int32
    /// Its offset in the partition.
    public var offset: Int64
    /// The frame's place in the batch's bytes.
    public var frame: Range<Int>

    /// A record at a place.
    public init(topic: Topic, partition: Int32, offset: Int64, frame: Range<Int>) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.frame = frame
    }
}

/// Records side by side in one buffer.
public struct RecordBatch: Sendable {
    /// The frames, one after the other.
    public var bytes: [UInt8]
    /// Where each record lies.
    public var records: [RecordSlot]

    /// An empty batch.
    public init() {
        bytes = []
        records = []
    }

    /// Forgets all records, keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
    }

    /// Appends a record whose frame is `frame`.
    public mutating func append(topic: Topic, partition: Int32, offset: Int64, frame: some Collection<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: frame)
        records.append(RecordSlot(topic: topic, partition: partition, offset: offset, frame: start..<bytes.count))
    }
}

/// What an owner learns by polling, in order.
public enum LogEvent: Sendable, Equatable {
    /// The partition is ours from now on: its state is restored as of the last commit, its inputs follow from the
    /// committed position. Also sent after `recover()`, with a new epoch.
    case assigned(Assignment)
    /// The partition is no longer ours; what was not committed is void.
    case revoked(partition: Int32)
    /// Inputs lie in the batch that was handed to `poll`: the next `count` of its records.
    case records(count: Int)
}

/// A partition given to an owner.
public struct Assignment: Sendable, Equatable {
    /// The partition.
    public var partition: Int32
    /// Grows with every owner of the partition, restores in the same process included.
    public var epoch: UInt64
    /// Whether every process that owned it before is proven dead (or never was), or may live on.
    public var predecessorProvenDead: Bool

    /// An assignment.
    public init(partition: Int32, epoch: UInt64, predecessorProvenDead: Bool) {
        self.partition = partition
        self.epoch = epoch
        self.predecessorProvenDead = predecessorProvenDead
    }
}
