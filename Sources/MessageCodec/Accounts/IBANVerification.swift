import PaymentModel

/// IBANs by form: ISO 13616 and the structures of its registry.
enum IBANVerification {
    /// One run of a national part: how many characters of which class.
    private struct Run {
        var count: Int
        var kind: UInt8
    }

    /// The runs of all countries one behind the other, and where each country's lie: 26 × 26 pairs of letters, empty for
    /// those that have no IBAN.
    private static let structures: (runs: [Run], places: [Range<Int>]) = {
        var all: [Run] = []
        var places = [Range<Int>](repeating: 0..<0, count: 26 * 26)
        for entry in IBANTable.structures.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let bytes = Array(entry.utf8)
            var runs: [Run] = []
            var count = 0
            for byte in bytes[2...] {
                if byte &- UInt8(ascii: "0") <= 9 {
                    count = count * 10 + Int(byte - UInt8(ascii: "0"))
                } else {
                    runs.append(Run(count: count, kind: byte))
                    count = 0
                }
            }
            if let place = CountryTable.place(bytes[0], bytes[1]) {
                places[place] = all.count..<(all.count + runs.count)
                all += runs
            }
        }
        return (all, places)
    }()

    /// Whether the electronic form (no spaces, upper case) has a country of the registry, its length and structure, and
    /// check digits that fit (ISO 7064, mod 97-10, remainder 1).
    static func isValid(_ iban: String) -> Bool {
        if let isValid = iban.utf8.withContiguousStorageIfAvailable(isValid) { return isValid }
        return Array(iban.utf8).withUnsafeBufferPointer(isValid)
    }

    private static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= 5, text.count <= 34, let place = CountryTable.place(text[0], text[1]), isDigit(text[2]),
            isDigit(text[3])
        else { return false }
        let structure = structures.places[place]
        guard !structure.isEmpty else { return false }
        var position = 4
        for index in structure {
            let run = structures.runs[index]
            guard position + run.count <= text.count else { return false }
            for index in position..<(position + run.count) where !matches(text[index], run.kind) { return false }
            position += run.count
        }
        return position == text.count && remainder(text) == 1
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    private static func matches(_ byte: UInt8, _ kind: UInt8) -> Bool {
        let letter = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        return switch kind {
        case UInt8(ascii: "n"): isDigit(byte)
        case UInt8(ascii: "a"): letter
        default: letter || isDigit(byte)
        }
    }

    /// Remainder by 97 of the number that the IBAN stands for: its first four characters at the end, A = 10 … Z = 35.
    private static func remainder(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var remainder: UInt64 = 0
        for index in 0..<text.count {
            let byte = text[index < text.count - 4 ? index + 4 : index + 4 - text.count]
            if isDigit(byte) {
                remainder = remainder * 10 + UInt64(byte - UInt8(ascii: "0"))
            } else {
                remainder = remainder * 100 + UInt64(byte - UInt8(ascii: "A")) + 10
            }
            // Divided only when the next step could be too much for 64 bits.
            if remainder > 1 << 56 { remainder %= 97 }
        }
        return Int(remainder % 97)
    }
}
