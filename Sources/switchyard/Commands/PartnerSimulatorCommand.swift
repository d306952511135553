import CommandLineOptions
import Configuration
import Glibc
import HTTPServer
import Operations
import Orchestrator
import PartnerSimulator
import PartnerWorld
import PaymentModel
import StructuredLog
import YAMLDocument

/// `switchyard partner-simulator`: the reference partner of the contract, section 6.
enum PartnerSimulatorCommand {
    static let description = CommandDescription(
        "partner-simulator", "run the reference partner: a small bank with books, faults and notifications",
        discussion: """
            GET /_control/books, GET /_control/requests, POST /_control/faults and POST /_control/heal steer and show it.
            """,
        options: [
            .option("--listen", "HOST:PORT", "where it listens; port 0: the system chooses", required: true),
            .option("--name", "NAME", "its name", required: true),
            .option("--notify", "URL", "where notifications are posted"),
            .option("--webhook-secret-file", "FILE", "the key of the notifications' signatures"),
            .option("--visibility-lag", "SPAN", "how long an order is hidden from inquiries", default: "2s"),
            .option("--key-lifetime", "SPAN", "how long an idempotency key is remembered", default: "24h"),
            .option("--fee-fixed", "MINOR-UNITS", "fee of each transfer and capture", default: "0"),
            .option("--fee-basis-points", "POINTS", "proportional fee", default: "0"),
            .option("--seed", "NUMBER", "repeats what it draws by chance", default: "0"),
            .option("--behaviour", "FILE", "JSON with rules, brownOuts, triggers and settlementMilliseconds"),
            .option("--client-id", "ID", "ask for an OAuth 2 token of this client"),
            .option("--client-secret-file", "FILE", "and its secret"),
            .option("--token-lifetime", "SPAN", "how long a token is good", default: "1h"),
            .option("--tls-certificate", "FILE", "TLS: certificate chain, PEM"),
            .option("--tls-key", "FILE", "TLS: its key, PEM"),
            .option("--client-ca-file", "FILE", "mTLS: authorities of the callers' certificates, PEM"),
            .option("--notify-ca-file", "FILE", "authorities of the notified server's certificate, PEM"),
            .option("--public-url", "URL", "how customers reach it (default: where it listens)"),
        ])

    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        guard let text = command["--listen"], let address = HostAndPort(text) else {
            throw CommandFailure(.usage, "--listen needs HOST:PORT")
        }
        var configuration = PartnerSimulatorConfiguration(
            host: address.host, port: address.port, notifyURL: command["--notify"], settings: try settings(command))
        configuration.tls = try tls(command)
        configuration.publicURL = command["--public-url"]
        configuration.notifyAuthorityFile = command["--notify-ca-file"]
        let signals = DaemonSignals()
        let sink = StreamSink(descriptor: STDERR_FILENO, form: .json)
        defer { sink.close() }
        let log = Logger(component: "partner", level: .info, clock: { Clock.milliseconds }, sink: sink)
        let simulator = PartnerSimulator(configuration, logger: log)
        do throws(PartnerSimulatorError) {
            try simulator.start()
        } catch {
            throw CommandFailure(.unreachable, "--listen \(text): \(error)")
        }
        while true {
            if case .stop = signals.next(within: 3_600_000) { break }
        }
        simulator.stop()
        return .done
    }

    private static func settings(_ command: ParsedCommand) throws(CommandFailure) -> PartnerSettings {
        var settings = PartnerSettings(name: command["--name"] ?? "")
        settings.visibilityLag = try span("--visibility-lag", command)
        settings.keyLifetime = try span("--key-lifetime", command)
        settings.tokenLifetime = try span("--token-lifetime", command)
        settings.feeFixed = try number("--fee-fixed", command)
        settings.feeBasisPoints = try number("--fee-basis-points", command)
        settings.seed = UInt64(bitPattern: try number("--seed", command))
        if let file = command["--webhook-secret-file"] { settings.webhookSecret = try secret(file) }
        if let id = command["--client-id"] {
            guard let file = command["--client-secret-file"] else {
                throw CommandFailure(.usage, "--client-id needs --client-secret-file")
            }
            settings.client = PartnerClient(identifier: id, secret: String(decoding: try secret(file), as: UTF8.self))
        }
        if let file = command["--behaviour"] {
            let behaviour = try bytes(file)
            do throws(PartnerSettingsError) {
                try settings.apply(behaviour: behaviour)
            } catch {
                throw CommandFailure(.wrong, "\(file): \(error)")
            }
        }
        return settings
    }

    private static func tls(_ command: ParsedCommand) throws(CommandFailure) -> HTTPServerTLS? {
        switch (command["--tls-certificate"], command["--tls-key"]) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            let authorities = try command["--client-ca-file"].map { file throws(CommandFailure) in try text(file) }
            return HTTPServerTLS(
                certificateChain: try text(certificate), privateKey: try text(key), clientAuthorities: authorities)
        default: throw CommandFailure(.usage, "--tls-certificate and --tls-key belong together")
        }
    }

    private static func span(_ name: String, _ command: ParsedCommand) throws(CommandFailure) -> Int64 {
        guard let span = SpanText.span(command[name] ?? "") else {
            throw CommandFailure(.usage, "\(name) needs a span: 250ms, 2s, 15m, 24h")
        }
        return span.count
    }

    private static func number(_ name: String, _ command: ParsedCommand) throws(CommandFailure) -> Int64 {
        guard let number = Int64(command[name] ?? ""), number >= 0 else {
            throw CommandFailure(.usage, "\(name) needs a number, 0 or more")
        }
        return number
    }

    /// A file's bytes without one line end at its end, as the daemon's configuration reads secrets.
    private static func secret(_ file: String) throws(CommandFailure) -> [UInt8] {
        var found = try bytes(file)
        if found.last == UInt8(ascii: "\n") { found.removeLast() }
        if found.last == UInt8(ascii: "\r") { found.removeLast() }
        return found
    }

    private static func text(_ file: String) throws(CommandFailure) -> String {
        String(decoding: try bytes(file), as: UTF8.self)
    }

    private static func bytes(_ file: String) throws(CommandFailure) -> [UInt8] {
        do throws(FileFault) {
            return try FileBytes.read(file, limit: 16_777_216)
        } catch {
            throw CommandFailure(.wrong, "\(error)")
        }
    }
}
