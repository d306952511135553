import CivilCalendar

/// A moment on the wall clock: milliseconds since 1970-01-01T00:00:00Z. For people, events and cut-offs; never for
/// gates of money safety, because wall clocks jump.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the epoch.
    public var milliseconds: Int64

    /// The moment that many milliseconds after the epoch.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Earlier first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// The moment `duration` later.
    public static func + (moment: Timestamp, duration: Milliseconds) -> Timestamp {
        Timestamp(milliseconds: moment.milliseconds &+ duration.count)
    }

    /// The time from `right` to `left`.
    public static func - (left: Timestamp, right: Timestamp) -> Milliseconds {
        Milliseconds(left.milliseconds &- right.milliseconds)
    }
}

/// A span of time in whole milliseconds. A type of its own, so that no bare integer is ever taken for one.
public struct Milliseconds: Hashable, Comparable, Sendable {
    /// How many milliseconds.
    public var count: Int64

    /// A span of `count` milliseconds.
    public init(_ count: Int64) { self.count = count }

    /// A span of that many seconds.
    public static func seconds(_ count: Int64) -> Milliseconds { Milliseconds(count * 1_000) }

    /// No time.
    public static let zero = Milliseconds(0)

    /// Shorter first.
    public static func < (left: Milliseconds, right: Milliseconds) -> Bool { left.count < right.count }

    /// Both spans one after the other.
    public static func + (left: Milliseconds, right: Milliseconds) -> Milliseconds {
        Milliseconds(left.count &+ right.count)
    }
}

/// A moment on the host's monotonic clock that counts suspension (CLOCK_BOOTTIME), in milliseconds. Means something
/// only within the incarnation that read it: hosts and reboots are never compared.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Milliseconds on the host's clock.
    public var milliseconds: Int64

    /// The moment that many milliseconds on the host's clock.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Earlier first.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.milliseconds < right.milliseconds }

    /// The moment `duration` later.
    public static func + (moment: MonotonicTime, duration: Milliseconds) -> MonotonicTime {
        MonotonicTime(milliseconds: moment.milliseconds &+ duration.count)
    }

    /// The time from `right` to `left`.
    public static func - (left: MonotonicTime, right: MonotonicTime) -> Milliseconds {
        Milliseconds(left.milliseconds &- right.milliseconds)
    }
}

/// What is known of the owner of a partition before this one.
public enum Predecessor: Hashable, Sendable {
    /// Nobody, or a process that is proven dead (it held a lock that the kernel has released): none of its senders
    /// can still write a byte.
    case provenDead
    /// It may live on and write for as long as it may stall. Nil: no bound is promised, absence proves nothing.
    case maybeAlive(stallBound: Milliseconds?)
}

/// One unbroken ownership of a partition by one process. A restore in the same process starts a new one, too.
public struct Incarnation: Hashable, Sendable {
    /// Unique among all owners that the partition ever had.
    public var number: UInt64
    /// When this ownership began, on this host's monotonic clock. Countdowns begun by an earlier incarnation start
    /// anew from here, at full length.
    public var began: MonotonicTime
    /// What is known of the owner before.
    public var predecessor: Predecessor

    /// An ownership that began at `began`.
    public init(number: UInt64, began: MonotonicTime, predecessor: Predecessor) {
        self.number = number
        self.began = began
        self.predecessor = predecessor
    }
}

/// The two clocks and the ownership under which a step is taken. Read once per step, outside the pure core.
public struct Now: Hashable, Sendable {
    /// The wall clock.
    public var wall: Timestamp
    /// The monotonic clock.
    public var monotonic: MonotonicTime
    /// The present ownership.
    public var incarnation: Incarnation

    /// A moment under an ownership.
    public init(wall: Timestamp, monotonic: MonotonicTime, incarnation: Incarnation) {
        self.wall = wall
        self.monotonic = monotonic
        self.incarnation = incarnation
    }
}

/// A day of the proleptic Gregorian calendar, without a time zone.
public struct CalendarDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01.
    public var daysSinceEpoch: Int32

    /// The day that many days after 1970-01-01.
    public init(daysSinceEpoch: Int32) { self.daysSinceEpoch = daysSinceEpoch }

    /// The day of `timestamp` in UTC.
    public init(utc timestamp: Timestamp) {
        daysSinceEpoch = Int32(clamping: CivilTime.day(milliseconds: timestamp.milliseconds))
    }

    /// The day, or nil where the calendar has none.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        daysSinceEpoch = Int32(clamping: CivilTime.day(year: year, month: month, day: day))
    }

    /// Year, month (1–12) and day (1–31).
    public var components: (year: Int, month: Int, day: Int) { CivilTime.date(day: Int(daysSinceEpoch)) }

    /// Day of the week: 1 = Monday … 7 = Sunday (ISO 8601).
    public var isoWeekday: Int {
        let remainder = (Int(daysSinceEpoch) + 3) % 7
        return (remainder < 0 ? remainder + 7 : remainder) + 1
    }

    /// Earlier first.
    public static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        left.daysSinceEpoch < right.daysSinceEpoch
    }

    /// ISO 8601, `2026-11-20`.
    public var description: String { CivilTime.string(day: Int(daysSinceEpoch)) }
}
