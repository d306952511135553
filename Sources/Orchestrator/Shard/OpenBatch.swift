import EventLog
import PaymentCore
import PaymentModel
import RecordFormat

/// An effect that waits for its batch to be durable.
struct PendingEffect {
    var payment: PaymentID
    var partition: Int32
    var incarnation: UInt64
    var effect: Effect
    /// Whether the payment waits for nothing else (an inquiry about doubt).
    var urgent: Bool
    var initiation: InitiationBox?
    var traceparent: String?
    /// Late evidence came before it could begin: it ends as not sent.
    var isWithdrawn = false
}

/// A timer that was set beyond what is loaded; looked at again when its batch is durable.
struct DistantTimer {
    var due: Timestamp
    var partition: Int32
    var space: StateSpace
    var key: String
}

/// The batch that is being filled, with what follows once it is durable.
struct OpenBatch {
    /// From 1, in the order of commits.
    var number: UInt64
    var commit = CommitBatch()
    /// Payments whose state goes into it, in the order of their first touch.
    var touched: [HotPayments.Slot] = []
    /// Kept notifications that changed, by reference, in the order of their first touch.
    var touchedKept: [String] = []
    /// Partitions that it concerns; few.
    var partitions: [Int32] = []
    var effects: [PendingEffect] = []
    var alarms: [ShardAlarm] = []
    var distant: [DistantTimer] = []
    /// References given in it, with their payments: the log does not know them before the commit.
    var references: [String: PaymentID] = [:]

    init(number: UInt64) { self.number = number }

    var isEmpty: Bool { partitions.isEmpty }

    mutating func touch(partition: Int32) {
        if !partitions.contains(partition) { partitions.append(partition) }
    }

    /// Records that a frame from `start` to the end of the bytes is an output.
    mutating func emit(_ topic: Topic, _ partition: Int32, from start: Int) {
        commit.records.append(
            RecordSlot(topic: topic, partition: partition, offset: 0, frame: start..<commit.bytes.count))
    }

    /// Appends bytes that are no frame; their place.
    mutating func place(_ bytes: some Collection<UInt8>) -> Range<Int> {
        let start = commit.bytes.count
        commit.bytes.append(contentsOf: bytes)
        return start..<commit.bytes.count
    }

    /// Takes over the events and postings of a transition.
    mutating func append<Domain: PaymentDomain>(
        _ transition: Transition, of state: PaymentState, partition: Int32, cause: EventCause, at moment: Timestamp,
        _ domain: Domain
    ) {
        for event in transition.events {
            let start = commit.bytes.count
            domain.append(event: event, of: state, cause: cause, to: &commit.bytes)
            emit(.events, partition, from: start)
        }
        for posting in transition.postings {
            let start = commit.bytes.count
            domain.append(posting: posting, of: state, cause: cause, at: moment, to: &commit.bytes)
            emit(.settlements, partition, from: start)
        }
    }
}

/// What follows a batch that is being committed.
struct FlyingBatch {
    var number: UInt64
    var partitions: [Int32]
    var touched: [HotPayments.Slot]
    var touchedKept: [String]
    var effects: [PendingEffect]
    var alarms: [ShardAlarm]
    var distant: [DistantTimer]
    var references: [String: PaymentID]
    var began: MonotonicTime
    var records: Int
}
