import PaymentModel

/// A time zone by its present rule, as POSIX writes it (IEEE 1003.1, section 8.3, `TZ`): `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// A policy looks at today and the near future only, so one rule is enough, and no database of zones is needed: where
/// a law changes the rule, the policy file changes.
public struct TimeZoneRule: Hashable, Sendable {
    /// A yearly change: the n-th weekday of a month at a local time.
    struct Change: Hashable, Sendable {
        /// 1–12.
        var month: Int
        /// 1–5, where 5 is the last.
        var week: Int
        /// 0 = Sunday … 6 = Saturday.
        var weekday: Int
        /// Local time of the change in milliseconds after midnight (may be negative or above 24 h).
        var time: Int64
    }

    /// Milliseconds east of UTC without daylight saving.
    let standardOffset: Int64
    /// Milliseconds east of UTC with daylight saving.
    let daylightOffset: Int64
    /// Where daylight saving begins (in standard time) and ends (in daylight time); nil where there is none.
    let changes: (begin: Change, end: Change)?

    /// UTC, always.
    public static let utc = TimeZoneRule(standardOffset: 0, daylightOffset: 0, changes: nil)

    init(standardOffset: Int64, daylightOffset: Int64, changes: (begin: Change, end: Change)?) {
        self.standardOffset = standardOffset
        self.daylightOffset = daylightOffset
        self.changes = changes
    }

    /// The rule in POSIX notation, or nil where it is none. Changes must be given by month, week and weekday
    /// (`M3.2.0`).
    public init?(posix text: String) {
        var scanner = PosixScanner(text)
        guard scanner.name(), let west = scanner.offset() else { return nil }
        if scanner.isAtEnd {
            self.init(standardOffset: -west, daylightOffset: -west, changes: nil)
            return
        }
        guard scanner.name() else { return nil }
        var daylight = -west + 3_600_000
        if !scanner.peek(",") {
            guard let offset = scanner.offset() else { return nil }
            daylight = -offset
        }
        guard let begin = scanner.change(), let end = scanner.change(), scanner.isAtEnd else { return nil }
        self.init(standardOffset: -west, daylightOffset: daylight, changes: (begin, end))
    }

    /// Milliseconds east of UTC at a moment. Constant cost.
    public func offset(at moment: Timestamp) -> Milliseconds {
        guard let changes else { return Milliseconds(standardOffset) }
        let year = CalendarDate(utc: Timestamp(milliseconds: moment.milliseconds &+ standardOffset)).components.year
        let begin = TimeZoneRule.local(changes.begin, year: year) &- standardOffset
        let end = TimeZoneRule.local(changes.end, year: year) &- daylightOffset
        let time = moment.milliseconds
        // South of the equator daylight saving spans the turn of the year.
        let isDaylight = begin < end ? (begin <= time && time < end) : (time < end || begin <= time)
        return Milliseconds(isDaylight ? daylightOffset : standardOffset)
    }

    /// The local day at a moment, and how far into it the local clock stands.
    public func local(_ moment: Timestamp) -> (day: CalendarDate, timeOfDay: Milliseconds) {
        let shifted = moment.milliseconds &+ offset(at: moment).count
        let day = CalendarDate(utc: Timestamp(milliseconds: shifted))
        return (day, Milliseconds(shifted &- Int64(day.daysSinceEpoch) &* 86_400_000))
    }

    /// The moment at which the local clock shows `timeOfDay` (milliseconds after midnight, which may be negative or
    /// above a day) on `day`. Where the clock shows it twice, the first; where it never does, the moment of the jump.
    public func moment(day: CalendarDate, timeOfDay: Milliseconds) -> Timestamp {
        let local = Int64(day.daysSinceEpoch) &* 86_400_000 &+ timeOfDay.count
        let larger = max(standardOffset, daylightOffset)
        let smaller = min(standardOffset, daylightOffset)
        let early = Timestamp(milliseconds: local &- larger)
        let late = Timestamp(milliseconds: local &- smaller)
        if offset(at: early).count == larger { return early }
        if offset(at: late).count == smaller { return late }
        // Neither reading is right: the clock jumps over this time.
        return jump(after: early, before: late)
    }

