/// Every limit of a server; nothing in it grows without one of these.
public struct HTTPServerLimits: Sendable, Equatable {
    /// Open connections; further ones wait in the kernel's backlog until there is room. See `evictionAge`.
    public var connections = 4_096
    /// Open connections from one address; further ones are closed unread, if none can be ended for them (`evictionAge`).
    /// 0 = no limit.
    public var connectionsPerAddress = 2_048
    /// Bytes of memory of one connection (request line, headers, read and write buffers).
    public var connectionMemoryBytes = 64 * 1_024
    /// Bytes of request line and headers: 431 above.
    public var headerBytes = 16 * 1_024
    /// Bytes of a body: 413 above. The surplus is never kept. A route's admission narrows it
    /// (`HTTPAdmission`).
    public var bodyBytes = 1_024 * 1_024
    /// Bytes of the bodies of all requests that are not answered yet, announced or arrived: 503 above.
    public var bufferedBodyBytes = 64 * 1_024 * 1_024
    /// A request that is refused for another reason than its body's size, and whose body is no longer than that, keeps
    /// its connection: the body is read and dropped first.
    public var skippedBodyBytes = 16 * 1_024
    /// Every other refused body is answered at once, and its connection closed. So many bytes of it, for at most
    /// `lingerTime`, are still read and dropped, so that a client that sends before it reads gets to see the answer
    /// and not a reset (RFC 9112 section 9.6).
    public var discardedBodyBytes = 1_024 * 1_024
    /// See `discardedBodyBytes`.
    public var lingerTime: Duration = .seconds(2)
    /// Where there is no room for a connection, another one of its address (of any, for the limit of all) is ended for
    /// it, if it has been without progress for so long: one that is answered already, else the one whose request
    /// arrives slowest, else the one that has been idle longest. Never one whose request is being answered.
    public var evictionAge: Duration = .seconds(1)
    /// How long a connection may do nothing.
    public var idleTime: Duration = .seconds(30)
    /// How long a request may take to arrive, from its request line to the last byte of its body; and how long a new
    /// connection may take to its first request line. A total, however regularly bytes trickle in.
    public var requestTime: Duration = .seconds(20)
    /// How long the handler may leave a request without an answer: then 503.
    public var answerTime: Duration = .seconds(120)
    /// How long the client may take to fetch an answer that is not a stream.
    public var responseTime: Duration = .seconds(60)
    /// Requests that wait for their answer; above, further ones are refused before anything of them is looked at.
    public var waitingRequests = 4_096
    /// Bytes of a stream that the client has not fetched yet; above, the writer has to wait.
    public var streamBufferBytes = 256 * 1_024

    /// The default limits.
    public init() {}
}

/// Who may connect: the server's certificate, and the authority of the clients'.
public struct HTTPServerTLS: Sendable {
    /// PEM of the certificate chain, leaf first.
    public var certificateChain: String
    /// PEM of the private key; a secret.
    public var privateKey: String
    /// PEM of the authorities whose clients are let in; nil: no client certificate is asked for. With it, a request on
    /// a connection without a certificate for client authentication signed by one of them never reaches the handler.
    public var clientAuthorities: String?
    /// GnuTLS priority string.
    public var priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

    /// Bundles the PEM texts; they are checked when the server starts.
    public init(certificateChain: String, privateKey: String, clientAuthorities: String? = nil) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.clientAuthorities = clientAuthorities
    }
}

extension HTTPServerTLS: CustomStringConvertible {
    /// Never the key.
    public var description: String { "TLS(client certificates: \(clientAuthorities == nil ? "no" : "yes"))" }
}

/// How an overloaded server refuses (the contract, section 5: 429 or 503 before anything is looked at).
public struct OverloadAnswer: Sendable, Equatable {
    /// 503 or 429.
    public var status = 503
    /// Seconds of `Retry-After`.
    public var retryAfterSeconds = 1
    /// Paths that are let through, whatever waits (`/healthz`): an overloaded server must not look dead.
    public var exemptPaths: Set<String> = ["/healthz", "/readyz", "/metrics"]

    /// 503 after one second; health and metrics are exempt.
    public init() {}
}

/// What a server needs to start.
public struct HTTPServerConfiguration: Sendable {
    /// Address or name to listen on: `127.0.0.1`, `::1`, `localhost`, `0.0.0.0`.
    public var host: String
    /// Port; 0: the system chooses (`HTTPServer.port` tells).
    public var port: UInt16
    /// All limits.
    public var limits = HTTPServerLimits()
    /// nil: plain HTTP.
    public var tls: HTTPServerTLS?
    /// How too many waiting requests are refused.
    public var overload = OverloadAnswer()
    /// Event loop threads; handlers run on them, so they must not block.
    public var threads = 1
    /// Told what an operator should know of, on a thread of the server's; must not block for long.
    public var notice: (@Sendable (HTTPServerNotice) -> Void)?
    /// Notices of one kind are that far apart.
    public var noticeInterval: Duration = .seconds(10)
    /// How long `stop` waits for requests under way before it answers them with 503.
    public var stopGrace: Duration = .seconds(5)

    /// A plain server with the default limits.
    public init(host: String = "127.0.0.1", port: UInt16 = 0) {
        self.host = host
        self.port = port
    }
}

/// Why a server did not start.
public enum HTTPServerError: Error, Equatable, CustomStringConvertible {
    /// The host name has no address, or the address is malformed.
    case unresolvable(host: String)
    /// A system call failed: `bind` (EADDRINUSE, EACCES), `listen`, `socket`.
    case system(call: String, code: Int32)
    /// A limit is zero, negative, or does not fit the others.
    case badLimit(String)
    /// The library refused: almost always a certificate or key that it cannot read, or that do not match.
    case notStarted(tls: Bool)

    /// One line for an operator.
    public var description: String {
        switch self {
        case .unresolvable(let host): "cannot resolve \(host)"
        case .system(let call, let code): "\(call): \(systemErrorText(code))"
        case .badLimit(let name): "limit \(name) is out of range"
        case .notStarted(let tls):
            tls
                ? "TLS could not start: is the certificate readable, and does the key match?"
                : "the server did not start"
        }
    }
}
