import PaymentModel

/// The days on which a rail works: weekdays less holidays. Knows only the years that its source covers; a day outside
/// of them is closed, because guessing would send money into a closed system.
public struct BusinessCalendar: Hashable, Sendable {
    /// The calendar's name: `TARGET`, `FED`.
    public let name: String
    /// Bit n set: ISO weekday n (1 = Monday … 7 = Sunday) is a working day.
    private let weekdays: UInt8
    /// The days that the source covers.
    public let coverage: ClosedRange<CalendarDate>
    /// Bit n set: the n-th day of the coverage is a working day.
    private let openDays: [UInt64]

    /// Why a day is closed, or that it is open.
    public enum Day: Hashable, Sendable {
        /// The rail works.
        case open
        /// Weekend or holiday.
        case closed
        /// The source does not cover it.
        case unknown
    }

    /// A calendar from weekdays (ISO, 1 = Monday) and holidays within the coverage.
    public init(name: String, weekdays: Set<Int>, holidays: Set<CalendarDate>, coverage: ClosedRange<CalendarDate>) {
        self.name = name
        self.weekdays = weekdays.reduce(0) { $0 | 1 << UInt8(truncatingIfNeeded: $1) }
        self.coverage = coverage
        let count = Int(coverage.upperBound.daysSinceEpoch - coverage.lowerBound.daysSinceEpoch) + 1
        var openDays = [UInt64](repeating: 0, count: (count + 63) / 64)
        for offset in 0..<count {
            let day = CalendarDate(daysSinceEpoch: coverage.lowerBound.daysSinceEpoch + Int32(offset))
            guard weekdays.contains(day.isoWeekday), !holidays.contains(day) else { continue }
            openDays[offset >> 6] |= 1 << UInt64(offset & 63)
        }
        self.openDays = openDays
    }

    /// What kind of day it is. Constant cost.
    public func kind(of day: CalendarDate) -> Day {
        guard coverage.contains(day) else { return .unknown }
        let offset = Int(day.daysSinceEpoch - coverage.lowerBound.daysSinceEpoch)
        return openDays[offset >> 6] & (1 << UInt64(offset & 63)) != 0 ? .open : .closed
    }

    /// The working day `count` working days after `day` (0: `day` itself where open, else the next), or nil beyond
    /// the coverage.
    public func workingDay(_ count: Int, after day: CalendarDate) -> CalendarDate? {
        var left = count
        var current = day
        while coverage.contains(current) {
            if kind(of: current) == .open {
                if left == 0 { return current }
                left -= 1
            }
            current.daysSinceEpoch += 1
        }
        return nil
    }
}
