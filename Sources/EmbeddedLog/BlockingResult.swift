import EventLog
import Glibc
import Synchronization

/// An outcome that a thread waits for. Never on a shard's thread.
final class BlockingResult: Sendable {
    private let outcome = Mutex<LogError??>(nil)
    // A semaphore of the system, made for use from many threads; the pointer never changes.
    nonisolated(unsafe) private let done: UnsafeMutablePointer<sem_t>

    init() {
        done = .allocate(capacity: 1)
        sem_init(done, 0, 0)
    }

    deinit {
        sem_destroy(done)
        done.deallocate()
    }

    func set(_ error: LogError?) {
        outcome.withLock { $0 = .some(error) }
        sem_post(done)
    }

    func wait() -> LogError? {
        while sem_wait(done) != 0 {}
        return outcome.withLock { $0 } ?? nil
    }
}
