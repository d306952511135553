import CurlHTTP
import Foundation
import Glibc
import Synchronization
import Testing

/// Every test of this process runs with a proxy in the environment that must not be used.
private let hostileEnvironment: Void = {
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        setenv(name, "http://127.0.0.1:1", 1)
    }
}()

func makeClient(
    connections: Int = 4, queued: Int = 64, version: HTTPVersionPolicy = .http1, age: Duration = .seconds(300),
    tls: HTTPTLSConfiguration = HTTPTLSConfiguration(), others: [HTTPPoolConfiguration] = []
) throws -> HTTPClient {
    _ = hostileEnvironment
    let pool = HTTPPoolConfiguration(
        name: "partner", maximumConnections: connections, maximumQueued: queued, maximumConnectionAge: age,
        version: version, tls: tls)
    return try HTTPClient(HTTPClientConfiguration(pools: [pool] + others))
}

func post(
    _ url: String, body: [UInt8] = Array("{\"reference\":\"r-1\"}".utf8), pool: String = "partner",
    timeouts: HTTPTimeouts = HTTPTimeouts(), limits: HTTPLimits = HTTPLimits(), deadline: MonotonicTime? = nil,
    owner: UInt64 = 0, authorise: (@Sendable () -> Bool)? = nil
) -> HTTPExchange {
    HTTPExchange(
        pool: pool, method: .post, url: url,
        headers: [HTTPHeader("Content-Type", "application/json"), HTTPHeader("Idempotency-Key", "k-1")], body: body,
        timeouts: timeouts, limits: limits, sendDeadline: deadline, owner: owner, authorise: authorise)
}

extension HTTPOutcome {
    var answer: HTTPAnswer? { if case .answered(let answer) = self { answer } else { nil } }
    var doubt: HTTPUnanswered? { if case .unanswered(let doubt) = self { doubt } else { nil } }
    var unsent: HTTPNotSent? { if case .notSent(let unsent) = self { unsent } else { nil } }
}

/// Outcomes in the order in which they came, with a way to wait for so many.
final class Outcomes: Sendable {
    private let all = Mutex<[(Int, HTTPOutcome)]>([])

    func record(_ tag: Int) -> @Sendable (HTTPOutcome) -> Void {
        { outcome in self.all.withLock { $0.append((tag, outcome)) } }
    }

    var list: [(Int, HTTPOutcome)] { all.withLock { $0 } }

    func of(_ tag: Int) -> [HTTPOutcome] { list.filter { $0.0 == tag }.map(\.1) }

    func wait(for count: Int) async throws {
        try await until { self.list.count >= count }
    }
}

/// Waits until `condition` holds; fails the test after ten seconds.
func until(_ condition: () -> Bool, _ place: SourceLocation = #_sourceLocation) async throws {
    let limit = MonotonicTime.now().advanced(by: .seconds(10))
    while !condition() {
        guard MonotonicTime.now() < limit else {
            Issue.record("waited ten seconds in vain", sourceLocation: place)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}
