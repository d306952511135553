import PaymentModel

/// When a rail takes payments: windows of local time on the working days of a calendar, and when money taken then
/// arrives. Daylight saving is minded: windows are moments, derived from local times.
public struct OperatingHours: Hashable, Sendable {
    /// A window of a working day, in local time after that day's midnight. It may begin the day before (negative), as
    /// Fedwire's does.
    public struct Window: Hashable, Sendable {
        /// First moment.
        public var opens: Milliseconds
        /// No longer from here on.
        public var cutOff: Milliseconds

        /// A window.
        public init(opens: Milliseconds, cutOff: Milliseconds) {
            self.opens = opens
            self.cutOff = cutOff
        }
    }

    /// How the rail stands at a moment.
    public enum Status: Hashable, Sendable {
        /// It takes payments; `businessDay` is the working day that they count for.
        case open(businessDay: CalendarDate)
        /// Before or between windows of a working day.
        case outsideWindow
        /// After the last window of a working day.
        case afterCutOff
        /// No working day.
        case closedDay
        /// The calendar does not cover the day.
        case unknownDay
    }

    /// The local times' zone.
    public let zone: TimeZoneRule
    /// The working days.
    public let calendar: BusinessCalendar
    /// The windows of a working day, earliest first.
    public let windows: [Window]

    /// Hours. Windows are sorted here; at least one is needed for the rail ever to open.
    public init(zone: TimeZoneRule, calendar: BusinessCalendar, windows: [Window]) {
        self.zone = zone
        self.calendar = calendar
        self.windows = windows.sorted { $0.opens < $1.opens }
    }

    /// How the rail stands at a moment. Cost: two days' windows.
    public func status(at moment: Timestamp) -> Status {
        let today = zone.local(moment).day
        // Tomorrow's windows may begin today.
        for offset in 0...1 {
            let day = CalendarDate(daysSinceEpoch: today.daysSinceEpoch + Int32(offset))
            guard calendar.kind(of: day) == .open else { continue }
            for window in windows where covers(window, of: day, moment) { return .open(businessDay: day) }
        }
        switch calendar.kind(of: today) {
        case .unknown: return .unknownDay
        case .closed: return .closedDay
        case .open:
            let comesLater = windows.contains { zone.moment(day: today, timeOfDay: $0.opens) > moment }
            return comesLater ? .outsideWindow : .afterCutOff
        }
    }

    /// The next moment at which a window opens, or nil where the calendar knows of none within 60 days.
    public func nextOpening(after moment: Timestamp) -> Timestamp? {
        let today = zone.local(moment).day
        for offset in 0...60 {
            let day = CalendarDate(daysSinceEpoch: today.daysSinceEpoch + Int32(offset))
            guard calendar.kind(of: day) == .open else { continue }
            for window in windows {
                let opening = zone.moment(day: day, timeOfDay: window.opens)
                if opening > moment { return opening }
            }
        }
        return nil
    }

    private func covers(_ window: Window, of day: CalendarDate, _ moment: Timestamp) -> Bool {
        zone.moment(day: day, timeOfDay: window.opens) <= moment
            && moment < zone.moment(day: day, timeOfDay: window.cutOff)
    }
}

/// When money that a rail takes now is at the creditor's.
public enum Delivery: Hashable, Sendable {
    /// After a span, at any hour.
    case within(Milliseconds)
    /// At a local time, so many working days after the one that the payment counts for.
    case workingDays(Int, at: Milliseconds)
}
