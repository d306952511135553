/// An amount of money: an integer number of minor units of one currency. Never floating point.
public struct Money: Hashable, Sendable {
    /// Minor units; the currency's exponent says how many make one unit. Commands allow 1 to 2^53−1.
    public var minorUnits: Int64
    /// The currency of the minor units.
    public var currency: Currency

    /// An amount of `minorUnits` in `currency`.
    public init(_ minorUnits: Int64, _ currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    /// The largest number of minor units that a command may carry: 2^53 − 1 (the contract, section 2).
    public static let maximumMinorUnits: Int64 = 9_007_199_254_740_991

    /// The sum, or nil on overflow or where the currencies differ.
    public func adding(_ other: Money) -> Money? {
        guard currency == other.currency else { return nil }
        let (sum, overflow) = minorUnits.addingReportingOverflow(other.minorUnits)
        return overflow ? nil : Money(sum, currency)
    }
}

extension Money: CustomStringConvertible {
    /// For people: `EUR 1250.00`, with the currency's decimal digits.
    public var description: String {
        let exponent = currency.exponent
        let sign = minorUnits < 0 ? "-" : ""
        var digits = String(minorUnits.magnitude)
        guard exponent > 0 else { return "\(currency.code) \(sign)\(digits)" }
        if digits.utf8.count <= exponent {
            digits = String(repeating: "0", count: exponent + 1 - digits.utf8.count) + digits
        }
        return "\(currency.code) \(sign)\(digits.dropLast(exponent)).\(digits.suffix(exponent))"
    }
}