    /// The moment of the change of offsets between two moments: a gap's jump.
    private func jump(after early: Timestamp, before late: Timestamp) -> Timestamp {
        var low = early.milliseconds
        var high = late.milliseconds
        let offset = self.offset(at: early)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.offset(at: Timestamp(milliseconds: middle)) == offset { low = middle } else { high = middle }
        }
        return Timestamp(milliseconds: high)
    }

    /// Local milliseconds since the epoch of a change in a year.
    private static func local(_ change: Change, year: Int) -> Int64 {
        guard let first = CalendarDate(year: year, month: change.month, day: 1) else { return 0 }
        let firstWeekday = first.isoWeekday % 7
        var day = 1 + (change.weekday - firstWeekday + 7) % 7 + (change.week - 1) * 7
        while CalendarDate(year: year, month: change.month, day: day) == nil { day -= 7 }
        return (Int64(first.daysSinceEpoch) + Int64(day) - 1) * 86_400_000 + change.time
    }

    /// Equal where offsets and changes are.
    public static func == (left: TimeZoneRule, right: TimeZoneRule) -> Bool {
        left.standardOffset == right.standardOffset && left.daylightOffset == right.daylightOffset
            && left.changes?.begin == right.changes?.begin && left.changes?.end == right.changes?.end
    }

    /// Hashes offsets and changes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(standardOffset)
        hasher.combine(daylightOffset)
        hasher.combine(changes?.begin)
        hasher.combine(changes?.end)
    }
}

/// Reads POSIX `TZ` text.
private struct PosixScanner {
    private var bytes: ArraySlice<UInt8>

    init(_ text: String) { bytes = Array(text.utf8)[...] }

    var isAtEnd: Bool { bytes.isEmpty }

    func peek(_ character: Character) -> Bool { bytes.first == character.asciiValue }

    mutating func take(_ character: Character) -> Bool {
        guard peek(character) else { return false }
        bytes.removeFirst()
        return true
    }

    /// Three or more letters, or anything in angle brackets.
    mutating func name() -> Bool {
        if take("<") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: ">")), close - bytes.startIndex >= 3 else {
                return false
            }
            bytes = bytes[(close + 1)...]
            return true
        }
        let letters = bytes.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
        guard letters.count >= 3 else { return false }
        bytes = bytes.dropFirst(letters.count)
        return true
    }

    mutating func number(max: Int) -> Int? {
        let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard (1...3).contains(digits.count) else { return nil }
        bytes = bytes.dropFirst(digits.count)
        let value = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        return value <= max ? value : nil
    }

    /// `[+-]hh[:mm[:ss]]` in milliseconds; positive is west of Greenwich where it is an offset.
    mutating func offset() -> Int64? {
        let negative = take("-")
        if !negative { _ = take("+") }
        guard let hours = number(max: 167) else { return nil }
        var seconds = hours * 3_600
        if take(":") {
            guard let minutes = number(max: 59) else { return nil }
            seconds += minutes * 60
            if take(":") {
                guard let rest = number(max: 59) else { return nil }
                seconds += rest
            }
        }
        return Int64(negative ? -seconds : seconds) * 1_000
    }

    /// `,Mm.w.d[/time]`.
    mutating func change() -> TimeZoneRule.Change? {
        guard take(","), take("M"), let month = number(max: 12), month >= 1, take("."), let week = number(max: 5),
            week >= 1, take("."), let weekday = number(max: 6)
        else { return nil }
        var time: Int64 = 7_200_000
        if take("/") {
            guard let given = offset() else { return nil }
            time = given
        }
        return TimeZoneRule.Change(month: month, week: week, weekday: weekday, time: time)
    }
}
