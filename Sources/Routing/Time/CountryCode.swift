/// A country by ISO 3166-1 alpha-2, packed: first letter × 26 + second letter.
public struct CountryCode: Hashable, Sendable, CustomStringConvertible {
    /// 0…675.
    let index: Int

    /// How many codes of two letters there are.
    static let count = 676

    /// The country with that code of two letters A–Z, in either case; nil for anything else. Whether ISO lists it is
    /// not checked.
    public init?(_ text: some StringProtocol) { self.init(ascii: text.utf8) }

    /// The country with that code in ASCII.
    init?(ascii bytes: some Sequence<UInt8>) {
        var index = 0
        var letters = 0
        for byte in bytes {
            let upper = byte & 0xDF
            guard letters < 2, upper >= UInt8(ascii: "A"), upper <= UInt8(ascii: "Z") else { return nil }
            index = index * 26 + Int(upper - UInt8(ascii: "A"))
            letters += 1
        }
        guard letters == 2 else { return nil }
        self.index = index
    }

    /// The two letters.
    public var description: String {
        let letters = [UInt8(index / 26) + UInt8(ascii: "A"), UInt8(index % 26) + UInt8(ascii: "A")]
        return String(decoding: letters, as: UTF8.self)
    }
}
