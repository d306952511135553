import Glibc

/// Which version of HTTP a pool speaks.
public enum HTTPVersionPolicy: Sendable, Hashable {
    /// HTTP/1.1 only; the default. A request that ends without an answer closes its connection, so that nothing of it
    /// can leave later.
    case http1
    /// HTTP/2 by ALPN for GET and HEAD over TLS, HTTP/1.1 for everything that may move money.
    case http2ForReads
    /// HTTP/2 by ALPN for everything over TLS. Never repeats either; but a request that timed out only has its stream
    /// reset, and what curl had buffered for the shared connection may leave later than `HTTPUnanswered.ended`.
    case http2
}

/// The passphrase of a private key; its description is redacted.
public struct HTTPKeyPassphrase: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String

    /// A passphrase.
    public init(_ text: String) {
        self.text = text
    }

    /// Always `<redacted>`.
    public var description: String { "<redacted>" }
    /// Always `<redacted>`.
    public var debugDescription: String { description }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Who is trusted and who we are. Verification of chain and host name is always on.
public struct HTTPTLSConfiguration: Sendable {
    /// File of trusted authorities in PEM; nil for the system's.
    public var certificateAuthorityFile: String?
    /// Our certificate chain in PEM, for mutual TLS.
    public var clientCertificateFile: String?
    /// The private key of our certificate in PEM.
    public var clientKeyFile: String?
    /// The key's passphrase, where it has one.
    public var clientKeyPassphrase: HTTPKeyPassphrase?

    /// Files are read anew for each connection, so a rotated certificate is used within the connections' maximum age.
    public init(
        certificateAuthorityFile: String? = nil, clientCertificateFile: String? = nil, clientKeyFile: String? = nil,
        clientKeyPassphrase: HTTPKeyPassphrase? = nil
    ) {
        self.certificateAuthorityFile = certificateAuthorityFile
        self.clientCertificateFile = clientCertificateFile
        self.clientKeyFile = clientKeyFile
        self.clientKeyPassphrase = clientKeyPassphrase
    }
}

/// One bulkhead: its own thread, connections, queue and limits. One partner's silence cannot use up another's.
public struct HTTPPoolConfiguration: Sendable {
    /// The pool's name: the partner's.
    public var name: String
    /// Most connections open at once, and over HTTP/1.1 most requests on the way.
    public var maximumConnections: Int
    /// Most exchanges waiting for a connection; one more is `notSent(.queueFull)`.
    public var maximumQueued: Int
    /// Most streams on one HTTP/2 connection; without meaning for HTTP/1.1.
    public var maximumStreamsPerConnection: Int
    /// How long bytes may stay unacknowledged before the kernel gives the connection up (TCP_USER_TIMEOUT). At most half
    /// of the partner's in-flight bound.
    public var unacknowledgedTimeout: Duration
    /// A connection older than this is not used again.
    public var maximumConnectionAge: Duration
    /// A connection idle for longer is not used again.
    public var maximumIdleTime: Duration
    /// Which version of HTTP it speaks.
    public var version: HTTPVersionPolicy
    /// Trust and identity.
    public var tls: HTTPTLSConfiguration

    /// A pool; see the properties.
    public init(
        name: String, maximumConnections: Int = 32, maximumQueued: Int = 1024, maximumStreamsPerConnection: Int = 32,
        unacknowledgedTimeout: Duration = .milliseconds(2500), maximumConnectionAge: Duration = .seconds(300),
        maximumIdleTime: Duration = .seconds(55), version: HTTPVersionPolicy = .http1,
        tls: HTTPTLSConfiguration = HTTPTLSConfiguration()
    ) {
        self.name = name
        self.maximumConnections = maximumConnections
        self.maximumQueued = maximumQueued
        self.maximumStreamsPerConnection = maximumStreamsPerConnection
        self.unacknowledgedTimeout = unacknowledgedTimeout
        self.maximumConnectionAge = maximumConnectionAge
        self.maximumIdleTime = maximumIdleTime
        self.version = version
        self.tls = tls
    }

    /// Most exchanges given to curl at once. More would wait inside curl, where removing one walks all of them.
    var maximumInFlight: Int {
        switch version {
        case .http1, .http2ForReads: maximumConnections
        case .http2: maximumConnections * maximumStreamsPerConnection
        }
    }
}

/// What a client is made of.
public struct HTTPClientConfiguration: Sendable {
    /// The pools, each with its own name.
    public var pools: [HTTPPoolConfiguration]
    /// The `User-Agent` of every request.
    public var userAgent: String

    /// A client's configuration.
    public init(pools: [HTTPPoolConfiguration], userAgent: String = "switchyard") {
        self.pools = pools
        self.userAgent = userAgent
    }
}

/// Why a client could not be made.
public enum HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A value that makes no sense: the pool and what is wrong.
    case invalidConfiguration(pool: String, reason: String)
    /// libcurl could not be set up, or lacks something that money safety needs.
    case unusableLibrary(reason: String)
    /// No thread could be started.
    case noThread

    /// One sentence.
    public var description: String {
        switch self {
        case .invalidConfiguration(let pool, let reason): "HTTP pool \(pool): \(reason)"
        case .unusableLibrary(let reason): "libcurl: \(reason)"
        case .noThread: "no thread could be started for HTTP"
        }
    }
}

extension HTTPPoolConfiguration {
    func validate() throws(HTTPClientError) {
        let reason: String? =
            if name.isEmpty {
                "the name is empty"
            } else if !(1...10_000).contains(maximumConnections) {
                "maximumConnections must be 1 to 10000"
            } else if !(0...1_000_000).contains(maximumQueued) {
                "maximumQueued must be 0 to 1000000"
            } else if !(1...1000).contains(maximumStreamsPerConnection) {
                "maximumStreamsPerConnection must be 1 to 1000"
            } else if unacknowledgedTimeout <= .zero || unacknowledgedTimeout > .seconds(3600) {
                "unacknowledgedTimeout must be above 0 and at most an hour"
            } else if maximumConnectionAge <= .zero || maximumIdleTime <= .zero {
                "a connection's age must be above 0"
            } else if (tls.clientCertificateFile == nil) != (tls.clientKeyFile == nil) {
                "a client certificate needs its key, and a key its certificate"
            } else if let file = tls.files.first(where: { access($0, R_OK) != 0 }) {
                "\(file) cannot be read"
            } else {
                nil
            }
        if let reason { throw .invalidConfiguration(pool: name, reason: reason) }
    }
}

extension HTTPTLSConfiguration {
    /// The files that must be there.
    var files: [String] { [certificateAuthorityFile, clientCertificateFile, clientKeyFile].compactMap(\.self) }
}
