/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere. The only source of chance in this module.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// 0 ..< bound.
    mutating func below(_ bound: UInt64) -> UInt64 { bound == 0 ? 0 : next() % bound }

    /// True in that many of a million cases. Draws nothing where the answer is certain.
    mutating func happens(perMillion: UInt64) -> Bool {
        if perMillion >= 1_000_000 { return true }
        return perMillion > 0 && below(1_000_000) < perMillion
    }
}
