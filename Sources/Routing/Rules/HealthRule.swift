import PaymentModel

/// Circuit breaker, brown-out throttle and capacity of a route.
enum HealthRule {
    static func check(
        _ entry: RouteHealthBoard.Entry, route: Int32, seed: UInt64, at now: MonotonicTime
    ) -> Failing {
        guard entry.breaker.permits(at: now, entry.settings) else { return .circuitOpen }
        let share = entry.throttle.share(at: now)
        if share > 0, Mixing.perMille(seed, UInt64(UInt32(bitPattern: route))) < share { return .unhealthy }
        return entry.hasRoom(at: now) ? nil : .noCapacity
    }
}

/// Chance without chance: numbers that a replay gets again.
enum Mixing {
    /// Mixes two numbers (SplitMix64's finalizer, Steele, Lea and Flood, 2014).
    static func mix(_ seed: UInt64, _ salt: UInt64) -> UInt64 {
        var value = seed &+ (salt &+ 1) &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// 0…999.
    static func perMille(_ seed: UInt64, _ salt: UInt64) -> Int { Int(mix(seed, salt) % 1_000) }
}
