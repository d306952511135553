import Partners
import PaymentCore
import PaymentModel

/// Something that a person should know: of a payment, or of the shard itself. Carries identifiers and codes, no personal
/// data.
public enum ShardAlarm: Sendable, Hashable {
    /// What a payment's machine ordered; told once its commit is durable.
    case payment(PaymentID, Alarm)
    /// Something is strange about what a partner answered to an attempt's request or inquiry.
    case partner(PaymentID, attempt: Int, partner: PartnerName, PartnerAlarm)
    /// A stored state or body cannot be read; the payment is left alone, others go on.
    case unreadableState(PaymentID, detail: String)
    /// A payment asked for more decisions within one commit than any does; the payment is left alone.
    case runaway(PaymentID)
    /// A record could not be decoded and went to the dead letters.
    case deadLetter(topic: String, partition: Int32, offset: Int64, code: String)
    /// A partner has told of money that came in and that no order of ours explains; it is posted to suspense.
    case unexplainedMoney(PartnerName, movement: String)
    /// Kept notifications found no payment within their time.
    case keptExpired(reference: String, count: Int)
    /// More notifications came for an unknown reference than are kept; the oldest went to the dead letters.
    case keptOverflow(reference: String)
    /// A partition's inputs cannot be read on.
    case partitionStopped(Int32, detail: String)
    /// The log cannot be written; nothing is lost, nothing goes on.
    case degraded(detail: String)
    /// It goes on.
    case recovered
}

/// Where alarms go: log, metrics, the desk.
public protocol AlarmSink: Sendable {
    /// Tells one. Called on the shard's thread: must not block.
    func raise(_ alarm: ShardAlarm, shard: Int)
}

/// Tells nobody; for tests that look at something else.
public struct SilentAlarms: AlarmSink {
    /// A sink without a drain.
    public init() {}
    /// Drops it.
    public func raise(_ alarm: ShardAlarm, shard: Int) {}
}
