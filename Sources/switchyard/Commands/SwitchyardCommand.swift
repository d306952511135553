import CommandLineOptions

/// The command line of the one binary.
enum SwitchyardCommand {
    static let json = OptionDescription.option(
        "--output", "FORM", "how answers look", default: "text", choices: ["text", "json"])

    /// What every command beside the daemon takes.
    static let client: [OptionDescription] = [
        .option("--config", "FILE", "the daemon's configuration", default: "switchyard.yaml"),
        .option("--timeout", "SECONDS", "how long a daemon or a directory is waited for", default: "30"),
        .option("--token-file", "FILE", "the bearer token to show (else SWITCHYARD_TOKEN, else the configuration's)"),
        .option("--ca-file", "FILE", "authorities of the daemon's certificate, PEM (else the system's)"),
        .option("--certificate-file", "FILE", "the certificate to show a daemon that asks for one, PEM"),
        .option("--key-file", "FILE", "its key, PEM"),
        json,
    ]

    /// Of this program. Topics, HTTP and stored layouts have versions of their own.
    static let version = "1.0.0"

    static let description = CommandDescription(
        "switchyard", "Payment orchestration: commands in, payments moved exactly once, events and postings out.",
        subcommands: [
            CommandDescription(
                "run", "run the daemon",
                discussion: """
                    SIGTERM finishes what is under way and ends with 0 within 30 s. SIGHUP reads the routing folder again; a
                    broken folder is reported and does not take effect.
                    """,
                options: [
                    .option("--config", "FILE", "the configuration", required: true),
                    .option("--log-format", "FORM", "how log lines look", default: "json", choices: ["json", "plain"]),
                ]),
            PartnerSimulatorCommand.description,
            CommandDescription(
                "send", "publish commands",
                discussion: """
                    Each line is a JSON object {"type","id","subject","data"}, optionally source, time, correlationid.
                    Returns when all of them are durable. A line that is no JSON object ends it with 2; those before are sent.
                    A line larger than the log takes (limits.maximumRecordBytes) is left out and told; the exit code is 1.
                    """,
                options: client, positionals: [PositionalDescription("FILE", "JSON lines; - for standard input")]),
            CommandDescription(
                "events", "read what is published",
                options: [
                    .option(
                        "--topic", "TOPIC", "which topic", default: "events",
                        choices: ["events", "settlements", "dead-letters"]),
                    .flag("--follow", "go on with what comes"),
                    .option("--payment", "ID", "only records of this payment"),
                ] + client),
            PaymentsCommand.description,
            PolicyCommand.description,
            CommandDescription(
                "summary", "what happened: states, partners, costs, doubts, and partners' books against ours",
                options: [
                    .option("--books", "NAME=URL", "compare with the books of this partner (its base URL); repeatable"),
                    .flag("--wait", "follow until every payment is finished or parked"),
                    .option("--expect", "COUNT", "wait for at least so many payments", default: "0"),
                    .option("--wait-limit", "SECONDS", "give up waiting after", default: "600"),
                ] + client),
        ], version: "switchyard \(version)")

    /// Runs a command line; the exit code.
    static func main(_ arguments: [String]) -> ExitCode {
        switch description.parse(arguments) {
        case .help(let text):
            Terminal.line(text)
            return .done
        case .usage(let text):
            Terminal.error(text)
            return .usage
        case .run(let command):
            do throws(CommandFailure) {
                return try run(command)
            } catch {
                Terminal.error("switchyard: \(error.message)")
                return error.code
            }
        }
    }

    private static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        switch command.path.first {
        case "run": try RunCommand.run(command)
        case "partner-simulator": try PartnerSimulatorCommand.run(command)
        case "send": try SendCommand.run(command)
        case "events": try EventsCommand.run(command)
        case "payments": try PaymentsCommand.run(command)
        case "policy": try PolicyCommand.run(command)
        default: try SummaryCommand.run(command)
        }
    }
}

extension ClientOptions {
    init(_ command: ParsedCommand) throws(CommandFailure) {
        guard let seconds = command["--timeout"].flatMap({ Int64($0) }), (0...86_400).contains(seconds) else {
            throw CommandFailure(.usage, "--timeout needs whole seconds")
        }
        guard (command["--certificate-file"] == nil) == (command["--key-file"] == nil) else {
            throw CommandFailure(.usage, "--certificate-file and --key-file belong together")
        }
        self.init(
            configuration: command["--config"] ?? "switchyard.yaml", tokenFile: command["--token-file"],
            certificateAuthority: command["--ca-file"], certificate: command["--certificate-file"],
            key: command["--key-file"], timeout: .seconds(seconds), json: command["--output"] == "json")
    }
}
