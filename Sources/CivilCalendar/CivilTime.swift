/// Days and moments of the proleptic Gregorian calendar in UTC, without a calendar library, and as text (RFC 3339).
public enum CivilTime {
    /// Year, month (1–12) and day (1–31) of the day that lies so many days after 1970-01-01. Algorithm: Howard Hinnant,
    /// "civil_from_days".
    public static func date(day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    /// Days from 1970-01-01 to a date that the calendar has, of the years from 1 on. Algorithm: Howard Hinnant,
    /// "days_from_civil".
    public static func day(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The day of a moment, in days since 1970-01-01; of milliseconds since then.
    public static func day(milliseconds: Int64) -> Int {
        let (days, remainder) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        return Int(remainder < 0 ? days - 1 : days)
    }

    /// `2026-11-20T12:00:00.000Z` in ASCII, of milliseconds since 1970. Moments outside of the years 1 to 9999 are cut to
    /// those.
    public static func text(milliseconds: Int64) -> InlineArray<24, UInt8> {
        let moment = min(max(milliseconds, earliest), latest)
        let day = day(milliseconds: moment)
        // Less than a day: 32 bits divide cheaply.
        let rest = UInt32(truncatingIfNeeded: moment &- Int64(day) &* 86_400_000)
        let seconds = rest / 1_000
        let minutes = seconds / 60
        var text = InlineArray<24, UInt8>(repeating: UInt8(ascii: "Z"))
        put(day: day, &text)
        text[10] = UInt8(ascii: "T")
        put(minutes / 60, &text, 11)
        text[13] = UInt8(ascii: ":")
        put(minutes % 60, &text, 14)
        text[16] = UInt8(ascii: ":")
        put(seconds % 60, &text, 17)
        text[19] = UInt8(ascii: ".")
        let fraction = rest % 1_000
        text[20] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / 100)
        put(fraction % 100, &text, 21)
        return text
    }

    /// `2026-11-20` in ASCII, of days since 1970-01-01.
    public static func text(day: Int) -> InlineArray<10, UInt8> {
        var text = InlineArray<10, UInt8>(repeating: UInt8(ascii: "-"))
        put(day: day, &text)
        return text
    }

    /// A date in the first ten places.
    @inline(__always)
    private static func put<let count: Int>(day: Int, _ text: inout InlineArray<count, UInt8>) {
        let (year, month, dayOfMonth) = date(day: day)
        let shown = UInt32(truncatingIfNeeded: min(max(year, 0), 9_999))
        put(shown / 100, &text, 0)
        put(shown % 100, &text, 2)
        text[4] = UInt8(ascii: "-")
        put(UInt32(truncatingIfNeeded: month), &text, 5)
        text[7] = UInt8(ascii: "-")
        put(UInt32(truncatingIfNeeded: dayOfMonth), &text, 8)
    }

    /// `2026-11-20T12:00:00.000Z`.
    public static func string(milliseconds: Int64) -> String {
        let text = text(milliseconds: milliseconds)
        return String(decoding: (0..<24).map { text[$0] }, as: UTF8.self)
    }

    /// `2026-11-20`.
    public static func string(day: Int) -> String {
        let text = text(day: day)
        return String(decoding: (0..<10).map { text[$0] }, as: UTF8.self)
    }

    private static let earliest: Int64 = -62_135_596_800_000
    private static let latest: Int64 = 253_402_300_799_999

    /// A number of two digits.
    @inline(__always)
    private static func put<let count: Int>(_ value: UInt32, _ text: inout InlineArray<count, UInt8>, _ place: Int) {
        text[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / 10)
        text[place &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value % 10)
    }
}
