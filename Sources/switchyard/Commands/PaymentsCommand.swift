import Credentials
import CanonicalJSON
import CommandLineOptions
import Configuration
import Glibc
import Operations
import PaymentModel

/// `switchyard payments …`: the stuck-payment desk.
enum PaymentsCommand {
    private static let entry: [OptionDescription] = [
        .option("--entry", "ID", "the hold or offload entry that is answered (payments show tells)", required: true),
        .option("--operator", "NAME", "who decides", required: true),
        .option("--reason", "TEXT", "why", required: true),
    ]
    private static let id = [PositionalDescription("ID", "the payment")]

    static let description = CommandDescription(
        "payments", "the desk: stuck payments, and what people decide about them",
        subcommands: [
            CommandDescription(
                "list", "unfinished payments, longest in their state first",
                options: [
                    .option("--state", "STATE", "only payments in this state, finished ones too"),
                    .option("--partner", "NAME", "only payments whose latest attempt is there"),
                    .option(
                        "--older-than", "SPAN", "only payments that long in their state: 90s, 15m, 2h, 3d, or a time"),
                    .option("--limit", "COUNT", "at most so many", default: "1000"),
                ] + SwitchyardCommand.client),
            CommandDescription(
                "show", "one payment with attempts and history", options: SwitchyardCommand.client, positionals: id),
            CommandDescription(
                "release", "let a held payment go on", options: entry + SwitchyardCommand.client, positionals: id),
            CommandDescription(
                "reject", "block a held payment, or fail an offloaded one", options: entry + SwitchyardCommand.client,
                positionals: id),
            CommandDescription(
                "resume", "let an offloaded payment be routed again", options: entry + SwitchyardCommand.client,
                positionals: id),
            CommandDescription(
                "resolve", "say what a partner did with an attempt that is in doubt",
                options: [
                    .option("--attempt", "ID", "the attempt (payments show tells)", required: true),
                    .option(
                        "--outcome", "OUTCOME", "what the partner did", required: true,
                        choices: ["settled", "rejected", "absent"]),
                    .option("--operator", "NAME", "who looked", required: true),
                    .option("--observed-at", "TIME", "when they looked, RFC 3339 in UTC; needed for absent"),
                    .option("--note", "TEXT", "what they saw"),
                ] + SwitchyardCommand.client, positionals: id),
        ])

    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let options = try ClientOptions(command)
        let payment = command.positional(0) ?? ""
        switch command.path.last {
        case "list": return try list(command, options)
        case "show": return try show(payment, options)
        default: return try decide(payment, command, options)
        }
    }

    private static func list(_ command: ParsedCommand, _ options: ClientOptions) throws(CommandFailure) -> ExitCode {
        guard let limit = command["--limit"].flatMap({ Int($0) }), limit > 0 else {
            throw CommandFailure(.usage, "--limit needs a number above 0")
        }
        if let state = command["--state"], PaymentStatus(name: state).map({ $0 == .none }) ?? true {
            let known = PaymentStatus.allCases.filter { $0 != .none }.map { "\($0.name)" }
            throw CommandFailure(.usage, "--state \(state): no such state; one of \(known.joined(separator: ", "))")
        }
        var filter: [String] = []
        for (option, name) in [("--state", "state"), ("--partner", "partner"), ("--older-than", "olderThan")] {
            if let value = command[option] { filter.append("\(name)=\(PercentEncoding.encode(value))") }
        }
        let reach = try Reach(options, role: .read, readsStates: true)
        var found: [JSONValue] = []
        var next: String?
        var share: JSONValue?
        repeat {
            var query = filter + ["limit=\(min(1_000, limit - found.count))"]
            if let next { query.append("after=\(next)") }
            let page = try reach.run { access throws(AccessFault) in
                try access.payments(query.joined(separator: "&"))
            }
            found += page["payments"]?.array ?? []
            next = page["next"]?.string
            share = page["share"]
        } while next != nil && found.count < limit
        if options.json {
            var members: [String: JSONValue] = [
                "payments": .array(found), "next": next.map { .string($0) } ?? .null,
            ]
            members["share"] = share
            Terminal.json(.object(members))
        } else {
            PaymentText.list(found).forEach(Terminal.line)
        }
        if let share, let partial = PaymentText.partial(share) { Terminal.error(partial) }
        return .done
    }

    private static func show(_ id: String, _ options: ClientOptions) throws(CommandFailure) -> ExitCode {
        let reach = try Reach(options, role: .read, readsStates: true)
        var answer = try reach.run { access throws(AccessFault) in try access.payment(id) }
        if case .elsewhere(let detail) = answer {
            // What is published is the same for everybody.
            Terminal.error("\(detail); shown as its events tell")
            let events = try Reach(options, role: .read)
            answer = try events.run { access throws(AccessFault) in try access.payment(id) }
        }
        guard case .found(let payment) = answer else { throw CommandFailure(.wrong, "no payment \(id)") }
        if options.json { Terminal.json(payment) } else { PaymentText.payment(payment).forEach(Terminal.line) }
        return .done
    }

    /// Sends a command of the desk and waits for its outcome.
    private static func decide(
        _ payment: String, _ command: ParsedCommand, _ options: ClientOptions
    ) throws(CommandFailure) -> ExitCode {
        let (type, data) = try decision(payment, command)
        let reach = try Reach(options, role: .desk)
        let id = "desk-\(hexadecimal(UInt64.random(in: 0 ... .max)))\(hexadecimal(UInt64.random(in: 0 ... .max)))"
        let source = "urn:switchyard:desk"
        let line: JSONValue = [
            "type": .string(type), "id": .string(id), "subject": .string(payment), "source": .string(source),
            "data": data,
        ]
        let frame: [UInt8]
        do {
            frame = try SendLine(line.bytes, timestamp: Clock.milliseconds).frame
        } catch {
            throw CommandFailure(.usage, "the command cannot be written as JSON")
        }
        try reach.run { access throws(AccessFault) in try access.append([frame]) }
        let outcome = try reach.run { access throws(AccessFault) in
            guard let found = try access.outcome(subject: payment, source: source, id: id) else {
                throw .unreachable("the command is durable, but nobody has decided it yet")
            }
            return found
        }
        let rejected = RecordPresentation.shortName(outcome["type"]?.string ?? "") == "command.rejected"
        if options.json {
            Terminal.json(outcome)
        } else if rejected {
            let data = outcome["data"]
            let field = data?["field"]?.string.map { "\($0) " } ?? ""
            Terminal.error("rejected: \(data?["code"]?.string ?? "?"): \(field)\(data?["message"]?.string ?? "")")
        } else {
            Terminal.line("accepted; \(payment) was \(outcome["data"]?["state"]?.string ?? "?")")
        }
        return rejected ? .wrong : .done
    }

    private static func decision(
        _ payment: String, _ command: ParsedCommand
    ) throws(CommandFailure) -> (type: String, data: JSONValue) {
        let who = command["--operator"] ?? ""
        if command.path.last == "resolve" {
            var evidence: [String: JSONValue] = [:]
            if command["--outcome"] == "absent", command["--observed-at"] == nil {
                throw CommandFailure(
                    .usage,
                    "--outcome absent needs --observed-at TIME: when you looked and found nothing, as in "
                        + "2026-11-20T14:30:00Z; only absence seen late enough proves that nothing is under way")
            }
            if let observedAt = command["--observed-at"] { evidence["observedAt"] = .string(observedAt) }
            if let note = command["--note"] { evidence["note"] = .string(note) }
            return (
                "attempt.resolve",
                [
                    "attemptId": .string(command["--attempt"] ?? ""), "outcome": .string(command["--outcome"] ?? ""),
                    "operator": .string(who), "evidence": .object(evidence),
                ]
            )
        }
        let entry = command["--entry"] ?? ""
        let isOffload = entry.hasPrefix("\(payment)-offload-")
        let (type, field) =
            switch command.path.last {
            case "release": ("hold.release", "holdId")
            case "resume": ("offload.resume", "offloadId")
            default: isOffload ? ("offload.reject", "offloadId") : ("hold.reject", "holdId")
            }
        return (
            type,
            .object([field: .string(entry), "operator": .string(who), "reason": .string(command["--reason"] ?? "")])
        )
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
