import PaymentModel

/// A made-up policy of a given size, for the benchmark of a decision: every rule is asked (only the last matches), half
/// of the routes are eliminated one by one and the rest must be priced and ordered.
public enum SyntheticPolicy {
    /// A policy of `routes` routes in one currency and `rules` rules.
    public static func make(routes: Int, rules: Int, currency: Currency) throws(RoutingPolicyFault) -> RoutingPolicy {
        let day = Milliseconds.seconds(86_400)
        let key = RouteTerms.Key(
            bindsAllRequests: true, recordedOnReceipt: true, safeWithoutInquiry: false, lifetime: day,
            margin: .seconds(3_600))
        let terms = RouteTerms(
            sendDeadline: .seconds(5), requestTimeout: .seconds(5), inFlightBound: .seconds(5),
            visibilityLag: .seconds(2), booksRetention: day, inquiry: true, inquirySlots: [.seconds(8)],
            acceptedInquirySlots: [.seconds(8)], key: key, canCancel: true, notProcessedRepeats: 3,
            operationRestarts: 3, authorizationLifetime: day, actionLifetime: day, reversalWindow: day,
            escalationOwner: "operations")
        let served = Set(["DE", "FR", "NL"].compactMap { CountryCode($0) })
        let other = Set(["US"].compactMap { CountryCode($0) })
        var catalogue: [CatalogueRoute] = []
        for number in 0..<routes {
            let fees = FeeSchedule(fixed: Int64(number % 17), millionths: Int64(100 + number % 13))
            let maximum: Int64 = number % 4 == 1 ? 1_000 : 100_000_000
            let route = Route(partner: PartnerName("partner-\(number % 20)"), rail: Rail("rail-\(number / 20)"))
            catalogue.append(
                CatalogueRoute(
                    route: route, kind: .payout, currencies: [currency: .init(maximum: maximum, fees: fees)],
                    countries: number % 4 == 3 ? other : served, accountForms: [.iban], terms: terms))
        }
        let names = catalogue.map { $0.route }
        var list: [RoutingRule] = []
        for number in 0..<rules {
            var condition = RoutingRule.Condition(kind: .payout)
            if number < rules - 1 {
                // An amount that no payment of the benchmark has.
                condition.countries = served
                condition.minimum = Int64(1) << 50 + Int64(number)
            }
            list.append(
                RoutingRule(
                    name: "rule-\(number)", condition: condition, primary: Array(names.prefix(routes / 2)),
                    secondary: Array(names.dropFirst(routes / 2))))
        }
        return try RoutingPolicy(
            version: "synthetic", routes: catalogue, rules: list,
            executionDates: ExecutionDates(
                zone: .utc, releaseTime: .zero, owner: "operations", grace: day,
                manual: .init(owner: "operations", deadline: day)))
    }
}
