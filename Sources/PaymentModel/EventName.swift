/// The names of events in the contract, section 3: this list and no other.
public enum EventName: UInt8, Sendable, CaseIterable, CustomStringConvertible {
    /// A command was taken.
    case commandAccepted
    /// A command was refused.
    case commandRejected
    /// A payout was received.
    case payoutReceived
    /// A payment was received.
    case paymentReceived
    /// No hit in the lists.
    case screeningPassed
    /// A hit that a person must look at.
    case screeningHeld
    /// A person let it go on.
    case screeningReleased
    /// A hit that forbids it.
    case screeningBlocked
    /// A route decision.
    case routeSelected
    /// An intent is durable.
    case attemptStarted
    /// The same attempt again.
    case attemptRetried
    /// The partner has taken it.
    case attemptAccepted
    /// The partner refused it.
    case attemptRejected
    /// No byte reached the partner.
    case attemptNotSent
    /// Nobody knows.
    case attemptInDoubt
    /// An inquiry changed something short of ending doubt.
    case attemptInquired
    /// Doubt ended.
    case attemptResolved
    /// A person must look.
    case attemptEscalated
    /// A partner executed what we had closed.
    case attemptLateSuccess
    /// An offload lane was entered.
    case offloadEntered
    /// An offload lane was left.
    case offloadLeft
    /// A partner has the payout.
    case payoutSubmitted
    /// The money is out.
    case payoutSettled
    /// The money is back.
    case payoutReturned
    /// Nothing moved and nothing will.
    case payoutFailed
    /// The partner will be asked to stop it.
    case payoutCancelRequested
    /// Nothing moved and nothing will.
    case payoutCancelled
    /// The customer must do something.
    case paymentActionRequired
    /// Money is reserved.
    case paymentAuthorized
    /// Reserved money was taken.
    case paymentCaptured
    /// The reservation is given up.
    case paymentVoided
    /// Taken money was given back.
    case paymentRefunded
    /// The partner reports settlement apart from the capture.
    case paymentSettled
    /// Nothing moved and nothing will.
    case paymentFailed
    /// Nothing came of it in time.
    case paymentExpired
    /// A chargeback was opened.
    case paymentDisputed
    /// A chargeback was decided for us.
    case paymentDisputeWon
    /// A chargeback was decided against us.
    case paymentDisputeLost

    /// The name: `ce_type` without `io.switchyard.` and `.v1`.
    public var text: StaticString {
        switch self {
        case .commandAccepted: "command.accepted"
        case .commandRejected: "command.rejected"
        case .payoutReceived: "payout.received"
        case .paymentReceived: "payment.received"
        case .screeningPassed: "screening.passed"
        case .screeningHeld: "screening.held"
        case .screeningReleased: "screening.released"
        case .screeningBlocked: "screening.blocked"
        case .routeSelected: "route.selected"
        case .attemptStarted: "attempt.started"
        case .attemptRetried: "attempt.retried"
        case .attemptAccepted: "attempt.accepted"
        case .attemptRejected: "attempt.rejected"
        case .attemptNotSent: "attempt.not-sent"
        case .attemptInDoubt: "attempt.in-doubt"
        case .attemptInquired: "attempt.inquired"
        case .attemptResolved: "attempt.resolved"
        case .attemptEscalated: "attempt.escalated"
        case .attemptLateSuccess: "attempt.late-success"
        case .offloadEntered: "offload.entered"
        case .offloadLeft: "offload.left"
        case .payoutSubmitted: "payout.submitted"
        case .payoutSettled: "payout.settled"
        case .payoutReturned: "payout.returned"
        case .payoutFailed: "payout.failed"
        case .payoutCancelRequested: "payout.cancel-requested"
        case .payoutCancelled: "payout.cancelled"
        case .paymentActionRequired: "payment.action-required"
        case .paymentAuthorized: "payment.authorized"
        case .paymentCaptured: "payment.captured"
        case .paymentVoided: "payment.voided"
        case .paymentRefunded: "payment.refunded"
        case .paymentSettled: "payment.settled"
        case .paymentFailed: "payment.failed"
        case .paymentExpired: "payment.expired"
        case .paymentDisputed: "payment.disputed"
        case .paymentDisputeWon: "payment.dispute-won"
        case .paymentDisputeLost: "payment.dispute-lost"
        }
    }

    /// The name.
    public var description: String { text.description }
}

extension EventBody {
    /// The event's name.
    public var name: EventName {
        switch self {
        case .commandAccepted: .commandAccepted
        case .commandRejected: .commandRejected
        case .received(.payout, _, _): .payoutReceived
        case .received(.payment, _, _): .paymentReceived
        case .screeningPassed: .screeningPassed
        case .screeningHeld: .screeningHeld
        case .screeningReleased: .screeningReleased
        case .screeningBlocked: .screeningBlocked
        case .routeSelected: .routeSelected
        case .attemptStarted: .attemptStarted
        case .attemptRetried: .attemptRetried
        case .attemptAccepted: .attemptAccepted
        case .attemptRejected: .attemptRejected
        case .attemptNotSent: .attemptNotSent
        case .attemptInDoubt: .attemptInDoubt
        case .attemptInquired: .attemptInquired
        case .attemptResolved: .attemptResolved
        case .attemptEscalated: .attemptEscalated
        case .attemptLateSuccess: .attemptLateSuccess
        case .offloadEntered: .offloadEntered
        case .offloadLeft: .offloadLeft
        case .payoutSubmitted: .payoutSubmitted
        case .payoutSettled: .payoutSettled
        case .payoutReturned: .payoutReturned
        case .payoutFailed: .payoutFailed
        case .payoutCancelRequested: .payoutCancelRequested
        case .payoutCancelled: .payoutCancelled
        case .paymentActionRequired: .paymentActionRequired
        case .paymentAuthorized: .paymentAuthorized
        case .paymentCaptured: .paymentCaptured
        case .paymentVoided: .paymentVoided
        case .paymentRefunded: .paymentRefunded
        case .paymentSettled: .paymentSettled
        case .paymentFailed: .paymentFailed
        case .paymentExpired: .paymentExpired
        case .paymentDisputed: .paymentDisputed
        case .paymentDisputeWon: .paymentDisputeWon
        case .paymentDisputeLost: .paymentDisputeLost
        }
    }
}
