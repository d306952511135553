import Dispatch
import EmbeddedLog
import EventLog
import Orchestrator
import StructuredLog
import Synchronization

/// Drops records of the embedded log whose time is over, once a minute, on a thread of its own: the directory stays
/// bounded by what the retention keeps.
final class RetentionKeeper: Sendable {
    private let store: EmbeddedLog
    private let log: Logger
    private let queue = DispatchQueue(label: "switchyard.retention", qos: .utility)
    private let stopped = Atomic<Bool>(false)

    init(_ store: EmbeddedLog, log: Logger) {
        self.store = store
        self.log = log
    }

    /// Begins; the first look is a minute away.
    func start() {
        queue.asyncAfter(deadline: .now() + .seconds(60)) { [weak self] in
            guard let self, !stopped.load(ordering: .relaxed) else { return }
            enforce()
            start()
        }
    }

    /// Ends, after the look that is under way.
    func stop() {
        stopped.store(true, ordering: .relaxed)
        queue.sync {}
    }

    private func enforce() {
        do throws(LogError) {
            let dropped = try store.enforceRetention(now: SystemClock().wall())
            if dropped > 0 { log.info("records dropped by retention", [("count", .integer(dropped))]) }
        } catch {
            // A full or reopening store: the next look comes in a minute.
            log.warning("retention could not be enforced", [("reason", .text(error.description))])
        }
    }
}
