import CMicroHTTPD
import Glibc
import Synchronization

/// An HTTP/1.1 server over libmicrohttpd: one epoll thread (or some), requests handed over complete, answers from any
/// thread at any later time while the connection sleeps. Every limit is explicit (`HTTPServerLimits`).
///
/// What it refuses before the handler: too many waiting requests (503 or 429 with `Retry-After`, nothing of the request
/// is looked at), ambiguous framing (400), headers that are too large (431), connections without a verified client
/// certificate where one is required (403); and, when the head is there and nothing of the body is kept, what its
/// route does not admit (`HTTPAdmission`), a body above the route's bound (413) and one for which there is no room
/// (503 with `Retry-After`). A refused body is answered at once, in the middle of it if need be.
///
/// All these refusals are RFC 9457 problem documents. Not so the answers of libmicrohttpd's own parser, which has no
/// hook before or in place of them (0.9.75, `transmit_error_response_len`): short HTML pages, and the connection closed,
/// for a version other than HTTP/1.x (400, 505), a header line without a colon (400), a malformed or too large
/// `Content-Length` (400, 413; sent twice, as the parser goes on after its first answer) or chunk (400, 413), a request
/// line (414) or headers (431) beyond `connectionMemoryBytes`. The first answer says `Connection: close`; a client never
/// takes the second for an answer to another request.
public final class HTTPServer: @unchecked Sendable {  // `daemon` is written once before and once after all use; locked.
    /// Called on the event loop for each request; must not block. The responder may be kept and answered later.
    public typealias Handler = @Sendable (HTTPRequest, HTTPResponder) -> Void

    /// The port that the server really listens on.
    public let port: UInt16
    private let core: ServerCore
    private let service: ServiceThread
    private let stopGrace: Duration
    private let daemon: Mutex<Daemon?>

    /// The library's handle, and the reference that its callbacks live on.
    private struct Daemon: @unchecked Sendable {  // Only moved in and out under the lock.
        var handle: OpaquePointer
        var context: Unmanaged<ServerCore>
    }

    /// Called on the event loop for each request that announces a body, when its head is there and before any of the
    /// body is kept: the request it gets has none. Must not block.
    public typealias Admission = @Sendable (HTTPRequest) -> HTTPAdmission

    /// Starts listening; requests may arrive before this returns. Without `admission` every body up to
    /// `HTTPServerLimits.bodyBytes` is taken. Throws `HTTPServerError`.
    public init(
        _ configuration: HTTPServerConfiguration, admission: Admission? = nil, handler: @escaping Handler
    ) throws(HTTPServerError) {
        try HTTPServer.check(configuration)
        let socket = try ListeningSocket(host: configuration.host, port: configuration.port)
        let core = ServerCore(configuration, admission, handler)
        let context = Unmanaged.passRetained(core)
        guard let handle = HTTPServer.startDaemon(configuration, context.toOpaque()) else {
            context.release()
            throw .notStarted(tls: configuration.tls != nil)
        }
        self.core = core
        port = socket.port
        stopGrace = configuration.stopGrace
        daemon = Mutex(Daemon(handle: handle, context: context))
        do throws(HTTPServerError) {
            service = try ServiceThread(core: core, daemon: handle, socket: socket)
            try service.start()
        } catch {
            MHD_stop_daemon(handle)
            context.release()
            throw error
        }
    }

    /// Starts a server that answers by routes. Throws `HTTPServerError`.
    public convenience init(_ configuration: HTTPServerConfiguration, router: HTTPRouter) throws(HTTPServerError) {
        try self.init(configuration, admission: { router.admit($0) }) { request, responder in
            router.handle(request, responder)
        }
    }

    deinit { stop() }

    private static func check(_ configuration: HTTPServerConfiguration) throws(HTTPServerError) {
        let limits = configuration.limits
        guard (1...1_000_000).contains(limits.connections) else { throw .badLimit("connections") }
        guard limits.connectionsPerAddress >= 0 else { throw .badLimit("connectionsPerAddress") }
        guard limits.headerBytes >= 256 else { throw .badLimit("headerBytes") }
        // The library keeps line, headers, their index and the answer's head in this memory.
        guard limits.connectionMemoryBytes >= limits.headerBytes * 2 + 4_096 else {
            throw .badLimit("connectionMemoryBytes (at least twice headerBytes, and 4096)")
        }
        guard limits.bodyBytes >= 0, limits.discardedBodyBytes >= 0, limits.skippedBodyBytes >= 0 else {
            throw .badLimit("bodyBytes, discardedBodyBytes, skippedBodyBytes")
        }
        guard limits.bufferedBodyBytes >= limits.bodyBytes else {
            throw .badLimit("bufferedBodyBytes (at least bodyBytes)")
        }
        guard limits.waitingRequests > 0 else { throw .badLimit("waitingRequests") }
        guard limits.streamBufferBytes > 0 else { throw .badLimit("streamBufferBytes") }
        guard limits.idleTime >= .milliseconds(1), limits.requestTime > .zero, limits.answerTime > .zero else {
            throw .badLimit("idleTime, requestTime, answerTime")
        }
        guard (1...64).contains(configuration.threads) else { throw .badLimit("threads") }
        guard configuration.overload.status == 503 || configuration.overload.status == 429 else {
            throw .badLimit("overload.status")
        }
    }

