import PaymentModel

/// A payment's instrument, and a card's network where route and command both name one. A network that is not told does
/// not rule a route out: the partner knows it by the token.
enum InstrumentRule {
    @inline(__always)
    static func check(_ route: MarketRoute, _ facts: borrowing QueryFacts, _ kind: PaymentKind) -> Failing {
        guard kind == .payment else { return nil }
        guard facts.instrument & route.instruments != 0 else { return .instrumentUnsupported }
        if route.networks != 0, facts.namesNetwork, facts.network & route.networks == 0 {
            return .instrumentUnsupported
        }
        return nil
    }
}
