import PaymentModel

extension EventBody {
    /// The event's name: `ce_type` without `io.switchyard.` and `.v1`.
    public var name: StaticString {
        switch self {
        case .commandAccepted: "command.accepted"
        case .commandRejected: "command.rejected"
        case .received(.payout, _, _): "payout.received"
        case .received(.payment, _, _): "payment.received"
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
}

extension OrderStatus {
    /// The name in events.
    public var name: StaticString {
        switch self {
        case .accepted: "accepted"
        case .pending: "pending"
        case .settled: "settled"
        case .rejected: "rejected"
        case .returned: "returned"
        case .actionRequired: "actionRequired"
        case .voided: "voided"
        case .expired: "expired"
        }
    }
}
