/// The states of the contract, section 3, of both machines. The raw value is stored: never change one.
public enum PaymentStatus: UInt8, Sendable, CaseIterable {
    /// No payment exists (an outcome of a command that created none).
    case none = 0
    /// The command is accepted.
    case received = 1
    /// Being compared with the lists.
    case screening = 2
    /// A person must decide on a screening hit.
    case held = 3
    /// Between screening and an attempt.
    case routing = 4
    /// In an offload lane: queue or manual.
    case offloaded = 5
    /// Payout: an attempt is open.
    case attempting = 6
    /// Nobody knows yet what the partner did (a payment: with the authorization).
    case inDoubt = 7
    /// Payout: a partner has taken it.
    case submitted = 8
    /// A partner has moved the money.
    case settled = 9
    /// Payout: the money has come back.
    case returned = 10
    /// Nothing moved and nothing will.
    case failed = 11
    /// Cancelled: nothing moved and nothing will.
    case cancelled = 12
    /// A screening hit was confirmed.
    case blocked = 13
    /// Payment: an authorization is open.
    case authorizing = 14
    /// Payment: the customer must do something.
    case actionRequired = 15
    /// Payment: authorized, nothing captured.
    case authorized = 16
    /// Payment: a capture is open.
    case capturing = 17
    /// Payment: something is captured.
    case captured = 18
    /// Payment: the authorization is void.
    case voided = 19
    /// Payment: nothing came of it in time.
    case expired = 20
    /// Payment: part of what was captured is refunded.
    case partiallyRefunded = 21
    /// Payment: all that was captured is refunded.
    case refunded = 22
    /// Payment: a chargeback is open.
    case disputed = 23
    /// Payment: a chargeback is lost.
    case chargedBack = 24

    /// The name in events and on the desk.
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .received: "received"
        case .screening: "screening"
        case .held: "held"
        case .routing: "routing"
        case .offloaded: "offloaded"
        case .attempting: "attempting"
        case .inDoubt: "inDoubt"
        case .submitted: "submitted"
        case .settled: "settled"
        case .returned: "returned"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .blocked: "blocked"
        case .authorizing: "authorizing"
        case .actionRequired: "actionRequired"
        case .authorized: "authorized"
        case .capturing: "capturing"
        case .captured: "captured"
        case .voided: "voided"
        case .expired: "expired"
        case .partiallyRefunded: "partiallyRefunded"
        case .refunded: "refunded"
        case .disputed: "disputed"
        case .chargedBack: "chargedBack"
        }
    }

    /// The status with that name.
    public init?(name: String) {
        guard let found = PaymentStatus.allCases.first(where: { $0.name.description == name }) else { return nil }
        self = found
    }
}

/// What an attempt does.
public enum Operation: UInt8, Sendable, CaseIterable {
    /// Moves money to the creditor.
    case payout = 0
    /// Reserves money at the customer's.
    case authorize = 1
    /// Takes reserved money.
    case capture = 2
    /// Gives taken money back.
    case refund = 3
    /// Gives up a reservation.
    case void = 4
    /// Asks the partner to stop a payout.
    case cancel = 5

    /// The name in events.
    public var name: StaticString {
        switch self {
        case .payout: "payout"
        case .authorize: "authorize"
        case .capture: "capture"
        case .refund: "refund"
        case .void: "void"
        case .cancel: "cancel"
        }
    }
}

/// Where a route stands in a decision.
public enum RouteRole: UInt8, Sendable {
    /// The rules' first choice.
    case primary = 0
    /// Where the first choice cannot serve.
    case secondary = 1
    /// Started after an offload lane was left.
    case offload = 2

    /// The name in events.
    public var name: StaticString {
        switch self {
        case .primary: "primary"
        case .secondary: "secondary"
        case .offload: "offload"
        }
    }
}
