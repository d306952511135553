import Dispatch
import Orchestrator
import PaymentModel
import Synchronization

/// The shards of this process, whatever log they work on.
protocol RunningShards: AnyObject, Sendable {
    /// What each is doing.
    var statuses: [ShardStatus] { get }
    /// Begins.
    func start()
    /// Finishes what is under way and closes; waits at most so long, and says whether all are done.
    func drain(within limit: Milliseconds) -> Bool
    /// Has every shard look at the domain again.
    func wake()
}

/// Shards over one kind of ports.
final class ShardGroup<P: ShardPorts>: RunningShards {
    private let shards: [Shard<P>]

    init(_ shards: [Shard<P>]) { self.shards = shards }

    var statuses: [ShardStatus] { shards.map(\.currentStatus) }

    func start() { for shard in shards { shard.start() } }

    func wake() { for shard in shards { shard.wake() } }

    func drain(within limit: Milliseconds) -> Bool {
        let done = DispatchGroup()
        for shard in shards {
            done.enter()
            shard.drain { done.leave() }
        }
        return done.wait(timeout: .now() + .milliseconds(Int(limit.count))) == .success
    }
}
