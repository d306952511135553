/// The one chance to answer a request, from any thread, at any later time. The first answer counts; one that is
/// dropped without an answer answers 500, so that no client waits for a request that nobody holds any more.
public final class HTTPResponder: Sendable {
    private let exchange: Exchange

    init(_ exchange: Exchange) { self.exchange = exchange }

    deinit {
        exchange.deliver(.response(Problem(500, detail: "the request was dropped without an answer").response))
    }

    /// Answers. Returns false when there has been an answer already, or the client is gone.
    @discardableResult
    public func answer(_ response: HTTPResponse) -> Bool {
        exchange.deliver(.response(response))
    }

    /// Answers with a problem document.
    @discardableResult
    public func answer(_ problem: Problem) -> Bool {
        exchange.deliver(.response(problem.response))
    }

    /// Answers with a body that is written later, chunked, or of the given length. Returns nil when there has been an
    /// answer already, or the client is gone. The writer must be finished, failed, or dropped (which fails it).
    public func stream(
        status: Int = 200, contentType: String? = nil, headers: [(name: String, value: String)] = [],
        length: UInt64? = nil
    ) -> HTTPBodyWriter? {
        let stream = BodyStream(capacity: exchange.server.limits.streamBufferBytes)
        let head = HTTPResponse(status: status, contentType: contentType, headers: headers)
        guard exchange.deliver(.stream(head, stream, length: length)) else { return nil }
        return HTTPBodyWriter(stream)
    }

    /// Closes the connection without an answer: with a reset (RST), or an orderly end. For test servers.
    @discardableResult
    public func abort(reset: Bool) -> Bool {
        exchange.deliver(.abort(reset: reset))
    }
}

/// Writes the body of a streamed answer, from any thread, with backpressure.
public final class HTTPBodyWriter: Sendable {
    /// What became of a `write`.
    public enum WriteResult: Sendable, Equatable {
        /// Taken.
        case written
        /// Not taken, not a byte of it: the client has not fetched what it was given. Ask `whenWritable`.
        case full
        /// Not taken: the client is gone, the server stops, or the body was finished.
        case closed
    }

    private let stream: BodyStream

    init(_ stream: BodyStream) { self.stream = stream }

    deinit { stream.end(.failed) }

    /// Hands bytes over. A write larger than the whole buffer is taken when the buffer is empty.
    public func write(_ bytes: [UInt8]) -> WriteResult { stream.write(bytes) }

    /// Calls back once, from the server's thread or this one, as soon as there is room again or the stream is closed.
    /// One callback at a time: a second replaces the first.
    public func whenWritable(_ callback: @escaping @Sendable () -> Void) { stream.whenWritable(callback) }

    /// Whether the client is gone, or the body over.
    public var isClosed: Bool { stream.isClosed }

    /// Hands bytes over and waits for room; false when the stream is closed.
    public func send(_ bytes: [UInt8]) async -> Bool {
        while true {
            switch stream.write(bytes) {
            case .written: return true
            case .closed: return false
            case .full:
                await withCheckedContinuation { continuation in stream.whenWritable { continuation.resume() } }
            }
        }
    }

    /// The body is complete.
    public func finish() { stream.end(.finished) }

    /// The body cannot be completed: what was written is still sent, then the connection is closed in the middle, so
    /// that the client sees it.
    public func fail() { stream.end(.failed) }
}
