import Dispatch
import Glibc
import Synchronization

/// SIGTERM, SIGINT and SIGHUP as plain calls on a queue of their own.
final class DaemonSignals {
    /// What was asked for.
    enum Request: Sendable {
        /// Finish and end.
        case stop
        /// Read the policy again.
        case reload
    }

    private let queue = DispatchQueue(label: "switchyard.signals")
    private var sources: [any DispatchSourceSignal] = []
    private let inbox = Inbox()

    /// What has arrived, shared with the handlers.
    private final class Inbox: Sendable {
        let arrived = DispatchSemaphore(value: 0)
        let requests = Mutex<[Request]>([])
    }

    /// From here on the signals end nothing by themselves. A client that closes its connection must not end the daemon
    /// either: SIGPIPE is ignored.
    init() {
        signal(SIGPIPE, SIG_IGN)
        for (number, request) in [(SIGTERM, Request.stop), (SIGINT, .stop), (SIGHUP, .reload)] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [inbox] in
                inbox.requests.withLock { $0.append(request) }
                inbox.arrived.signal()
            }
            source.resume()
            sources.append(source)
        }
    }

    /// Waits for the next request, at most so long; nil where none came.
    func next(within milliseconds: Int) -> Request? {
        guard inbox.arrived.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return nil }
        return inbox.requests.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Whether an end was asked for, without taking the request away.
    var stopRequested: Bool { inbox.requests.withLock { $0.contains { $0 == .stop } } }
}
