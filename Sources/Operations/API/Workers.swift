import Dispatch
import HTTPServer
import Synchronization

/// Runs what may wait for a disk or a network, away from the HTTP threads. Bounded: what does not fit is refused at once.
public final class Workers: Sendable {
    private struct State {
        var running = 0
        var line: [@Sendable () -> Void] = []
    }

    private let queue = DispatchQueue(label: "switchyard.workers", attributes: .concurrent)
    private let state = Mutex(State())
    private let threads: Int
    private let limit: Int

    /// At most `threads` at once, at most `waiting` in line.
    public init(threads: Int = 4, waiting: Int = 256) {
        self.threads = max(1, threads)
        limit = waiting
    }

    /// Runs `body` and answers with what it returns; a problem where there is no room.
    public func answer(_ responder: HTTPResponder, _ body: @escaping @Sendable () -> HTTPResponse) {
        if !run({ responder.answer(body()) }) { responder.answer(Answers.overloaded) }
    }

    /// Runs `job` on a thread of its own pool; false where there is no room.
    func run(_ job: @escaping @Sendable () -> Void) -> Bool {
        let (taken, starts) = state.withLock { state -> (Bool, Bool) in
            guard state.line.count < limit else { return (false, false) }
            state.line.append(job)
            guard state.running < threads else { return (true, false) }
            state.running += 1
            return (true, true)
        }
        if starts { queue.async { self.drain() } }
        return taken
    }

    private func drain() {
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.line.isEmpty {
                state.running -= 1
                return nil
            }
            return state.line.removeFirst()
        }
    }
}

/// Answers that are given in several places.
enum Answers {
    /// Too much is waiting; nothing was looked at.
    static var overloaded: HTTPResponse {
        var response = Problem(503, detail: "too many requests are waiting").response
        response.headers.append(("Retry-After", "1"))
        return response
    }

    /// The log does not take or give records now.
    static func unavailable(_ detail: String) -> HTTPResponse {
        var response = Problem(503, detail: detail).response
        response.headers.append(("Retry-After", "1"))
        return response
    }
}
