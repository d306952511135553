/// A place in a YAML file, as editors count: both from 1.
public struct YAMLMark: Hashable, Sendable {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1, in characters.
    public let column: Int

    /// The place at that line and column.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// What is wrong with a YAML file: where it stands, what is wrong, and how to mend it.
///
/// The message never repeats a value where a secret might have been written by mistake; it repeats keys, which are
/// names of ours.
public struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the caller named it.
    public let file: String
    /// Where in the file; nil where the file as a whole is meant (it cannot be read, say).
    public let mark: YAMLMark?
    /// Keys and indexes from the root, dotted: `partners.bank-a.webhookSecret`, `holidays[3]`. Empty for the root.
    public let keyPath: String
    /// What is wrong.
    public let message: String
    /// How to mend it, or empty.
    public let hint: String

    /// A fault of a file.
    public init(file: String, mark: YAMLMark?, keyPath: String = "", message: String, hint: String = "") {
        self.file = file
        self.mark = mark
        self.keyPath = keyPath
        self.message = message
        self.hint = hint
    }

    /// The line, from 1; 0 where the file as a whole is meant.
    public var line: Int { mark?.line ?? 0 }

    /// The column, from 1; 0 where the file as a whole is meant.
    public var column: Int { mark?.column ?? 0 }

    /// `file:line:column: key.path: message (hint)`, the form that editors jump to.
    public var description: String {
        var text = file
        if let mark { text += ":\(mark.line):\(mark.column)" }
        text += ": "
        if !keyPath.isEmpty { text += "\(keyPath): " }
        text += message
        if !hint.isEmpty { text += " (\(hint))" }
        return text
    }
}
