import Glibc

/// A client that sends exactly the bytes it is told and reads with a time limit.
final class RawClient {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isOpen = true

    init?(port: UInt16, receiveBuffer: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 {
            close(descriptor)
            isOpen = false
            return nil
        }
    }

    deinit { disconnect() }

    func disconnect(reset: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        if reset {
            var hard = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        }
        close(descriptor)
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    descriptor, raw.baseAddress.map { $0 + offset }, bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            offset += sent
        }
        return true
    }

    enum Piece: Equatable { case bytes, end, reset, timeout }

    /// Reads what comes next into the buffer.
    func receive(milliseconds: Int32 = 5_000) -> Piece {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, milliseconds) > 0 else { return .timeout }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0 { return .reset }
        if count == 0 { return .end }
        buffer.append(contentsOf: chunk[..<count])
        return .bytes
    }

    struct Reply {
        var status: Int
        var head: String
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return String(parts[1].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    /// Reads one answer (Content-Length, chunked, or to the end of the connection); nil when none comes in time.
    func reply(milliseconds: Int32 = 5_000, bodyless: Bool = false) -> Reply? {
        var headEnd: Int?
        while true {
            headEnd = find([13, 10, 13, 10], in: buffer)
            if headEnd != nil { break }
            guard receive(milliseconds: milliseconds) == .bytes else { return nil }
        }
        guard let headEnd else { return nil }
        let head = String(decoding: buffer[..<headEnd], as: UTF8.self)
        buffer.removeFirst(headEnd + 4)
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        var reply = Reply(status: status, head: head, body: [])
        if status == 100 { return self.reply(milliseconds: milliseconds) }
        if bodyless { return reply }
        if let length = reply.header("Content-Length").flatMap({ Int($0) }) {
            while buffer.count < length {
                guard receive(milliseconds: milliseconds) == .bytes else { return nil }
            }
            reply.body = Array(buffer[..<length])
            buffer.removeFirst(length)
        } else if reply.header("Transfer-Encoding") == "chunked" {
            while let chunk = chunk(milliseconds: milliseconds), !chunk.isEmpty { reply.body += chunk }
        }
        return reply
    }

    /// Reads one chunk; empty: the last one; nil: broken off, or nothing in time.
    func chunk(milliseconds: Int32 = 5_000) -> [UInt8]? {
        guard let line = line(milliseconds: milliseconds), let size = Int(line, radix: 16) else { return nil }
        while buffer.count < size + 2 {
            guard receive(milliseconds: milliseconds) == .bytes else { return nil }
        }
        let chunk = Array(buffer[..<size])
        buffer.removeFirst(size + 2)
        return chunk
    }

    private func line(milliseconds: Int32) -> String? {
        while true {
            if let end = find([13, 10], in: buffer) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 2)
                return line
            }
            guard receive(milliseconds: milliseconds) == .bytes else { return nil }
        }
    }

    private func find(_ needle: [UInt8], in hay: [UInt8]) -> Int? {
        guard hay.count >= needle.count else { return nil }
        return (0...(hay.count - needle.count)).first { hay[$0..<($0 + needle.count)].elementsEqual(needle) }
    }

    /// Whether the server ends the connection within that time.
    func isClosed(within milliseconds: Int32) -> Bool {
        switch receive(milliseconds: milliseconds) {
        case .end, .reset: true
        case .timeout: false
        case .bytes: isClosed(within: milliseconds)
        }
    }
}

func request(_ method: String, _ path: String, headers: String = "", body: String = "") -> String {
    let length = body.isEmpty && method == "GET" ? "" : "Content-Length: \(body.utf8.count)\r\n"
    return "\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(length)\(headers)\r\n\(body)"
}
