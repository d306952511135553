/// Payout (money goes out) or payment (money comes in, by card or open banking).
public enum PaymentKind: UInt8, Sendable {
    /// Money goes out to a creditor's account.
    case payout
    /// Money comes in from a customer's instrument.
    case payment
}

/// When a payment is captured.
public enum CaptureMode: UInt8, Sendable {
    /// The daemon captures, explicitly, as soon as it is authorized.
    case automatic
    /// Upstream captures.
    case manual
}

/// What upstream asks of routing.
public struct RoutingWishes: Hashable, Sendable {
    /// What comes first when several routes can serve.
    public enum Objective: UInt8, Sendable {
        /// The cheapest.
        case cost
        /// The fastest.
        case speed
        /// Even use of the partners.
        case balance
    }

    /// What comes first.
    public var objective: Objective?
    /// No route that costs more.
    public var maximumCost: Money?
    /// None of these.
    public var excludePartners: [PartnerName]
    /// Only this rail (the policy marks rails that are taken only on request).
    public var rail: Rail?

    /// Wishes; by default none.
    @inlinable
    public init(
        objective: Objective? = nil, maximumCost: Money? = nil, excludePartners: [PartnerName] = [], rail: Rail? = nil
    ) {
        self.objective = objective
        self.maximumCost = maximumCost
        self.excludePartners = excludePartners
        self.rail = rail
    }
}

/// What identifies a command and travels with it, from its CloudEvents attributes.
public struct CommandEnvelope: Hashable, Sendable {
    /// The payment.
    public var subject: PaymentID
    /// `ce_source`.
    public var source: String
    /// `ce_id`.
    public var id: String
    /// `ce_type` as received.
    public var type: String
    /// `correlationid`, where given.
    public var correlationID: String?
    /// `traceparent`, where given.
    public var traceparent: String?
    /// Stands for (source, id) in the set of commands that the payment has seen.
    public var identity: Digest

    /// An envelope.
    public init(
        subject: PaymentID, source: String, id: String, type: String, correlationID: String? = nil,
        traceparent: String? = nil, identity: Digest
    ) {
        self.subject = subject
        self.source = source
        self.id = id
        self.type = type
        self.correlationID = correlationID
        self.traceparent = traceparent
        self.identity = identity
    }
}

/// `payment.capture` and `payment.refund`.
public struct OperationRequest: Hashable, Sendable {
    /// The upstream's idempotency key for the operation.
    public var operationID: String
    /// Absent: all that is left.
    public var amount: Money?
    /// Stands for type and data (RFC 8785): the same again is a duplicate, anything else a conflict.
    public var dataDigest: Digest

    /// A capture or refund.
    public init(operationID: String, amount: Money?, dataDigest: Digest) {
        self.operationID = operationID
        self.amount = amount
        self.dataDigest = dataDigest
    }
}

/// A person's answer to a hold or an offload entry.
public struct DeskDecision: Hashable, Sendable {
    /// The number of the hold or entry that is answered; nil where the id names none of this payment.
    public var entry: Int?
    /// Who answers.
    public var operatorName: String
    /// Why.
    public var reason: String?

    /// An answer.
    public init(entry: Int?, operatorName: String, reason: String?) {
        self.entry = entry
        self.operatorName = operatorName
        self.reason = reason
    }
}

/// `attempt.resolve`: what a person found out about an attempt.
public struct AttemptResolution: Hashable, Sendable {
    /// What the partner did, as the person saw it.
    public enum Outcome: UInt8, Sendable {
        /// Executed.
        case settled
        /// Rejected for good.
        case rejected
        /// The partner does not know it.
        case absent
    }

    /// The attempt's number; nil where the id names none of this payment.
    public var attempt: Int?
    /// What was found.
    public var outcome: Outcome
    /// Who looked.
    public var operatorName: String
    /// When they looked; required for `absent`.
    public var observedAt: Timestamp?
    /// What they noted.
    public var note: String?

    /// A resolution.
    public init(attempt: Int?, outcome: Outcome, operatorName: String, observedAt: Timestamp?, note: String?) {
        self.attempt = attempt
        self.outcome = outcome
        self.operatorName = operatorName
        self.observedAt = observedAt
        self.note = note
    }
}

/// The codes with which a command is rejected: these and no others (the contract, section 2).
public enum RejectionCode: String, Sendable, CaseIterable {
    /// Wrong type, missing or bad field.
    case invalid
    /// An account that is wrong by form.
    case invalidAccount = "invalid-account"
    /// No such command.
    case unknownType = "unknown-type"
    /// A card number outside of account fields.
    case cardNumberInClear = "card-number-in-clear"
    /// The same id with other data.
    case conflict
    /// The payment was cancelled before it came.
    case cancelled
    /// Too late to cancel.
    case tooLate = "too-late"
    /// Nobody knows yet what the partner did.
    case inDoubt = "in-doubt"
    /// Not in this state.
    case illegalState = "illegal-state"
    /// More than is left.
    case exceedsAmount = "exceeds-amount"
    /// The token lacks the role.
    case notAuthorized = "not-authorized"
}

/// Why a command is refused, for its `command.rejected`.
public struct Refusal: Hashable, Sendable {
    /// The code.
    public var code: RejectionCode
    /// For people; holds no personal data.
    public var message: String
    /// Dotted path from `data`, where one field is to blame.
    public var field: String?

    /// A refusal.
    public init(_ code: RejectionCode, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }
}

/// What a command asks for. Everything that can be refused without knowing the payment is `refused` already.
public enum CommandBody: Hashable, Sendable {
    /// `payout.initiate`, `payment.initiate`. `dataDigest` stands for the canonical data (RFC 8785); `seed` for payment
    /// id, source, id and moment of acceptance: references and keys are made of it.
    case initiate(Initiation, dataDigest: Digest, seed: Digest)
    /// `payout.cancel`.
    case cancel(reason: String?)
    /// `payment.capture`.
    case capture(OperationRequest)
    /// `payment.refund`.
    case refund(OperationRequest)
    /// `payment.void`.
    case void(reason: String?)
    /// `payment.complete-action`.
    case completeAction
    /// `hold.release`.
    case releaseHold(DeskDecision)
    /// `hold.reject`.
    case rejectHold(DeskDecision)
    /// `offload.resume`.
    case resumeOffload(DeskDecision)
    /// `offload.reject`.
    case rejectOffload(DeskDecision)
    /// `attempt.resolve`.
    case resolveAttempt(AttemptResolution)
    /// A command that type, form of the data, accounts or card numbers rule out. `initiate`: which kind it would have
    /// initiated.
    case refused(Refusal)
}

/// A command with its envelope.
public struct Command: Hashable, Sendable {
    /// What identifies it.
    public var envelope: CommandEnvelope
    /// What it asks for.
    public var body: CommandBody

    /// A command.
    public init(envelope: CommandEnvelope, body: CommandBody) {
        self.envelope = envelope
        self.body = body
    }
}
