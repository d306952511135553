import PaymentModel

/// What became of a notification's signature.
public enum WebhookVerdict: Sendable, Equatable {
    /// Signed by the partner, and young enough at the moment of receipt.
    case fresh
    /// Signed by the partner, but older than its tolerance allows.
    case stale
    /// Signed by the partner, but dated further in the future than its tolerance allows; otherwise as stale.
    case early
    /// Not signed by the partner. The reason is for our counters, not for the caller.
    case forged(reason: String)
}

/// What an authentic notification says of itself, before anybody acts on it.
public struct WebhookClaim: Sendable, Equatable {
    /// The partner's id of it.
    public var id: String
    /// The partner's type of it.
    public var type: String
    /// The reference that it names; may be foreign.
    public var reference: String

    /// A claim.
    public init(id: String, type: String, reference: String) {
        self.id = id
        self.type = type
        self.reference = reference
    }
}

/// How one partner's notifications are verified and read; pure, so that the event loop may call it.
public struct PartnerWebhook: Sendable {
    /// Verifies the signature over the raw body. `header` looks a request header up, case does not matter.
    public var verify:
        @Sendable (_ header: (String) -> String?, _ body: [UInt8], _ receivedAt: Timestamp) -> WebhookVerdict
    /// Reads id, type and reference; nil where the body is not of the partner's form.
    public var claim: @Sendable (_ body: [UInt8]) -> WebhookClaim?

    /// A webhook.
    public init(
        verify:
            @escaping @Sendable (
                _ header: (String) -> String?, _ body: [UInt8], _ receivedAt: Timestamp
            ) -> WebhookVerdict,
        claim: @escaping @Sendable (_ body: [UInt8]) -> WebhookClaim?
    ) {
        self.verify = verify
        self.claim = claim
    }
}
