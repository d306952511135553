import Partners
import PaymentModel

/// A header of an answer.
public struct PartnerHeader: Sendable, Equatable {
    /// The name; compared without case.
    public var name: String
    /// The value.
    public var value: String

    /// A header.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A partner's answer: it was read to its end, within the limits of size and time.
public struct PartnerAnswer: Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// Names and values, in order.
    public var headers: [PartnerHeader]
    /// The body.
    public var body: [UInt8]

    /// An answer.
    public init(status: Int, headers: [PartnerHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value of a header, compared without case.
    public func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}

/// One exchange for the transport to carry out.
public struct PartnerExchange: Sendable {
    /// Unique in the process.
    public var id: UInt64
    /// Whom to call.
    public var partner: PartnerName
    /// What.
    public var call: PartnerHTTPRequest
    /// Asked right before the first byte.
    public var permit: SendPermit
    /// Given up after this from the start.
    public var timeout: Milliseconds
    /// W3C trace context to send along, where there is one.
    public var traceparent: String?

    /// An exchange.
    public init(
        id: UInt64, partner: PartnerName, call: PartnerHTTPRequest, permit: SendPermit, timeout: Milliseconds,
        traceparent: String?
    ) {
        self.id = id
        self.partner = partner
        self.call = call
        self.permit = permit
        self.timeout = timeout
        self.traceparent = traceparent
    }
}

/// How an exchange ended.
public struct ExchangeEnd: Sendable, Equatable {
    /// What became of it.
    public enum Outcome: Sendable, Equatable {
        /// No byte can have reached the partner: proven, not supposed.
        case notSent(NotSentCause)
        /// The partner answered.
        case answered(PartnerAnswer)
        /// Bytes may have left and nothing readable came back.
        case unclear(DoubtCause)
    }

    /// What became of it.
    public var outcome: Outcome
    /// Measured end of the upload, or of the connection: no byte left later. Nil where none was measured.
    public var endOfUpload: MonotonicTime?

    /// An end.
    public init(_ outcome: Outcome, endOfUpload: MonotonicTime? = nil) {
        self.outcome = outcome
        self.endOfUpload = endOfUpload
    }
}

/// Carries exchanges to the partners. It limits nothing by itself beyond sizes and times (the shard's outbox bounds what
/// is under way), and never repeats a request.
public protocol PartnerTransport: AnyObject, Sendable {
    /// Begins an exchange; `completion` is called exactly once, on any thread, also before this returns.
    func begin(_ exchange: PartnerExchange, completion: @escaping @Sendable (ExchangeEnd) -> Void)

    /// Gives an exchange up as soon as possible; its completion is still called once (`notSent` where no byte has left,
    /// else `unclear(.aborted)`, or what came first). An unknown number is ignored.
    func cancel(_ id: UInt64)
}
