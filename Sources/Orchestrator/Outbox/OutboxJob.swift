import PaymentCore
import PaymentModel

/// The decoded initiate, shared by the effects that need it; dropped with the last of them.
final class InitiationBox: Sendable {
    let initiation: Initiation
    init(_ initiation: Initiation) { self.initiation = initiation }
}

/// What goes out to a partner.
enum OutboxOrder: Sendable {
    case submit(SendOrder)
    /// `urgent`: the attempt is in doubt, so everything else of its payment waits for the answer.
    case inquire(InquiryOrder, urgent: Bool)

    var route: Route {
        switch self {
        case .submit(let order): order.route
        case .inquire(let order, _): order.route
        }
    }

    var isSubmit: Bool {
        if case .submit = self { true } else { false }
    }
}

/// A request or inquiry that waits for its partner, or is under way.
struct OutboxJob: Sendable {
    /// Unique in the process: also the exchange's number.
    var id: UInt64
    var payment: PaymentID
    var partition: Int32
    /// Under which it was ordered; its result carries it.
    var incarnation: UInt64
    var order: OutboxOrder
    var permit: SendPermit
    /// Only on the way from the commit of the initiate: later requests read the body from the store again.
    var initiation: InitiationBox?
    var traceparent: String?
    /// When it was ordered.
    var orderedAt: MonotonicTime
}

/// How a job ended, for its payment.
struct OutboxResult: Sendable {
    var job: OutboxJob
    var end: ExchangeEnd
}
