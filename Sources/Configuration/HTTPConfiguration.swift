import Credentials
import PaymentModel

/// The daemon's HTTP port: `http`.
public struct HTTPConfiguration: Sendable, Hashable {
    /// The address to listen on: `listen`, default `127.0.0.1:8080`; port 0 takes any free one.
    public var listen = HostAndPort(host: "127.0.0.1", port: 8_080)
    /// Where partners reach us: `notificationsURL`; nil where it was not given.
    public var notificationsURL: String?
    /// Names beside `localhost` and addresses that `Host` may carry on a loopback port, where a proxy on this host leaves
    /// them as they were: `hostNames`. Other names are refused (DNS rebinding); that of `notificationsURL` is known.
    public var hostNames: [String] = []
    /// Whether a port that can be reached from beyond this host may go without tokens and client certificates, so that
    /// everybody there may do everything: `unauthenticated`. Else such a configuration is refused.
    public var allowsAnybody = false
    /// TLS: `tls`; nil for plain HTTP.
    public var tls: ServerTLSConfiguration?
    /// Who may call with a bearer token: `tokens`. Where neither tokens nor clients are given, every caller may do
    /// everything (the port is loopback by default).
    public var tokens: [TokenConfiguration] = []
    /// Who may call with a client certificate: `clients`.
    public var clients: [ClientConfiguration] = []
    /// Connections at once: `connections`, default 1 024.
    public var connections = 1_024
    /// Connections at once from one address: `connectionsPerAddress`, default 256.
    public var connectionsPerAddress = 256
    /// Idle connections are closed after: `idleTimeout`, default 30 s.
    public var idleTimeout = Milliseconds.seconds(30)
    /// How long a POST may wait for its commit before it is answered 503: `commitWait`, default 10 s.
    public var commitWait = Milliseconds.seconds(10)
    /// Notifications that may wait for their commit before the next is answered 503: `notificationsWaiting`,
    /// default 1 024.
    public var notificationsWaiting = 1_024

    /// The host in `notificationsURL`, or nil.
    public var notificationsHost: String? {
        guard let url = notificationsURL, let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        return HostAndPort(String(authority))?.host ?? HostAndPort("\(authority):443")?.host
    }
}

/// A host with its port.
public struct HostAndPort: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address, IPv6 without brackets.
    public var host: String
    /// The port; 0 lets the system choose.
    public var port: UInt16

    /// A host with its port.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `host:port`, or nil where the text is neither that nor `[IPv6]:port`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    /// Whether only this host can reach it.
    public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// `host:port`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// TLS of the daemon's port: `http.tls`.
public struct ServerTLSConfiguration: Sendable, Hashable {
    /// Certificate chain, PEM: `certificateFile`.
    public var certificateFile: String
    /// Its key, PEM: `keyFile`.
    public var keyFile: String
    /// Authorities of client certificates, PEM: `clientCAFile`. Where given, every caller must show one, partners
    /// with their notifications, too; partners without one need a proxy before the port.
    public var clientCAFile: String?
}

/// A bearer token: `{ name: …, token: { file|environment }, roles: […] }`.
public struct TokenConfiguration: Sendable, Hashable {
    /// The name that logs and the audit show.
    public var name: String
    /// The token.
    public var token: Secret
    /// What its holder may do.
    public var roles: Set<AccessRole>
}

/// A client certificate: `{ commonName: …, roles: […] }`.
public struct ClientConfiguration: Sendable, Hashable {
    /// The common name of its subject.
    public var commonName: String
    /// What its holder may do.
    public var roles: Set<AccessRole>
}
