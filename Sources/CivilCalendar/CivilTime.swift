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
        let fraction = rest % 1_000
        let date = dateDigits(day)
        let time = digits(minutes / 60, minutes % 60, seconds % 60, fraction % 100)
        // `2026-11-`, `20T12:00`, `:00.000Z`, the first character lowest.
        let words = (
            (date & 0xFFFF_FFFF | character("-", 4) | (date >> 32 & 0xFFFF) << 40 | character("-", 7)).littleEndian,
            (date >> 48 | character("T", 2) | (time & 0xFFFF) << 24 | character(":", 5) | (time >> 16 & 0xFFFF) << 48)
                .littleEndian,
            (character(":", 0) | (time >> 32 & 0xFFFF) << 8 | character(".", 3) | UInt64(0x30 + fraction / 100) << 32
                | (time >> 48) << 40 | character("Z", 7)).littleEndian
        )
        // The same 24 bytes.
        return unsafeBitCast(words, to: InlineArray<24, UInt8>.self)
    }

    /// `2026-11-20` in ASCII, of days since 1970-01-01.
    public static func text(day: Int) -> InlineArray<10, UInt8> {
        let date = dateDigits(day)
        var text = InlineArray<10, UInt8>(repeating: UInt8(ascii: "-"))
        for index in 0..<4 { text[index] = UInt8(truncatingIfNeeded: date >> UInt64(8 * index)) }
        for index in 4..<6 { text[index + 1] = UInt8(truncatingIfNeeded: date >> UInt64(8 * index)) }
        for index in 6..<8 { text[index + 2] = UInt8(truncatingIfNeeded: date >> UInt64(8 * index)) }
        return text
    }

    /// Year, month and day in eight digits, the first one lowest.
    private static func dateDigits(_ day: Int) -> UInt64 {
        let (year, month, dayOfMonth) = date(day: day)
        let shown = UInt32(truncatingIfNeeded: min(max(year, 0), 9_999))
        return digits(
            shown / 100, shown % 100, UInt32(truncatingIfNeeded: month), UInt32(truncatingIfNeeded: dayOfMonth))
    }

    /// Four numbers below 100 in two ASCII digits each, the first one lowest. All at once, 16 bits for each: 103/1024 is
    /// near enough to a tenth.
    @inline(__always)
    private static func digits(_ first: UInt32, _ second: UInt32, _ third: UInt32, _ fourth: UInt32) -> UInt64 {
        let numbers = UInt64(first) | UInt64(second) << 16 | UInt64(third) << 32 | UInt64(fourth) << 48
        let tens = (numbers &* 103) >> 10 & 0x000F_000F_000F_000F
        let ones = numbers &- tens &* 10
        return tens | ones << 8 | 0x3030_3030_3030_3030
    }

    @inline(__always)
    private static func character(_ character: Unicode.Scalar, _ place: UInt64) -> UInt64 {
        UInt64(character.value) << (8 &* place)
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
}