    private static func startDaemon(
        _ configuration: HTTPServerConfiguration, _ context: UnsafeMutableRawPointer
    ) -> OpaquePointer? {
        let limits = configuration.limits
        var options = switchyard_mhd_options()
        options.threads = UInt32(configuration.threads)
        // The service thread keeps the limit; the library's is a little higher, so that it never has to refuse.
        options.connections = UInt32(limits.connections + 256)
        // So is its limit per address: those that were told to end still count for it.
        let perAddress = limits.connectionsPerAddress
        options.connections_per_address = UInt32(clamping: perAddress == 0 ? 0 : perAddress + perAddress / 8 + 64)
        options.idle_seconds = UInt32(clamping: (limits.idleTime.nanoseconds + 999_999_999) / 1_000_000_000)
        options.connection_memory = limits.connectionMemoryBytes
        options.access = EventLoop.access
        options.target = EventLoop.targetArrived
        options.completed = EventLoop.completed
        options.connection = EventLoop.connectionChanged
        guard let tls = configuration.tls else { return switchyard_mhd_start(&options, context) }
        return tls.privateKey.withCString { key in
            tls.certificateChain.withCString { certificate in
                tls.priorities.withCString { priorities in
                    options.key = key
                    options.certificate = certificate
                    options.priorities = priorities
                    guard let authorities = tls.clientAuthorities else {
                        return switchyard_mhd_start(&options, context)
                    }
                    return authorities.withCString { trust in
                        options.trust = trust
                        return switchyard_mhd_start(&options, context)
                    }
                }
            }
        }
    }

    /// Stops: no new connections, requests under way get `stopGrace` to be answered, what still waits then gets 503,
    /// streams are closed; every suspended connection is resumed before the library is stopped. Blocks until
    /// all is over; must not be called from a handler. A second call does nothing.
    public func stop() {
        guard let daemon = daemon.withLock({ take(&$0) }) else { return }
        service.stopAccepting()
        waitUntilIdle(stopGrace)
        core.beginStopping()
        for (exchange, _) in core.underWay {
            exchange.deliver(.response(Problem(503, detail: "the server is stopping").response))
            exchange.stream?.end(.failed)
        }
        waitUntilIdle(.seconds(1))
        // A stream that was opened meanwhile; from here on nothing begins any more.
        for (exchange, _) in core.underWay { exchange.stream?.end(.failed) }
        service.end()
        MHD_stop_daemon(daemon.handle)
        daemon.context.release()
    }

    private func waitUntilIdle(_ limit: Duration) {
        let end = monotonicNanoseconds() + limit.nanoseconds
        while core.underWay.contains(where: { $0.exchange.stream == nil }) && monotonicNanoseconds() < end {
            usleep(2_000)
        }
    }

    /// For test servers: for that long the port refuses connections (ECONNREFUSED), and connections that are or become
    /// idle are closed. Zero ends it.
    public func refuseConnections(for duration: Duration) { service.refuse(for: duration) }

    /// Counts since the start.
    public var statistics: HTTPServerStatistics {
        HTTPServerStatistics(
            connections: core.counters.connections.load(ordering: .relaxed), openConnections: core.connections.count,
            requests: core.counters.requests.load(ordering: .relaxed),
            waitingRequests: core.waiting.load(ordering: .relaxed), bufferedBodyBytes: core.bodies.used,
            overloaded: core.counters.overloaded.load(ordering: .relaxed),
            refused: core.counters.refused.load(ordering: .relaxed),
            bodiesTooLarge: core.counters.bodiesTooLarge.load(ordering: .relaxed),
            bodiesWithoutRoom: core.counters.bodiesWithoutRoom.load(ordering: .relaxed),
            certificatesRefused: core.counters.certificatesRefused.load(ordering: .relaxed),
            evictedConnections: core.counters.evicted.load(ordering: .relaxed),
            refusedConnections: core.counters.connectionsRefused.load(ordering: .relaxed),
            overdueConnections: core.counters.overdue.load(ordering: .relaxed),
            overdueAnswers: core.counters.answersOverdue.load(ordering: .relaxed),
            serverErrors: core.counters.serverErrors.load(ordering: .relaxed))
    }
}

/// Counts of a server since its start, but for the two that say what is now.
public struct HTTPServerStatistics: Sendable, Equatable {
    /// Connections accepted.
    public var connections: UInt64
    /// Connections that are open now.
    public var openConnections: Int
    /// Requests whose headers arrived.
    public var requests: UInt64
    /// Requests that wait for their answer now.
    public var waitingRequests: Int
    /// Bytes of the bodies of all requests that are not answered yet; see `HTTPServerLimits.bufferedBodyBytes`.
    public var bufferedBodyBytes: Int
    /// Requests refused because too many waited.
    public var overloaded: UInt64
    /// Requests refused before the handler: for size or load, or because their route did not admit their body.
    public var refused: UInt64
    /// Among them, those whose body is above the bound of its route (413).
    public var bodiesTooLarge: UInt64
    /// Among them, those refused for want of room for their body (503).
    public var bodiesWithoutRoom: UInt64
    /// Requests refused for want of a verified client certificate.
    public var certificatesRefused: UInt64
    /// Connections ended to make room for others.
    public var evictedConnections: UInt64
    /// Connections closed unread for want of room.
    public var refusedConnections: UInt64
    /// Connections ended because a request or an answer took too long.
    public var overdueConnections: UInt64
    /// Requests that got 503 because the handler did not answer in time.
    public var overdueAnswers: UInt64
    /// Answers with a status of 500 or above, whoever gave them.
    public var serverErrors: UInt64
}
