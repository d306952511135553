import PaymentModel

/// Upstream's `routing.maximumCost`. Where the currencies differ, reference rates compare; without a rate the route is
/// out: a bound that cannot be shown to hold does not hold.
enum MaximumCostRule {
    @inline(__always)
    static func check(
        _ total: Int64, _ currency: Currency, _ maximum: Money?, _ rates: ReferenceRates
    ) -> Failing {
        guard let maximum else { return nil }
        return rates.isAtMost(total, currency, maximum) == true ? nil : .costAboveMaximum
    }
}
