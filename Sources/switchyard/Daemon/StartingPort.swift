import HTTPServer
import Operations
import Synchronization

/// The HTTP port before, while and after the daemon can answer: it is bound first, so that a port in use is found before
/// anything else is touched, and says "starting" until the routes are there.
final class StartingPort: Sendable {
    private let router = Mutex<HTTPRouter?>(nil)
    private let identity: String

    /// - Parameter identity: names the log's directory (`LogIdentity`).
    init(identity: String) { self.identity = identity }

    /// Whether a body is taken: by the routes; none before there are some.
    func admit(_ head: HTTPRequest) -> HTTPAdmission {
        router.withLock { $0 }?.admit(head) ?? .refuse(StartingPort.starting)
    }

    /// Answers by the routes, where there are some.
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if let router = router.withLock({ $0 }) { return router.handle(request, responder) }
        if request.target.rawPath == "/healthz" {
            responder.answer(HealthHeaders.health(identity: identity))
            return
        }
        if request.target.rawPath == "/readyz" {
            responder.answer(.json(Array(#"{"notices":[],"ready":false,"reasons":["starting"]}"#.utf8), status: 503))
            return
        }
        responder.answer(StartingPort.starting)
    }

    private static var starting: HTTPResponse {
        var response = Problem(503, detail: "the daemon is starting").response
        response.headers.append(("Retry-After", "1"))
        return response
    }

    /// From here on the daemon answers.
    func open(_ router: HTTPRouter) { self.router.withLock { $0 = router } }
}
