/// An option of a command: `--name VALUE`, or `--name` alone for a flag.
public struct OptionDescription: Sendable {
    /// With its dashes: `--config`.
    public var name: String
    /// What stands for the value in the help; nil makes it a flag.
    public var value: String?
    /// One line for people.
    public var help: String
    /// Whether the command cannot do without it.
    public var isRequired: Bool
    /// What holds where it is not given; shown in the help.
    public var standard: String?
    /// The values that are allowed; nil for any.
    public var choices: [String]?
    /// What a value must be.
    public var kind: ValueKind = .text

    /// An option with a value.
    public static func option(
        _ name: String, _ value: String, _ help: String, required: Bool = false, default standard: String? = nil,
        choices: [String]? = nil
    ) -> OptionDescription {
        OptionDescription(
            name: name, value: value, help: help, isRequired: required, standard: standard, choices: choices)
    }

    /// An option with an integer; `range` is checked.
    public static func integer(
        _ name: String, _ value: String, _ help: String, in range: ClosedRange<Int64> = 0...Int64.max,
        required: Bool = false, default standard: Int64? = nil
    ) -> OptionDescription {
        OptionDescription(
            name: name, value: value, help: help, isRequired: required, standard: standard.map(String.init),
            choices: nil, kind: .integer(range))
    }

    /// An option with a duration: `250ms`, `2s`, `5m`, `24h`.
    public static func duration(
        _ name: String, _ value: String, _ help: String, required: Bool = false, default standard: String? = nil
    ) -> OptionDescription {
        OptionDescription(
            name: name, value: value, help: help, isRequired: required, standard: standard, choices: nil,
            kind: .duration)
    }

    /// An option without a value.
    public static func flag(_ name: String, _ help: String) -> OptionDescription {
        OptionDescription(name: name, value: nil, help: help, isRequired: false, standard: nil, choices: nil)
    }
}

/// What an option's value must be; checked when the command line is read.
public enum ValueKind: Sendable, Equatable {
    /// Any text.
    case text
    /// An integer in a range.
    case integer(ClosedRange<Int64>)
    /// A number without sign and one of `ms`, `s`, `m`, `h`.
    case duration

    /// What is wrong with `value`, as the end of a sentence, or nil.
    func objection(to value: String) -> String? {
        switch self {
        case .text: nil
        case .integer(let range):
            Int64(value).map(range.contains) == true
                ? nil
                : range.upperBound == .max
                    ? "must be an integer from \(range.lowerBound)"
                    : "must be an integer from \(range.lowerBound) to \(range.upperBound)"
        case .duration: Self.duration(value) == nil ? "must be a duration such as 250ms, 2s, 5m or 24h" : nil
        }
    }

    /// The duration that `text` writes, or nil.
    static func duration(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 1_000_000_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3_600)
        default: return nil
        }
    }
}

/// A positional argument.
public struct PositionalDescription: Sendable {
    /// What stands for it in the help: `FILE`.
    public var name: String
    /// One line for people.
    public var help: String
    /// Whether the command cannot do without it.
    public var isRequired: Bool
    /// Whether it takes all that follow, too.
    public var repeats: Bool

    /// A positional argument.
    public init(_ name: String, _ help: String, required: Bool = true, repeats: Bool = false) {
        self.name = name
        self.help = help
        isRequired = required
        self.repeats = repeats
    }
}

/// A command with its options, arguments and subcommands.
public struct CommandDescription: Sendable {
    /// Its name.
    public var name: String
    /// One line for people.
    public var summary: String
    /// More, below the usage.
    public var discussion: String
    /// Its options; `--help` comes by itself.
    public var options: [OptionDescription]
    /// Its positional arguments, in order.
    public var positionals: [PositionalDescription]
    /// Its subcommands. A command that has some does nothing itself.
    public var subcommands: [CommandDescription]
    /// What `--version` prints; nil where it is no option. Of the outermost command.
    public var version: String?

    /// A command.
    public init(
        _ name: String, _ summary: String, discussion: String = "", options: [OptionDescription] = [],
        positionals: [PositionalDescription] = [], subcommands: [CommandDescription] = [], version: String? = nil
    ) {
        self.name = name
        self.summary = summary
        self.discussion = discussion
        self.options = options
        self.positionals = positionals
        self.subcommands = subcommands
        self.version = version
    }
}

/// What was given on a command line that fits a description.
public struct ParsedCommand: Sendable, Equatable {
    /// Names of the subcommands, from the outermost: `["payments", "release"]`.
    public var path: [String]
    /// Values of the options that were given, in order; a flag has an empty value.
    public var options: [String: [String]]
    /// Positional arguments, in order.
    public var positionals: [String]

    /// A parsed command line.
    public init(path: [String], options: [String: [String]], positionals: [String]) {
        self.path = path
        self.options = options
        self.positionals = positionals
    }

    /// The option's last value, else its default, else nil.
    public subscript(_ option: String) -> String? { options[option]?.last }

    /// The last value of an option that is described as an integer.
    public func integer(_ option: String) -> Int64? { self[option].flatMap { Int64($0) } }

    /// The last value of an option that is described as a duration.
    public func duration(_ option: String) -> Duration? { self[option].flatMap(ValueKind.duration) }

    /// Whether the flag was given.
    public func has(_ flag: String) -> Bool { options[flag] != nil }

    /// The positional argument at that place, or nil.
    public func positional(_ index: Int) -> String? {
        positionals.indices.contains(index) ? positionals[index] : nil
    }
}

/// What a command line means.
public enum ParseOutcome: Sendable, Equatable {
    /// Run this.
    case run(ParsedCommand)
    /// Print this and exit with 0.
    case help(String)
    /// Print this on the error stream and exit with 2.
    case usage(String)
}
