import Glibc
import PaymentModel
import Synchronization

/// A shard's own thread. Swift jobs and turns share it, first come, first served; between two of them it sleeps until
/// the next request or the requested moment.
///
/// Sending it across threads is safe (`@unchecked`): every mutable field is read and written under `lock`, which is
/// allocated once and freed when the last reference is gone; the thread itself holds a reference until it ends.
public final class ShardThread: ShardExecuting, @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let signal: UnsafeMutablePointer<pthread_cond_t>
    private var jobs = JobRing<UnownedJob>(capacity: 256)
    private var turn: (@Sendable () -> Void)?
    private var wake: MonotonicTime?
    private var tally = ExecutorCounts()
    private var stopping = false
    private var thread: pthread_t?
    /// Set outside of the lock, so that all but the first of many requests cost one atomic exchange.
    private let requested = Atomic<Bool>(false)

    private let began: @Sendable () -> Void

    /// A thread that starts at once and lives until `stop()`; `began` is the first that it does.
    public init(began: @escaping @Sendable () -> Void = {}) {
        self.began = began
        lock = .allocate(capacity: 1)
        signal = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(signal, &attributes)
        pthread_condattr_destroy(&attributes)
        start()
    }

    deinit {
        pthread_cond_destroy(signal)
        pthread_mutex_destroy(lock)
        signal.deallocate()
        lock.deallocate()
    }

    private func start() {
        let box = Unmanaged.passRetained(self)
        var identifier = pthread_t()
        let result = pthread_create(
            &identifier, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ShardThread>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            box.release()
            preconditionFailure("no thread for a shard: errno \(result)")
        }
        pthread_detach(identifier)
        pthread_mutex_lock(lock)
        thread = identifier
        pthread_mutex_unlock(lock)
    }

    // MARK: SerialExecutor

    /// Appends a job; it is never refused.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(lock)
        jobs.append(job)
        tally.jobs += 1
        tally.mostJobsWaiting = max(tally.mostJobsWaiting, jobs.count)
        pthread_cond_signal(signal)
        pthread_mutex_unlock(lock)
    }

    /// Whether the caller runs on this thread: turns are plain calls, no jobs, and still isolated.
    public func isIsolatingCurrentContext() -> Bool? { isOnThread }

    /// Traps where the caller runs elsewhere.
    public func checkIsolated() {
        precondition(isOnThread, "not on the shard's thread")
    }

    private var isOnThread: Bool {
        // Written once, before the thread can run anything of ours: `run` waits for it.
        guard let thread else { return false }
        return pthread_equal(thread, pthread_self()) != 0
    }

    // MARK: ShardExecuting

    /// Says what a turn does.
    public func install(turn: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(lock)
        self.turn = turn
        pthread_mutex_unlock(lock)
    }

    /// Asks for a turn soon.
    public func requestTurn() {
        guard !requested.exchange(true, ordering: .acquiringAndReleasing) else { return }
        pthread_mutex_lock(lock)
        tally.requests += 1
        pthread_cond_signal(signal)
        pthread_mutex_unlock(lock)
    }

    /// Asks for a turn at that moment.
    public func requestTurn(at moment: MonotonicTime?) {
        pthread_mutex_lock(lock)
        wake = moment
        pthread_mutex_unlock(lock)
    }

    /// What it was asked so far.
    public var counts: ExecutorCounts {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return tally
    }

    /// Ends the thread after the jobs that wait.
    public func stop() {
        pthread_mutex_lock(lock)
        stopping = true
        turn = nil
        pthread_cond_signal(signal)
        pthread_mutex_unlock(lock)
    }

    // MARK: The loop

    private enum Work {
        case job(UnownedJob)
        case turn(@Sendable () -> Void)
        case end
    }

    private func run() {
        began()
        var turnIsNext = false
        while true {
            switch nextWork(preferTurn: turnIsNext) {
            case .job(let job):
                turnIsNext = true
                job.runSynchronously(on: asUnownedSerialExecutor())
            case .turn(let turn):
                turnIsNext = false
                turn()
            case .end:
                return
            }
        }
    }

    /// Waits for something to do. Jobs and turns alternate where both are there, so that neither starves.
    private func nextWork(preferTurn: Bool) -> Work {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            let due = turn != nil && isTurnDue()
            if let turn, due, preferTurn || jobs.isEmpty {
                requested.store(false, ordering: .releasing)
                if let moment = wake, moment <= SystemClock().monotonic() { wake = nil }
                tally.turns += 1
                return .turn(turn)
            }
            if let job = jobs.popFirst() { return .job(job) }
            if stopping { return .end }
            wait()
        }
    }

    private func isTurnDue() -> Bool {
        if requested.load(ordering: .acquiring) { return true }
        guard let wake else { return false }
        return wake <= SystemClock().monotonic()
    }

    /// Sleeps until a signal, or the requested moment. That moment is on a clock that counts suspension, which the
    /// condition variable's does not: it looks again at least once a second.
    private func wait() {
        guard let wake else {
            pthread_cond_wait(signal, lock)
            return
        }
        let left = min(1_000, max(1, (wake - SystemClock().monotonic()).count))
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let nanoseconds = until.tv_nsec + Int(left % 1_000) * 1_000_000
        until.tv_sec += Int(left / 1_000) + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(signal, lock, &until)
    }
}
