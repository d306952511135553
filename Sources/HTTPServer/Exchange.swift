import CMicroHTTPD
import Synchronization

/// What a handler decided.
enum Answer: Sendable {
    case response(HTTPResponse)
    case stream(HTTPResponse, BodyStream, length: UInt64?)
    case abort(reset: Bool)
}

/// One request and its answer, from the request line to the last byte sent.
///
/// Arrival belongs to the event loop alone. The answer may come from any thread, at any time, also while the handler
/// still runs and also after the connection has died; `state` orders that. The library may only be told to resume a
/// connection that is suspended, exactly once, and must not be stopped in between: so suspending, resuming and
/// the server's stop all happen under this lock.
final class Exchange: @unchecked Sendable {  // `arrival` is used by the event loop's thread only; the rest is locked.
    enum Phase { case arriving, handling, suspended, resumed, streaming, over }

    private struct State: @unchecked Sendable {  // `connection` is touched under the lock, and only until `over`.
        var phase = Phase.arriving
        var connection: OpaquePointer?
        var answer: Answer?
        var stream: BodyStream?
        var handedOverAt: UInt64 = 0
    }

    let server: ServerCore
    let rawTarget: String
    var arrival = Arrival()
    private let state = Mutex(State())

    init(server: ServerCore, rawTarget: String) {
        self.server = server
        self.rawTarget = rawTarget
    }

    /// Calls the handler, on the event loop. The answer is there at return, or the connection is suspended.
    func handOver(_ request: HTTPRequest, connection: OpaquePointer) -> Answer? {
        let now = monotonicNanoseconds()
        state.withLock { state in
            state.phase = .handling
            state.connection = connection
            state.handedOverAt = now
        }
        server.handler(request, HTTPResponder(self))
        return state.withLock { state in
            if let answer = take(&state.answer) {
                started(answer, &state)
                return answer
            }
            state.phase = .suspended
            server.waiting.add(1, ordering: .relaxed)
            MHD_suspend_connection(connection)
            return nil
        }
    }

    /// Takes the answer of a resumed exchange, on the event loop.
    func takeAnswer() -> Answer? {
        state.withLock { state in
            guard let answer = take(&state.answer) else { return nil }
            started(answer, &state)
            return answer
        }
    }

    private func started(_ answer: Answer, _ state: inout State) {
        guard case .stream(_, let stream, _) = answer, let connection = state.connection else { return }
        state.phase = .streaming
        state.stream = stream
        stream.attach(connection)
    }

    /// The answer, from any thread; only the first counts.
    @discardableResult
    func deliver(_ answer: Answer) -> Bool {
        let taken = state.withLock { state in
            guard state.answer == nil else { return false }
            switch state.phase {
            case .handling:
                state.answer = answer
                return true
            case .suspended:
                guard let connection = state.connection else { return false }
                state.answer = answer
                state.phase = .resumed
                server.waiting.subtract(1, ordering: .relaxed)
                MHD_resume_connection(connection)
                return true
            case .arriving, .resumed, .streaming, .over:
                return false
            }
        }
        // A writer for an answer that nobody will fetch must learn of it.
        if !taken, case .stream(_, let stream, _) = answer { stream.connectionClosed() }
        return taken
    }

    /// The library is through with the request, on the event loop: fetched by the client, or the connection is gone.
    func completed() {
        giveBackBodyRoom()
        let (stream, answer) = state.withLock { state in
            state.phase = .over
            state.connection = nil
            return (take(&state.stream), take(&state.answer))
        }
        stream?.connectionClosed()
        if case .stream(_, let unsent, _)? = answer { unsent.connectionClosed() }
    }

    /// The body is not kept any more. On the event loop.
    func giveBackBodyRoom() {
        arrival.body = []
        server.bodies.giveBack(arrival.bodyRoom, proven: arrival.isProven)
        arrival.bodyRoom = 0
    }

    /// A synchronous answer leaves the handler with nothing more to decide.
    func settleSynchronously() {
        state.withLock { if $0.phase == .handling { $0.phase = .resumed } }
    }

    /// The stream of an answer that is being streamed.
    var stream: BodyStream? { state.withLock { $0.stream } }

    /// When the handler got it, if it still owes the answer (monotonic nanoseconds).
    var waitingSince: UInt64? { state.withLock { $0.phase == .suspended ? $0.handedOverAt : nil } }
}

/// What has arrived of a request so far.
struct Arrival {
    enum Stage {
        case headers, body, handedOver
        /// Answered already, past the library: what still comes is dropped.
        case answeredEarly
    }

    var stage = Stage.headers
    var method = ""
    var headers = HTTPHeaders()
    var target: RequestTarget?
    /// Its body's bound, by its route.
    var bodyLimit = 0
    var body: [UInt8] = []
    /// Taken from the server's `BodyBudget` until the request is over.
    var bodyRoom = 0
    var isProven = false
    var discarded = 0
    /// Set: the request is refused with it as soon as the body is read and dropped.
    var refusal: HTTPResponse?
}
