import CMicroHTTPD
import Glibc

/// A bound, listening TCP socket; closed at the end of its life. It can stop listening and start again on its port.
struct ListeningSocket: ~Copyable {
    let descriptor: Int32
    let port: UInt16
    private let backlog: Int32 = 1_024

    /// Binds and listens. Throws `unresolvable` or `system`.
    init(host: String, port: UInt16) throws(HTTPServerError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            throw .unresolvable(host: host)
        }
        defer { freeaddrinfo(first) }
        var descriptor = try ListeningSocket.bound(first.pointee)
        var actual = ListeningSocket.localPort(descriptor)
        if port == 0 {
            // Bind the port that was chosen explicitly: only then does it stay ours while we do not listen.
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
            }
            var chosen = first.pointee
            let second = try withUnsafeMutablePointer(to: &storage) { pointer throws(HTTPServerError) -> Int32 in
                chosen.ai_addr = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
                return try ListeningSocket.bound(chosen)
            }
            close(descriptor)
            descriptor = second
            actual = ListeningSocket.localPort(second)
        }
        guard listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            throw .system(call: "listen", code: code)
        }
        self.descriptor = descriptor
        self.port = actual
    }

    deinit { close(descriptor) }

    private static func bound(_ info: addrinfo) throws(HTTPServerError) -> Int32 {
        let kind = info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(info.ai_family, kind, info.ai_protocol)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
            let code = errno
            close(descriptor)
            throw .system(call: "bind", code: code)
        }
        return descriptor
    }

    private static func localPort(_ descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = getsockname(descriptor, $0, &length)
                return socketAddressText($0).port
            }
        }
    }

    /// Stops listening: connects are refused, those that wait in the backlog are reset. The port stays bound.
    func stopListening() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Whether a connection waits to be accepted.
    var hasWaiting: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    /// Listens again.
    func listenAgain() -> Bool { listen(descriptor, backlog) == 0 }
}

/// Numeric address and port.
func socketAddressText(_ address: UnsafePointer<sockaddr>?) -> (address: String, port: UInt16) {
    guard let address else { return ("", 0) }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let raw = UnsafeRawPointer(address)
    let port: UInt16
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
        var four = raw.loadUnaligned(as: sockaddr_in.self)
        inet_ntop(AF_INET, &four.sin_addr, &text, socklen_t(text.count))
        port = UInt16(bigEndian: four.sin_port)
    case AF_INET6:
        var six = raw.loadUnaligned(as: sockaddr_in6.self)
        inet_ntop(AF_INET6, &six.sin6_addr, &text, socklen_t(text.count))
        port = UInt16(bigEndian: six.sin6_port)
    default:
        return ("", 0)
    }
    return (String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self), port)
}

func systemErrorText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
