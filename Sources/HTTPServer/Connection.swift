import CGnuTLS
import CMicroHTTPD
import Glibc
import Synchronization

/// What is known of one TCP connection between its start and its end.
final class Connection: Sendable {
    /// What the connection is doing; the service thread ends it when one of them takes too long.
    enum Phase: UInt8 {
        case idle, arriving, handling, sending
        /// Its request was answered before all of it was there; what still comes is dropped.
        case lingering
    }

    let descriptor: Int32
    let address: String
    let port: UInt16
    private let phase: Atomic<UInt8>
    private let since: Atomic<UInt64>
    private let identity = Mutex<ClientIdentity?>(nil)

    init(_ connection: OpaquePointer) {
        descriptor = switchyard_mhd_descriptor(connection)
        (address, port) = socketAddressText(switchyard_mhd_peer(connection))
        phase = Atomic(Phase.idle.rawValue)
        since = Atomic(monotonicNanoseconds())
    }

    func enter(_ next: Phase) {
        since.store(monotonicNanoseconds(), ordering: .relaxed)
        phase.store(next.rawValue, ordering: .relaxed)
    }

    func isOverdue(now: UInt64, limits: HTTPServerLimits) -> Bool {
        let age = now &- min(now, since.load(ordering: .relaxed))
        return switch Phase(rawValue: phase.load(ordering: .relaxed)) ?? .idle {
        // A request line that trickles in counts as activity for the library's idle time, so it needs its own bound.
        case .idle: age > (limits.idleTime + limits.requestTime).nanoseconds
        case .arriving: age > limits.requestTime.nanoseconds
        case .sending: age > limits.responseTime.nanoseconds
        case .lingering: age > limits.lingerTime.nanoseconds
        case .handling: false
        }
    }

    var isIdle: Bool { phase.load(ordering: .relaxed) == Phase.idle.rawValue }

    /// The verified client, looked up once per connection.
    func client(_ connection: OpaquePointer) -> ClientIdentity {
        identity.withLock { known in
            if let known { return known }
            let found = verifyClient(switchyard_mhd_session(connection))
            known = found
            return found
        }
    }

    /// Whether the client has closed its end; asked for streams that have nothing to send.
    var isHungUp: Bool {
        var poll = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0
    }

    /// Ends the connection from outside: the event loop sees the end and cleans up.
    func shutDown() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// The open connections. A connection leaves before the library closes its socket, so under the lock a descriptor in
/// here is never one that has been given to somebody else.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
    }

    private let state = Mutex(State())

    func insert(_ connection: Connection) {
        state.withLock { $0.connections[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: Connection) {
        state.withLock { _ = $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    var count: Int { state.withLock { $0.connections.count } }

    /// Ends what takes too long; returns how many.
    func reap(now: UInt64, limits: HTTPServerLimits) -> Int {
        state.withLock { state in
            var ended = 0
            for connection in state.connections.values where connection.isOverdue(now: now, limits: limits) {
                connection.shutDown()
                ended += 1
            }
            return ended
        }
    }

    /// Ends the connections that wait for a request.
    func shutDownIdle() {
        state.withLock { state in
            for connection in state.connections.values where connection.isIdle { connection.shutDown() }
        }
    }

    /// Whether the client of that connection is gone; false when the connection is not in the table any more.
    func isHungUp(_ connection: Connection) -> Bool {
        state.withLock { $0.connections[ObjectIdentifier(connection)] != nil && connection.isHungUp }
    }
}

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension Duration {
    /// Whole nanoseconds, 0 for a negative duration.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 1 << 32)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
