import PaymentModel
import RecordFormat

/// The whole committed state of one payment or payout, as a value. The core's owner fills it; others use what stands here.
public struct PaymentState: Hashable, Sendable {
    /// The payment.
    public let id: PaymentID
    /// Payout or payment; nil until an initiate was accepted.
    public internal(set) var kind: PaymentKind?
    /// Where it stands; `none` while only refused commands are known.
    public internal(set) var status: PaymentStatus = .none
    /// Sequence of the last event.
    public internal(set) var sequence: Int64 = 0

    /// A payment of which nothing is known.
    public init(id: PaymentID) { self.id = id }
}
