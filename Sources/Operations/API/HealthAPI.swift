import Credentials
import CanonicalJSON
import HTTPServer
import Metrics

/// `GET /healthz`, `/readyz`, `/metrics`. Health and readiness need no token: probes have none, and they tell nothing of
/// payments.
struct HealthAPI: Sendable {
    let ports: OperationsPorts

    func add(to router: inout HTTPRouter) {
        router.add("GET", "/healthz") { _, _, responder in responder.answer(HealthAPI.health(ports.identity)) }
        router.add("GET", "/readyz") { _, _, responder in responder.answer(readiness()) }
        router.add("GET", "/metrics") { request, _, responder in
            if case .failure(let problem) = ports.access.require([.read], request) {
                responder.answer(problem.response)
                return
            }
            var response = HTTPResponse.text(ports.metrics.render())
            response.contentType = "text/plain; version=0.0.4; charset=utf-8"
            responder.answer(response)
        }
    }

    /// The answer to `/healthz`, also while the daemon starts.
    static func health(_ identity: String) -> HTTPResponse {
        var response = HTTPResponse.text("ok\n")
        if !identity.isEmpty { response.headers.append((HealthHeaders.name, identity)) }
        return response
    }

    private func readiness() -> HTTPResponse {
        let found = ports.readiness()
        let body: JSONValue = [
            "ready": .bool(found.isReady), "reasons": .array(found.reasons.map { .string($0) }),
            "notices": .array(found.notices.map { .string($0) }),
        ]
        return .json(body.bytes, status: found.isReady ? 200 : 503)
    }
}

/// Headers of `/healthz`.
public enum HealthHeaders {
    static let name = "Switchyard-Log"
    /// Names the log's directory on its host (`OperationsPorts.identity`); in lower case, as clients compare it.
    public static let identity = "switchyard-log"

    /// The answer to `/healthz`, also while the daemon starts.
    public static func health(identity: String) -> HTTPResponse { HealthAPI.health(identity) }
}
