import PaymentModel

/// The route's limits in this currency, both included.
enum AmountRule {
    @inline(__always)
    static func check(_ route: MarketRoute, _ facts: borrowing QueryFacts) -> Failing {
        if facts.amount > route.maximum { return .amountAboveLimit }
        if facts.amount < route.minimum { return .amountBelowMinimum }
        return nil
    }
}
