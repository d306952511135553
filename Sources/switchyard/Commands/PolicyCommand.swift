import CommandLineOptions
import Configuration
import MessageCodec
import Operations
import Orchestrator
import PaymentModel
import PolicyFiles
import RecordFormat
import Routing

/// `switchyard policy check|explain`.
enum PolicyCommand {
    private static let folder: [OptionDescription] = [
        .option("--config", "FILE", "take folder, lists and partners from the daemon's configuration"),
        SwitchyardCommand.json,
    ]

    static let description = CommandDescription(
        "policy", "validate a policy folder, explain a route",
        subcommands: [
            CommandDescription(
                "check", "validate a policy folder; exit 1 where it is broken", options: folder,
                positionals: [PositionalDescription("DIRECTORY", "the folder (default: routing)", required: false)]),
            CommandDescription(
                "explain", "where a payment would go, and why not elsewhere",
                discussion: """
                    FILE holds initiates as `switchyard send` takes them, one a line; each is explained by itself, and one that
                    the daemon would refuse is told with its line. All routes are taken for healthy.
                    """,
                options: [
                    .option("--policy", "DIRECTORY", "the folder (default: routing)"),
                    .option("--at", "TIME", "decide as of then (RFC 3339, UTC) instead of now"),
                ] + folder,
                positionals: [PositionalDescription("FILE", "commands as JSON lines; - for standard input")]),
        ])

    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        switch command.path.last {
        case "check": try check(command)
        default: try explain(command)
        }
    }

    private static func check(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let report: PolicyCheckReport
        switch try load(command, directory: command.positional(0)) {
        case .success(let bundle): report = PolicyCheckReport(bundle)
        case .failure(let faults): report = PolicyCheckReport(faults)
        }
        Terminal.line(command["--output"] == "json" ? report.json : report.text)
        return report.valid ? .done : .wrong
    }

    private static func explain(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        var input = try LineReader(command.positional(0) ?? "-", limit: SendLine.maximumBytes)
        var wall = SystemClock().wall()
        if let text = command["--at"] {
            guard let moment = RFC3339.moment(text) else { throw CommandFailure(.usage, "--at needs a time in UTC") }
            wall = moment
        }
        let monotonic = SystemClock().monotonic()
        let incarnation = Incarnation(number: 0, began: monotonic, predecessor: .provenDead)
        let now = Now(wall: wall, monotonic: monotonic, incarnation: incarnation)
        let policy: RoutingPolicy
        switch try load(command, directory: command["--policy"]) {
        case .success(let bundle): policy = bundle.routing
        case .failure(let faults): throw CommandFailure(.wrong, faults.description)
        }
        var explained = 0
        var worst = ExitCode.done
        while let line = try input.next() {
            if line.isBlank { continue }
            do throws(CommandFailure) {
                let (payment, initiation) = try initiation(line)
                let explanation = PolicyExplanation(
                    policy, RouteQuery(initiation, seed: UInt64(PartitionHash.hash(payment.text.utf8))),
                    payment: payment, now: now)
                let text = "line \(input.number), payment \(payment.text)\n\(explanation.text)"
                Terminal.line(command["--output"] == "json" ? explanation.json : text)
            } catch {
                // The others are explained all the same.
                Terminal.error("switchyard: line \(input.number): \(error.message)")
                if worst == .done { worst = error.code }
            }
            explained += 1
        }
        guard explained > 0 else { throw CommandFailure(.usage, "there is no command in the input") }
        return worst
    }

    /// The folder that is named, or that of the configuration, or `routing`.
    private static func load(
        _ command: ParsedCommand, directory: String?
    ) throws(CommandFailure) -> Result<PolicyBundle, PolicyFaults> {
        var folder = directory ?? "routing"
        var screening: String?
        var partners: Set<PartnerName>?
        if let file = command["--config"] {
            let configuration = try SwitchyardConfiguration.forClient(file)
            folder = directory ?? configuration.routingDirectory
            screening = configuration.screening.file
            partners = Set(configuration.partners.keys)
        }
        do throws(PolicyFaults) {
            return .success(
                try PolicyBundle.load(
                    folder, screeningFile: screening, configuredPartners: partners,
                    today: CalendarDate(utc: SystemClock().wall()), hash: PolicyFolder.hash))
        } catch {
            return .failure(error)
        }
    }

    /// The initiate in a line, decoded as the daemon would.
    private static func initiation(_ line: LineReader.Line) throws(CommandFailure) -> (PaymentID, Initiation) {
        guard case .bytes(let line) = line else { throw CommandFailure(.usage, "the line is too long") }
        let frame: [UInt8]
        do {
            frame = try SendLine(line, timestamp: Clock.milliseconds).frame
        } catch {
            throw CommandFailure(.usage, "the input is no JSON object")
        }
        let decoder = CommandDecoder(hash: Hashing.digest)
        switch decoder.decode(frame.span.bytes, partition: 0, partitionCount: 1, receivedAt: SystemClock().wall()) {
        case .undecodable(let reason): throw CommandFailure(.usage, "\(reason.code.rawValue): \(reason.detail)")
        case .command(let command, _):
            switch command.body {
            case .initiate(let initiation, _, _): return (command.envelope.subject, initiation)
            case .refused(let refusal):
                let field = refusal.field.map { " (\($0))" } ?? ""
                throw CommandFailure(
                    .wrong, "the daemon would refuse it: \(refusal.code.rawValue)\(field): \(refusal.message)")
            default: throw CommandFailure(.usage, "only an initiate has a route")
            }
        }
    }
}
