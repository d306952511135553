import PaymentModel

/// Client-side throttling in a brown-out (Google SRE, "Handling overload"): where a partner accepts less than it is
/// asked, a share of new payments is kept away with probability max(0, (requests − K·accepts) / (requests + 1)), K = 2.
/// Counted over the last one to two minutes. In integers: a share is per mille.
public struct BrownOutThrottle: Hashable, Sendable {
    private struct Counts: Hashable, Sendable {
        var requests: Int64 = 0
        var accepts: Int64 = 0
    }

    /// The length of one half of what is looked at.
    static let half = Milliseconds.seconds(60)

    private var current = Counts()
    private var previous = Counts()
    private var began: MonotonicTime?

    /// A throttle that has seen nothing.
    public init() {}

    /// A request that ended; `accepted`: the partner answered it, whatever it said about the payment.
    public mutating func ended(accepted: Bool, at now: MonotonicTime) {
        roll(to: now)
        current.requests += 1
        if accepted { current.accepts += 1 }
    }

    /// The share of new payments to keep away, per mille.
    public func share(at now: MonotonicTime) -> Int {
        var copy = self
        copy.roll(to: now)
        let requests = copy.current.requests + copy.previous.requests
        let accepts = copy.current.accepts + copy.previous.accepts
        return Int(max(0, (requests - 2 * accepts) * 1_000 / (requests + 1)))
    }

    private mutating func roll(to now: MonotonicTime) {
        guard let began else {
            self.began = now
            return
        }
        let age = now - began
        guard age >= BrownOutThrottle.half else { return }
        previous = age >= BrownOutThrottle.half + BrownOutThrottle.half ? Counts() : current
        current = Counts()
        self.began = now
    }
}
