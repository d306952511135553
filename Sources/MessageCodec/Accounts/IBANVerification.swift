/// IBANs by form: ISO 13616 and the structures of its registry.
enum IBANVerification {
    /// One run of a national part: how many characters of which class.
    private struct Run {
        var count: Int
        var kind: UInt8
    }

    private static let structures: [UInt16: [Run]] = {
        var table: [UInt16: [Run]] = [:]
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
            table[UInt16(bytes[0]) << 8 | UInt16(bytes[1])] = runs
        }
        return table
    }()

    /// Whether the electronic form (no spaces, upper case) has a country of the registry, its length and structure, and
    /// check digits that fit (ISO 7064, mod 97-10, remainder 1).
    static func isValid(_ iban: String) -> Bool {
        var iban = iban
        return iban.withUTF8 { text in
            guard text.count >= 5, text.count <= 34,
                let runs = structures[UInt16(text[0]) << 8 | UInt16(text[1])], isDigit(text[2]), isDigit(text[3])
            else { return false }
            var position = 4
            for run in runs {
                guard position + run.count <= text.count else { return false }
                for index in position..<(position + run.count) where !matches(text[index], run.kind) { return false }
                position += run.count
            }
            return position == text.count && remainder(text) == 1
        }
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
        var remainder = 0
        for index in 0..<text.count {
            let byte = text[(index + 4) % text.count]
            if isDigit(byte) {
                remainder = (remainder * 10 + Int(byte - UInt8(ascii: "0"))) % 97
            } else {
                remainder = (remainder * 100 + Int(byte - UInt8(ascii: "A")) + 10) % 97
            }
        }
        return remainder
    }
}
