import PaymentModel

/// Upstream excludes partners (`routing.excludePartners`).
enum ExcludedPartnerRule {
    @inline(__always)
    static func check(_ route: MarketRoute, _ facts: borrowing QueryFacts) -> Failing {
        facts.excludedPartners.isEmpty || !facts.excludedPartners.contains(route.partner) ? nil : .partnerExcluded
    }
}
