import Operations
import Orchestrator
import PaymentModel
import Routing

/// The routes of a policy with what the shards see of them.
enum RouteView {
    static func overview(_ policy: RoutingPolicy, _ display: RouteHealthDisplay) -> RouteOverview {
        let now = SystemClock().monotonic()
        return RouteOverview(
            policyVersion: policy.version,
            routes: policy.routes.map { route in
                let seen = display.seen(route.route, at: now)
                return RouteOverview.Entry(
                    partner: route.route.partner.text, rail: route.route.rail.text,
                    kind: route.kind == .payout ? "payout" : "payment", health: health(seen),
                    isConfigured: policy.reaches(route.route.partner), onlyOnRequest: route.onlyOnRequest,
                    openAttempts: seen.openAttempts,
                    maximumOpenAttempts: route.capacity.openAttempts,
                    currencies: route.currencies.sorted { $0.key < $1.key }.map { currency, terms in
                        RouteOverview.Terms(
                            currency: currency.code, amounts: terms.minimum...max(terms.minimum, terms.maximum),
                            tiers: terms.fees.tiers.map { tier in
                                RouteOverview.Tier(
                                    upTo: tier.upTo == .max ? nil : tier.upTo, fixed: tier.fixed,
                                    perMillion: tier.millionths, minimum: tier.minimum,
                                    maximum: tier.maximum == .max ? nil : tier.maximum)
                            })
                    })
            })
    }

    private static func health(_ seen: RouteHealthDisplay.Seen) -> String {
        if seen.open > 0 { return "open" }
        if seen.halfOpen > 0 { return "halfOpen" }
        return seen.throttledPerMille > 0 ? "throttled" : "healthy"
    }
}
