/// A node of a YAML document that knows where it stands. Aliases are already replaced by what they stand for.
public struct YAMLNode: Hashable, Sendable {
    /// What a node can be.
    public indirect enum Content: Hashable, Sendable {
        /// Text; `isPlain` where it was written without quotes, so that it may be meant as a number or `true`.
        case scalar(text: String, isPlain: Bool)
        /// A list.
        case sequence([YAMLNode])
        /// Keys and values in the order of the file; no key occurs twice.
        case mapping([Pair])
    }

    /// A key with its value.
    public struct Pair: Hashable, Sendable {
        /// The key.
        public let key: String
        /// Where the key stands.
        public let keyMark: YAMLMark
        /// The value.
        public let value: YAMLNode
    }

    /// Where the node begins.
    public let mark: YAMLMark
    /// What it is.
    public let content: Content

    /// A node at a place.
    public init(mark: YAMLMark, content: Content) {
        self.mark = mark
        self.content = content
    }
}

/// What a document may cost at most. Files of ours are small: what goes beyond is a mistake or an attack.
public struct YAMLLimits: Hashable, Sendable {
    /// Largest file in bytes.
    public var bytes: Int
    /// Deepest nesting of lists and mappings.
    public var depth: Int
    /// Most nodes, where each alias counts as all the nodes it stands for (else "a billion laughs" fits in a page).
    public var nodes: Int

    /// Limits; the defaults suit configuration and policy files.
    public init(bytes: Int = 4_194_304, depth: Int = 32, nodes: Int = 200_000) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }
}
