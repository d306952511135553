import CommandLineOptions
import Testing

private let tool = CommandDescription(
    "tool", "does things",
    subcommands: [
        CommandDescription(
            "run", "runs",
            options: [
                .option("--config", "FILE", "the configuration", required: true),
                .option("--output", "FORM", "how", default: "text", choices: ["text", "json"]),
                .flag("--follow", "goes on"),
                .integer("--shards", "N", "how many", in: 1...64, default: 2),
                .integer("--seed", "N", "where to begin"),
                .duration("--timeout", "TIME", "how long", default: "30s"),
            ]),
        CommandDescription(
            "payments", "desk",
            subcommands: [
                CommandDescription(
                    "show", "shows one", positionals: [PositionalDescription("ID", "which")]),
                CommandDescription(
                    "add", "adds", positionals: [PositionalDescription("FILE", "what", repeats: true)]),
            ]),
    ])

@Suite("Command lines")
struct OptionsTests {
    @Test("values, flags and defaults")
    func values() {
        let expected = ParsedCommand(
            path: ["run"],
            options: [
                "--config": ["a.yaml"], "--output": ["json"], "--follow": [""], "--shards": ["2"], "--timeout": ["30s"],
            ], positionals: [])
        #expect(tool.parse(["run", "--config", "a.yaml", "--output=json", "--follow"]) == .run(expected))
        guard case .run(let parsed) = tool.parse(["run", "--config=b=c"]) else { return #expect(Bool(false)) }
        #expect(parsed["--config"] == "b=c")
        #expect(parsed["--output"] == "text")
        #expect(!parsed.has("--follow"))
    }

    @Test("subcommands, positionals and what follows --")
    func positionals() {
        guard case .run(let show) = tool.parse(["payments", "show", "--", "--odd"]) else { return #expect(Bool(false)) }
        #expect(show.path == ["payments", "show"])
        #expect(show.positional(0) == "--odd")
        guard case .run(let add) = tool.parse(["payments", "add", "a", "-", "b"]) else { return #expect(Bool(false)) }
        #expect(add.positionals == ["a", "-", "b"])
    }

    @Test(
        "what is wrong is said in a sentence",
        arguments: [
            (["rnu"], "unknown command 'rnu'. Did you mean 'run'?"),
            (["run"], "option '--config FILE' is missing."),
            (["run", "--confg", "x"], "unknown option '--confg'. Did you mean '--config'?"),
            (["run", "--config"], "option '--config' needs a value."),
            (["run", "--config", "x", "--follow=1"], "option '--follow' takes no value."),
            (["run", "--config", "x", "--output", "xml"], "option '--output' must be one of text, json."),
            (["run", "--config", "x", "--shards", "65"], "option '--shards' must be an integer from 1 to 64."),
            (["run", "--config", "x", "--shards=two"], "option '--shards' must be an integer from 1 to 64."),
            (["run", "--config", "x", "--seed=-1"], "option '--seed' must be an integer from 0."),
            (["run", "--config", "x", "--timeout", "30"], "option '--timeout' must be a duration such as"),
            (["run", "--config", "x", "more"], "unexpected argument 'more'."),
            (["payments", "show"], "argument ID is missing."),
            (["payments", "show", "-x"], "unknown option '-x'."),
        ] as [([String], String)])
    func usage(arguments: [String], message: String) {
        guard case .usage(let text) = tool.parse(arguments) else { return #expect(Bool(false)) }
        #expect(text.contains(message))
        #expect(text.contains("--help"))
    }

    @Test("help names every option with its default")
    func help() {
        guard case .help(let text) = tool.parse(["run", "--help"]) else { return #expect(Bool(false)) }
        for part in ["--config FILE", "--output FORM", "text or json", "default: text", "--follow", "usage: tool run"] {
            #expect(text.contains(part))
        }
        guard case .help(let all) = tool.parse(["--help"]) else { return #expect(Bool(false)) }
        #expect(all.contains("payments"))
    }

    @Test(
        "integers and durations",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("0s", .zero), ("2s", .seconds(2)), ("5m", .seconds(300)),
            ("24h", .seconds(86_400)),
        ])
    func typed(text: String, duration: Duration) {
        guard case .run(let parsed) = tool.parse(["run", "--config", "x", "--timeout", text]) else {
            return #expect(Bool(false))
        }
        #expect(parsed.duration("--timeout") == duration)
        #expect(parsed.integer("--shards") == 2)
        #expect(parsed.integer("--seed") == nil)
    }

    @Test("what is no duration", arguments: ["", "s", "-1s", "1.5s", "1 s", "5d", "99999999999999999999s", "1_0s"])
    func noDuration(text: String) {
        guard case .usage = tool.parse(["run", "--config", "x", "--timeout=\(text)"]) else {
            return #expect(Bool(false), "\(text)")
        }
    }
}
