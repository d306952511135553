import CivilCalendar

/// Moments and days as text: RFC 3339, written in UTC with milliseconds as the contract, section 1, wants it.
public enum RFC3339 {
    /// `2026-11-20T12:00:00.000Z` in ASCII. Moments outside of the years 1 to 9999 are cut to those.
    public static func text(_ moment: Timestamp) -> InlineArray<24, UInt8> {
        CivilTime.text(milliseconds: moment.milliseconds)
    }

    /// `2026-11-20` in ASCII.
    public static func text(_ day: CalendarDate) -> InlineArray<10, UInt8> {
        CivilTime.text(day: Int(day.daysSinceEpoch))
    }

    /// `2026-11-20T12:00:00.000Z`.
    public static func string(_ moment: Timestamp) -> String { CivilTime.string(milliseconds: moment.milliseconds) }

    /// The moment of an RFC 3339 text with any offset; fractions beyond milliseconds are cut, a leap second counts as
    /// the one before it. Nil for anything else.
    public static func moment(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { moment(Span(_unsafeElements: $0)) }
    }

    /// The day of an ISO 8601 text `YYYY-MM-DD`, or nil.
    public static func day(_ text: String) -> CalendarDate? {
        var text = text
        return text.withUTF8 { day(Span(_unsafeElements: $0)) }
    }

    /// The day of an ISO 8601 text `YYYY-MM-DD`, or nil.
    public static func day(_ text: Span<UInt8>) -> CalendarDate? { text.count == 10 ? leadingDay(text) : nil }

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

    private static func leadingDay(_ text: Span<UInt8>) -> CalendarDate? {
        guard text.count >= 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            let year = number(text, 0..<4), let month = number(text, 5..<7), let day = number(text, 8..<10)
        else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    private static func moment(_ text: Span<UInt8>) -> Timestamp? {
        guard (20...40).contains(text.count), let day = leadingDay(text), text[10] | 0x20 == UInt8(ascii: "t"),
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
