import PaymentModel

/// IBANs by form: ISO 13616 and the structures of its registry.
enum IBANVerification {
    /// What may stand in each place of the national parts, of all countries one behind the other, and where each country's
    /// lies: 26 × 26 pairs of letters, empty for those that have no IBAN.
    private static let structures: (kinds: [UInt8], places: [Range<Int>]) = {
        var kinds: [UInt8] = []
        var places = [Range<Int>](repeating: 0..<0, count: 26 * 26)
        for entry in IBANTable.structures.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let bytes = Array(entry.utf8)
            guard let place = CountryTable.place(bytes[0], bytes[1]) else { continue }
            let start = kinds.count
            var count = 0
            for byte in bytes[2...] {
                if byte &- UInt8(ascii: "0") <= 9 {
                    count = count * 10 + Int(byte - UInt8(ascii: "0"))
                } else {
                    kinds += repeatElement(kind(of: byte), count: count)
                    count = 0
                }
            }
            places[place] = start..<kinds.count
        }
        return (kinds, places)
    }()

    private static let digit: UInt8 = 1
    private static let letter: UInt8 = 2

    /// The classes of characters of the registry's notation: digits, upper-case letters, or both.
    private static func kind(of class: UInt8) -> UInt8 {
        switch `class` {
        case UInt8(ascii: "n"): digit
        case UInt8(ascii: "a"): letter
        default: digit | letter
        }
    }

    /// Whether the electronic form (no spaces, upper case) has a country of the registry, its length and structure, and
    /// check digits that fit (ISO 7064, mod 97-10, remainder 1).
    static func isValid(_ iban: String) -> Bool {
        if let isValid = iban.utf8.withContiguousStorageIfAvailable(isValid) { return isValid }
        return Array(iban.utf8).withUnsafeBufferPointer(isValid)
    }

    private static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= 5, text.count <= 34, let place = CountryTable.place(text[0], text[1]) else { return false }
        let structure = structures.places[place]
        guard !structure.isEmpty, structure.count == text.count - 4 else { return false }
        // The number that the IBAN stands for: its first four characters at the end, A = 10 … Z = 35.
        var number = Remainder()
        for index in 4..<text.count {
            guard number.take(text[index]) & structures.kinds[structure.lowerBound + index - 4] != 0 else {
                return false
            }
        }
        _ = number.take(text[0])
        _ = number.take(text[1])
        guard number.take(text[2]) == digit, number.take(text[3]) == digit else { return false }
        return number.value % 97 == 1
    }

    /// The remainder by 97 of a number that is told digit by digit.
    private struct Remainder {
        private(set) var value: UInt64 = 0

        /// Takes a digit, or a letter as two; what it was, 0 for anything else.
        @inline(__always)
        mutating func take(_ byte: UInt8) -> UInt8 {
            // Divided only when the next step could be too much for 64 bits.
            if value > 1 << 56 { value %= 97 }
            let number = UInt64(byte &- UInt8(ascii: "0"))
            if number <= 9 {
                value = value &* 10 &+ number
                return digit
            }
            let place = UInt64(byte &- UInt8(ascii: "A"))
            guard place < 26 else { return 0 }
            value = value &* 100 &+ place &+ 10
            return letter
        }
    }
}
