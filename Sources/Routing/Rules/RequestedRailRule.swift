import PaymentModel

/// Where upstream names a rail only that one serves; rails taken only on request serve only then.
enum RequestedRailRule {
    @inline(__always)
    static func check(_ route: MarketRoute, _ facts: borrowing QueryFacts) -> Failing {
        if facts.requestedRail == -1 { return route.onlyOnRequest ? .railNotRequested : nil }
        return facts.requestedRail == route.rail ? nil : .railNotRequested
    }
}
