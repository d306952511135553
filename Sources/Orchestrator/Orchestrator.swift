import PaymentModel
import Synchronization

/// The shards of one process: started together, drained together.
public final class Orchestrator<P: ShardPorts>: Sendable {
    /// The shards, by their index.
    public let shards: [Shard<P>]

    /// Shards over the ports that `ports` gives for each index.
    ///
    /// - Parameters:
    ///   - count: how many shards, that is, threads.
    ///   - limits: the bounds of each.
    ///   - ports: makes the ports of the shard with that index: its own executor and its own end of the log.
    public init(count: Int, limits: ShardLimits = ShardLimits(), ports: (Int) throws -> P) rethrows {
        shards = try (0..<max(1, count)).map { Shard(index: $0, ports: try ports($0), limits: limits) }
    }

    /// Begins. Returns at once; `status` tells how far it is.
    public func start() {
        for shard in shards { shard.start() }
    }

    /// Stops taking in, lets what is under way end within the limits' bound, closes the log's ends and the threads.
    public func drain() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let remaining = Countdown(shards.count)
            for shard in shards {
                shard.drain {
                    if remaining.isLast() { continuation.resume() }
                }
            }
        }
        for shard in shards { shard.ports.executor.stop() }
    }

    /// The figures of every shard as of its last turn.
    public var status: [ShardStatus] { shards.map(\.currentStatus) }

    /// Whether every shard takes commands.
    public var isReady: Bool { shards.allSatisfy { $0.currentStatus.isReady } }

    /// Asks every shard for a turn, so that a replaced domain is in force at once.
    public func wake() {
        for shard in shards { shard.wake() }
    }
}

/// Counts completions that come from several threads.
private final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    /// Whether this was the last one.
    func isLast() -> Bool { left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
