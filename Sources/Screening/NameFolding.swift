/// Folds names so that the same name written differently compares equal: case, accents and spaces (the contract,
/// section 7), and with them the width of letters, ligatures, and kinds of dashes and apostrophes.
///
/// What is left compares as Swift strings do, by canonical equivalence, so that composed and decomposed forms of what
/// is not folded (Hangul, kana) are equal, too.
public enum NameFolding {
    /// The folded form of a name. Cost: linear; a name in ASCII needs one allocation at most.
    public static func fold(_ name: String) -> String {
        if let folded = foldASCII(name) { return folded }
        var folded = String()
        folded.reserveCapacity(name.utf8.count)
        for scalar in name.unicodeScalars {
            if scalar.isASCII {
                append(ascii: UInt8(truncatingIfNeeded: scalar.value), to: &folded)
            } else if let known = FoldingTable.shared.entry(scalar) {
                folded.append(known)
            } else if !isIgnored(scalar) {
                append(lowercased: scalar, to: &folded)
            }
        }
        return folded
    }

    /// The folded form of a name in ASCII, made in one go; nil where it holds anything else.
    private static func foldASCII(_ name: String) -> String? {
        let folded = name.utf8.withContiguousStorageIfAvailable { bytes -> String? in
            guard bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
            return String(unsafeUninitializedCapacity: bytes.count) { folded in
                var count = 0
                for byte in bytes {
                    switch byte {
                    case 0...0x20, 0x7F: continue
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded[count] = byte | 0x20
                    case UInt8(ascii: "`"): folded[count] = UInt8(ascii: "'")
                    default: folded[count] = byte
                    }
                    count += 1
                }
                return count
            }
        }
        return folded ?? nil
    }

    /// A character beyond the table: in lower case, which may be in the table.
    private static func append(lowercased scalar: Unicode.Scalar, to folded: inout String) {
        for lower in scalar.properties.lowercaseMapping.unicodeScalars {
            if let known = FoldingTable.shared.entry(lower) {
                folded.append(known)
            } else {
                folded.unicodeScalars.append(lower)
            }
        }
    }

    @inline(__always)
    private static func append(ascii byte: UInt8, to folded: inout String) {
        switch byte {
        case 0...0x20, 0x7F: break
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
        case UInt8(ascii: "`"): folded.append("'")
        default: folded.unicodeScalars.append(Unicode.Scalar(byte))
        }
    }

    /// Spaces of every kind, invisible formatting, and marks that stand on their own: accents of Latin, Greek and
    /// Cyrillic, points of Hebrew and Arabic. Vowel signs of other scripts are letters and stay.
    static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x300...0x36F, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x20D0...0x20FF, 0xFE20...0xFE2F: return true
        case 0x591...0x5BD, 0x5BF, 0x5C1...0x5C2, 0x5C4...0x5C5, 0x5C7: return true
        case 0x64B...0x65F, 0x670, 0x640: return true
        default: break
        }
        if scalar.properties.isWhitespace { return true }
        switch scalar.properties.generalCategory {
        case .format, .control: return true
        default: return false
        }
    }
}

/// What single characters beyond ASCII fold to, made once from the names that Unicode gives them (names never change):
/// `LATIN SMALL LETTER O WITH STROKE` folds to `o`, `HALFWIDTH KATAKANA LETTER KA` to `KATAKANA LETTER KA`.
struct FoldingTable: Sendable {
    static let shared = FoldingTable()

    private let entries: [UInt32: String]

    /// What the character folds to, or nil where it is not in the table.
    func entry(_ scalar: Unicode.Scalar) -> String? { entries[scalar.value] }

    /// Letters that are no letter "with" something.
    private static let special: [String: String] = [
        "SHARP S": "ss", "THORN": "th", "ETH": "d", "ENG": "ng", "KRA": "k", "LONG S": "s", "DOTLESS I": "i",
        "DOTLESS J": "j", "AE": "ae", "OE": "oe", "OU": "ou", "DZ": "dz", "LJ": "lj", "NJ": "nj", "IJ": "ij",
        "DB": "db", "QP": "qp",
    ]

