import PaymentModel

/// A payment never goes where it has been.
enum TriedRule {
    @inline(__always)
    static func check(_ route: MarketRoute, _ facts: borrowing QueryFacts) -> Failing {
        facts.tried.isEmpty || !facts.tried.contains(route.index) ? nil : .alreadyTried
    }
}
