import PaymentModel

/// How often a shard's thread was asked for something. One payment must not cost a hop: a test reads these.
public struct ExecutorCounts: Sendable, Equatable {
    /// Swift jobs that were enqueued (an `await` from outside; none on the money path).
    public var jobs = 0
    /// Turns that ran: each takes in everything that has come since the one before.
    public var turns = 0
    /// Requests for a turn, coalesced ones included.
    public var requests = 0
    /// Most Swift jobs that ever waited at once.
    public var mostJobsWaiting = 0

    /// Nothing yet.
    public init() {}
}

/// The one thread of a shard: a serial executor for the shard's actor and for every payment's actor on it, which also
/// runs the shard's *turns*. A turn is a plain call on that thread, not a task: a whole polled batch costs one.
///
/// The daemon uses a thread (`ShardThread`), the simulation a seeded scheduler.
public protocol ShardExecuting: SerialExecutor {
    /// Says what a turn does. Called once, before the first request.
    func install(turn: @escaping @Sendable () -> Void)

    /// Asks for a turn soon. From any thread; requests that have not been served yet are one.
    func requestTurn()

    /// Asks for a turn at that moment on the monotonic clock; replaces the request before. Nil: none. Called on the
    /// shard's thread only.
    func requestTurn(at moment: MonotonicTime?)

    /// What it was asked so far.
    var counts: ExecutorCounts { get }

    /// No turn runs after the present one; jobs that were enqueued still run.
    func stop()
}
