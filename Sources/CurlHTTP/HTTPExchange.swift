/// A request method.
public struct HTTPMethod: Sendable, Hashable, CustomStringConvertible {
    /// The token that stands in the request line.
    public let name: String

    /// A method of this name; anything but ASCII letters makes the exchange `notSent(.invalidRequest)`.
    public init(_ name: String) {
        self.name = name
    }

    /// GET.
    public static let get = HTTPMethod("GET")
    /// HEAD.
    public static let head = HTTPMethod("HEAD")
    /// POST.
    public static let post = HTTPMethod("POST")
    /// PUT.
    public static let put = HTTPMethod("PUT")
    /// PATCH.
    public static let patch = HTTPMethod("PATCH")
    /// DELETE.
    public static let delete = HTTPMethod("DELETE")

    /// Whether the method only reads (RFC 9110 section 9.2.1, of those named here).
    public var isSafe: Bool { self == .get || self == .head }

    /// The method's name.
    public var description: String { name }
}

/// One header field of a request. Its description never shows the value: it may be a credential.
public struct HTTPHeader: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The field's name.
    public let name: String
    /// The field's value.
    public let value: String

    /// A header field.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The name, the value redacted.
    public var description: String { "\(name): <redacted>" }
    /// The name, the value redacted.
    public var debugDescription: String { description }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// How long the stages of one exchange may take.
public struct HTTPTimeouts: Sendable, Hashable {
    /// Name resolution, connection and TLS handshake together.
    public var connect: Duration
    /// From the last check before the first byte to the first byte of the answer.
    public var firstByte: Duration
    /// From the moment the exchange leaves the queue to the last byte of the answer.
    public var total: Duration

    /// Time-outs; each is rounded up to whole milliseconds.
    public init(
        connect: Duration = .seconds(5), firstByte: Duration = .seconds(10), total: Duration = .seconds(15)
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.total = total
    }
}

/// How much of an answer is taken before it counts as unreadable.
public struct HTTPLimits: Sendable, Hashable {
    /// Largest body of an answer, in bytes.
    public var maximumResponseBytes: Int
    /// Largest sum of an answer's header lines, in bytes.
    public var maximumHeaderBytes: Int

    /// Limits in bytes.
    public init(maximumResponseBytes: Int = 1 << 20, maximumHeaderBytes: Int = 32 << 10) {
        self.maximumResponseBytes = maximumResponseBytes
        self.maximumHeaderBytes = maximumHeaderBytes
    }
}

/// One request to be sent at most once.
public struct HTTPExchange: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Name of the pool (bulkhead) that it runs in: one per partner.
    public var pool: String
    /// The request method.
    public var method: HTTPMethod
    /// Absolute `http` or `https` URL without user information.
    public var url: String
    /// Header fields. `Content-Length`, `Transfer-Encoding`, `Connection` and `Expect` belong to the transport and
    /// are refused.
    public var headers: [HTTPHeader]
    /// The body's bytes; empty for none.
    public var body: [UInt8]
    /// How long each stage may take.
    public var timeouts: HTTPTimeouts
    /// How much of an answer is taken.
    public var limits: HTTPLimits
    /// No byte is sent after this moment. Without one, the exchange may wait in the queue as long as the queue does.
    public var sendDeadline: MonotonicTime?
    /// Who asked for it: `HTTPClient.cancelAll(owner:whenDone:)` ends all exchanges of one owner.
    public var owner: UInt64
    /// The last check before bytes leave: asked on the pool's thread directly before the head is written and again
    /// before the first byte of the body. It must be quick and must not block.
    public var authorise: (@Sendable () -> Bool)?

    /// An exchange; see the properties.
    public init(
        pool: String, method: HTTPMethod, url: String, headers: [HTTPHeader] = [], body: [UInt8] = [],
        timeouts: HTTPTimeouts = HTTPTimeouts(), limits: HTTPLimits = HTTPLimits(),
        sendDeadline: MonotonicTime? = nil, owner: UInt64 = 0, authorise: (@Sendable () -> Bool)? = nil
    ) {
        self.pool = pool
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.limits = limits
        self.sendDeadline = sendDeadline
        self.owner = owner
        self.authorise = authorise
    }

    /// Pool, method and sizes; never the URL, a header's value or the body.
    public var description: String {
        "\(method) in pool \(pool), \(headers.count) headers, \(body.count) bytes"
    }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// A mirror without children, so that `dump` shows no secret either.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension HTTPExchange {
    /// Why this request cannot be put on the wire as it stands, or nil.
    var defect: String? {
        guard !method.name.isEmpty, method.name.utf8.allSatisfy({ $0.isLetter }) else {
            return "the method is not a word of letters"
        }
        let scheme = url.utf8.starts(with: "http://".utf8) ? 7 : url.utf8.starts(with: "https://".utf8) ? 8 : 0
        guard scheme > 0 else { return "the URL is neither http nor https" }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return "the URL has a character beyond ASCII" }
        let authority = url.utf8.dropFirst(scheme).prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        guard !authority.isEmpty, !authority.contains(UInt8(ascii: "@")) else {
            return "the URL has no host, or user information"
        }
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy({ $0.isToken }) else {
                return "a header's name is not a token"
            }
            guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                return "a header's value has a control character"
            }
            let isOurs =
                header.isNamed("content-length") || header.isNamed("transfer-encoding")
                || header.isNamed("connection") || header.isNamed("expect")
            guard !isOurs else { return "a header belongs to the transport" }
        }
        guard limits.maximumResponseBytes >= 0, limits.maximumHeaderBytes > 0 else { return "a limit is negative" }
        guard method != .head || body.isEmpty else { return "HEAD with a body" }
        return nil
    }
}

extension HTTPHeader {
    /// Whether the field has this name, which is given in lower case.
    func isNamed(_ other: StaticString) -> Bool {
        let other = UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount)
        return name.utf8.count == other.count
            && name.utf8.elementsEqual(other) { ($0.isLetter ? $0 | 0x20 : $0) == $1 }
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }

    /// Whether the byte may stand in a field name (RFC 9110 section 5.6.2).
    fileprivate var isToken: Bool {
        switch self {
        case 0x30...0x39, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: isLetter
        }
    }
}
