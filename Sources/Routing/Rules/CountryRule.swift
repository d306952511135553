import PaymentModel

/// The country of the creditor's account; payments are not bound to one. Where a route names its countries, an unknown
/// one is not among them.
enum CountryRule {
    @inline(__always)
    static func check(
        _ route: MarketRoute, _ facts: borrowing QueryFacts, _ kind: PaymentKind, _ policy: CompiledPolicy
    ) -> Failing {
        kind == .payment || policy.contains(route.countries, facts.country) ? nil : .countryUnsupported
    }
}
