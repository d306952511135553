import PaymentModel

/// RFC 3339 in UTC with milliseconds, and the spans that people type.
public enum TimeText {
    /// `2026-11-20T12:00:00.000Z`.
    public static func string(_ moment: Timestamp) -> String {
        let day = CalendarDate(utc: moment)
        let rest = moment.milliseconds - Int64(day.daysSinceEpoch) * 86_400_000
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return "\(day)T\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):"
            + "\(padded(rest / 1_000 % 60, 2)).\(padded(rest % 1_000, 3))Z"
    }

    /// A moment: RFC 3339 in UTC (`Z` or `+00:00`), with or without a fraction of a second. Nil for anything else.
    public static func moment(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let dayOfMonth = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let day = CalendarDate(year: year, month: month, day: dayOfMonth), hour < 24, minute < 60, second < 61
        else { return nil }
        var rest = bytes[19...]
        var milliseconds = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            for place in 0..<3 {
                let digit = place < digits.count ? Int(digits[digits.startIndex + place] - UInt8(ascii: "0")) : 0
                milliseconds = milliseconds * 10 + digit
            }
            rest = rest.dropFirst(digits.count)
        }
        guard ["Z", "z", "+00:00"].contains(String(decoding: rest, as: UTF8.self)) else { return nil }
        let seconds = (hour * 60 + minute) * 60 + second
        return Timestamp(
            milliseconds: Int64(day.daysSinceEpoch) * 86_400_000 + Int64(seconds) * 1_000 + Int64(milliseconds))
    }

    /// A span: `250ms`, `90s`, `15m`, `2h`, `3d`. Nil for anything else.
    public static func span(_ text: String) -> Milliseconds? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count <= 1_000_000_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return Milliseconds(count)
        case "s": return .seconds(count)
        case "m": return .seconds(count * 60)
        case "h": return .seconds(count * 3_600)
        case "d": return .seconds(count * 86_400)
        default: return nil
        }
    }
}
