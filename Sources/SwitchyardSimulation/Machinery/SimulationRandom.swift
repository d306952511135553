/// The one source of chance of a run: SplitMix64 (Steele, Lea, Flood 2014). The same seed gives the same run.
public struct SimulationRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number in the range.
    public mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        let span = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int64(next() % span)
    }

    /// Whether something happens that happens that often in a thousand.
    public mutating func happens(perMille: Int) -> Bool { next() % 1_000 < UInt64(perMille) }

    /// One of them; they must not be empty.
    public mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(next() % UInt64(elements.count))]
    }

    /// Another generator that depends on this one's seed and on `label` only.
    public func split(_ label: UInt64) -> SimulationRandom {
        var other = SimulationRandom(seed: state ^ (label &* 0xD6E8_FEB8_6659_FD93))
        _ = other.next()
        return other
    }
}
