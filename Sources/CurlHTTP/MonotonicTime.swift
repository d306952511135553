import Glibc

/// A moment on this host's monotonic clock that also counts the time the host was suspended (CLOCK_BOOTTIME).
///
/// Send deadlines use it: a laptop lid or a paused virtual machine must not make a stale request look fresh.
/// Two hosts' values say nothing about each other.
public struct MonotonicTime: Sendable, Hashable, Comparable {
    /// Nanoseconds since the host was started, suspension included.
    public let nanoseconds: Int64

    /// A moment so many nanoseconds after the host's start.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment of the call; one system call without a switch into the kernel.
    public static func now() -> MonotonicTime {
        var reading = timespec()
        clock_gettime(CLOCK_BOOTTIME, &reading)
        return MonotonicTime(nanoseconds: Int64(reading.tv_sec) * 1_000_000_000 + Int64(reading.tv_nsec))
    }

    /// The moment that lies `duration` later (earlier, where it is negative); saturates at the ends of the range.
    public func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        guard overflow else { return MonotonicTime(nanoseconds: sum) }
        return MonotonicTime(nanoseconds: duration.wholeNanoseconds > 0 ? .max : .min)
    }

    /// The time from this moment to `other`; negative where `other` lies before.
    public func duration(to other: MonotonicTime) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }

    /// Whether `lhs` lies before `rhs`.
    public static func < (lhs: MonotonicTime, rhs: MonotonicTime) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }
}

extension Duration {
    /// Nanoseconds, cut off below and saturated at the ends of the range.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds > 0 ? .max : .min }
        let (sum, overflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflowed ? (seconds > 0 ? .max : .min) : sum
    }

    /// Milliseconds rounded up and at least 1, as curl and the kernel take time-outs (0 would mean "none").
    var wholeMilliseconds: Int {
        Int(max(1, (min(wholeNanoseconds, .max - 999_999) + 999_999) / 1_000_000))
    }

    /// Seconds rounded up and at least 1.
    var wholeSeconds: Int {
        (wholeMilliseconds + 999) / 1000
    }
}
