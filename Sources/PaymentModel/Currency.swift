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
        self.init(packed: count == 3 ? packed : 0)
    }

    /// The currency with this code in ASCII, or nil where ISO 4217 lists none with minor units.
    public init?(_ code: Span<UInt8>) {
        guard code.count == 3 else { return nil }
        self.init(packed: UInt32(code[0]) << 16 | UInt32(code[1]) << 8 | UInt32(code[2]))
    }

    /// The currency with this packed code, or nil where ISO 4217 lists none with minor units.
    public init?(packed: UInt32) {
        guard Currency.entry(packed) != 0 else { return nil }
        self.packed = packed
    }

    /// Number of decimal digits of the minor unit (ISO 4217 list one).
    public var exponent: Int { Int(Currency.entry(packed)) - 1 }

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

    /// Every currency, in the order of the codes.
    public static var all: [Currency] {
        let letters = UInt32(UInt8(ascii: "A"))...UInt32(UInt8(ascii: "Z"))
        return letters.flatMap { first in
            letters.flatMap { second in
                letters.compactMap { Currency(packed: first << 16 | second << 8 | $0) }
            }
        }
    }

    /// Number of decimal digits and one, 0 for no currency; for each of the 26 × 26 × 26 codes. Looked at for every
    /// amount that comes in.
    private static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 26 * 26 * 26)
        let groups =
            [
                (CurrencyTable.zeroDigits, 0), (CurrencyTable.twoDigits, 2), (CurrencyTable.threeDigits, 3),
                (CurrencyTable.fourDigits, 4),
            ] as [(String, UInt8)]
        for (codes, exponent) in groups {
            for code in codes.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                if let place = place(code.utf8.reduce(0) { $0 << 8 | UInt32($1) }) { table[place] = exponent + 1 }
            }
        }
        return table
    }()

    private static func place(_ packed: UInt32) -> Int? {
        let first = packed >> 16 &- UInt32(UInt8(ascii: "A"))
        let second = packed >> 8 & 0xFF &- UInt32(UInt8(ascii: "A"))
        let third = packed & 0xFF &- UInt32(UInt8(ascii: "A"))
        guard first < 26, second < 26, third < 26 else { return nil }
        return Int((first &* 26 &+ second) &* 26 &+ third)
    }

    private static func entry(_ packed: UInt32) -> UInt8 {
        guard let place = place(packed) else { return 0 }
        return table[place]
    }
}

extension Currency: Comparable {
    /// Alphabetical order of the codes.
    public static func < (left: Currency, right: Currency) -> Bool { left.packed < right.packed }
}
