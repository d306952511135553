import CurlHTTP

/// How one partner is reached.
struct PartnerAccess: Sendable {
    /// Its bulkhead in the HTTP client.
    var pool: String
    /// What paths are appended to.
    var baseURL: String
    /// OAuth 2 client credentials, where it asks for them.
    var tokens: TokenCache?
    /// What its exchanges are noted in.
    var metrics: ExchangeMetrics?
    /// A connection that takes longer counts as none.
    var connectTimeout: Duration = .seconds(5)
    /// A longer answer is not read.
    var maximumAnswerBytes = 1 << 20
}
