import Glibc
import PartnerWorld

/// The wall clock at the start, then the monotonic one: the partner's time never goes back.
struct SimulatorClock: Sendable {
    private let wall: Milliseconds
    private let start: Milliseconds

    init() {
        wall = SimulatorClock.read(CLOCK_REALTIME)
        start = SimulatorClock.read(CLOCK_BOOTTIME)
    }

    var now: Milliseconds { wall + SimulatorClock.read(CLOCK_BOOTTIME) - start }

    private static func read(_ clock: clockid_t) -> Milliseconds {
        var time = timespec()
        clock_gettime(clock, &time)
        return Milliseconds(time.tv_sec) * 1_000 + Milliseconds(time.tv_nsec) / 1_000_000
    }
}
