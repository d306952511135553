/// Where the knowledge in an event comes from.
public enum Evidence: Hashable, Sendable {
    /// The partner's answer to a request.
    case answer
    /// The partner's answer to an inquiry: its number within the attempt.
    case inquiry(number: Int)
    /// A verified notification: the partner's id of it.
    case notification(id: String)
    /// A report or statement of the partner.
    case report(id: String)
    /// A named person.
    case operatorDecision(name: String, observedAt: Timestamp?, note: String?)

    /// The `kind` in events.
    public var kind: StaticString {
        switch self {
        case .answer: "answer"
        case .inquiry: "inquiry"
        case .notification: "notification"
        case .report: "report"
        case .operatorDecision: "operator"
        }
    }
}

/// How doubt ended.
public enum Resolution: UInt8, Sendable {
    /// Executed.
    case settled = 0
    /// Taken, no final answer.
    case accepted = 1
    /// Refused.
    case rejected = 2
    /// The partner never had it.
    case absent = 3

    /// The `outcome` in events.
    public var name: StaticString {
        switch self {
        case .settled: "settled"
        case .accepted: "accepted"
        case .rejected: "rejected"
        case .absent: "absent"
        }
    }
}

/// A new attempt: what its intent commits to before any byte leaves.
public struct AttemptStart: Hashable, Sendable {
    /// The attempt's number within the payment, from 1. Its id is `<paymentId>-attempt-<n>`.
    public var attempt: Int
    /// What it does.
    public var operation: Operation
    /// Of captures and refunds.
    public var operationID: String?
    /// Where.
    public var route: Route
    /// In which role.
    public var role: RouteRole
    /// Ours, one for each attempt.
    public var reference: Reference
    /// The amount.
    public var amount: Money
    /// Never used for anything else.
    public var idempotencyKey: String
    /// No byte leaves later.
    public var sendDeadline: Timestamp

    /// A new attempt.
    public init(
        attempt: Int, operation: Operation, operationID: String?, route: Route, role: RouteRole,
        reference: Reference, amount: Money, idempotencyKey: String, sendDeadline: Timestamp
    ) {
        self.attempt = attempt
        self.operation = operation
        self.operationID = operationID
        self.route = route
        self.role = role
        self.reference = reference
        self.amount = amount
        self.idempotencyKey = idempotencyKey
        self.sendDeadline = sendDeadline
    }
}

/// Money that moved, in an event: which attempt, how much, and how we know.
public struct MoneyMoved: Hashable, Sendable {
    /// The attempt's number.
    public var attempt: Int
    /// Of captures, refunds and disputes about captures.
    public var operationID: String?
    /// How much.
    public var amount: Money
    /// What the partner took for it.
    public var fee: Money?
    /// Value date, where the partner told one.
    public var valueDate: CalendarDate?
    /// How we know.
    public var evidence: Evidence

    /// Money that moved.
    public init(
        attempt: Int, operationID: String? = nil, amount: Money, fee: Money? = nil, valueDate: CalendarDate? = nil,
        evidence: Evidence
    ) {
        self.attempt = attempt
        self.operationID = operationID
        self.amount = amount
        self.fee = fee
        self.valueDate = valueDate
        self.evidence = evidence
    }
}

