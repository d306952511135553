import Glibc
import PaymentModel

/// The two clocks of a shard. Injected: the simulation's are virtual.
public protocol ShardClock: Sendable {
    /// The wall clock: for people, events and cut-offs; it jumps.
    func wall() -> Timestamp
    /// The monotonic clock, counting suspension: for deadlines and gates.
    func monotonic() -> MonotonicTime
}

/// The host's clocks: CLOCK_REALTIME and CLOCK_BOOTTIME, about 25 ns each.
public struct SystemClock: ShardClock {
    /// The host's clocks.
    public init() {}

    /// CLOCK_REALTIME.
    public func wall() -> Timestamp { Timestamp(milliseconds: SystemClock.read(CLOCK_REALTIME)) }

    /// CLOCK_BOOTTIME.
    public func monotonic() -> MonotonicTime { MonotonicTime(milliseconds: SystemClock.read(CLOCK_BOOTTIME)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}
