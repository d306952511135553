import CivilCalendar

/// How much a line matters.
public enum LogLevel: String, Sendable, Comparable, CaseIterable {
    /// Every step; for a developer.
    case debug
    /// Starts, stops, reloads.
    case info
    /// Works, but should be looked at.
    case warning
    /// Does not work.
    case error

    /// The name in lines and configuration.
    public var name: String { rawValue }

    private var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    /// Less severe first.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.severity < right.severity }
}

/// A value beside a message. There is no case for arbitrary values: what is logged is chosen, not dumped.
public enum LogValue: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    /// Identifiers, names of partners and rails, codes. Never a name of a person, an account or a secret.
    case text(String)
    /// An integer.
    case integer(Int64)
    /// Yes or no.
    case bool(Bool)
    /// Something that must not be seen. Shown as `<redacted>`, whatever it was.
    case redacted

    /// A text known when the program was written.
    public init(stringLiteral value: String) { self = .text(value) }
    /// An integer known when the program was written.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth known when the program was written.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// One line, before it is written.
public struct LogRecord: Sendable, Equatable {
    /// Milliseconds since 1970.
    public var time: Int64
    /// How much it matters.
    public var level: LogLevel
    /// Which part says so.
    public var component: String
    /// What is the matter, the same words each time; details are fields.
    public var message: String
    /// Details.
    public var fields: [(name: String, value: LogValue)]

    /// A line.
    public init(
        time: Int64, level: LogLevel, component: String, message: String, fields: [(name: String, value: LogValue)]
    ) {
        self.time = time
        self.level = level
        self.component = component
        self.message = message
        self.fields = fields
    }

    /// Same line.
    public static func == (left: LogRecord, right: LogRecord) -> Bool {
        left.time == right.time && left.level == right.level && left.component == right.component
            && left.message == right.message && left.fields.elementsEqual(right.fields, by: ==)
    }

    /// The line as one JSON object, without a line end.
    public var json: String {
        var line = "{\"time\":\"\(CivilTime.string(milliseconds: time))\",\"level\":\"\(level.name)\",\"component\":\""
        LogRecord.escape(component, into: &line)
        line += "\",\"message\":\""
        LogRecord.escape(message, into: &line)
        line += "\""
        for (name, value) in fields {
            line += ",\""
            LogRecord.escape(name, into: &line)
            line += "\":"
            switch value {
            case .text(let text):
                line += "\""
                LogRecord.escape(text, into: &line)
                line += "\""
            case .integer(let integer): line += String(integer)
            case .bool(let bool): line += bool ? "true" : "false"
            case .redacted: line += "\"<redacted>\""
            }
        }
        return line + "}"
    }

    /// The line for a terminal.
    public var plain: String {
        var line = "\(CivilTime.string(milliseconds: time)) \(level.name.uppercased()) \(component): \(message)"
        for (name, value) in fields {
            switch value {
            case .text(let text): line += " \(name)=\(text.contains(" ") ? "\"\(text)\"" : text)"
            case .integer(let integer): line += " \(name)=\(integer)"
            case .bool(let bool): line += " \(name)=\(bool)"
            case .redacted: line += " \(name)=<redacted>"
            }
        }
        return line.replacing("\n", with: " ")
    }

    private static func escape(_ text: String, into line: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}
