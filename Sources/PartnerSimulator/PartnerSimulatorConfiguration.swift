import HTTPServer
import PartnerWorld

/// What `switchyard partner-simulator` is started with.
public struct PartnerSimulatorConfiguration: Sendable {
    /// Address to listen on.
    public var host: String
    /// Port; 0: the system chooses.
    public var port: UInt16
    /// Where notifications are posted; nil: nowhere.
    public var notifyURL: String?
    /// The partner itself: name, seed, fees, lags, keys, tokens, webhook secret, behaviour.
    public var settings: PartnerSettings
    /// nil: plain HTTP. With client authorities: mTLS.
    public var tls: HTTPServerTLS?
    /// How customers reach the challenge page; nil: `http(s)://host:port`.
    public var publicURL: String?
    /// Authority (PEM file) that the receiver of notifications is checked by; nil: the system's.
    public var notifyAuthorityFile: String?

    /// A partner on that address.
    public init(host: String = "127.0.0.1", port: UInt16 = 0, notifyURL: String? = nil, settings: PartnerSettings) {
        self.host = host
        self.port = port
        self.notifyURL = notifyURL
        self.settings = settings
    }
}

/// Why the simulator did not start.
public enum PartnerSimulatorError: Error, Equatable, CustomStringConvertible {
    /// The server did not start.
    case server(HTTPServerError)
    /// The client for notifications could not be made.
    case client(String)
    /// `start` was called twice, or after `stop`.
    case alreadyStarted

    /// One line for an operator.
    public var description: String {
        switch self {
        case .server(let error): error.description
        case .client(let detail): "notifications: \(detail)"
        case .alreadyStarted: "the simulator was started before"
        }
    }
}
