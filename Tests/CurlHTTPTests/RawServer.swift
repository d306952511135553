import Foundation
import Glibc
import Synchronization

/// One request as the server saw it.
struct SeenRequest: Sendable {
    let connection: Int
    let head: String
    let body: [UInt8]

    var line: String { head.components(separatedBy: "\r\n").first ?? "" }

    func header(_ name: String) -> String? {
        for line in head.components(separatedBy: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0].lowercased() == name {
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        return nil
    }
}

/// A server of plain sockets on loopback whose every byte a test decides. One thread per connection.
final class RawServer: Sendable {
    typealias Script = @Sendable (RawConnection) -> Void

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    struct State: Sendable {
        var accepted = 0
        var open = 0
        var mostOpen = 0
        var requests: [SeenRequest] = []
        var bytes = 0
    }

    /// With `tls`, each connection begins with a handshake in which HTTP/2 is negotiated.
    init(tls: TLSContext? = nil, _ script: @escaping Script) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = Self.bind(listener)
        listen(listener, 512)
        let listener = self.listener
        Thread.detachNewThread { [weak self] in
            while true {
                let accepted = accept(listener, nil, nil)
                guard accepted >= 0, let self else { return }
                let index = self.state.withLock { state in
                    state.accepted += 1
                    state.open += 1
                    state.mostOpen = max(state.mostOpen, state.open)
                    return state.accepted
                }
                Thread.detachNewThread {
                    let connection = RawConnection(accepted, index: index, server: self, tls: tls)
                    script(connection)
                    self.state.withLock { $0.open -= 1 }
                    connection.close()
                }
            }
        }
    }

    deinit { stop() }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    var requests: [SeenRequest] { state.withLock { $0.requests } }
    var accepted: Int { state.withLock { $0.accepted } }
    var mostOpen: Int { state.withLock { $0.mostOpen } }
    var bytes: Int { state.withLock { $0.bytes } }
    var url: String { "http://127.0.0.1:\(port)" }

    fileprivate func saw(_ request: SeenRequest) { state.withLock { $0.requests.append(request) } }
    fileprivate func read(_ count: Int) { state.withLock { $0.bytes += count } }

    /// Binds to a free port of loopback and tells which.
    static func bind(_ socket: Int32) -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard Glibc.bind(socket, $0, size) == 0 else { fatalError("no loopback port to bind") }
                getsockname(socket, $0, &size)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// A port of loopback on which nobody listens.
    static func deadPort() -> UInt16 {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(probe) }
        return bind(probe)
    }
}

/// One accepted connection; used by its own thread only.
final class RawConnection: @unchecked Sendable {
    let index: Int
    private let descriptor: Int32
    private let server: RawServer
    private var buffer: [UInt8] = []
    private var closed = false
    private var session: TLSSession?

    init(_ descriptor: Int32, index: Int, server: RawServer, tls: TLSContext?) {
        self.descriptor = descriptor
        self.index = index
        self.server = server
        var limit = timeval(tv_sec: 15, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        session = tls.map { TLSSession($0, descriptor) }
    }

    /// Reads what is there; 0 at the end, negative errno on an error.
    func receive(_ most: Int = 65536) -> Int {
        var chunk = [UInt8](repeating: 0, count: most)
        let count = session?.read(&chunk) ?? recv(descriptor, &chunk, most, 0)
        if count < 0 { return -Int(errno) }
        buffer.append(contentsOf: chunk[..<count])
        server.read(count)
        return count
    }

    /// Waits until bytes have come, without reading them.
    func waitForBytes() {
        var byte: UInt8 = 0
        recv(descriptor, &byte, 1, Int32(MSG_PEEK))
    }

    /// Reads one request with its `Content-Length` body.
    func request() -> SeenRequest? {
        guard let head = head() else { return nil }
        let probe = SeenRequest(connection: index, head: head, body: [])
        let length = probe.header("content-length").flatMap(Int.init) ?? 0
        while buffer.count < length { if receive() <= 0 { return nil } }
        let request = SeenRequest(connection: index, head: head, body: Array(buffer[..<length]))
        buffer.removeFirst(length)
        server.saw(request)
        return request
    }

    /// Reads a head only.
    func head() -> String? {
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                buffer.removeSubrange(..<end.upperBound)
                return head
            }
            guard receive() > 0 else { return nil }
        }
    }

    /// Takes exactly so many bytes.
    func take(_ count: Int) -> [UInt8]? {
        while buffer.count < count { if receive() <= 0 { return nil } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        if let session { return session.write(bytes) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                let rest = UnsafeRawBufferPointer(rebasing: raw[sent...])
                return Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func answer(_ status: String = "200 OK", _ body: String = "ok", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Waits until the other side has closed or reset.
    func waitForEnd() { while receive() > 0 {} }

    func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        guard !closed else { return }
        closed = true
        session?.end()
        Glibc.close(descriptor)
    }
}
