import PaymentModel
import Routing
import Screening

/// The catalogue, rules and lists of a run: two partners that do everything, one after the other.
enum SimulationPolicy {
    static let partners = [PartnerName("bank-a"), PartnerName("bank-b")]
    static let heldName = "Held Person"
    static let blockedName = "Blocked Person"

    /// Promises that the simulated world keeps: a request travels at most 4.5 s, an order is shown after at most 2 s.
    static let terms = RouteTerms(
        sendDeadline: .seconds(2), requestTimeout: .seconds(3), inFlightBound: .seconds(5), visibilityLag: .seconds(2),
        booksRetention: .seconds(30 * 86_400), inquiry: true,
        inquirySlots: [3, 8, 14, 22, 35].map { Milliseconds.seconds($0) },
        acceptedInquirySlots: [6, 14, 25, 40].map { Milliseconds.seconds($0) },
        key: .init(
            bindsAllRequests: true, recordedOnReceipt: true, safeWithoutInquiry: false, lifetime: .seconds(86_400),
            margin: .seconds(3_600)),
        canCancel: true, notProcessedRepeats: 3, operationRestarts: 2, authorizationLifetime: .seconds(7 * 86_400),
        actionLifetime: .seconds(3_600), reversalWindow: .seconds(400 * 86_400), escalationOwner: "operations")

    /// - Parameter gate: false takes the bounds out of the terms: "not found" then proves absence at once (a mutation).
    static func policy(gate: Bool) -> RoutingPolicy {
        guard let eur = Currency("EUR") else { preconditionFailure("ISO 4217 lists EUR") }
        var terms = SimulationPolicy.terms
        if !gate {
            terms.inFlightBound = .zero
            terms.visibilityLag = .zero
            terms.inquirySlots = [Milliseconds(1)] + terms.inquirySlots
        }
        var routes: [CatalogueRoute] = []
        for (place, partner) in partners.enumerated() {
            let currency = CatalogueRoute.CurrencyTerms(
                maximum: 90_000_000, fees: FeeSchedule(fixed: Int64(10 + place), millionths: 500))
            routes.append(
                CatalogueRoute(
                    route: Route(partner: partner, rail: Rail("sepa-instant")), kind: .payout,
                    currencies: [eur: currency],
                    accountForms: [.iban], terms: terms))
            routes.append(
                CatalogueRoute(
                    route: Route(partner: partner, rail: Rail("card")), kind: .payment, currencies: [eur: currency],
                    instruments: [.card], terms: terms))
        }
        let manual = OffloadPlan.Manual(
            owner: "operations", deadline: .seconds(3_600), causes: [.costAboveMaximum])
        let queue = OffloadPlan.Queue(
            owner: "operations", deadline: .seconds(60),
            causes: [.circuitOpen, .unhealthy, .noCapacity, .alreadyTried],
            retryAfter: .seconds(5))
        let rules = [PaymentKind.payout, .payment].enumerated().map { place, kind in
            let names = routes.filter { $0.kind == kind }.map(\.route)
            return RoutingRule(
                name: "rule-\(place)", condition: RoutingRule.Condition(kind: kind), primary: [names[0]],
                secondary: Array(names.dropFirst()), offload: OffloadPlan(queue: queue, manual: manual))
        }
        do {
            return try RoutingPolicy(
                version: "simulated", routes: routes, rules: rules,
                executionDates: ExecutionDates(
                    zone: .utc, releaseTime: .zero, owner: "operations", grace: .seconds(3_600), manual: manual))
        } catch {
            preconditionFailure("the simulation's policy: \(error)")
        }
    }

    static let lists = ScreeningLists(
        version: 1, owner: "compliance", deadline: .seconds(3_600),
        entries: [
            ScreeningEntry(id: "h1", list: .hold, names: [heldName]),
            ScreeningEntry(id: "b1", list: .block, names: [blockedName]),
        ])
}
