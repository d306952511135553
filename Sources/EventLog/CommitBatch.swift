import PaymentModel
import RecordFormat

/// What state entries are kept under: payments by their id, or notifications for a payment that is not yet known,
/// by our reference.
public enum StateSpace: UInt8, Sendable {
    /// Key = payment id.
    case payment = 0
    /// Key = our reference; the value is a list of kept notifications.
    case kept = 1
}

/// What the operators' index tells of a payment; the log stores it beside the state, so that stuck payments are
/// found without reading every state.
public struct PaymentSummary: Sendable, Equatable {
    /// Raw value of the payment's status (`PaymentStatus`).
    public var status: UInt8
    /// Whether it waits for a person, or for something that only time or a person brings.
    public var parked: Bool
    /// Whether nothing more is expected of it. Finished payments are listed only where their status is asked for.
    public var finished: Bool
    /// Since when it is in this status.
    public var since: Timestamp
    /// Partner of the latest attempt; empty where there is none.
    public var partner: String

    /// A summary.
    public init(status: UInt8, parked: Bool, finished: Bool, since: Timestamp, partner: String) {
        self.status = status
        self.parked = parked
        self.finished = finished
        self.since = since
        self.partner = partner
    }
}

/// The change of one state entry in a commit. Byte ranges point into the batch's bytes.
public struct StateWrite: Sendable {
    /// What happens to the body (the initiate's canonical data): it is written once and stays beside the state.
    public enum Body: Sendable, Equatable {
        /// As it was.
        case unchanged
        /// New bytes at this place of the batch.
        case set(Range<Int>)
        /// Removed: a stub remains.
        case removed
    }

    /// The partition.
    public var partition: Int32
    /// Which kind of entry.
    public var space: StateSpace
    /// The key's bytes.
    public var key: Range<Int>
    /// The encoded state; nil is a tombstone: the entry with its body, timer, summary and references is gone.
    public var state: Range<Int>?
    /// The body.
    public var body: Body
    /// The wall-clock time at which the entry wanted to be woken before this commit, and from now on. One timer an
    /// entry: the earliest of what it waits for.
    public var timerBefore: Timestamp?
    /// See `timerBefore`.
    public var timer: Timestamp?
    /// The summary before this commit and from now on.
    public var summaryBefore: PaymentSummary?
    /// See `summaryBefore`.
    public var summary: PaymentSummary?
    /// References that lead to this entry since this commit (places in the batch's bytes); those of a tombstone are
    /// all that the entry had.
    public var references: [Range<Int>]

    /// A change of an entry.
    @inlinable
    public init(
        partition: Int32, space: StateSpace, key: Range<Int>, state: Range<Int>?, body: Body = .unchanged,
        timerBefore: Timestamp? = nil, timer: Timestamp? = nil, summaryBefore: PaymentSummary? = nil,
        summary: PaymentSummary? = nil, references: [Range<Int>] = []
    ) {
        self.partition = partition
        self.space = space
        self.key = key
        self.state = state
        self.body = body
        self.timerBefore = timerBefore
        self.timer = timer
        self.summaryBefore = summaryBefore
        self.summary = summary
        self.references = references
    }
}

/// How far the inputs of a partition have been taken in.
public struct InputPosition: Sendable, Equatable {
    /// `commands` or `notifications`.
    public var topic: Topic
    /// The partition.
    public var partition: Int32
    /// Offset of the first record that is not taken in yet.
    public var next: Int64

    /// A position.
    public init(topic: Topic, partition: Int32, next: Int64) {
        self.topic = topic
        self.partition = partition
        self.next = next
    }
}

/// Everything that becomes durable and visible at once, or not at all: outputs, changed states, input positions.
/// Filled by a shard while the commit before it is in flight.
public struct CommitBatch: Sendable {
    /// Frames, keys, states and bodies, one after the other.
    public var bytes: [UInt8] = []
    /// Output records in order. Their offsets are the log's to give: `RecordSlot.offset` is ignored.
    public var records: [RecordSlot] = []
    /// Changed entries; at most one for each key (the last state wins before the batch is closed).
    public var states: [StateWrite] = []
    /// New input positions. On Kafka every transaction must carry the position of every partition it writes to, also
    /// one that holds only results or timers.
    public var positions: [InputPosition] = []
    /// The epoch under which each partition of this batch was worked on.
    public var epochs: [Assignment] = []

    /// An empty batch.
    public init() {}

    /// Whether there is nothing to commit.
    public var isEmpty: Bool { records.isEmpty && states.isEmpty && positions.isEmpty }

    /// Forgets everything, keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        states.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        epochs.removeAll(keepingCapacity: true)
    }
}
