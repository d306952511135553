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
    /// Bytes of body of the request that is arriving.
    private let arrived = Atomic<Int>(0)
    /// Whether no request line has come yet.
    private let isNew = Atomic<Bool>(true)
    private let ended = Atomic<Bool>(false)
    private let identity = Mutex<ClientIdentity?>(nil)

    init(_ connection: OpaquePointer) {
        descriptor = switchyard_mhd_descriptor(connection)
        (address, port) = socketAddressText(switchyard_mhd_peer(connection))
        phase = Atomic(Phase.idle.rawValue)
        since = Atomic(monotonicNanoseconds())
    }

    func enter(_ next: Phase) {
        since.store(monotonicNanoseconds(), ordering: .relaxed)
        if next == .arriving {
            isNew.store(false, ordering: .relaxed)
            arrived.store(0, ordering: .relaxed)
        }
        phase.store(next.rawValue, ordering: .relaxed)
    }

    func isOverdue(now: UInt64, limits: HTTPServerLimits) -> Bool {
        let age = now &- min(now, since.load(ordering: .relaxed))
        return switch Phase(rawValue: phase.load(ordering: .relaxed)) ?? .idle {
        // A request line that trickles in counts as activity for the library's idle time, so it needs its own bound.
        case .idle where isNew.load(ordering: .relaxed): age > limits.requestTime.nanoseconds
        case .idle: age > (limits.idleTime + limits.requestTime).nanoseconds
        case .arriving: age > limits.requestTime.nanoseconds
        case .sending: age > limits.responseTime.nanoseconds
        case .lingering: age > limits.lingerTime.nanoseconds
        case .handling: false
        }
    }

    /// More of the body is there. On the event loop.
    func received(_ bytes: Int) { arrived.add(bytes, ordering: .relaxed) }

    /// How well it would be to end this connection where there is no room for another; nil: not at all.
    func evictionRank(now: UInt64, limits: HTTPServerLimits) -> EvictionRank? {
        let start = since.load(ordering: .relaxed)
        let age = now &- min(now, start)
        guard age >= limits.evictionAge.nanoseconds else { return nil }
        switch Phase(rawValue: phase.load(ordering: .relaxed)) ?? .idle {
        case .handling, .sending: return nil
        case .lingering: return EvictionRank(kind: 0, rate: 0, since: start)
        case .arriving:
            // Tenths of a second and all of it integers: enough to tell a trickle from an upload.
            let rate = UInt64(arrived.load(ordering: .relaxed)) / max(1, age / 100_000_000)
            return EvictionRank(kind: 1, rate: rate, since: start)
        case .idle: return EvictionRank(kind: isNew.load(ordering: .relaxed) ? 1 : 2, rate: 0, since: start)
        }
    }

    var isEnded: Bool { ended.load(ordering: .relaxed) }

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
    func shutDown() {
        ended.store(true, ordering: .relaxed)
        _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
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
