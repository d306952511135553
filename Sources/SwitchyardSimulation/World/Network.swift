import PaymentModel

/// What lies between us and the partners: latency, refused and broken connections, requests that are late.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Network: @unchecked Sendable {
    private var random: SimulationRandom
    /// Whether anything goes wrong.
    var isFaulty = true

    init(random: SimulationRandom) { self.random = random }

    /// What happens to one exchange.
    struct Fate {
        /// Until the connection stands and the head may be written.
        var connect: Int64
        /// No connection comes about.
        var isRefused: Bool
        /// From the first byte to the partner's having read the request.
        var travel: Int64
        /// The request is lost after its bytes have left.
        var isLost: Bool
        /// From the partner's answer to ours having read it; nil: it is lost.
        var back: Int64?
    }

    func fate() -> Fate {
        let quick = Fate(
            connect: random.number(0...3), isRefused: false, travel: random.number(1...20), isLost: false,
            back: random.number(1...20))
        guard isFaulty else { return quick }
        var fate = quick
        switch random.next() % 1_000 {
        case 0..<20: fate.isRefused = true
        case 20..<45: fate.isLost = true
        case 45..<80: fate.back = nil
        // Slower than the time-out, still within the bound that the catalogue promises.
        case 80..<110: fate.travel = random.number(1_000...4_500)
        case 110..<140: fate.connect = random.number(500...4_000)
        default: break
        }
        return fate
    }
}
