/// A currency of ISO 4217 that has minor units: three upper-case letters, packed into 32 bits.
public struct Currency: Hashable, Sendable, CustomStringConvertible {
    /// The three ASCII letters, first letter in the highest of the three low bytes.
    public let packed: UInt32

    /// The currency with this code, or nil where ISO 4217 lists none with minor units.
    public init?(_ code: some StringProtocol) {
        var packed: UInt32 = 0
        var count = 0
        for byte in code.utf8 {
            packed = packed << 8 | UInt32(byte)
            count += 1
            if count > 3 { return nil }
        }
        guard count == 3, Currency.digits[packed] != nil else { return nil }
        self.packed = packed
    }

    /// The currency with this packed code, or nil where ISO 4217 lists none with minor units.
    public init?(packed: UInt32) {
        guard Currency.digits[packed] != nil else { return nil }
        self.packed = packed
    }

    /// Number of decimal digits of the minor unit (ISO 4217 list one).
    public var exponent: Int { Currency.digits[packed] ?? 2 }

    /// The code's three ASCII bytes.
    public var bytes: (UInt8, UInt8, UInt8) {
        (
            UInt8(truncatingIfNeeded: packed >> 16), UInt8(truncatingIfNeeded: packed >> 8),
            UInt8(truncatingIfNeeded: packed)
        )
    }

    /// The three-letter code.
    public var code: String {
        let (first, second, third) = bytes
        return String(decoding: [first, second, third], as: UTF8.self)
    }

    /// The three-letter code.
    public var description: String { code }

    /// Every code with its number of decimal digits.
    public static var all: [Currency] {
        digits.keys.sorted().compactMap { Currency(packed: $0) }
    }

    private static let digits: [UInt32: Int] = {
        var table: [UInt32: Int] = [:]
        let groups = [
            (CurrencyTable.zeroDigits, 0), (CurrencyTable.twoDigits, 2), (CurrencyTable.threeDigits, 3),
            (CurrencyTable.fourDigits, 4),
        ]
        for (codes, exponent) in groups {
            for code in codes.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                table[code.utf8.reduce(0) { $0 << 8 | UInt32($1) }] = exponent
            }
        }
        return table
    }()
}

extension Currency: Comparable {
    /// Alphabetical order of the codes.
    public static func < (left: Currency, right: Currency) -> Bool { left.packed < right.packed }
}
