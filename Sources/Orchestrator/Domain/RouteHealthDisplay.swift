import PaymentModel
import Routing
import Synchronization

/// What the shards have seen of their routes, for people: the boards as they were a moment ago. Decides nothing.
public final class RouteHealthDisplay: Sendable {
    private let boards = Mutex<[Int: RouteHealthBoard]>([:])
    private let shards = Atomic<Int>(0)

    /// An empty display.
    public init() {}

    /// A route as all shards together see it.
    public struct Seen: Sendable, Equatable {
        /// Shards whose breaker lets nothing through.
        public var open = 0
        /// Shards whose breaker gives trials away.
        public var halfOpen = 0
        /// The largest share that is held back, in thousandths.
        public var throttledPerMille = 0
        /// Attempts under way.
        public var openAttempts = 0

        /// Nothing seen yet.
        public init() {}
    }

    /// Where a route stands.
    public func seen(_ route: Route, at now: MonotonicTime) -> Seen {
        var seen = Seen()
        for board in boards.withLock({ Array($0.values) }) {
            guard let state = board.state(of: route, at: now) else { continue }
            switch state.breaker {
            case .closed: break
            case .open: seen.open += 1
            case .halfOpen: seen.halfOpen += 1
            }
            seen.throttledPerMille = max(seen.throttledPerMille, state.throttledPerMille)
            seen.openAttempts += state.openAttempts
        }
        return seen
    }

    func nextShard() -> Int { shards.add(1, ordering: .relaxed).oldValue }

    func show(_ board: RouteHealthBoard, shard: Int) { boards.withLock { $0[shard] = board } }
}
