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
            path: ["run"], options: ["--config": ["a.yaml"], "--output": ["json"], "--follow": [""]], positionals: [])
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
}
