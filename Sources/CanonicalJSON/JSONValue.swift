/// A JSON value as a tree: for the edges (administration, command line, simulator, tests), where convenience counts.
/// Objects have no order; written, members are sorted as RFC 8785 says.
public enum JSONValue: Hashable, Sendable {
    /// `null`
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number whose text is an integer that fits.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object([String: JSONValue])

    /// The value of a text. Throws what `JSONDocument.parse` does.
    public init(parsing bytes: some Sequence<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        let document = try JSONDocument(Array(bytes), limits: limits)
        self.init(document)
    }

    /// The value of a text. Throws what `JSONDocument.parse` does.
    public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(parsing: text.utf8, limits: limits)
    }

    /// A value of a document, as a tree. Where a name is there twice (a violation that was kept), the last one counts;
    /// what lies deeper than 512 levels is left out.
    public init(_ document: JSONDocument, _ node: JSONNode = .root) {
        self.init(document, node, depth: 0)
    }

    private init(_ document: JSONDocument, _ node: JSONNode, depth: Int) {
        switch document.kind(node) {
        case _ where depth > 512: self = .null
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .string: self = .string(document.string(node) ?? "")
        case .number:
            if let integer = document.integer(node) {
                self = .integer(integer)
            } else {
                self = .number(document.double(node) ?? .nan)
            }
        case .array: self = .array(document.elements(node).map { JSONValue(document, $0, depth: depth + 1) })
        case .object:
            var members: [String: JSONValue] = [:]
            for (key, value) in document.members(node) {
                members[document.string(key) ?? ""] = JSONValue(document, value, depth: depth + 1)
            }
            self = .object(members)
        }
    }
}

// MARK: - Reading

extension JSONValue {
    /// The member of an object, or nil.
    public subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    /// The element of an array, or nil.
    public subscript(index: Int) -> JSONValue? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    /// The string, or nil.
    public var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The integer, or nil.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    /// The number, integers included, or nil.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The boolean, or nil.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements of an array, or nil.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    /// The members of an object, or nil.
    public var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

    /// Whether it is `null`.
    public var isNull: Bool { self == .null }
}

// MARK: - Writing

extension JSONValue: CustomStringConvertible {
    /// The text as RFC 8785 writes it; numbers that are not finite become `null`.
    public var bytes: [UInt8] { JSONWriter.write { write(to: &$0) } }

    /// The text as RFC 8785 writes it.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes the value as an element, or as the whole text.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.elementNull()
        case .bool(let value): writer.element(value)
        case .integer(let value):
            // Beyond 2^53 RFC 8785 knows doubles only.
            if value.magnitude <= 1 << 53 { writer.element(value) } else { writer.element(Double(value)) }
        case .number(let value): writer.element(value)
        case .string(let value): writer.element(value)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for (name, value) in JSONValue.sorted(members) {
                writer.key(name)
                value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    private static func sorted(_ members: [String: JSONValue]) -> [(key: String, value: JSONValue)] {
        members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
    }

    /// The text over several lines, two spaces a level, for people.
    public var pretty: String {
        var text = ""
        appendPretty(to: &text, indent: "")
        return text
    }

    private func appendPretty(to text: inout String, indent: String) {
        let deeper = indent + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            text += "[\n"
            for (position, element) in elements.enumerated() {
                text += deeper
                element.appendPretty(to: &text, indent: deeper)
                text += position + 1 < elements.count ? ",\n" : "\n"
            }
            text += indent + "]"
        case .object(let members) where !members.isEmpty:
            text += "{\n"
            for (position, member) in JSONValue.sorted(members).enumerated() {
                text += deeper + JSONValue.string(member.key).description + ": "
                member.value.appendPretty(to: &text, indent: deeper)
                text += position + 1 < members.count ? ",\n" : "\n"
            }
            text += indent + "}"
        default: text += description
        }
    }
}

// MARK: - Literals

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// `null`
    public init(nilLiteral: ()) { self = .null }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; of a name that is there twice, the last one counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}
