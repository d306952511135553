import EventLog
import Glibc
import Synchronization

/// What the writer thread is asked to do.
enum Work: Sendable {
    case append(RecordBatch, completion: @Sendable (LogError?) -> Void)
    case commit(shard: Int, CommitBatch, completion: @Sendable (CommitBatch, LogError?) -> Void)
    case claim(shard: Int, recover: Bool, completion: @Sendable (LogError?) -> Void)
    case release(shard: Int, completion: @Sendable () -> Void)
    case trim([Trim], completion: @Sendable (LogError?) -> Void)
    case stop

    struct Trim: Sendable {
        var topic: Topic
        var partition: Int32
        var first: Int64
    }

    /// Bytes that it adds to a group.
    var byteCount: Int {
        switch self {
        case .append(let batch, _): batch.bytes.count
        case .commit(_, let batch, _): batch.bytes.count
        case .claim, .release, .trim, .stop: 0
        }
    }
}

/// Hands work from many threads to the writer, which takes all that has gathered at once: while one synced write is
/// under way the next group fills.
final class WorkQueue: Sendable {
    private struct State {
        var work: [Work] = []
        var appendedBytes = 0
        var closed = false
    }

    private let state = Mutex(State())
    // A semaphore of the system, made for use from many threads; the pointer never changes.
    nonisolated(unsafe) private let news: UnsafeMutablePointer<sem_t>
    private let maximumAppendedBytes: Int

    init(maximumAppendedBytes: Int) {
        self.maximumAppendedBytes = maximumAppendedBytes
        news = .allocate(capacity: 1)
        sem_init(news, 0, 0)
    }

    deinit {
        sem_destroy(news)
        news.deallocate()
    }

    /// Adds work; false where the queue is closed. Commits and the like are bounded by the number of shards.
    func add(_ work: Work) -> Bool {
        let added = state.withLock { state in
            guard !state.closed else { return false }
            if case .stop = work { state.closed = true }
            state.work.append(work)
            return true
        }
        if added { sem_post(news) }
        return added
    }

    /// Adds an append; the reason where it is refused.
    func addAppend(_ batch: RecordBatch, _ completion: @escaping @Sendable (LogError?) -> Void) -> LogError? {
        let refusal: LogError? = state.withLock { state in
            if state.closed { return LogError(.closed, "the log is closed") }
            guard state.appendedBytes + batch.bytes.count <= maximumAppendedBytes || state.appendedBytes == 0 else {
                return LogError(.unavailable, "\(state.appendedBytes) bytes wait for the disk")
            }
            state.appendedBytes += batch.bytes.count
            state.work.append(.append(batch, completion: completion))
            return nil
        }
        if refusal == nil { sem_post(news) }
        return refusal
    }

    /// Waits for work and takes about `maximumBytes` of it, in order.
    func take(maximumBytes: Int, into group: inout [Work]) {
        while true {
            while sem_wait(news) != 0 {}
            // One count for all that has gathered; what is left behind is posted again.
            while sem_trywait(news) == 0 {}
            let rest = state.withLock { state in
                var bytes = 0
                var count = 0
                while count < state.work.count, bytes < maximumBytes {
                    bytes += state.work[count].byteCount
                    if case .append(let batch, _) = state.work[count] { state.appendedBytes -= batch.bytes.count }
                    count += 1
                }
                if count == state.work.count {
                    swap(&group, &state.work)
                } else {
                    group.append(contentsOf: state.work[..<count])
                    state.work.removeFirst(count)
                }
                return !state.work.isEmpty
            }
            if rest { sem_post(news) }
            if !group.isEmpty { return }
        }
    }
}
