import Credentials
import PaymentModel
import CanonicalJSON
import HTTPServer
import MessageCodec

/// `POST /v1/notifications/{partner}`, and for the desk `GET /v1/forged-notifications`.
struct NotificationsAPI: Sendable {
    let ports: OperationsPorts
    let ingress: NotificationIngress

    init(ports: OperationsPorts) {
        self.ports = ports
        ingress = NotificationIngress(ports)
    }

    func add(to router: inout HTTPRouter) {
        // The signature is the caller's proof; a bearer token of ours is nothing that a partner has.
        router.add(
            "POST", "/v1/notifications/{partner}",
            admission: { [ingress] _, path in ingress.admit(partner: path["partner"]) },
            { request, path, responder in ingress.take(request, partner: path["partner"], responder) })
        router.add("GET", "/v1/forged-notifications") { request, _, responder in
            if case .failure(let problem) = ports.access.require([.desk], request) {
                responder.answer(problem.response)
                return
            }
            let limit = min(1_000, max(1, request.target.first("limit").flatMap { Int($0) } ?? 100))
            let kept = ingress.forged.latest(limit).map { forged -> JSONValue in
                [
                    "receivedAt": .string(RFC3339.string(forged.receivedAt)), "partner": .string(forged.partner),
                    "address": .string(forged.address), "reason": .string(forged.reason),
                    "bodyBytes": .integer(Int64(forged.bodyBytes)), "body": .string(Base64.encode(forged.body)),
                ]
            }
            let answer: JSONValue = [
                "since": .string(RFC3339.string(ingress.forged.since)),
                "total": .integer(Int64(ingress.forged.total)), "notifications": .array(kept),
            ]
            responder.answer(.json(answer.bytes))
        }
    }
}
