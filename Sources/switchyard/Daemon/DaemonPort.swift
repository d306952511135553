import Credentials
import Configuration
import HTTPServer
import Operations
import OpenSSLCrypto
import PaymentModel
import StructuredLog
import YAMLDocument

/// The HTTP port as the configuration says.
enum DaemonPort {
    /// Starts listening.
    static func open(
        _ http: HTTPConfiguration, limits: OperationsLimits, _ port: StartingPort, _ log: Logger
    ) throws(CommandFailure) -> HTTPServer {
        var settings = HTTPServerConfiguration(host: http.listen.host, port: http.listen.port)
        settings.limits.connections = http.connections
        settings.limits.connectionsPerAddress = http.connectionsPerAddress
        settings.limits.idleTime = .milliseconds(http.idleTimeout.count)
        settings.limits.answerTime = .milliseconds(http.commitWait.count)
        settings.limits.bodyBytes = limits.maximumBodyBytes
        // Room for a few of the largest bodies at once, and never less than for one of them from a stranger.
        settings.limits.bufferedBodyBytes = max(settings.limits.bufferedBodyBytes, 4 * settings.limits.bodyBytes)
        settings.stopGrace = .seconds(3)
        settings.notice = { notice in
            log.warning(
                "http: \(text(of: notice.kind))",
                [("count", .integer(Int64(notice.count))), ("address", .text(notice.address))])
        }
        if let tls = http.tls {
            settings.tls = HTTPServerTLS(
                certificateChain: try text(tls.certificateFile), privateKey: try text(tls.keyFile),
                clientAuthorities: try tls.clientCAFile.map { path throws(CommandFailure) in try text(path) })
        }
        do throws(HTTPServerError) {
            return try HTTPServer(settings, admission: { port.admit($0) }) { request, responder in
                port.handle(request, responder)
            }
        } catch {
            throw CommandFailure(.unreachable, "http.listen \(http.listen): \(error)")
        }
    }

    private static func text(of kind: HTTPServerNotice.Kind) -> String {
        switch kind {
        case .connectionsEvicted: "connections were ended to make room for others"
        case .connectionsRefused: "connections were refused: too many of their address"
        case .connectionsOverdue: "connections were ended: a request or its answer took too long"
        case .bodiesWithoutRoom: "bodies were refused: too many bytes are under way"
        }
    }

    private static func text(_ path: String) throws(CommandFailure) -> String {
        do throws(FileFault) {
            return String(decoding: try FileBytes.read(path, limit: 1_048_576), as: UTF8.self)
        } catch {
            throw CommandFailure(.wrong, "\(error)")
        }
    }

    /// What web pages must not do. The name under which partners reach us through a proxy on this host is one of ours.
    static func site(_ http: HTTPConfiguration) -> SiteGuard {
        guard http.listen.isLoopback else { return SiteGuard(names: nil) }
        let names = [http.listen.host] + http.hostNames
        return SiteGuard(names: names + [http.notificationsHost].compactMap(\.self))
    }

    /// Who may do what.
    static func access(_ http: HTTPConfiguration) -> AccessPolicy {
        AccessPolicy(
            tokens: http.tokens.map { token in
                AccessPolicy.Token(name: token.name, roles: token.roles) { token.token.matches($0) }
            },
            clients: Dictionary(
                http.clients.map { ($0.commonName, $0.roles) }, uniquingKeysWith: { $0.union($1) }))
    }

    /// The port's bounds.
    static func limits(_ configuration: SwitchyardConfiguration) -> OperationsLimits {
        var limits = OperationsLimits()
        limits.maximumCommandBytes = configuration.limits.maximumCommandBytes
        limits.maximumNotificationBytes = configuration.limits.maximumNotificationBytes
        limits.maximumDeskBytes = configuration.limits.maximumDeskBytes
        limits.maximumBundleBytes = configuration.limits.maximumBundleBytes
        limits.maximumRecordBytes = configuration.limits.maximumRecordBytes
        limits.notificationsWaiting = configuration.http.notificationsWaiting
        limits.forgedKept = configuration.limits.forgedNotificationsKept
        return limits
    }
}
