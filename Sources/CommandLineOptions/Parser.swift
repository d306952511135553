import Spelling

extension CommandDescription {
    /// Reads a command line, without the program's name. Pure: prints nothing and ends nothing.
    public func parse(_ arguments: [String]) -> ParseOutcome {
        parse(arguments[...], path: [], program: name)
    }

    private func parse(_ arguments: ArraySlice<String>, path: [String], program: String) -> ParseOutcome {
        guard !subcommands.isEmpty else { return parseLeaf(arguments, path: path, program: program) }
        guard let first = arguments.first else { return .usage(helpText(program: program)) }
        if first == "--help" || first == "-h" || first == "help" { return .help(helpText(program: program)) }
        if let version, first == "--version" { return .help(version) }
        guard let command = subcommands.first(where: { $0.name == first }) else {
            let hint =
                Spelling.nearest(to: first, among: subcommands.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
            return .usage("\(program): unknown command '\(first)'.\(hint)\nSee '\(program) --help'.")
        }
        return command.parse(arguments.dropFirst(), path: path + [first], program: "\(program) \(first)")
    }

    private func parseLeaf(_ arguments: ArraySlice<String>, path: [String], program: String) -> ParseOutcome {
        var parsed = ParsedCommand(path: path, options: [:], positionals: [])
        var rest = arguments
        func wrong(_ message: String) -> ParseOutcome { .usage("\(program): \(message)\nSee '\(program) --help'.") }
        while let argument = rest.popFirst() {
            if argument == "--" {
                parsed.positionals += rest
                break
            }
            if argument == "--help" || argument == "-h" { return .help(helpText(program: program)) }
            guard argument.hasPrefix("--") else {
                if argument.hasPrefix("-"), argument != "-" { return wrong("unknown option '\(argument)'.") }
                parsed.positionals.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let given = String(parts[0])
            guard let option = options.first(where: { $0.name == given }) else {
                let hint =
                    Spelling.nearest(to: given, among: options.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
                return wrong("unknown option '\(given)'.\(hint)")
            }
            var value = parts.count == 2 ? String(parts[1]) : nil
            if option.value == nil {
                if value != nil { return wrong("option '\(given)' takes no value.") }
                value = ""
            } else if value == nil {
                guard let next = rest.popFirst() else { return wrong("option '\(given)' needs a value.") }
                value = next
            }
            if let choices = option.choices, let value, !choices.contains(value) {
                return wrong("option '\(given)' must be one of \(choices.joined(separator: ", ")).")
            }
            if let value, let objection = option.kind.objection(to: value) {
                return wrong("option '\(given)' \(objection).")
            }
            parsed.options[given, default: []].append(value ?? "")
        }
        return complete(parsed, wrong: wrong)
    }

    private func complete(_ parsed: ParsedCommand, wrong: (String) -> ParseOutcome) -> ParseOutcome {
        var parsed = parsed
        for option in options where parsed.options[option.name] == nil {
            if option.isRequired { return wrong("option '\(option.name) \(option.value ?? "")' is missing.") }
            if let standard = option.standard { parsed.options[option.name] = [standard] }
        }
        let needed = positionals.filter(\.isRequired).count
        if parsed.positionals.count < needed {
            return wrong("argument \(positionals[parsed.positionals.count].name) is missing.")
        }
        let open = positionals.last?.repeats ?? false
        if !open, parsed.positionals.count > positionals.count {
            return wrong("unexpected argument '\(parsed.positionals[positionals.count])'.")
        }
        return .run(parsed)
    }

    /// What `--help` prints.
    public func helpText(program: String) -> String {
        var lines = [summary, ""]
        if !subcommands.isEmpty {
            lines += ["usage: \(program) COMMAND …", "", "commands:"]
            lines += table(subcommands.map { ($0.name, $0.summary) })
            lines += ["", "'\(program) COMMAND --help' tells more."]
            if version != nil { lines[lines.count - 1] += " '\(program) --version' tells which it is." }
        } else {
            let required = options.filter(\.isRequired).map { " \($0.name)" + ($0.value.map { " \($0)" } ?? "") }
            let arguments = positionals.map { argument in
                let name = argument.name + (argument.repeats ? "…" : "")
                return argument.isRequired ? " \(name)" : " [\(name)]"
            }
            lines.append(
                "usage: \(program)\(required.joined())\(options.isEmpty ? "" : " [options]")\(arguments.joined())")
            if !positionals.isEmpty { lines += ["", "arguments:"] + table(positionals.map { ($0.name, $0.help) }) }
            lines += ["", "options:"]
            lines += table(options.map { ($0.usage, $0.fullHelp) } + [("--help", "print this")])
        }
        if !discussion.isEmpty { lines += ["", discussion] }
        return lines.joined(separator: "\n")
    }

    private func table(_ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count))  \($0.1)" }
    }
}

extension OptionDescription {
    fileprivate var usage: String { value.map { "\(name) \($0)" } ?? name }

    fileprivate var fullHelp: String {
        var text = help
        if let choices { text += " (\(choices.joined(separator: " or ")))" }
        if let standard { text += " (default: \(standard))" }
        return text
    }
}
