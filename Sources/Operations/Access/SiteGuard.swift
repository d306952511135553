import HTTPServer

/// Keeps web pages from moving money through the browser of somebody who can reach the port. A browser sends a page's
/// request to `127.0.0.1` with no token asked for and with the client certificate that it has, so being on loopback, or
/// behind client certificates, proves nothing about who wrote the request.
///
/// - A request that may change something and carries `Origin` or `Sec-Fetch-Site` comes from a browser: it must be from
///   our own pages (403). Programs send neither header and are not concerned.
/// - On a loopback port `Host` must be an address or a name that is known to mean us (421): else a page whose name
///   was rebound to `127.0.0.1` would be the same site, and could read all answers.
public struct SiteGuard: Sendable, Equatable {
    private static let safe: Set<String> = ["GET", "HEAD", "OPTIONS"]

    /// Names that `Host` may carry beside `localhost` and addresses, in lower case; nil: any.
    private let names: Set<String>?

    /// A guard of a loopback port.
    ///
    /// - Parameter names: further names under which it may be asked for: the one it listens on, the one a proxy before
    ///   it leaves in `Host`. Nil: every name, for ports that are not loopback.
    public init(names: [String]? = []) {
        self.names = names.map { Set($0.map { $0.lowercased() }) }
    }

    /// The problem to answer in place of anything else, or nil.
    public func refusal(_ request: HTTPRequest) -> Problem? {
        let hosts = request.headers.values(of: "host")
        guard hosts.count <= 1 else { return Problem(400, detail: "more than one Host") }
        let host = hosts.first.map { $0.lowercased() }
        if let names, let host, !SiteGuard.isOurs(host, names) {
            return Problem(
                421, detail: "Host names no address of this host and no name of this daemon; see http.hostNames")
        }
        guard !SiteGuard.safe.contains(request.method) else { return nil }
        let crossSite = Problem(403, detail: "a page of another site must not do this")
        for site in request.headers.values(of: "sec-fetch-site") where site != "same-origin" && site != "none" {
            return crossSite
        }
        for origin in request.headers.values(of: "origin") where !SiteGuard.isSame(origin.lowercased(), host) {
            return crossSite
        }
        return nil
    }

    private static func isOurs(_ authority: String, _ names: Set<String>) -> Bool {
        if authority.hasPrefix("[") { return true }
        var name = authority.prefix { $0 != ":" }
        if name.hasSuffix(".") { name = name.dropLast() }
        if name == "localhost" || names.contains(String(name)) { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy {
                (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
    }

    /// Whether the origin's authority (RFC 6454 section 6.2) is the one that the request was sent to.
    private static func isSame(_ origin: String, _ host: String?) -> Bool {
        guard let host else { return false }
        for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where origin.hasPrefix(scheme) {
            func bare(_ authority: some StringProtocol) -> String {
                authority.hasSuffix(port) ? String(authority.dropLast(port.count)) : String(authority)
            }
            return bare(origin.dropFirst(scheme.count)) == bare(host)
        }
        return false
    }
}
