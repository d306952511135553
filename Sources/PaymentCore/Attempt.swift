import PaymentModel

/// One attempt: an intent with its own reference, and what is known of the requests that it authorised. Its result is
/// the union over its requests (rows B14, B15, B17).
public struct Attempt: Hashable, Sendable {
    /// How far it is. The raw value is stored: never change one.
    public enum Phase: UInt8, Sendable, CaseIterable {
        /// A request is authorised; its end is awaited, or a repeat after "not processed".
        case sending = 0
        /// Nobody knows.
        case inDoubt = 1
        /// The partner has taken it and gives no final answer yet.
        case accepted = 2
        /// Executed.
        case executed = 3
        /// Refused.
        case rejected = 4
        /// No request can have reached the partner.
        case notSent = 5
        /// The partner never had it: proven by an inquiry after the gate, or by a person.
        case absent = 6
        /// Over without a result of its own: a cancel that was acknowledged, or whose payout has ended.
        case over = 7
    }

    /// What the attempt's timer is for. The raw value is stored.
    public enum Plan: UInt8, Sendable, CaseIterable {
        /// No timer.
        case nothing = 0
        /// The sender's report is overdue.
        case overdue = 1
        /// Send the same request again.
        case resend = 2
        /// Ask the partner.
        case inquire = 3
        /// The last inquiry's answer is overdue: hand it to a person.
        case escalate = 4
        /// Start the operation anew, as another attempt.
        case restart = 5
    }

    // Stored widest first: the layout has no holes.

    /// Of captures and refunds.
    public let operationID: String?
    /// Where.
    public let route: Route
    /// Ours; also the idempotency key: one for each attempt, never repeated (row B34).
    public let reference: Reference
    /// The partner's reference, once told.
    public internal(set) var partnerReference: String?
    /// What came too early to be applied: at most one return that waits for the settlement, and one late success that
    /// waits for the end of another attempt. In an array, because it is nearly always empty.
    var kept: [KeptReport] = []
    private var boxedRejection: Boxed<Rejection>?
    private var boxedRefusal: Boxed<Rejection>?
    /// Incarnation of the last authorisation or measured end.
    var incarnation: UInt64
    /// Last send authorisation on the incarnation's clock.
    var authorisedAt: MonotonicTime
    /// First send, on the wall clock: keys and books are as old as that.
    let firstSentAt: Timestamp
    /// What inquiry slots count from.
    var slotsFrom: Timestamp
    var inquiryIncarnation: UInt64 = 0
    /// How much.
    public let amount: Money
    /// Requests of the present incarnation whose end is not yet reported: one bit each, request 1 lowest.
    var outstanding: UInt32 = 1
    /// Inquiries sent.
    @Narrow<UInt32> var inquiries = 0
    /// The inquiry whose end is awaited, 0 for none; of `inquiryIncarnation`.
    @Narrow<UInt32> var inquiryOut = 0
    /// Number of the attempt that this operation is about: the authorization, or the payout of a cancel; 0 for none.
    @Narrow<UInt32> var about = 0
    /// Number of the posting to suspense, where this was a second execution; 0 for none.
    @Narrow<UInt32> var suspensePosting = 0
    /// Last measured end of an upload, on the incarnation's clock.
    var endedAt: MonotonicTime?
    /// What it does.
    public let operation: Operation
    /// In which role.
    public let role: RouteRole
    /// How far it is.
    public internal(set) var phase = Phase.sending
    /// Whether a person has been asked to look.
    public internal(set) var escalated = false
    /// What the timer is for, and when.
    var plan = Plan.nothing
    var due: Timestamp?
    /// Why the last request was not sent.
    var notSentCause: NotSentCause?
    /// Next slot.
    @Narrow<UInt16> var slot = 0
    /// How often the operation was started anew before this attempt.
    @Narrow<UInt16> var restarts = 0
    @Narrow<UInt8> var requestCount = 1
    /// Requests known never to execute.
    @Narrow<UInt8> var negatives = 0
    /// How many of them were answered by a rejected order (the others never became one).
    @Narrow<UInt8> var rejectedAnswers = 0
    /// Inquiries sent after the gate.
    @Narrow<UInt8> var gateInquiries = 0
    /// The partner has once said that it has the order: "not found" proves nothing from then on.
    var everAccepted = false
    /// A request of an earlier incarnation may still be on its way: the gate counts from the takeover, at full length.
    var earlierSenders = false
    /// A closed attempt about which something contradictory was heard: only inquiries are sent for the payment until
    /// that is clear.
    var contradicted = false
    /// A closed attempt that is asked about for another reason (a stale notification, a late answer).
    var watched = false
    /// A capture, refund or void that had no effect will be started anew: until then it counts as under way.
    var owesRestart = false
    /// What the partner took is posted.
    var feePosted = false
    /// The money of this payout has come back.
    var isBack = false

