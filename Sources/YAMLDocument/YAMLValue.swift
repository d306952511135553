import Spelling

/// A node together with what an error needs to say about it: the file and the path of keys that leads there.
///
/// Decoding is strict: nothing is guessed from the look of a scalar. The caller asks for a text, an integer, a span
/// of time, and gets it or an error that names the place.
public struct YAMLValue: Sendable {
    /// The node.
    public let node: YAMLNode
    /// The file as the caller named it.
    public let file: String
    /// Keys and indexes from the root, dotted.
    public let keyPath: String

    /// A value at a place.
    public init(node: YAMLNode, file: String, keyPath: String) {
        self.node = node
        self.file = file
        self.keyPath = keyPath
    }

    /// Where the value stands.
    public var mark: YAMLMark { node.mark }

    /// An error about this value, for checks that only the caller can make.
    public func fault(_ message: String, hint: String = "") -> YAMLError {
        YAMLError(file: file, mark: mark, keyPath: keyPath, message: message, hint: hint)
    }

    /// What stands here, in words: `a list`, `text`.
    public var kindInWords: String {
        switch node.content {
        case .scalar(let text, let isPlain): isPlain && YAMLValue.isNull(text) ? "nothing" : "a single value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// Whether a mapping stands here.
    public var isMapping: Bool {
        if case .mapping = node.content { true } else { false }
    }

    /// Whether a list stands here.
    public var isSequence: Bool {
        if case .sequence = node.content { true } else { false }
    }

    /// The items of a list. `limit` bounds how many are accepted.
    public func items(limit: Int = 100_000) throws(YAMLError) -> [YAMLValue] {
        guard case .sequence(let items) = node.content else { throw expected("a list") }
        guard items.count <= limit else { throw fault("has \(items.count) items, more than \(limit)") }
        return items.enumerated().map { index, item in
            YAMLValue(node: item, file: file, keyPath: "\(keyPath)[\(index)]")
        }
    }

    /// The entries of a mapping whose keys are names that the file chooses, in the file's order.
    public func entries() throws(YAMLError) -> [YAMLEntry] {
        guard case .mapping(let pairs) = node.content else { throw expected("a mapping") }
        return pairs.map { pair in
            YAMLEntry(
                key: pair.key,
                keyMark: pair.keyMark,
                value: YAMLValue(node: pair.value, file: file, keyPath: path(to: pair.key)))
        }
    }

    /// The mapping here, which may hold the keys of `Key` and no others.
    public func mapping<Key>(_ keys: Key.Type) throws(YAMLError) -> YAMLMapping<Key> {
        let known = Key.allCases.map(\.rawValue)
        let entries = try self.entries()
        for entry in entries where Key(rawValue: entry.key) == nil {
            let hint: String
            if let near = Spelling.nearest(to: entry.key, among: known) {
                hint = "did you mean '\(near)'?"
            } else {
                hint = "known here: " + known.sorted().joined(separator: ", ")
            }
            throw YAMLError(
                file: file, mark: entry.keyMark, keyPath: entry.value.keyPath,
                message: "unknown key '\(entry.key)'", hint: hint)
        }
        return YAMLMapping(value: self, entries: entries)
    }

    func expected(_ what: String) -> YAMLError {
        fault("\(what) is expected, \(kindInWords) is here")
    }

    func path(to key: String) -> String { keyPath.isEmpty ? key : "\(keyPath).\(key)" }

    static func isNull(_ text: String) -> Bool {
        text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
    }
}

/// An entry of a mapping whose keys are names.
public struct YAMLEntry: Sendable {
    /// The key.
    public let key: String
    /// Where the key stands.
    public let keyMark: YAMLMark
    /// The value, whose key path ends in the key.
    public let value: YAMLValue

    /// An error about the key.
    public func keyFault(_ message: String, hint: String = "") -> YAMLError {
        YAMLError(file: value.file, mark: keyMark, keyPath: value.keyPath, message: message, hint: hint)
    }
}

/// A mapping with known keys. Unknown ones were refused when it was made.
public struct YAMLMapping<Key: RawRepresentable & CaseIterable & Hashable & Sendable>: Sendable
where Key.RawValue == String {
    /// The mapping as a value, for errors about it as a whole.
    public let value: YAMLValue
    private let found: [Key: YAMLValue]

    init(value: YAMLValue, entries: [YAMLEntry]) {
        self.value = value
        var found: [Key: YAMLValue] = [:]
        for entry in entries {
            if let key = Key(rawValue: entry.key) { found[key] = entry.value }
        }
        self.found = found
    }

    /// The value under `key`, or nil where the key is absent. A key without a value is refused.
    public func optional(_ key: Key) throws(YAMLError) -> YAMLValue? {
        guard let value = found[key] else { return nil }
        if case .scalar(let text, isPlain: true) = value.node.content, YAMLValue.isNull(text) {
            throw value.fault("has no value", hint: "give one, or remove the key")
        }
        return value
    }

    /// The value under `key`.
    public func required(_ key: Key) throws(YAMLError) -> YAMLValue {
        guard let value = try optional(key) else {
            throw YAMLError(
                file: value.file, mark: value.mark, keyPath: value.path(to: key.rawValue),
                message: "the key '\(key.rawValue)' is missing",
                hint: "add it to \(value.keyPath.isEmpty ? "the file" : value.keyPath)")
        }
        return value
    }
}
