import CMicroHTTPD
import Synchronization

/// What the event loop, the service thread and the responders share; outlives the daemon.
final class ServerCore: Sendable {
    private struct Registry {
        var isStopping = false
        var exchanges: [ObjectIdentifier: (exchange: Exchange, connection: Connection)] = [:]
    }

    let limits: HTTPServerLimits
    let overload: OverloadAnswer
    let asksForCertificate: Bool
    let handler: HTTPServer.Handler
    let admission: HTTPServer.Admission
    let bodies: BodyBudget
    let connections = ConnectionTable()
    /// Requests whose connection is suspended until their answer comes.
    let waiting = Atomic<Int>(0)
    let counters = Counters()
    let board = NoticeBoard()
    private let notice: (@Sendable (HTTPServerNotice) -> Void)?
    private let noticeInterval: Duration
    private let registry = Mutex(Registry())

    init(
        _ configuration: HTTPServerConfiguration, _ admission: HTTPServer.Admission?,
        _ handler: @escaping HTTPServer.Handler
    ) {
        limits = configuration.limits
        let bodyBytes = configuration.limits.bodyBytes
        self.admission = admission ?? { _ in .accept(bodyBytes: bodyBytes, proven: true) }
        bodies = BodyBudget(limit: configuration.limits.bufferedBodyBytes)
        overload = configuration.overload
        notice = configuration.notice
        noticeInterval = configuration.noticeInterval
        asksForCertificate = configuration.tls?.clientAuthorities != nil
        self.handler = handler
    }

    /// False: the server stops, nothing new is begun.
    func begin(_ exchange: Exchange, _ connection: Connection) -> Bool {
        registry.withLock { registry in
            guard !registry.isStopping else { return false }
            registry.exchanges[ObjectIdentifier(exchange)] = (exchange, connection)
            return true
        }
    }

    func end(_ exchange: Exchange) {
        registry.withLock { _ = $0.exchanges.removeValue(forKey: ObjectIdentifier(exchange)) }
    }

    func beginStopping() { registry.withLock { $0.isStopping = true } }

    var isStopping: Bool { registry.withLock { $0.isStopping } }

    /// Everything between its handler's start and the last byte of its answer.
    var underWay: [(exchange: Exchange, connection: Connection)] { registry.withLock { Array($0.exchanges.values) } }

    /// Ends a connection of an address, or any, to make room; false where there is none to end.
    func evict(from address: String? = nil) -> Bool {
        guard let victim = connections.evict(from: address, now: monotonicNanoseconds(), limits: limits) else {
            return false
        }
        counters.evicted.add(1, ordering: .relaxed)
        board.add(.connectionsEvicted, victim)
        return true
    }

    func refused(_ address: String) {
        counters.connectionsRefused.add(1, ordering: .relaxed)
        board.add(.connectionsRefused, address)
    }

    /// Ends what takes too long, and tells what happened.
    func reap(now: UInt64) {
        for address in connections.reap(now: now, limits: limits) {
            counters.overdue.add(1, ordering: .relaxed)
            board.add(.connectionsOverdue, address)
        }
        guard let notice else { return }
        for due in board.due(now: now, interval: noticeInterval) { notice(due) }
    }

    /// Streams that nobody fetches any more, and requests that the handler has forgotten.
    func sweep(now: UInt64) {
        let limit = limits.answerTime.nanoseconds
        for (exchange, connection) in underWay {
            if let since = exchange.waitingSince, now &- min(now, since) > limit {
                if exchange.deliver(.response(Problem(503, detail: "no answer in time").response)) {
                    counters.answersOverdue.add(1, ordering: .relaxed)
                }
            } else if let stream = exchange.stream, connections.isHungUp(connection) {
                stream.hangUp()
            }
        }
    }
}

/// Counts since the start.
final class Counters: Sendable {
    let connections = Atomic<UInt64>(0)
    let requests = Atomic<UInt64>(0)
    let overloaded = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let bodiesTooLarge = Atomic<UInt64>(0)
    let bodiesWithoutRoom = Atomic<UInt64>(0)
    let certificatesRefused = Atomic<UInt64>(0)
    let evicted = Atomic<UInt64>(0)
    let connectionsRefused = Atomic<UInt64>(0)
    let overdue = Atomic<UInt64>(0)
    let answersOverdue = Atomic<UInt64>(0)
    let serverErrors = Atomic<UInt64>(0)
}
