import Credentials

/// How a partner is reached: `partners.<name>`. What it can do is the routing folder's to say.
public struct PartnerConfiguration: Sendable, Hashable {
    /// The adapter that speaks its language: `adapter`.
    public var adapter: String
    /// What its paths are appended to: `baseURL`, without a slash at the end.
    public var baseURL: String
    /// The key of its notifications' signatures: `webhookSecret`.
    public var webhookSecret: Secret
    /// The key before, still accepted while a rotation is under way: `previousWebhookSecret`.
    public var previousWebhookSecret: Secret?
    /// OAuth 2 client credentials: `oauth`.
    public var oauth: OAuthConfiguration?
    /// TLS beyond the system's authorities: `tls`.
    public var tls: ClientTLSConfiguration?
    /// Connections to it at once, over all shards: `connections`, default 32, 1 to 1 024.
    public var connections = 32
    /// Which HTTP it is spoken to in: `http`, default `1.1`.
    public var http = PartnerHTTPVersion.http1
}

/// Which version of HTTP a partner is spoken to in: `http`.
public enum PartnerHTTPVersion: String, Sendable, Hashable, CaseIterable {
    /// HTTP/1.1 for everything.
    case http1 = "1.1"
    /// HTTP/2 for inquiries, where the partner's TLS offers it. What may move money stays on HTTP/1.1: on a connection of
    /// its own a request that ends without an answer ends with the connection, so that nothing of it can leave later.
    case http2ForInquiries = "2-for-inquiries"
}

/// OAuth 2 client credentials of a partner: `oauth`.
public struct OAuthConfiguration: Sendable, Hashable {
    /// Where tokens are had: `tokenURL`.
    public var tokenURL: String
    /// Who we are there: `clientId`.
    public var clientId: String
    /// And its secret: `clientSecret`.
    public var clientSecret: Secret
    /// The scope asked for: `scope`.
    public var scope: String?
}

/// TLS towards a partner: `tls`.
public struct ClientTLSConfiguration: Sendable, Hashable {
    /// Authorities that may have signed its certificate, PEM: `caFile`; nil: the system's.
    public var caFile: String?
    /// Our certificate, PEM: `certificateFile`.
    public var certificateFile: String?
    /// Its key, PEM: `keyFile`.
    public var keyFile: String?
}
