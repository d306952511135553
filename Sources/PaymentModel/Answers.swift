/// Where an order stands at the partner.
public enum OrderStatus: UInt8, Sendable {
    /// Taken, no final answer.
    case accepted = 0
    /// Being worked on, no final answer.
    case pending = 1
    /// Executed.
    case settled = 2
    /// Refused; nothing moved and nothing will.
    case rejected = 3
    /// Executed, then come back.
    case returned = 4
    /// An authorization that the customer must confirm.
    case actionRequired = 5
    /// An authorization that was given up.
    case voided = 6
    /// An authorization whose life is over.
    case expired = 7
}

/// What a partner says of an order: in the answer to a request, to an inquiry, or in a notification.
public struct OrderReport: Hashable, Sendable {
    /// Where it stands.
    public var status: OrderStatus
    /// The partner's own reference, where it told one.
    public var partnerReference: String?
    /// The partner's reason, as received (at most 35 characters).
    public var partnerCode: String?
    /// Our code for it; ISO 20022 status reason where one fits.
    public var code: String?
    /// For a rejection: whether the catalogue lets the payment go elsewhere.
    public var mayGoElsewhere: Bool
    /// What was executed.
    public var amount: Money?
    /// What the partner took for it.
    public var fee: Money?
    /// Value date.
    public var valueDate: CalendarDate?
    /// Where the customer confirms.
    public var redirectURL: String?

    /// A report.
    public init(
        status: OrderStatus, partnerReference: String? = nil, partnerCode: String? = nil, code: String? = nil,
        mayGoElsewhere: Bool = false, amount: Money? = nil, fee: Money? = nil, valueDate: CalendarDate? = nil,
        redirectURL: String? = nil
    ) {
        self.status = status
        self.partnerReference = partnerReference
        self.partnerCode = partnerCode
        self.code = code
        self.mayGoElsewhere = mayGoElsewhere
        self.amount = amount
        self.fee = fee
        self.valueDate = valueDate
        self.redirectURL = redirectURL
    }
}

/// Why no byte of a request can have reached the partner.
public enum NotSentCause: String, Sendable, CaseIterable {
    /// The name did not resolve.
    case nameResolution = "name-resolution"
    /// No connection.
    case connect
    /// No TLS session, or not with the one we trust.
    case tls
    /// The send deadline passed before the first byte.
    case deadline
    /// Not ours to send any more: ownership lost, late evidence, or shut down.
    case notAuthorized = "withdrawn"
    /// Too many requests are waiting for this partner.
    case queueFull = "queue-full"
    /// No access token could be had.
    case credentials
    /// The partner is not configured any more.
    case notConfigured = "not-configured"
    /// Answered as not processed (401, 429) and given up.
    case notProcessed = "not-processed"
    /// The request could not be made (a value that the partner's format cannot carry).
    case unrepresentable
}

/// Why nobody knows what became of a request.
public enum DoubtCause: String, Sendable, CaseIterable {
    /// Silence until the time-out.
    case timeout
    /// The connection ended after bytes had left.
    case reset
    /// A status that promises nothing.
    case status
    /// An answer that cannot be read, or contradicts the request.
    case unreadable
    /// An answer over the limit.
    case oversized
    /// Aborted by us while bytes were leaving.
    case aborted
    /// The process ended, or lost the partition, between intent and result.
    case takeover
}

/// What became of one request of an attempt.
public enum SendOutcome: Hashable, Sendable {
    /// No byte can have reached the partner.
    case notSent(NotSentCause)
    /// Answered as not processed: 401 and 429. May be repeated after a while.
    case notProcessed(httpStatus: Int, retryAfter: Milliseconds?)
    /// Answered as not processed and never to be: 400, 403, 404, 413, 415, 422. May go elsewhere; alarm.
    case refused(httpStatus: Int, partnerCode: String?)
    /// The answer to a cancel that came too late (409).
    case tooLate
    /// The answer carries the order itself.
    case order(OrderReport)
    /// Nobody knows.
    case unclear(DoubtCause)
}

/// The end of one request, as the sender saw it.
public struct SendReport: Hashable, Sendable {
    /// The attempt's number.
    public var attempt: Int
    /// The request's number within the attempt, from 1.
    public var request: Int
    /// The incarnation that sent it.
    public var incarnation: UInt64
    /// What became of it.
    public var outcome: SendOutcome
    /// Measured end of the upload, or of the connection: no byte of the request left later. Nil where none was measured.
    public var endOfUpload: MonotonicTime?

    /// A report.
    public init(
        attempt: Int, request: Int, incarnation: UInt64, outcome: SendOutcome, endOfUpload: MonotonicTime?
    ) {
        self.attempt = attempt
        self.request = request
        self.incarnation = incarnation
        self.outcome = outcome
        self.endOfUpload = endOfUpload
    }
}

/// What an inquiry brought.
public enum InquiryOutcome: Hashable, Sendable {
    /// The partner shows the order.
    case found(OrderReport)
    /// The partner shows no such order.
    case notFound
    /// No answer, or none that can be read.
    case unanswered
}

/// The end of one inquiry.
public struct InquiryReport: Hashable, Sendable {
    /// The attempt's number.
    public var attempt: Int
    /// The inquiry's number within the attempt, from 1.
    public var inquiry: Int
    /// The incarnation that sent it.
    public var incarnation: UInt64
    /// When its first byte was authorised to leave: what it proves, it proves as of then.
    public var sentAt: MonotonicTime
    /// What it brought.
    public var outcome: InquiryOutcome

    /// A report.
    public init(attempt: Int, inquiry: Int, incarnation: UInt64, sentAt: MonotonicTime, outcome: InquiryOutcome) {
        self.attempt = attempt
        self.inquiry = inquiry
        self.incarnation = incarnation
        self.sentAt = sentAt
        self.outcome = outcome
    }
}

/// A verified notification, as the ingress stored it.
public struct PartnerNotification: Hashable, Sendable {
    /// What it tells of.
    public enum Subject: Hashable, Sendable {
        /// An order: transfer, authorization, capture, void, refund.
        case order(OrderReport)
        /// A dispute about a capture: opened, won, lost.
        case dispute(DisputeStatus, amount: Money?, valueDate: CalendarDate?)
    }

    /// The course of a dispute.
    public enum DisputeStatus: UInt8, Sendable {
        /// The money was taken back.
        case opened
        /// It was given to us again.
        case won
        /// It is gone for good.
        case lost
    }

    /// The partner.
    public var partner: PartnerName
    /// The partner's id of it.
    public var id: String
    /// Stands for (partner, id) in the set of notifications that the payment has seen.
    public var identity: Digest
    /// Our reference that it names.
    public var reference: Reference
    /// What it tells.
    public var subject: Subject
    /// What the order that it tells of does, where the partner's type of notification says so: one that names an attempt
    /// of another kind is not believed.
    public var operation: Operation?
    /// Whether it was fresh when it was received. A stale one changes nothing and prompts an inquiry.
    public var fresh: Bool
    /// When it was received.
    public var receivedAt: Timestamp

    /// A notification.
    public init(
        partner: PartnerName, id: String, identity: Digest, reference: Reference, subject: Subject,
        operation: Operation? = nil, fresh: Bool, receivedAt: Timestamp
    ) {
        self.partner = partner
        self.id = id
        self.identity = identity
        self.reference = reference
        self.subject = subject
        self.operation = operation
        self.fresh = fresh
        self.receivedAt = receivedAt
    }
}
