import Credentials
import Configuration
import CurlHTTP
import Glibc
import Operations
import PaymentModel

/// Reaches the log for a command: a running daemon over its port; else the directory, where no daemon holds it; or Kafka.
/// What does not answer is tried again until the time-out, so that a daemon that is just starting, or just died, costs
/// only patience.
final class Reach {
    private let configuration: SwitchyardConfiguration
    private let tokenFile: String?
    private let tls: HTTPTLSConfiguration
    private let timeout: Duration
    private let role: AccessRole
    private let mayCreate: Bool
    private let readsStates: Bool
    private var access: (any LogAccess)?
    /// Why no daemon answered last.
    private var silence: String?

    /// - Parameters:
    ///   - role: what the command does; a token that has it is taken from the configuration where none is given.
    ///   - mayCreate: whether a directory that is not there yet is made (`send`), or is a fault (readers).
    ///   - readsStates: whether payments' states are read: on Kafka only a daemon has them.
    init(
        _ options: ClientOptions, role: AccessRole, mayCreate: Bool = false, readsStates: Bool = false
    ) throws(CommandFailure) {
        configuration = try SwitchyardConfiguration.forClient(options.configuration)
        tokenFile = options.tokenFile
        tls = HTTPTLSConfiguration(
            certificateAuthorityFile: options.certificateAuthority, clientCertificateFile: options.certificate,
            clientKeyFile: options.key)
        timeout = options.timeout
        self.role = role
        self.mayCreate = mayCreate
        self.readsStates = readsStates
    }

    deinit { access?.close() }

    /// Runs `body` with the log, again where it could not be reached, until the time-out since this call.
    func run<Result>(
        _ body: (any LogAccess) throws(AccessFault) -> Result
    ) throws(CommandFailure) -> Result {
        let deadline = CurlHTTP.MonotonicTime.now().advanced(by: timeout)
        var pause: UInt32 = 20_000
        while true {
            let reason: String
            do throws(AccessFault) {
                let access = if let known = self.access { known } else { try open() }
                self.access = access
                return try body(access)
            } catch {
                switch error {
                case .refused(let detail), .tooLarge(let detail): throw CommandFailure(.wrong, detail)
                case .unusable(let detail): throw CommandFailure(.unreachable, detail)
                case .unreachable(let detail): reason = detail
                }
            }
            access?.close()
            access = nil
            guard CurlHTTP.MonotonicTime.now() < deadline else { throw CommandFailure(.unreachable, reason) }
            usleep(pause)
            pause = min(500_000, pause * 2)
        }
    }

    /// Gives a directory free, so that a daemon can take it; the next `run` reaches it again.
    func release() {
        guard access?.isExclusive == true else { return }
        access?.close()
        access = nil
    }

    private func open() throws(AccessFault) -> any LogAccess {
        switch configuration.log {
        case .kafka(let log):
            if readsStates, let daemon = try daemon(log.directory) { return daemon }
            return try OpenLog.kafka(log, configuration: configuration)
        case .embedded(let log):
            if let daemon = try daemon(log.directory) { return daemon }
            do throws(AccessFault) {
                return try OpenLog.embedded(
                    log, mayCreate: mayCreate, maximumRecordBytes: configuration.limits.maximumRecordBytes)
            } catch {
                // Held by a daemon that did not answer: why not is the better half of the reason.
                guard case .unreachable(let detail) = error, let silence else { throw error }
                throw .unreachable("\(detail); the port does not answer: \(silence)")
            }
        }
    }

    /// The running daemon, or nil where nobody listens.
    private func daemon(_ directory: String) throws(AccessFault) -> HTTPLogAccess? {
        let address = DaemonAddress.read(directory) ?? configuration.http.listen
        guard address.port > 0 else { return nil }
        let scheme = configuration.http.tls == nil ? "http" : "https"
        var reached = address
        if ["0.0.0.0", "::"].contains(reached.host) { reached.host = "127.0.0.1" }
        let client: DaemonClient
        do throws(CommandFailure) {
            let token = try ClientSecrets.token(configuration, file: tokenFile, role: role)
            client = try DaemonClient(base: "\(scheme)://\(reached)", token: token, tls: tls)
        } catch {
            throw .refused(error.message)
        }
        guard try answers(client, directory) else { return nil }
        return HTTPLogAccess(client, maximumRecordBytes: configuration.limits.maximumRecordBytes)
    }

    /// Whether what listens there is the daemon that holds this directory.
    private func answers(_ client: DaemonClient, _ directory: String) throws(AccessFault) -> Bool {
        let health: DaemonAnswer
        silence = nil
        do throws(AccessFault) {
            health = try client.request(.get, "/healthz", timeout: .seconds(3))
        } catch {
            if case .unreachable(let detail) = error { silence = detail }
            return false
        }
        if health.status == 403 {
            let wantsCertificate = configuration.http.tls?.clientCAFile != nil
            throw .refused(health.problem + (wantsCertificate ? " (--certificate-file and --key-file)" : ""))
        }
        guard health.status == 200 else { return false }
        // Another daemon may have taken the port of ours.
        if let theirs = health.headers[HealthHeaders.identity], let ours = LogIdentity.of(directory) {
            return theirs == ours
        }
        return true
    }
}

/// The options that every command beside the daemon has.
struct ClientOptions {
    var configuration: String
    var tokenFile: String?
    var certificateAuthority: String?
    var certificate: String?
    var key: String?
    var timeout: Duration
    var json: Bool
}
