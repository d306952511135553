import PaymentModel

/// How a request to a route ended, as far as its health is concerned. A rejection is health: the partner answered.
public enum RouteOutcome: Hashable, Sendable {
    /// Answered, whatever it said about the payment.
    case answered
    /// Silence, a reset, a status without promise, no connection.
    case failed
    /// Turned away as too much (429, 503).
    case turnedAway
    /// Says nothing about the route (withdrawn by us before a byte left, say).
    case neutral
}

/// What a shard has seen of its routes: circuit breakers, throttles, open attempts. One for each shard, made anew when
/// the shard restores; nothing of it is stored, because a decision records what it used of it.
public struct RouteHealthBoard: Sendable {
    struct Entry: Sendable {
        var breaker = CircuitBreaker()
        var throttle = BrownOutThrottle()
        var openAttempts = 0
        var startedInSecond = 0
        var second: Int64 = .min
        var settings: CircuitBreaker.Settings
        var maximumOpen: Int
        var maximumPerSecond: Int
        /// Something may be wrong: only then the decision looks closer.
        var isNotable = false
    }

    private(set) var entries: [Entry]
    /// Whether any route's health must be looked at.
    private(set) var hasNotable = false
    private var places: [Route: Int]
    private let shards: Int

    /// A board for a policy, of a shard among `shards`: each gets its share of every capacity.
    public init(_ policy: RoutingPolicy, shards: Int = 1) {
        self.shards = max(1, shards)
        entries = []
        places = [:]
        adopt(policy)
    }

    /// Goes over to another policy: routes that both have keep what was seen of them.
    public mutating func adopt(_ policy: RoutingPolicy) {
        let before = entries
        let placesBefore = places
        entries = policy.routes.map { route in
            let capacity = route.capacity
            var entry = Entry(
                settings: route.breaker, maximumOpen: share(capacity.openAttempts),
                maximumPerSecond: share(capacity.perSecond))
            if let place = placesBefore[route.route] {
                let old = before[place]
                entry.breaker = old.breaker
                entry.throttle = old.throttle
                entry.openAttempts = old.openAttempts
                entry.isNotable = true
            } else {
                entry.isNotable = entry.hasCapacity
            }
            return entry
        }
        hasNotable = entries.contains { $0.isNotable }
        places = [:]
        for (place, route) in policy.routes.enumerated() { places[route.route] = place }
    }

    private func share(_ whole: Int?) -> Int { whole.map { max(1, $0 / shards) } ?? .max }

    /// An attempt is started on a route. Returns how many are open on it now; nil for a route that the policy does not
    /// have.
    @discardableResult
    public mutating func started(_ route: Route, at now: MonotonicTime) -> Int? {
        guard let place = places[route] else { return nil }
        entries[place].breaker.started(at: now, entries[place].settings)
        entries[place].openAttempts += 1
        entries[place].countStart(at: now)
        return entries[place].openAttempts
    }

    /// An attempt that was started at `startedAt` has an outcome. Called once for each `started`; returns what that does.
    @discardableResult
    public mutating func ended(
        _ route: Route, _ outcome: RouteOutcome, startedAt: MonotonicTime, at now: MonotonicTime
    ) -> Int? {
        guard let place = places[route] else { return nil }
        let open = max(0, entries[place].openAttempts - 1)
        entries[place].openAttempts = open
        guard outcome != .neutral else { return open }
        entries[place].throttle.ended(accepted: outcome == .answered, at: now)
        entries[place].breaker.ended(
            succeeded: outcome == .answered, startedAt: startedAt, at: now, entries[place].settings)
        if outcome != .answered {
            entries[place].isNotable = true
            hasNotable = true
        }
        return open
    }

    /// Where a route stands, for people and metrics; nil for a route that the policy does not have.
    public func state(
        of route: Route, at now: MonotonicTime
    ) -> (breaker: CircuitBreaker.State, throttledPerMille: Int, openAttempts: Int)? {
        guard let place = places[route] else { return nil }
        let entry = entries[place]
        return (entry.breaker.state(at: now), entry.throttle.share(at: now), entry.openAttempts)
    }
}

extension RouteHealthBoard.Entry {
    var hasCapacity: Bool { maximumOpen < .max || maximumPerSecond < .max }

    mutating func countStart(at now: MonotonicTime) {
        let current = now.milliseconds / 1_000
        if second != current {
            second = current
            startedInSecond = 0
        }
        startedInSecond += 1
    }

    /// Whether one more attempt fits.
    func hasRoom(at now: MonotonicTime) -> Bool {
        guard openAttempts < maximumOpen else { return false }
        return second != now.milliseconds / 1_000 || startedInSecond < maximumPerSecond
    }
}
