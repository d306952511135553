import CMicroHTTPD
import Glibc
import Synchronization

/// Accepts connections, and ends those that take too long. One thread per server; it sleeps in `poll`.
final class ServiceThread: @unchecked Sendable {  // `socket` and `daemon` belong to this thread; the rest is locked.
    private struct Orders {
        var isAccepting = true
        var isEnding = false
        /// Not listening until then (monotonic nanoseconds).
        var refusingUntil: UInt64 = 0
    }

    private let core: ServerCore
    private let daemon: OpaquePointer
    private let socket: ListeningSocket
    /// A pair of sockets: what is written to the second wakes the thread, which polls the first.
    private let wake: (reader: Int32, writer: Int32)
    private let orders = Mutex(Orders())
    private let thread = Mutex<pthread_t?>(nil)
    private var isListening = true
    private let tickMilliseconds: UInt64 = 250

    init(core: ServerCore, daemon: OpaquePointer, socket: consuming ListeningSocket) throws(HTTPServerError) {
        self.core = core
        self.daemon = daemon
        self.socket = socket
        var pair: (Int32, Int32) = (-1, -1)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let result = withUnsafeMutableBytes(of: &pair) { raw in
            socketpair(AF_UNIX, kind, 0, raw.bindMemory(to: Int32.self).baseAddress)
        }
        wake = pair
        guard result == 0 else { throw .system(call: "socketpair", code: errno) }
    }

    deinit {
        close(wake.reader)
        close(wake.writer)
    }

    func start() throws(HTTPServerError) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ServiceThread>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .system(call: "pthread_create", code: code)
        }
        thread.withLock { $0 = handle }
    }

    private func signal() {
        var one: UInt8 = 1
        _ = write(wake.writer, &one, 1)
    }

    /// No new connections from now on.
    func stopAccepting() {
        orders.withLock { $0.isAccepting = false }
        signal()
    }

    /// Does not listen for that long: connects are refused by the kernel, connections that are or become idle are closed.
    func refuse(for duration: Duration) {
        let until = monotonicNanoseconds() + duration.nanoseconds
        orders.withLock { $0.refusingUntil = until }
        signal()
    }

    /// Ends the thread and waits for its end.
    func end() {
        orders.withLock { $0.isEnding = true }
        signal()
        if let handle = thread.withLock({ take(&$0) }) { pthread_join(handle, nil) }
    }

    private func run() {
        var lastTick = monotonicNanoseconds()
        while true {
            let order = orders.withLock { $0 }
            if order.isEnding { return }
            let now = monotonicNanoseconds()
            listen(order, now: now)
            let full = core.connections.count >= core.limits.connections
            let accepts = isListening && !full
            var polled = [
                pollfd(fd: wake.reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: accepts ? socket.descriptor : -1, events: Int16(POLLIN), revents: 0),
            ]
            var timeout = tickMilliseconds
            if full { timeout = 5 }
            if order.refusingUntil > now { timeout = min(20, (order.refusingUntil - now) / 1_000_000 + 1) }
            _ = poll(&polled, nfds_t(polled.count), Int32(timeout))
            if polled[0].revents != 0 {
                var drained: UInt64 = 0
                _ = read(wake.reader, &drained, 8)
            }
            if full && isListening && socket.hasWaiting { _ = core.evict() }
            // Asked again: connections accepted before may have been counted while this thread slept.
            if polled[1].revents != 0 && core.connections.count < core.limits.connections { acceptAll() }
            let after = monotonicNanoseconds()
            if after - lastTick >= tickMilliseconds * 1_000_000 {
                lastTick = after
                core.reap(now: after)
                core.sweep(now: after)
            }
        }
    }

    private func listen(_ order: Orders, now: UInt64) {
        let wanted = order.isAccepting && order.refusingUntil <= now
        if isListening && !wanted {
            socket.stopListening()
            isListening = false
        } else if !isListening && wanted {
            isListening = socket.listenAgain()
        }
        // Also those that become idle meanwhile: a kept connection would be a way around the refusal.
        if order.isAccepting && order.refusingUntil > now { core.connections.shutDownIdle() }
    }

    private func acceptAll() {
        // Bounded, so that a flood of connects does not keep the thread from its other duty.
        for _ in 0..<128 {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    accept(socket.descriptor, $0, &length)
                }
            }
            guard descriptor >= 0 else {
                // Out of descriptors or memory: leave the rest in the backlog for a moment instead of spinning.
                if errno != EAGAIN && errno != EWOULDBLOCK && errno != ECONNABORTED { usleep(20_000) }
                return
            }
            guard hasRoom(&storage) else {
                close(descriptor)
                continue
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            // It closes the socket itself where it refuses: a burst beyond the address' limit.
            let added = withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    MHD_add_connection(daemon, descriptor, $0, length)
                }
            }
            if added != .YES { core.refused(addressText(&storage)) }
            if core.connections.count >= core.limits.connections { return }
        }
    }

    /// Whether the address may have another connection, if need be for the one of its own that is missed least: slow
    /// connections must not lock out the others of their address, probes of our health among them.
    private func hasRoom(_ storage: inout sockaddr_storage) -> Bool {
        let limit = core.limits.connectionsPerAddress
        guard limit > 0 else { return true }
        let address = addressText(&storage)
        if core.connections.count(of: address) < limit || core.evict(from: address) { return true }
        core.refused(address)
        return false
    }

    private func addressText(_ storage: inout sockaddr_storage) -> String {
        withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { socketAddressText($0).address }
        }
    }
}
