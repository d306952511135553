import PaymentModel

/// Exchange rates for one purpose: to compare a cost with `routing.maximumCost` where their currencies differ. Never
/// to convert a payment.
public struct ReferenceRates: Hashable, Sendable {
    /// Units of the base currency for one unit (not minor unit) of a currency, in billionths.
    private let billionths: [Currency: Int64]

    /// Rates by currency: what one unit is worth in units of the base currency, in billionths. The base currency
    /// itself belongs to it, with 1 000 000 000.
    public init(billionths: [Currency: Int64] = [:]) { self.billionths = billionths }

    /// Whether `cost` minor units of `currency` are worth at most `maximum`; nil where a rate is lacking. Exact: both
    /// sides are multiplied out in 128 bits (2^63 × 10^4 × 10^13 fits).
    public func isAtMost(_ cost: Int64, _ currency: Currency, _ maximum: Money) -> Bool? {
        if currency == maximum.currency { return cost <= maximum.minorUnits }
        guard let rate = billionths[currency], let other = billionths[maximum.currency] else { return nil }
        let left = Int128(cost) * Int128(rate) * ReferenceRates.power(maximum.currency.exponent)
        let right = Int128(maximum.minorUnits) * Int128(other) * ReferenceRates.power(currency.exponent)
        return left <= right
    }

    private static func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { value, _ in value * 10 } }
}
