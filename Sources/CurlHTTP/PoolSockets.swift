import Glibc
import Synchronization

/// The sockets of one pool: how they are set up and how they end. Belongs to the pool's thread.
///
/// Bytes must not outlive their sender in the kernel: a socket lingers for 0 seconds from the start, so that closing it,
/// or the death of the process, throws away what was not yet delivered; and the kernel gives a connection up
/// when bytes stay unacknowledged for longer than the pool allows.
final class PoolSockets {
    /// A connection's two ports name its socket.
    private struct Ports: Hashable {
        let local: UInt16
        let remote: UInt16
    }

    private var open: Set<Int32> = []
    /// Where the pool's thread waits for them.
    let events: PoolEvents
    private var byPorts: [Ports: Int32] = [:]
    private var unacknowledgedTimeout: Duration
    private let counters: PoolCounters
    /// The earliest time-out that was set since it was last asked for: nobody need look at every exchange.
    private var earliestDue = MonotonicTime(nanoseconds: .max)

    init(unacknowledgedTimeout: Duration, counters: PoolCounters, events: PoolEvents) {
        self.unacknowledgedTimeout = unacknowledgedTimeout
        self.counters = counters
        self.events = events
    }

    /// curl waits for a socket; those of its own (a name's resolution) may be closed without our hearing of it.
    func watch(_ socket: Int32, _ what: Int32) { events.watch(socket, what, stays: open.contains(socket)) }

    /// A socket was made and is not yet connected; false refuses it.
    func opened(_ socket: Int32) -> Bool {
        events.forget(socket)
        guard Self.setLinger(socket, abrupt: true), setUnacknowledgedTimeout(socket) else { return false }
        open.insert(socket)
        counters.openSockets.store(open.count, ordering: .relaxed)
        return true
    }

    /// An exchange must be looked at by then.
    func note(due: MonotonicTime) { earliestDue = min(earliestDue, due) }

    /// The earliest moment noted since the last call; `.max` for none.
    func takeEarliestDue() -> MonotonicTime {
        defer { earliestDue = MonotonicTime(nanoseconds: .max) }
        return earliestDue
    }

    /// Closes a socket. With nothing left to deliver the close is orderly; else the rest is thrown away and the
    /// partner sees a reset.
    func close(_ socket: Int32) -> Int32 {
        open.remove(socket)
        events.forget(socket)
        if let known = byPorts.first(where: { $0.value == socket }) { byPorts[known.key] = nil }
        counters.openSockets.store(open.count, ordering: .relaxed)
        var undelivered: Int32 = 0
        if ioctl(socket, UInt(TIOCOUTQ), &undelivered) == 0, undelivered == 0 {
            _ = Self.setLinger(socket, abrupt: false)
        }
        return Glibc.close(socket)
    }

    /// Closes a socket without delivering anything more.
    static func closeAbruptly(_ socket: Int32) -> Int32 { Glibc.close(socket) }

    /// A new bound, for the connections that are open, too.
    func change(unacknowledgedTimeout: Duration) {
        self.unacknowledgedTimeout = unacknowledgedTimeout
        for socket in open { _ = setUnacknowledgedTimeout(socket) }
    }

    /// Holds back what is written to the connection with these ports until `release`, so that head and body, which
    /// curl writes one after the other, leave as one segment: half the packets and half the partner's wake-ups. The kernel
    /// lets go by itself after 200 ms. Nil where the socket is not found; then nothing is held.
    func hold(localPort: UInt16, remotePort: UInt16) -> Int32? {
        let ports = Ports(local: localPort, remote: remotePort)
        guard let socket = byPorts[ports] ?? find(ports), Self.setCork(socket, true) else { return nil }
        return socket
    }

    /// Lets go what `hold` held back.
    static func release(_ socket: Int32) { _ = setCork(socket, false) }

    private func find(_ ports: Ports) -> Int32? {
        for socket in open where Self.localPort(socket) == ports.local && Self.remotePort(socket) == ports.remote {
            byPorts[ports] = socket
            return socket
        }
        return nil
    }

    private static func setCork(_ socket: Int32, _ on: Bool) -> Bool {
        var value: Int32 = on ? 1 : 0
        return setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    private static func localPort(_ socket: Int32) -> UInt16? { port { getsockname(socket, $0, $1) } }

    private static func remotePort(_ socket: Int32) -> UInt16? { port { getpeername(socket, $0, $1) } }

    /// The port lies at the same place in addresses of IPv4 and IPv6.
    private static func port(
        _ name: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> UInt16? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), name(start, &size) == 0 else {
                return nil
            }
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    private func setUnacknowledgedTimeout(_ socket: Int32) -> Bool {
        var milliseconds = UInt32(clamping: unacknowledgedTimeout.wholeMilliseconds)
        let size = socklen_t(MemoryLayout<UInt32>.size)
        return setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, size) == 0
    }

    private static func setLinger(_ socket: Int32, abrupt: Bool) -> Bool {
        var value = linger(l_onoff: abrupt ? 1 : 0, l_linger: 0)
        return setsockopt(socket, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size)) == 0
    }
}
