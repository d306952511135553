import Credentials
import CanonicalJSON
import Configuration
import CurlHTTP
import Operations
import Synchronization

/// An access token; its description is redacted.
struct BearerToken: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    fileprivate let text: String

    /// `Authorization: Bearer …`.
    var header: HTTPHeader { HTTPHeader("Authorization", "Bearer \(text)") }
    /// Always `<redacted>`.
    var description: String { "<redacted>" }
    /// Nothing.
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// OAuth 2 client credentials (RFC 6749 section 4.4) of one partner: one token at a time, fetched when it is first needed,
/// shortly before its end, and after a 401. Getting a token moves no money, so it may be asked for again.
final class TokenCache: Sendable {
    private struct State {
        var token: BearerToken?
        var usableUntil = MonotonicTime(nanoseconds: .min)
        var waiting: [@Sendable (BearerToken?) -> Void] = []
        var isFetching = false
    }

    private let state = Mutex(State())
    private let client: HTTPClient
    private let pool: String
    private let credentials: OAuthConfiguration

    /// Tokens of one partner; `pool` is a bulkhead of its own, so that a slow token server costs no payment's connection.
    init(client: HTTPClient, pool: String, credentials: OAuthConfiguration) {
        self.client = client
        self.pool = pool
        self.credentials = credentials
    }

    /// Hands a token over, at once where there is one; nil where none can be had.
    func withToken(until deadline: MonotonicTime, _ body: @escaping @Sendable (BearerToken?) -> Void) {
        let now = MonotonicTime.now()
        let (known, fetch) = state.withLock { state -> (BearerToken?, Bool) in
            if let token = state.token, now < state.usableUntil { return (token, false) }
            // Bounded: a shard has a bounded number of calls in progress.
            state.waiting.append(body)
            defer { state.isFetching = true }
            return (nil, !state.isFetching)
        }
        if let known { return body(known) }
        if fetch { self.fetch() }
    }

    /// The partner did not take this token: the next request gets another.
    func reject(_ token: BearerToken) {
        state.withLock { state in
            if state.token == token { state.token = nil }
        }
    }

    private func fetch() {
        let secret = credentials.clientSecret.withBytes { PercentEncoding.encode(String(decoding: $0, as: UTF8.self)) }
        var form = "grant_type=client_credentials&client_id=\(PercentEncoding.encode(credentials.clientId))"
        form += "&client_secret=\(secret)"
        if let scope = credentials.scope { form += "&scope=\(PercentEncoding.encode(scope))" }
        let request = HTTPExchange(
            pool: pool, method: .post, url: credentials.tokenURL,
            headers: [
                HTTPHeader("Content-Type", "application/x-www-form-urlencoded"),
                HTTPHeader("Accept", "application/json"),
            ], body: Array(form.utf8),
            timeouts: HTTPTimeouts(connect: .seconds(3), firstByte: .seconds(5), total: .seconds(5)),
            limits: HTTPLimits(maximumResponseBytes: 65_536))
        client.submit(request) { [self] outcome in take(outcome) }
    }

    private func take(_ outcome: HTTPOutcome) {
        var token: BearerToken?
        var lifetime: Int64 = 0
        if case .answered(let answer) = outcome, answer.status == 200,
            let body = try? JSONValue(parsing: answer.body), let text = body["access_token"]?.string, !text.isEmpty
        {
            token = BearerToken(text: text)
            lifetime = max(1, body["expires_in"]?.integer ?? 60)
        }
        let waiting = state.withLock { state in
            state.token = token
            // A tenth of its life before its end it is not used any more, so that it does not end on its way.
            state.usableUntil = MonotonicTime.now().advanced(by: .milliseconds(lifetime * 900))
            state.isFetching = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for body in waiting { body(token) }
    }
}
