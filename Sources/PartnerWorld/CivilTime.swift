/// Milliseconds since 1970-01-01T00:00:00Z.
public typealias Milliseconds = Int64

/// Dates without a calendar library: proleptic Gregorian, UTC (the algorithm of Howard Hinnant's `civil_from_days`).
enum CivilTime {
    private static func civil(_ time: Milliseconds) -> (year: Int64, month: Int64, day: Int64) {
        let days = time.floorDivided(by: 86_400_000) + 719_468
        let era = days.floorDivided(by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// `2026-11-20`.
    static func date(_ time: Milliseconds) -> String {
        var text: [UInt8] = []
        appendDate(time, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// `2026-11-20T16:00:00.000Z` (RFC 3339).
    static func timestamp(_ time: Milliseconds) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(24)
        appendDate(time, to: &text)
        let inDay = time - time.floorDivided(by: 86_400_000) * 86_400_000
        text.append(UInt8(ascii: "T"))
        append(inDay / 3_600_000, 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(inDay / 60_000 % 60, 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(inDay / 1_000 % 60, 2, to: &text)
        text.append(UInt8(ascii: "."))
        append(inDay % 1_000, 3, to: &text)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    private static func appendDate(_ time: Milliseconds, to text: inout [UInt8]) {
        let date = civil(time)
        append(date.year, 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(date.month, 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(date.day, 2, to: &text)
    }

    private static func append(_ value: Int64, _ digits: Int, to text: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
