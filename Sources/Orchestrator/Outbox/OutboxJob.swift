import PaymentCore
import PaymentModel

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

/// A request or inquiry that waits for its partner, or is under way. A reference: it moves through queues and tables.
final class OutboxJob: Sendable {
    /// Unique in the process: also the exchange's number.
    let id: UInt64
    let payment: PaymentID
    /// Where the payment was when it ordered this.
    let slot: HotPayments.Slot
    let partition: Int32
    /// Under which it was ordered; its result carries it.
    let incarnation: UInt64
    let order: OutboxOrder
    let permit: SendPermit
    /// Only on the way from the commit of the initiate: later requests read the body from the store again.
    let initiation: Initiation?
    let traceparent: String?
    /// When it was ordered.
    let orderedAt: MonotonicTime

    /// Whether it may not leave any more: withdrawn, or past its deadline.
    func isOver(_ now: MonotonicTime) -> Bool { permit.isWithdrawn || permit.deadline < now }

    init(
        id: UInt64, payment: PaymentID, slot: HotPayments.Slot, partition: Int32, incarnation: UInt64,
        order: OutboxOrder, permit: SendPermit,
        initiation: Initiation?, traceparent: String?, orderedAt: MonotonicTime
    ) {
        self.id = id
        self.payment = payment
        self.slot = slot
        self.partition = partition
        self.incarnation = incarnation
        self.order = order
        self.permit = permit
        self.initiation = initiation
        self.traceparent = traceparent
        self.orderedAt = orderedAt
    }
}

/// How a job ended, for its payment.
struct OutboxResult: Sendable {
    var job: OutboxJob
    var end: ExchangeEnd
}
