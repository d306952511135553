import Credentials
import CanonicalJSON
import HTTPServer

/// `GET /v1/routes`: health, cost and capacity of every route of the policy in force.
struct RoutesAPI: Sendable {
    let ports: OperationsPorts

    func add(to router: inout HTTPRouter) {
        router.add("GET", "/v1/routes") { request, _, responder in
            if case .failure(let problem) = ports.access.require([.read, .desk], request) {
                responder.answer(problem.response)
                return
            }
            responder.answer(.json(RoutesAPI.body(ports.routes()).bytes))
        }
    }

    static func body(_ overview: RouteOverview) -> JSONValue {
        [
            "policyVersion": .string(overview.policyVersion),
            "routes": .array(overview.routes.map(entry)),
        ]
    }

    private static func entry(_ route: RouteOverview.Entry) -> JSONValue {
        let costs = route.currencies.map { terms -> JSONValue in
            [
                "currency": .string(terms.currency), "minimum": .integer(terms.amounts.lowerBound),
                "maximum": .integer(terms.amounts.upperBound), "tiers": .array(terms.tiers.map(tier)),
            ]
        }
        return [
            "partner": .string(route.partner), "rail": .string(route.rail), "kind": .string(route.kind),
            "health": .string(route.health), "configured": .bool(route.isConfigured),
            "onlyOnRequest": .bool(route.onlyOnRequest),
            "cost": .array(costs),
            "capacity": [
                "openAttempts": route.openAttempts.map { .integer(Int64($0)) } ?? .null,
                "maximum": route.maximumOpenAttempts.map { .integer(Int64($0)) } ?? .null,
            ],
        ]
    }

    private static func tier(_ tier: RouteOverview.Tier) -> JSONValue {
        [
            "upTo": tier.upTo.map { .integer($0) } ?? .null, "fixed": .integer(tier.fixed),
            "perMillion": .integer(tier.perMillion), "minimum": .integer(tier.minimum),
            "maximum": tier.maximum.map { .integer($0) } ?? .null,
        ]
    }
}
