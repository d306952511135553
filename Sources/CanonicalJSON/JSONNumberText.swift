/// The text of numbers as RFC 8785 (section 3.2.2.3) and ECMAScript (`Number::toString`) write them.
enum JSONNumberText {
    /// Appends a double; false where it is not finite and has no text.
    static func append(_ value: Double, to bytes: inout [UInt8]) -> Bool {
        guard value.isFinite else { return false }
        guard value != 0 else {
            bytes.append(UInt8(ascii: "0"))
            return true
        }
        // The standard library gives the shortest digits that read back as the same double, and of these the closest;
        // ECMAScript wants the same digits, laid out by its own rules.
        let (digits, point) = shortest(value.magnitude)
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let count = digits.count
        if point > 21 || point <= -6 {
            bytes.append(digits[0])
            if count > 1 {
                bytes.append(UInt8(ascii: "."))
                bytes.append(contentsOf: digits[1...])
            }
            bytes.append(UInt8(ascii: "e"))
            bytes.append(point > 0 ? UInt8(ascii: "+") : UInt8(ascii: "-"))
            bytes.append(contentsOf: String((point - 1).magnitude).utf8)
        } else if point <= 0 {
            bytes.append(contentsOf: [UInt8(ascii: "0"), UInt8(ascii: ".")])
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
            bytes.append(contentsOf: digits)
        } else if count <= point {
            bytes.append(contentsOf: digits)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: point - count))
        } else {
            bytes.append(contentsOf: digits[..<point])
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: digits[point...])
        }
        return true
    }

    /// Significant digits without zeros at either end, and the place of the point: value = 0.digits × 10^point.
    private static func shortest(_ value: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point = 0
        var exponent = 0
        var seenPoint = false
        var seenExponent = false
        var negative = false
        for byte in value.description.utf8 {
            switch byte {
            case UInt8(ascii: "."): seenPoint = true
            case UInt8(ascii: "e"): seenExponent = true
            case UInt8(ascii: "-"): negative = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if seenExponent {
                    exponent = exponent * 10 + Int(byte - UInt8(ascii: "0"))
                } else {
                    digits.append(byte)
                    if !seenPoint { point += 1 }
                }
            default: break
            }
        }
        point += negative ? -exponent : exponent
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leading)
        point -= leading
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, point)
    }
}
