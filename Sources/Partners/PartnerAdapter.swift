import PaymentModel

/// How one partner is spoken to: a closed set of adapters, switched over, so that no call on the hot path goes through
/// an existential. Each adapter is pure: it makes requests and reads answers, the transport carries them.
public enum PartnerAdapter: Sendable {
    /// The reference partner (the contract, section 6).
    case reference(ReferenceAdapter)

    /// The adapter with this name in the configuration, or nil.
    public init?(named name: String) {
        switch name {
        case "reference": self = .reference(ReferenceAdapter())
        default: return nil
        }
    }

    /// The request of an order. Throws where the partner's format cannot carry it.
    public func request(for order: PartnerOrder) throws(Unrepresentable) -> PartnerHTTPRequest {
        switch self {
        case .reference(let adapter): try adapter.request(for: order)
        }
    }

    /// What the answer to an order's request means.
    public func outcome(of answer: PartnerHTTPAnswer, to order: PartnerOrder) -> Reading<SendOutcome> {
        switch self {
        case .reference(let adapter): adapter.outcome(of: answer, to: order)
        }
    }

    /// The request of an inquiry. Throws where the partner cannot be asked so.
    public func request(for inquiry: PartnerInquiry) throws(Unrepresentable) -> PartnerHTTPRequest {
        switch self {
        case .reference(let adapter): try adapter.request(for: inquiry)
        }
    }

    /// What the answer to an inquiry means.
    public func outcome(of answer: PartnerHTTPAnswer, to inquiry: PartnerInquiry) -> Reading<InquiryOutcome> {
        switch self {
        case .reference(let adapter): adapter.outcome(of: answer, to: inquiry)
        }
    }

    /// The request header that carries the signature of a notification.
    public var signatureHeader: String {
        switch self {
        case .reference: ReferenceAdapter.signatureHeader
        }
    }

    /// Whether a notification was signed by the partner, and is fresh by its time of receipt. `hmac` is HMAC-SHA256
    /// with the partner's secret.
    public func verify(
        signature: String?, body: [UInt8], receivedAt: Timestamp, hmac: ([UInt8]) -> [UInt8]
    ) -> SignatureVerdict {
        switch self {
        case .reference(let adapter):
            adapter.verify(
                signature: signature, body: body, receivedAt: receivedAt, hmac: hmac)
        }
    }

    /// What a notification's body says, or nil where it is not of the partner's form.
    public func notification(body: [UInt8]) -> NotificationContent? {
        switch self {
        case .reference(let adapter): adapter.notification(body: body)
        }
    }
}
