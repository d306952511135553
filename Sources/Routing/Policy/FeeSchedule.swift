import PaymentModel

/// What a route costs in one currency: tiers by amount, each a fixed part and a share of the whole amount with minimum
/// and maximum. All in minor units.
public struct FeeSchedule: Hashable, Sendable {
    /// Prices of amounts up to a bound.
    public struct Tier: Hashable, Sendable {
        /// The largest amount that this tier prices.
        public var upTo: Int64
        /// Charged whatever the amount.
        public var fixed: Int64
        /// Share of the amount in millionths (a basis point is 100 of them).
        public var millionths: Int64
        /// The share costs at least this.
        public var minimum: Int64
        /// The share costs at most this.
        public var maximum: Int64

        /// A tier; by default for all amounts, without bounds on the share.
        public init(
            upTo: Int64 = .max, fixed: Int64, millionths: Int64, minimum: Int64 = 0, maximum: Int64 = .max
        ) {
            self.upTo = upTo
            self.fixed = fixed
            self.millionths = millionths
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// The tiers, smallest bound first; the last prices everything above, too.
    public var tiers: [Tier]

    /// A schedule of tiers, which must not be empty.
    public init(tiers: [Tier]) { self.tiers = tiers }

    /// A schedule of one tier.
    public init(fixed: Int64, millionths: Int64, minimum: Int64 = 0, maximum: Int64 = .max) {
        tiers = [Tier(fixed: fixed, millionths: millionths, minimum: minimum, maximum: maximum)]
    }

    /// The cost of an amount of at least 0 minor units.
    public func cost(of minorUnits: Int64) -> (fixed: Int64, variable: Int64) {
        guard let tier = tiers.first(where: { minorUnits <= $0.upTo }) ?? tiers.last else { return (0, 0) }
        return FeeSchedule.cost(of: minorUnits, tier)
    }

    /// The cost of an amount in a tier. The share is rounded half up to a minor unit, as invoices are, then held to
    /// minimum and maximum.
    @inline(__always)
    static func cost(of minorUnits: Int64, _ tier: Tier) -> (fixed: Int64, variable: Int64) {
        var variable: Int64 = 0
        if tier.millionths > 0 {
            let amount = UInt64(max(0, minorUnits))
            let product = amount.multipliedFullWidth(by: UInt64(tier.millionths))
            if product.high == 0, product.low <= .max - 500_000 {
                variable = Int64(clamping: (product.low + 500_000) / 1_000_000)
            } else {
                let (low, carry) = product.low.addingReportingOverflow(500_000)
                let high = product.high + (carry ? 1 : 0)
                // Amounts are at most 2^63 and shares at most 10^6 millionths, so the quotient fits.
                variable = Int64(clamping: UInt64(1_000_000).dividingFullWidth((high, low)).quotient)
            }
        }
        return (tier.fixed, min(tier.maximum, max(tier.minimum, variable)))
    }
}