/// What happened: the events of the contract, section 3, in past tense, with what each name implies. Attempts, holds and
/// offload entries are numbered; their ids are `<paymentId>-attempt-<n>`, `<paymentId>-hold-<n>`,
/// `<paymentId>-offload-<n>`.
public enum EventBody: Hashable, Sendable {
    /// A command was taken. `duplicateOf`: id of the command that this one repeats.
    case commandAccepted(id: String, source: String, type: String, duplicateOf: String?)
    /// A command was refused.
    case commandRejected(id: String, source: String, type: String, refusal: Refusal)
    /// `payout.received`, `payment.received`.
    case received(kind: PaymentKind, amount: Money, endToEndID: String?)
    /// No hit in the lists.
    case screeningPassed
    /// A hit that a person must look at.
    case screeningHeld(hold: Int, owner: String, deadline: Timestamp)
    /// A person let it go on.
    case screeningReleased(hold: Int, operatorName: String, reason: String?)
    /// A hit that forbids it, or a person confirmed one.
    case screeningBlocked(hold: Int?, operatorName: String?, reason: String?)
    /// A route decision with all its reasons.
    case routeSelected(RouteDecision)
    /// An intent is durable.
    case attemptStarted(AttemptStart)
    /// The same attempt, key and body will be sent again. `request`: from 2.
    case attemptRetried(attempt: Int, request: Int, sendDeadline: Timestamp)
    /// The partner has taken it.
    case attemptAccepted(attempt: Int, partnerReference: String?)
    /// The partner refused it.
    case attemptRejected(attempt: Int, code: String, partnerCode: String?, mayGoElsewhere: Bool)
    /// No byte reached the partner: the attempt is over.
    case attemptNotSent(attempt: Int, cause: NotSentCause)
    /// Nobody knows.
    case attemptInDoubt(attempt: Int, cause: DoubtCause)
    /// An inquiry changed something short of ending doubt.
    case attemptInquired(attempt: Int, status: OrderStatus, evidence: Evidence)
    /// Doubt ended.
    case attemptResolved(attempt: Int, outcome: Resolution, code: String?, evidence: Evidence)
    /// Inquiries are used up: a person must look. `exposure`: what may have moved.
    case attemptEscalated(attempt: Int, owner: String, exposure: Money)
    /// A partner executed what we had closed.
    case attemptLateSuccess(attempt: Int, evidence: Evidence)
    /// An offload lane was entered.
    case offloadEntered(entry: Int, lane: OffloadLane, owner: String, deadline: Timestamp, releaseRule: String)
    /// An offload lane was left. `operatorName` nil: by its release rule.
    case offloadLeft(entry: Int, operatorName: String?, reason: String?)
    /// A partner has the payout.
    case payoutSubmitted(attempt: Int)
    /// The money is out.
    case payoutSettled(MoneyMoved)
    /// The money is back.
    case payoutReturned(MoneyMoved, code: String)
    /// Nothing moved and nothing will.
    case payoutFailed(code: String)
    /// The partner will be asked to stop it.
    case payoutCancelRequested
    /// Nothing moved and nothing will.
    case payoutCancelled
    /// The customer must do something.
    case paymentActionRequired(attempt: Int, redirectURL: String)
    /// Money is reserved.
    case paymentAuthorized(attempt: Int, amount: Money, evidence: Evidence)
    /// Reserved money was taken.
    case paymentCaptured(MoneyMoved)
    /// The reservation is given up; without attempt and evidence where nothing had been reserved.
    case paymentVoided(attempt: Int?, evidence: Evidence?)
    /// Taken money was given back.
    case paymentRefunded(MoneyMoved)
    /// The partner reports settlement apart from the capture.
    case paymentSettled(MoneyMoved)
    /// Nothing moved and nothing will.
    case paymentFailed(code: String)
    /// Nothing came of it in time.
    case paymentExpired
    /// A chargeback was opened.
    case paymentDisputed(MoneyMoved)
    /// A chargeback was decided for us.
    case paymentDisputeWon(MoneyMoved)
    /// A chargeback was decided against us.
    case paymentDisputeLost(MoneyMoved)
}

/// One domain event of a payment.
public struct PaymentEvent: Hashable, Sendable {
    /// From 1 without gaps; 0 for the outcome of a command that created no payment.
    public var sequence: Int64
    /// The state that this event leads to.
    public var status: PaymentStatus
    /// The moment of the decision on the owner's wall clock.
    public var occurredAt: Timestamp
    /// What happened.
    public var body: EventBody

    /// An event.
    public init(sequence: Int64, status: PaymentStatus, occurredAt: Timestamp, body: EventBody) {
        self.sequence = sequence
        self.status = status
        self.occurredAt = occurredAt
        self.body = body
    }
}
