/// Headers as received, kept as bytes in one block: a handler that reads two of twelve pays for two.
public struct HTTPHeaders: Sendable {
    private struct Field {
        var nameStart: Int
        var nameEnd: Int
        var valueEnd: Int
    }

    private var bytes: [UInt8] = []
    private var fields: [Field] = []

    /// No headers.
    public init() {}

    /// Headers from pairs, in their order; for tests and simulations.
    public init(_ pairs: [(String, String)]) {
        for (name, value) in pairs {
            append(name: Array(name.utf8).span, value: Array(value.utf8).span)
        }
    }

    mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let nameStart = bytes.count
        for index in name.indices { bytes.append(name[index]) }
        let nameEnd = bytes.count
        for index in value.indices { bytes.append(value[index]) }
        fields.append(Field(nameStart: nameStart, nameEnd: nameEnd, valueEnd: bytes.count))
    }

    /// Number of header lines.
    public var count: Int { fields.count }

    /// The value of the first line with that name (case does not matter), nil when there is none. Linear in the lines.
    public subscript(name: String) -> String? {
        for field in fields where matches(field, name) {
            return String(decoding: bytes[field.nameEnd..<field.valueEnd], as: UTF8.self)
        }
        return nil
    }

    /// How many lines have that name.
    func count(of name: String) -> Int { fields.count { matches($0, name) } }

    /// Whether a name holds a space or a control character: `Content-Length : 5` is what one reader takes for a length
    /// and the next one does not (RFC 9112 section 5.1). The library lets it through.
    var hasMalformedName: Bool {
        fields.contains { field in
            bytes[field.nameStart..<field.nameEnd].contains { $0 <= 0x20 || $0 == 0x7f }
        }
    }

    /// The values of all lines with that name, in their order.
    public func values(of name: String) -> [String] {
        fields.filter { matches($0, name) }.map { String(decoding: bytes[$0.nameEnd..<$0.valueEnd], as: UTF8.self) }
    }

    /// All lines in their order, names as sent.
    public var all: [(name: String, value: String)] {
        fields.map {
            (
                String(decoding: bytes[$0.nameStart..<$0.nameEnd], as: UTF8.self),
                String(decoding: bytes[$0.nameEnd..<$0.valueEnd], as: UTF8.self)
            )
        }
    }

    private func matches(_ field: Field, _ name: String) -> Bool {
        let utf8 = name.utf8
        guard utf8.count == field.nameEnd - field.nameStart else { return false }
        var index = field.nameStart
        for byte in utf8 {
            guard lowercased(byte) == lowercased(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    private func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}

/// The other end of a connection.
public struct HTTPPeer: Sendable, Equatable {
    /// Numeric address (`127.0.0.1`, `::1`).
    public let address: String
    /// Port.
    public let port: UInt16
    /// Distinguished name (RFC 4514) of the verified client certificate; nil where none was asked for.
    public let certificateSubject: String?
    /// The common name in it, as the certificate has it: no text that somebody could break out of. Nil where there is
    /// none, or more than one: nobody could say which counts.
    public let certificateCommonName: String?

    /// Bundles what is known of a peer.
    public init(
        address: String, port: UInt16, certificateSubject: String? = nil, certificateCommonName: String? = nil
    ) {
        self.address = address
        self.port = port
        self.certificateSubject = certificateSubject
        self.certificateCommonName = certificateCommonName
    }
}

/// A request that has arrived completely.
public struct HTTPRequest: Sendable {
    /// As sent: `GET`, `POST` (methods are case-sensitive, RFC 9110 section 9.1).
    public let method: String
    /// Path and query.
    public let target: RequestTarget
    /// Headers as received.
    public let headers: HTTPHeaders
    /// The body without its transfer encoding; at most `HTTPServerLimits.bodyBytes`.
    public let body: [UInt8]
    /// The other end.
    public let peer: HTTPPeer

    /// Bundles a request; servers do it, and tests of handlers.
    public init(
        method: String, target: RequestTarget, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [],
        peer: HTTPPeer = HTTPPeer(address: "127.0.0.1", port: 0)
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
    }
}
