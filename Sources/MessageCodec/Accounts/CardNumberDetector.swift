/// Card numbers in clear, which must never come in: the contract, section 2.
enum CardNumberDetector {
    /// No card number is shorter.
    static let fewestDigits = 13

    /// Whether the whole text, spaces and hyphens ignored, is 13 to 19 digits that begin with 2–6 and pass Luhn
    /// (ISO/IEC 7812-1). No allocation; stops at the first character that no card number has.
    static func isCardNumber(_ text: Span<UInt8>) -> Bool {
        var digits = 0
        // The doubling depends on the number of digits: both sums are kept until it is known.
        var sumOdd = 0
        var sumEven = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") { continue }
            let digit = Int(byte &- UInt8(ascii: "0"))
            guard digit <= 9 else { return false }
            if digits == 0, !(2...6).contains(digit) { return false }
            digits += 1
            if digits > 19 { return false }
            let doubled = digit < 5 ? digit * 2 : digit * 2 - 9
            if digits % 2 == 1 {
                sumOdd += doubled
                sumEven += digit
            } else {
                sumOdd += digit
                sumEven += doubled
            }
        }
        guard digits >= fewestDigits else { return false }
        // The last digit is never doubled: of an even number of digits the odd places are.
        return (digits % 2 == 0 ? sumOdd : sumEven) % 10 == 0
    }
}