    /// Cyrillic letters that decompose into another with an accent, though their names do not say so.
    private static let cyrillic: [UInt32: String] = [
        0x439: "и", 0x451: "е", 0x457: "і", 0x45E: "у", 0x453: "г", 0x45C: "к", 0x450: "е", 0x45D: "и",
    ]

    private static let punctuation: [UInt32: String] = [
        0x2018: "'", 0x2019: "'", 0x201B: "'", 0x2BC: "'", 0xB4: "'", 0x2032: "'", 0x2B9: "'", 0x2BB: "'",
        0x2010: "-", 0x2011: "-", 0x2012: "-", 0x2013: "-", 0x2014: "-", 0x2015: "-", 0x2212: "-", 0xFE63: "-",
        0x201C: "\"", 0x201D: "\"", 0x2026: "...",
    ]

    private init() {
        var entries = FoldingTable.punctuation
        let bases = FoldingTable.bases()
        for range: ClosedRange<UInt32> in [
            0xC0...0x24F, 0x250...0x2AF, 0x370...0x52F, 0x1E00...0x1FFF, 0xFB00...0xFB06,
        ] {
            for value in range {
                guard let scalar = Unicode.Scalar(value), let folded = FoldingTable.letter(scalar, bases) else {
                    continue
                }
                entries[value] = folded
            }
        }
        // Full-width forms of ASCII, and half-width katakana.
        for value: UInt32 in 0xFF01...0xFF5E {
            guard let ascii = Unicode.Scalar(value - 0xFEE0) else { continue }
            entries[value] = NameFolding.fold(ascii: ascii)
        }
        for value: UInt32 in 0xFF66...0xFF9D {
            guard let name = Unicode.Scalar(value)?.properties.name, name.hasPrefix("HALFWIDTH ") else { continue }
            if let full = bases[String(name.dropFirst(10))] { entries[value] = String(full) }
        }
        entries[0xFF9E] = "\u{3099}"
        entries[0xFF9F] = "\u{309A}"
        entries[0xFF70] = "ー"
        self.entries = entries
    }

    /// Characters by name, of the blocks that others fold to.
    private static func bases() -> [String: Unicode.Scalar] {
        var bases: [String: Unicode.Scalar] = [:]
        for range: ClosedRange<UInt32> in [0x370...0x52F, 0x30A0...0x30FF] {
            for value in range {
                guard let scalar = Unicode.Scalar(value), let name = scalar.properties.name else { continue }
                bases[name] = scalar
            }
        }
        return bases
    }

    /// What a Latin, Greek or Cyrillic letter folds to: lower case, without what it is "with".
    private static func letter(_ scalar: Unicode.Scalar, _ bases: [String: Unicode.Scalar]) -> String? {
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        guard let first = lower.first, let name = first.properties.name else { return nil }
        if let known = cyrillic[first.value] { return known }
        if name.hasPrefix("LATIN SMALL LETTER ") {
            let base = baseName(name.dropFirst(19))
            if base.utf8.count == 1 { return base.lowercased() }
            return special[base]
        }
        if name.hasPrefix("LATIN SMALL LIGATURE ") {
            let letters = name.dropFirst(21)
            return letters == "LONG S T" ? "st" : letters.lowercased()
        }
        guard name.hasPrefix("GREEK SMALL LETTER ") || name.hasPrefix("CYRILLIC SMALL LETTER ") else { return nil }
        if first.value == 0x3C2 { return "σ" }
        guard let base = bases[baseName(name[...])] else { return lower.count == 1 ? String(first) : nil }
        return cyrillic[base.value] ?? String(base)
    }

    /// A character's name up to what it is "with".
    private static func baseName(_ name: Substring) -> String {
        let words = name.split(separator: " ")
        guard let with = words.firstIndex(of: "WITH") else { return String(name) }
        return words[..<with].joined(separator: " ")
    }
}

extension NameFolding {
    /// What a character of ASCII folds to; empty for spaces.
    static func fold(ascii scalar: Unicode.Scalar) -> String {
        var folded = String()
        append(ascii: UInt8(truncatingIfNeeded: scalar.value), to: &folded)
        return folded
    }
}