    /// Requests authorised so far.
    public var requests: Int { requestCount }

    /// An order of the attempt is known rejected.
    var knownRejection: Rejection? {
        get { boxedRejection?.value }
        set { boxedRejection = Boxed(newValue) }
    }

    /// The strongest reason why a request did not become an order: answered as refused.
    var refusal: Rejection? {
        get { boxedRefusal?.value }
        set { boxedRefusal = Boxed(newValue) }
    }

    /// Whether the partner may still move money for it.
    public var isOpen: Bool { phase == .sending || phase == .inDoubt || phase == .accepted }

    /// Whether it stands for the payment itself.
    var isMain: Bool { operation == .payout || operation == .authorize }

    /// Whether its operation is under way: open, or to be started anew.
    var isPending: Bool { isOpen || owesRestart }

    /// Whether it was closed as not executed.
    var isNegative: Bool { phase == .rejected || phase == .notSent || phase == .absent }

    /// Whether it was closed because the partner refused to process it (a 4xx): then no order is known, and one that shows
    /// is as contradictory as after "not sent" or "absent". An order known rejected may well show an old state.
    var wasRefusedUnseen: Bool { phase == .rejected && refusal != nil && knownRejection == refusal }

    /// Requests that may have become an order: neither known negative nor still to be reported by our own sender.
    var unaccounted: Int { requests - negatives }

    init(
        operation: Operation, operationID: String?, route: Route, role: RouteRole, reference: Reference, amount: Money,
        incarnation: UInt64, authorisedAt: MonotonicTime, firstSentAt: Timestamp, slotsFrom: Timestamp
    ) {
        self.operation = operation
        self.operationID = operationID
        self.route = route
        self.role = role
        self.reference = reference
        self.amount = amount
        self.incarnation = incarnation
        self.authorisedAt = authorisedAt
        self.firstSentAt = firstSentAt
        self.slotsFrom = slotsFrom
    }

    /// An attempt whose first request is authorised now.
    init(
        operation: Operation, operationID: String?, route: Route, role: RouteRole, reference: Reference, amount: Money,
        now: Now
    ) {
        self.init(
            operation: operation, operationID: operationID, route: route, role: role, reference: reference,
            amount: amount, incarnation: now.incarnation.number, authorisedAt: now.monotonic, firstSentAt: now.wall,
            slotsFrom: now.wall)
    }
}

/// Why an order was rejected, or a request refused.
struct Rejection: Hashable, Sendable {
    var code: String
    var partnerCode: String?
    var mayGoElsewhere: Bool
}

/// A report that is applied when it fits.
struct KeptReport: Hashable, Sendable {
    enum Purpose: UInt8, Sendable, CaseIterable {
        /// A return before the settlement.
        case earlyReturn = 0
        /// An execution found late, while another attempt was open.
        case lateSuccess = 1
    }

    var purpose: Purpose
    var order: OrderReport
    var evidence: Evidence
}

extension Attempt {
    /// Keeps a report for later; one of each purpose, the first.
    mutating func keep(_ order: OrderReport, _ evidence: Evidence, for purpose: KeptReport.Purpose) {
        guard !kept.contains(where: { $0.purpose == purpose }) else { return }
        kept.append(KeptReport(purpose: purpose, order: order, evidence: evidence))
    }

    /// The kept report of that purpose.
    func kept(_ purpose: KeptReport.Purpose) -> KeptReport? { kept.first { $0.purpose == purpose } }

    /// Whether it is another try of the same operation.
    func isSameOperation(as other: Attempt) -> Bool {
        operation == other.operation && operationID == other.operationID && about == other.about
    }

    /// Takes a kept report out.
    mutating func release(_ purpose: KeptReport.Purpose) -> KeptReport? {
        guard let index = kept.firstIndex(where: { $0.purpose == purpose }) else { return nil }
        return kept.remove(at: index)
    }
}
