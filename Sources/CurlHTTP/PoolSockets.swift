import Glibc
import Synchronization

/// The sockets of one pool: how they are set up and how they end. Belongs to the pool's thread.
///
/// Bytes must not outlive their sender in the kernel: a socket lingers for 0 seconds from the start, so that closing it,
/// or the death of the process, throws away what was not yet delivered; and the kernel gives a connection up
/// when bytes stay unacknowledged for longer than the pool allows.
final class PoolSockets {
    private var open: Set<Int32> = []
    private var unacknowledgedTimeout: Duration
    private let counters: PoolCounters

    init(unacknowledgedTimeout: Duration, counters: PoolCounters) {
        self.unacknowledgedTimeout = unacknowledgedTimeout
        self.counters = counters
    }

    /// A socket was made and is not yet connected; false refuses it.
    func opened(_ socket: Int32) -> Bool {
        guard Self.setLinger(socket, abrupt: true), setUnacknowledgedTimeout(socket) else { return false }
        open.insert(socket)
        counters.openSockets.store(open.count, ordering: .relaxed)
        return true
    }

    /// Closes a socket. With nothing left to deliver the close is orderly; else the rest is thrown away and the
    /// partner sees a reset.
    func close(_ socket: Int32) -> Int32 {
        open.remove(socket)
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
