import PaymentModel

/// A circuit breaker: keeps payments away from a route that fails, and tries it again with a bounded number of
/// payments. Pure: outcomes and times go in, permission comes out.
///
/// Closed: the last outcomes are counted; where too many failed it opens. Open: nothing goes there until a time; each
/// opening in a row lasts twice as long. Half-open: at most `trials` payments at once; as many successes close it, one
/// failure opens it again.
public struct CircuitBreaker: Hashable, Sendable {
    /// How a breaker judges.
    public struct Settings: Hashable, Sendable {
        /// How many of the last outcomes count: 1 to 64.
        public var window: Int
        /// Fewer outcomes than this never open it.
        public var minimum: Int
        /// Opens where at least this percentage of them failed: 1 to 100.
        public var failurePercent: Int
        /// How long the first opening lasts.
        public var openFor: Milliseconds
        /// How long one lasts at most.
        public var maximumOpenFor: Milliseconds
        /// Trials at once in half-open, and successes needed to close.
        public var trials: Int
        /// A trial without an outcome is forgotten after this: its payment may be waiting for evidence for days.
        public var trialLease: Milliseconds

        /// Settings; the defaults suit a partner that answers within seconds.
        public init(
            window: Int = 20, minimum: Int = 10, failurePercent: Int = 50, openFor: Milliseconds = .seconds(10),
            maximumOpenFor: Milliseconds = .seconds(300), trials: Int = 3, trialLease: Milliseconds = .seconds(60)
        ) {
            self.window = min(64, max(1, window))
            self.minimum = max(1, minimum)
            self.failurePercent = min(100, max(1, failurePercent))
            self.openFor = openFor
            self.maximumOpenFor = max(openFor, maximumOpenFor)
            self.trials = max(1, trials)
            self.trialLease = trialLease
        }
    }

    /// Where a breaker stands.
    public enum State: Hashable, Sendable {
        /// Everything may go.
        case closed
        /// Nothing may go before that moment.
        case open(until: MonotonicTime)
        /// A bounded number may go.
        case halfOpen
    }

    private enum Phase: Hashable, Sendable {
        case closed
        case open(until: MonotonicTime)
        case halfOpen(since: MonotonicTime, running: Int, successes: Int, lastTrial: MonotonicTime)
    }

    private var phase = Phase.closed
    /// Bit 0 is the last outcome; 1 means failure.
    private var failures: UInt64 = 0
    private var counted = 0
    /// Openings in a row without a success between them.
    private var openings = 0

    /// A closed breaker.
    public init() {}

    /// Outcomes counted and failures among them, for the decision's detail.
    public var recent: (failed: Int, of: Int) { (failures.nonzeroBitCount, counted) }

    /// Where it stands at a moment.
    public func state(at now: MonotonicTime) -> State {
        switch phase {
        case .closed: .closed
        case .open(let until): now < until ? .open(until: until) : .halfOpen
        case .halfOpen: .halfOpen
        }
    }

    /// Whether one more payment may go there now.
    public func permits(at now: MonotonicTime, _ settings: Settings) -> Bool {
        switch phase {
        case .closed: true
        case .open(let until): now >= until
        case .halfOpen(_, let running, _, let lastTrial):
            running < settings.trials || now - lastTrial >= settings.trialLease
        }
    }

    /// A payment goes there. Asked for permission first; else it counts nevertheless.
    public mutating func started(at now: MonotonicTime, _ settings: Settings) {
        switch phase {
        case .closed: break
        case .open(let until) where now >= until:
            phase = .halfOpen(since: now, running: 1, successes: 0, lastTrial: now)
        case .open: break
        case .halfOpen(let since, let running, let successes, let lastTrial):
            if now - lastTrial >= settings.trialLease {
                // Forgotten trials must not come back into the count: the trials begin anew.
                phase = .halfOpen(since: now, running: 1, successes: 0, lastTrial: now)
            } else {
                phase = .halfOpen(since: since, running: running + 1, successes: successes, lastTrial: now)
            }
        }
    }

    /// A payment that went there at `startedAt` came to an end.
    public mutating func ended(
        succeeded: Bool, startedAt: MonotonicTime, at now: MonotonicTime, _ settings: Settings
    ) {
        switch phase {
        case .closed:
            count(succeeded: succeeded, settings)
            let (failed, of) = recent
            if !succeeded, of >= settings.minimum, failed * 100 >= settings.failurePercent * of {
                open(at: now, settings)
            } else if succeeded {
                openings = 0
            }
        case .open: break
        case .halfOpen(let since, let running, let successes, let lastTrial):
            // One that went before the trials began says nothing about now.
            guard startedAt >= since else { return }
            guard succeeded else { return open(at: now, settings) }
            if successes + 1 >= settings.trials {
                phase = .closed
                failures = 0
                counted = 0
                openings = 0
            } else {
                phase = .halfOpen(
                    since: since, running: max(0, running - 1), successes: successes + 1, lastTrial: lastTrial)
            }
        }
    }

    private mutating func count(succeeded: Bool, _ settings: Settings) {
        let mask: UInt64 = settings.window >= 64 ? .max : (1 << UInt64(settings.window)) - 1
        failures = (failures << 1 | (succeeded ? 0 : 1)) & mask
        counted = min(settings.window, counted + 1)
    }

    private mutating func open(at now: MonotonicTime, _ settings: Settings) {
        let doublings = UInt64(min(openings, 20))
        let span = min(settings.maximumOpenFor.count, settings.openFor.count << doublings)
        phase = .open(until: now + Milliseconds(span))
        openings += 1
        failures = 0
        counted = 0
    }
}
