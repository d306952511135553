import Orchestrator
import PaymentModel

/// The clocks of a run.
public struct VirtualClock: ShardClock {
    private let scheduler: Scheduler
    /// Clocks that show the scheduler's time.
    public init(_ scheduler: Scheduler) { self.scheduler = scheduler }
    /// The wall clock.
    public func wall() -> Timestamp { scheduler.wall }
    /// The monotonic clock.
    public func monotonic() -> MonotonicTime { scheduler.monotonic }
}

/// A shard's executor whose turns and jobs the scheduler runs: the shard's own code, on virtual time, in one thread.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
public final class SimulatedExecutor: ShardExecuting, @unchecked Sendable {
    private let scheduler: Scheduler
    private let delay: @Sendable () -> Int64
    private var turn: (@Sendable () -> Void)?
    private var isRequested = false
    private var wake: MonotonicTime?
    private var tally = ExecutorCounts()
    private var isStopped = false

    /// An executor.
    ///
    /// - Parameter delay: how long a requested turn waits, in milliseconds: what a busy machine does to a thread.
    public init(_ scheduler: Scheduler, delay: @escaping @Sendable () -> Int64 = { 0 }) {
        self.scheduler = scheduler
        self.delay = delay
    }

    /// Runs a job when its time comes.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        tally.jobs += 1
        scheduler.after(0) { [self] in job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    /// Whether the caller is the run's thread.
    public func isIsolatingCurrentContext() -> Bool? { scheduler.isRunningHere }

    /// Traps elsewhere.
    public func checkIsolated() { precondition(scheduler.isRunningHere, "not on the simulation's thread") }

    /// Says what a turn does.
    public func install(turn: @escaping @Sendable () -> Void) { self.turn = turn }

    /// Asks for a turn.
    public func requestTurn() {
        guard !isRequested else { return }
        isRequested = true
        tally.requests += 1
        scheduler.after(delay()) { [self] in
            isRequested = false
            runTurn()
        }
    }

    /// Asks for a turn at that moment.
    public func requestTurn(at moment: MonotonicTime?) {
        guard moment != wake else { return }
        wake = moment
        guard let moment else { return }
        scheduler.at(moment.milliseconds) { [self] in
            // Another moment has taken its place meanwhile.
            guard wake == moment else { return }
            wake = nil
            runTurn()
        }
    }

    private func runTurn() {
        guard !isStopped, let turn else { return }
        tally.turns += 1
        turn()
    }

    /// What it was asked so far.
    public var counts: ExecutorCounts { tally }

    /// A process that has ended runs nothing more, not even what was asked for.
    public func stop() {
        isStopped = true
        turn = nil
    }
}
