import PaymentModel

/// A request to a partner, without what the transport adds (base URL, access token, host). Equal orders give equal
/// requests, byte for byte: a repeat is the same request.
public struct PartnerHTTPRequest: Hashable, Sendable {
    /// `GET` or `POST`.
    public var method: String
    /// Path and query, percent-encoded.
    public var target: String
    /// Names and values, in order.
    public var headers: [PartnerHTTPHeader]
    /// The body; empty for `GET`.
    public var body: [UInt8]

    /// A request.
    public init(method: String, target: String, headers: [PartnerHTTPHeader], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// A header of a request.
public struct PartnerHTTPHeader: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String

    /// A header.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A partner's answer, read to its end. Hostile input.
public struct PartnerHTTPAnswer: Hashable, Sendable {
    /// The status.
    public var status: Int
    /// The value of `Retry-After`, as received.
    public var retryAfter: String?
    /// The body.
    public var body: [UInt8]

    /// An answer.
    public init(status: Int, retryAfter: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }
}

/// What a request to a partner is made of: an intent, and the data of the payment's initiate.
public struct PartnerOrder: Hashable, Sendable {
    /// What it does.
    public var operation: Operation
    /// The rail.
    public var rail: Rail
    /// Ours.
    public var reference: Reference
    /// Never used for anything else.
    public var idempotencyKey: String
    /// The attempt's amount.
    public var amount: Money
    /// The partner's reference of what the operation is about: the authorization of a capture, refund or void, the
    /// transfer of a cancel.
    public var target: String?
    /// The initiate's data; payouts and authorizations need it.
    public var initiation: Initiation?

    /// An order.
    public init(
        operation: Operation, rail: Rail, reference: Reference, idempotencyKey: String, amount: Money,
        target: String? = nil, initiation: Initiation? = nil
    ) {
        self.operation = operation
        self.rail = rail
        self.reference = reference
        self.idempotencyKey = idempotencyKey
        self.amount = amount
        self.target = target
        self.initiation = initiation
    }
}

/// What an inquiry is made of.
public struct PartnerInquiry: Hashable, Sendable {
    /// What the attempt does.
    public var operation: Operation
    /// Ours.
    public var reference: Reference
    /// The attempt's amount; an answer with another is no evidence.
    public var amount: Money
    /// As in `PartnerOrder`.
    public var target: String?

    /// An inquiry.
    public init(operation: Operation, reference: Reference, amount: Money, target: String? = nil) {
        self.operation = operation
        self.reference = reference
        self.amount = amount
        self.target = target
    }
}

/// Why a request cannot be made: the partner's format cannot carry the order. Nothing was sent.
public struct Unrepresentable: Error, Hashable, Sendable {
    /// What is missing or does not fit; names of fields only.
    public var detail: String
}

/// Something about a partner's answer that a person should look at. Holds no payment data.
public enum PartnerAlarm: String, Hashable, Sendable, CaseIterable {
    /// The request was refused as malformed, forbidden or unknown (400, 403, 404, 413, 415, 422): something is wrong
    /// with it, or with us.
    case requestRefused = "request-refused"
    /// An order under our reference has another amount or currency than ours: no evidence.
    case amountMismatch = "amount-mismatch"
    /// The answer is about another order than the one asked for: no evidence.
    case referenceMismatch = "reference-mismatch"
    /// The partner shows more than one order under our reference.
    case severalOrders = "several-orders"
}

/// What an answer means, and whether a person should know.
public struct Reading<Outcome: Hashable & Sendable>: Hashable, Sendable {
    /// What it means.
    public var outcome: Outcome
    /// What is strange about it.
    public var alarm: PartnerAlarm?

    /// A reading.
    public init(_ outcome: Outcome, alarm: PartnerAlarm? = nil) {
        self.outcome = outcome
        self.alarm = alarm
    }
}
