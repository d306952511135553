import EventLog
import Orchestrator
import PaymentModel
import Synchronization

/// The log's appender, watched: while it refuses what comes in (a full disk, a broker that is away), the daemon is not
/// ready and says why, also where the shards have nothing to commit and notice nothing.
final class WatchedAppender: LogAppender {
    private struct Refusal {
        var at: MonotonicTime
        var detail: String
    }

    /// A refusal counts for so long: where nobody sends any more because of it, nothing would ever show that it is over.
    private static let memory = Milliseconds(10_000)

    private let appender: any LogAppender
    private let refusal = Mutex<Refusal?>(nil)

    init(_ appender: any LogAppender) { self.appender = appender }

    var partitionCount: Int32 { appender.partitionCount }

    func append(_ batch: RecordBatch, completion: @escaping @Sendable (LogError?) -> Void) {
        appender.append(batch) { [self] error in
            note(error)
            completion(error)
        }
    }

    /// Why nothing can be stored now, as of the last try; nil where it can.
    var fault: String? {
        let now = SystemClock().monotonic()
        guard let last = refusal.withLock({ $0 }), now - last.at < WatchedAppender.memory else { return nil }
        return last.detail
    }

    private func note(_ error: LogError?) {
        let found = error.map { Refusal(at: SystemClock().monotonic(), detail: $0.detail) }
        refusal.withLock { $0 = found }
    }
}
