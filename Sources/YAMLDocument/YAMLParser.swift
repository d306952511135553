/// Reads YAML text into nodes that know their place.
public enum YAMLParser {
    /// The one document in `bytes`.
    ///
    /// Refused: invalid UTF-8, a second document, keys that occur twice or are no plain text, tags, merge keys (`<<`),
    /// unknown or recursive aliases, and whatever exceeds `limits`. Cost: linear in the size of the file.
    ///
    /// - Parameter file: how errors name the file.
    public static func parse(
        _ bytes: [UInt8], file: String, limits: YAMLLimits = YAMLLimits()
    ) throws(YAMLError) -> YAMLValue {
        guard bytes.count <= limits.bytes else {
            throw YAMLError(
                file: file, mark: nil, message: "is larger than \(limits.bytes) bytes",
                hint: "split it, or look whether it is the right file")
        }
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode, YAMLError> in
            guard let reader = EventReader(buffer) else {
                return .failure(YAMLError(file: file, mark: nil, message: "cannot be read: out of memory"))
            }
            var composer = Composer(reader: reader, file: file, limits: limits)
            do throws(YAMLError) {
                return .success(try composer.document())
            } catch {
                return .failure(error)
            }
        }
        return YAMLValue(node: try result.get(), file: file, keyPath: "")
    }

    /// The one document in `text`; see `parse(_:file:limits:)` for bytes.
    public static func parse(
        text: String, file: String, limits: YAMLLimits = YAMLLimits()
    ) throws(YAMLError) -> YAMLValue {
        try parse(Array(text.utf8), file: file, limits: limits)
    }
}

/// Builds nodes from events.
private struct Composer: ~Copyable {
    /// An anchored node, with the number of nodes that an alias to it stands for.
    private struct Anchored {
        let node: YAMLNode
        let weight: Int
        let depth: Int
    }

    private var reader: EventReader
    private let file: String
    private let limits: YAMLLimits
    private var anchors: [String: Anchored] = [:]
    private var nodes = 0

    init(reader: consuming EventReader, file: String, limits: YAMLLimits) {
        self.reader = reader
        self.file = file
        self.limits = limits
    }

    mutating func document() throws(YAMLError) -> YAMLNode {
        _ = try next()
        guard case .documentStart = try next().kind else {
            throw YAMLError(file: file, mark: YAMLMark(line: 1, column: 1), message: "is empty")
        }
        let (root, _) = try node(try next(), depth: 0)
        _ = try next()
        let after = try next()
        guard case .streamEnd = after.kind else {
            throw fault(
                after.mark, "a second document begins here", hint: "one file holds one document: remove the '---'")
        }
        return root
    }

    /// The node that begins with `event`, and how deep its own content goes.
    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLError) -> (YAMLNode, depth: Int) {
        guard depth <= limits.depth else {
            throw fault(event.mark, "is nested deeper than \(limits.depth) levels")
        }
        try count(1, at: event.mark)
        if event.tag != nil {
            throw fault(event.mark, "tags are not used here", hint: "remove the '!' and the name after it")
        }
        let before = nodes - 1
        let content: YAMLNode.Content
        var inner = 0
        switch event.kind {
        case .scalar(let text, let isPlain):
            guard !text.unicodeScalars.contains(where: { $0.value == 0 }) else {
                throw fault(event.mark, "contains a NUL character")
            }
            content = .scalar(text: text, isPlain: isPlain)
        case .sequenceStart: (content, inner) = try sequence(depth: depth)
        case .mappingStart: (content, inner) = try mapping(depth: depth)
        case .alias(let name): return try alias(name, at: event.mark, depth: depth)
        default: throw fault(event.mark, "a value is missing")
        }
        let node = YAMLNode(mark: event.mark, content: content)
        if let anchor = event.anchor {
            anchors[anchor] = Anchored(node: node, weight: nodes - before, depth: inner)
        }
        return (node, inner)
    }

    private mutating func sequence(depth: Int) throws(YAMLError) -> (YAMLNode.Content, Int) {
        var items: [YAMLNode] = []
        var deepest = 0
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { return (.sequence(items), deepest + 1) }
            let (item, inner) = try node(event, depth: depth + 1)
            items.append(item)
            deepest = max(deepest, inner)
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLError) -> (YAMLNode.Content, Int) {
        var pairs: [YAMLNode.Pair] = []
        var seen: [String: YAMLMark] = [:]
        var deepest = 0
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return (.mapping(pairs), deepest + 1) }
            let key = try self.key(event)
            if let first = seen.updateValue(event.mark, forKey: key) {
                throw fault(
                    event.mark, "the key '\(key)' stands here twice", hint: "it was first given in line \(first.line)")
            }
            let (value, inner) = try node(try next(), depth: depth + 1)
            pairs.append(YAMLNode.Pair(key: key, keyMark: event.mark, value: value))
            deepest = max(deepest, inner)
        }
    }

    private mutating func key(_ event: YAMLEvent) throws(YAMLError) -> String {
        try count(1, at: event.mark)
        guard case .scalar(let text, let isPlain) = event.kind, event.tag == nil, event.anchor == nil else {
            throw fault(event.mark, "a key must be plain text")
        }
        if isPlain, text == "<<" {
            throw fault(event.mark, "merge keys ('<<') are not used here", hint: "write the keys out")
        }
        return text
    }

    /// The node that an alias stands for: it counts as all its nodes and goes as deep as they do.
    private mutating func alias(
        _ name: String, at mark: YAMLMark, depth: Int
    ) throws(YAMLError) -> (YAMLNode, depth: Int) {
        guard let anchored = anchors[name] else {
            throw fault(
                mark, "the alias '*\(name)' refers to nothing before it",
                hint: "an anchor '&\(name)' must stand earlier in the file, and not around its own alias")
        }
        try count(anchored.weight - 1, at: mark)
        guard depth + anchored.depth <= limits.depth else {
            throw fault(mark, "is nested deeper than \(limits.depth) levels")
        }
        return (anchored.node, anchored.depth)
    }

    private mutating func count(_ more: Int, at mark: YAMLMark) throws(YAMLError) {
        nodes += more
        guard nodes <= limits.nodes else {
            throw fault(mark, "the file has more than \(limits.nodes) nodes, aliases counted in full")
        }
    }

    private mutating func next() throws(YAMLError) -> YAMLEvent {
        do throws(YAMLSyntaxFault) {
            return try reader.next()
        } catch {
            throw fault(error.mark, error.message, hint: "this is not valid YAML; look at indentation and quotes")
        }
    }

    private func fault(_ mark: YAMLMark, _ message: String, hint: String = "") -> YAMLError {
        YAMLError(file: file, mark: mark, message: message, hint: hint)
    }
}
