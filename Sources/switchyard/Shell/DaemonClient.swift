import CanonicalJSON
import CurlHTTP
import Dispatch
import EventLog
import Operations
import PaymentModel
import Synchronization

/// An answer of the daemon.
struct DaemonAnswer {
    var status: Int
    var headers: HTTPHeaderFields
    var body: [UInt8]

    /// The problem's detail, or the status.
    var problem: String {
        (try? JSONValue(parsing: body))?["detail"]?.string ?? "status \(status)"
    }
}

/// HTTP for commands: one request at a time, waited for.
final class DaemonClient {
    private let client: HTTPClient
    private let base: String
    private let headers: [HTTPHeader]

    init(base: String, token: [UInt8]?, tls: HTTPTLSConfiguration = HTTPTLSConfiguration()) throws(CommandFailure) {
        do throws(HTTPClientError) {
            client = try HTTPClient(
                HTTPClientConfiguration(pools: [HTTPPoolConfiguration(name: "daemon", maximumConnections: 4, tls: tls)])
            )
        } catch {
            throw CommandFailure(.usage, error.description)
        }
        self.base = base
        headers = token.map { [HTTPHeader("Authorization", "Bearer \(String(decoding: $0, as: UTF8.self))")] } ?? []
    }

    /// One exchange. Throws `unreachable` where nothing answers, or the answer says that the daemon cannot now.
    func request(
        _ method: HTTPMethod, _ target: String, body: [UInt8] = [], contentType: String? = nil,
        timeout: Duration = .seconds(30), maximumAnswer: Int = 64 << 20
    ) throws(AccessFault) -> DaemonAnswer {
        var headers = self.headers
        if let contentType { headers.append(HTTPHeader("Content-Type", contentType)) }
        let exchange = HTTPExchange(
            pool: "daemon", method: method, url: base + target, headers: headers, body: body,
            timeouts: HTTPTimeouts(connect: .seconds(3), firstByte: timeout, total: timeout),
            limits: HTTPLimits(maximumResponseBytes: maximumAnswer))
        let outcome = Mutex<HTTPOutcome?>(nil)
        let done = DispatchSemaphore(value: 0)
        client.submit(exchange) { ended in
            outcome.withLock { $0 = ended }
            done.signal()
        }
        done.wait()
        switch outcome.withLock({ $0 }) {
        case .answered(let answer):
            let found = DaemonAnswer(status: answer.status, headers: answer.headers, body: answer.body)
            if answer.status == 503 || answer.status == 429 { throw .unreachable("\(base): \(found.problem)") }
            return found
        case .notSent(let end): throw .unreachable("\(base): \(end.detail)")
        case .unanswered(let end): throw .unreachable("\(base): \(end.detail)")
        case nil: throw .unreachable(base)
        }
    }
}
