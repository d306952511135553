/// Moments and days as text: RFC 3339, written in UTC with milliseconds as the contract, section 1, wants it.
public enum RFC3339 {
    /// Appends `2026-11-20T12:00:00.000Z`, 24 bytes. Moments outside of the years 1 to 9999 are cut to those.
    public static func append(_ moment: Timestamp, to bytes: inout [UInt8]) {
        let moment = Timestamp(milliseconds: min(max(moment.milliseconds, earliest), latest))
        let day = CalendarDate(utc: moment)
        append(day, to: &bytes)
        let rest = Int(moment.milliseconds - Int64(day.daysSinceEpoch) * 86_400_000)
        bytes.append(UInt8(ascii: "T"))
        append(rest / 3_600_000, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(rest / 60_000 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(rest / 1_000 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        append(rest % 1_000, digits: 3, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Appends `2026-11-20`.
    public static func append(_ day: CalendarDate, to bytes: inout [UInt8]) {
        let (year, month, dayOfMonth) = day.components
        append(min(max(year, 0), 9_999), digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(dayOfMonth, digits: 2, to: &bytes)
    }

    /// `2026-11-20T12:00:00.000Z`.
    public static func string(_ moment: Timestamp) -> String {
        var bytes: [UInt8] = []
        append(moment, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The moment of an RFC 3339 text with any offset; fractions beyond milliseconds are cut, a leap second counts as
    /// the one before it. Nil for anything else.
    public static func moment(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { moment(Span(_unsafeElements: $0)) }
    }

    /// The day of an ISO 8601 text `YYYY-MM-DD`, or nil.
    public static func day(_ text: String) -> CalendarDate? {
        var text = text
        return text.withUTF8 { $0.count == 10 ? day(Span(_unsafeElements: $0)) : nil }
    }

    private static let earliest: Int64 = -62_135_596_800_000
    private static let latest: Int64 = 253_402_300_799_999

    private static func append(_ value: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard range.upperBound <= text.count else { return nil }
        var value = 0
        for index in range {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    private static func day(_ text: Span<UInt8>) -> CalendarDate? {
        guard text.count >= 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            let year = number(text, 0..<4), let month = number(text, 5..<7), let day = number(text, 8..<10)
        else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    private static func moment(_ text: Span<UInt8>) -> Timestamp? {
        guard (20...40).contains(text.count), let day = day(text), text[10] | 0x20 == UInt8(ascii: "t"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"), let hour = number(text, 11..<13),
            let minute = number(text, 14..<16), let second = number(text, 17..<19), hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var milliseconds = 0
        if text[position] == UInt8(ascii: ".") {
            position += 1
            var scale = 100
            let start = position
            while position < text.count, let digit = number(text, position..<(position + 1)) {
                milliseconds += digit * scale
                scale /= 10
                position += 1
            }
            guard position > start else { return nil }
        }
        guard position < text.count, let offset = offset(text, position) else { return nil }
        let ofDay = (hour * 60 + minute - offset) * 60 + min(second, 59)
        return Timestamp(
            milliseconds: Int64(day.daysSinceEpoch) * 86_400_000 + Int64(ofDay) * 1_000 + Int64(milliseconds))
    }

    /// Minutes east of UTC.
    private static func offset(_ text: Span<UInt8>, _ position: Int) -> Int? {
        let sign = text[position]
        if sign | 0x20 == UInt8(ascii: "z") { return position + 1 == text.count ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), position + 6 == text.count,
            text[position + 3] == UInt8(ascii: ":"), let hours = number(text, (position + 1)..<(position + 3)),
            let minutes = number(text, (position + 4)..<(position + 6)), hours < 24, minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }
}
