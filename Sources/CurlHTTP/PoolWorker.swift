import Glibc
import Synchronization

/// What a pool's thread is told besides exchanges.
enum PoolCommand: Sendable {
    case cancel(HTTPExchangeToken)
    case cancelOwner(UInt64, CompletionLatch)
    case cancelAll(CompletionLatch)
    case unacknowledgedTimeout(Duration)
    case shutDown(by: MonotonicTime)
}

/// The meeting point of a pool's submitters and its thread: a bounded queue, commands, and a bell.
final class PoolWorker: Sendable {
    private struct Inbox {
        var queue = PendingQueue()
        var commands: [PoolCommand] = []
        /// Whether exchanges are still taken.
        var open = true
        /// Whether the thread has ended: commands have nobody left to hear them, and nothing left to do.
        var ended = false
        /// How to wake the thread; nil once its multi handle is gone.
        var bell: WakeTarget?
        /// Places that the thread had free when it last looked; more may be by now.
        var freeSlots: Int
        /// The thread waits until `wakesAt` at the latest.
        var asleep = false
        var wakesAt = MonotonicTime(nanoseconds: .max)

        mutating func ring() {
            guard asleep else { return }
            asleep = false
            bell?.wake()
        }
    }

    /// What the thread takes out in one go.
    struct Work {
        var commands: [PoolCommand] = []
        var overdue: [PendingExchange] = []
        var next: [PendingExchange] = []
    }

    let configuration: HTTPPoolConfiguration
    let counters: PoolCounters
    let ended = Gate()
    private let inbox: Mutex<Inbox>

    init(_ configuration: HTTPPoolConfiguration, counters: PoolCounters) {
        self.configuration = configuration
        self.counters = counters
        inbox = Mutex(Inbox(freeSlots: configuration.maximumInFlight))
    }

    // MARK: From any thread

    /// Queues an exchange, or says why it is not taken.
    func submit(_ item: PendingExchange) -> HTTPNotSent.Cause? {
        counters.submitted.add(1, ordering: .relaxed)
        return inbox.withLock { box in
            guard box.open else { return .shutDown }
            guard box.queue.count < configuration.maximumQueued + box.freeSlots else { return .queueFull }
            box.queue.append(item)
            counters.queued.store(box.queue.count, ordering: .relaxed)
            let due = item.exchange.sendDeadline ?? MonotonicTime(nanoseconds: .max)
            if box.freeSlots > 0 || due < box.wakesAt { box.ring() }
            return nil
        }
    }

    /// Tells the thread; false once it has ended.
    @discardableResult
    func tell(_ command: PoolCommand) -> Bool {
        inbox.withLock { box in
            guard !box.ended else { return false }
            if case .shutDown = command { box.open = false }
            box.commands.append(command)
            box.ring()
            return true
        }
    }

    // MARK: From the pool's thread

    func attach(_ bell: WakeTarget) {
        inbox.withLock { $0.bell = bell }
    }

    /// Takes out commands, what is overdue, and up to `count` exchanges.
    func take(upTo count: Int, now: MonotonicTime) -> Work {
        inbox.withLock { box in
            box.asleep = false
            var work = Work()
            swap(&work.commands, &box.commands)
            work.overdue = box.queue.removeOverdue(now)
            while work.next.count < count, let item = box.queue.popFirst() { work.next.append(item) }
            box.freeSlots = count - work.next.count
            counters.queued.store(box.queue.count, ordering: .relaxed)
            return work
        }
    }

    /// Takes the queue's exchanges that match.
    func removeQueued(where matches: (HTTPExchange, HTTPExchangeToken) -> Bool) -> [PendingExchange] {
        inbox.withLock { box in
            let removed = box.queue.remove(where: matches)
            counters.queued.store(box.queue.count, ordering: .relaxed)
            return removed
        }
    }

    /// Announces that the thread will wait; false where there is something to do at once. `until` becomes the
    /// moment to wake at.
    func fallAsleep(freeSlots: Int, until: inout MonotonicTime) -> Bool {
        inbox.withLock { box in
            guard box.commands.isEmpty, box.queue.isEmpty || freeSlots == 0 else { return false }
            until = min(until, box.queue.earliestDeadline)
            box.asleep = true
            box.freeSlots = freeSlots
            box.wakesAt = until
            return true
        }
    }

    /// The multi handle is about to be freed: nobody may ring from here on.
    func detach() {
        inbox.withLock { box in
            box.open = false
            box.bell = nil
        }
    }

    /// The thread is about to end: the commands that came meanwhile, or nil, and then no more are taken.
    func lastCommands() -> [PoolCommand]? {
        inbox.withLock { box in
            guard !box.commands.isEmpty else {
                box.ended = true
                return nil
            }
            defer { box.commands = [] }
            return box.commands
        }
    }
}

/// Runs its action when as many arrivals as announced have come.
final class CompletionLatch: Sendable {
    private let left: Atomic<Int>
    private let action: @Sendable () -> Void

    init(count: Int, action: @escaping @Sendable () -> Void) {
        left = Atomic(count)
        self.action = action
        if count == 0 { action() }
    }

    func arrive() {
        if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { action() }
    }
}

/// Opens once; who waits is let through from then on. Unchecked because of the raw pointer: it is set once, points to
/// a POSIX semaphore, which is made for use by many threads, and is freed with the last reference.
final class Gate: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func open() { sem_post(semaphore) }

    /// Blocks the calling thread.
    func wait() {
        while sem_wait(semaphore) != 0 && errno == EINTR {}
        sem_post(semaphore)
    }
}
