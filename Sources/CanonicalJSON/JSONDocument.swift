/// A parsed JSON text: a copy of its bytes and a flat index over them. Nothing is allocated per value; strings and
/// numbers are decoded when asked for. A document is meant to be kept and used again: its buffers keep their memory.
///
/// Decided, because RFC 8259 leaves it open: a member named twice, half a surrogate pair and nesting beyond the limit
/// are breaches of RFC 7493 or of the limit in otherwise well-formed text. `parse` refuses them, unless the caller
/// asks to keep them to itself and to look at `violation`.
public struct JSONDocument: Sendable {
    /// The text, and behind it the scanner's padding.
    private(set) var bytes: [UInt8] = []
    private(set) var tape: [TapeEntry] = []
    private var breach: (error: JSONError, entry: Int)?

    /// An empty document; until the first parse it holds `null`.
    public init() {}

    /// A document of these bytes. Throws as `parse` does.
    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try parse(bytes.span.bytes, limits: limits)
    }

    /// Takes a new text in place of the old one. Cost: one pass over the bytes, O(n log n) at worst in the number of
    /// members of one object. After an error the document holds `null`.
    /// - Parameter refuseViolations: false keeps a text that is JSON but breaks RFC 7493 or the depth limit; see
    ///   `violation`.
    public mutating func parse(
        _ text: RawSpan, limits: JSONLimits = JSONLimits(), refuseViolations: Bool = true
    ) throws(JSONError) {
        bytes.removeAll(keepingCapacity: true)
        breach = nil
        guard text.byteCount <= limits.bytes else {
            tape.removeAll(keepingCapacity: true)
            throw JSONError(.tooLarge, at: limits.bytes)
        }
        keep(text)
        // Nearly every text has a value for eight bytes or more, none more than one for each byte.
        if try !index(room: text.byteCount / 8 + 8, text.byteCount, limits.depth) {
            _ = try index(room: text.byteCount + 2, text.byteCount, limits.depth)
        }
        if refuseViolations, let error = breach?.error {
            tape.removeAll(keepingCapacity: true)
            throw error
        }
    }

    private mutating func keep(_ text: RawSpan) {
        bytes.append(addingCapacity: text.byteCount + JSONScanner.padding) { output in
            output.withUnsafeMutableBufferPointer { memory, count in
                let place = UnsafeMutableRawBufferPointer(memory)
                text.withUnsafeBytes { place.copyMemory(from: $0) }
                place.storeBytes(of: 0, toByteOffset: text.byteCount, as: UInt64.self)
                count = text.byteCount + JSONScanner.padding
            }
        }
    }

    /// Makes the index; false where it needs more room, and after an error it is empty.
    private mutating func index(room: Int, _ end: Int, _ depthLimit: Int) throws(JSONError) -> Bool {
        var index: [TapeEntry] = []
        swap(&index, &tape)
        defer { swap(&index, &tape) }
        index.removeAll(keepingCapacity: true)
        var found: (error: JSONError, entry: Int)?
        var isWhole = false
        try bytes.withUnsafeBufferPointer { (text) throws(JSONError) in
            guard let start = text.baseAddress else { return }
            try index.append(addingCapacity: room) { (output) throws(JSONError) in
                try output.withUnsafeMutableBufferPointer { (memory, count) throws(JSONError) in
                    var scanner = JSONScanner(start, end: end, tape: memory, depthLimit: depthLimit)
                    isWhole = try scanner.scan()
                    found = scanner.violation
                    count = isWhole ? scanner.count : 0
                }
            }
        }
        breach = found
        return isWhole
    }

    /// The first breach of RFC 7493 or of the depth limit in a text that was kept all the same, and where.
    public var violation: (error: JSONError, node: JSONNode)? {
        breach.map { ($0.error, JSONNode($0.entry)) }
    }

    @inline(__always)
    func entry(_ node: JSONNode) -> TapeEntry {
        let index = Int(node.index)
        guard index >= 0, index < tape.count else {
            return TapeEntry(kind: .null, special: false, start: 0, length: 0, next: 0)
        }
        return tape[index]
    }
}

// MARK: - Values

extension JSONDocument {
    /// What the value is.
    public func kind(_ node: JSONNode) -> JSONKind { entry(node).kind }

    /// The value's boolean, or nil.
    public func bool(_ node: JSONNode) -> Bool? {
        switch entry(node).kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The value's integer, where its text is one (no point, no exponent) and fits; else nil.
    public func integer(_ node: JSONNode) -> Int64? {
        let entry = entry(node)
        guard entry.kind == .number, !entry.special else { return nil }
        let text = bytes.span.extracting(entry.range)
        let negative = text[0] == UInt8(ascii: "-")
        var result: Int64 = 0
        for index in (negative ? 1 : 0)..<text.count {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let digit = Int64(text[index] - UInt8(ascii: "0"))
            let (sum, tooMuch) =
                negative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || tooMuch { return nil }
            result = sum
        }
        return result
    }

    /// The value's number as the nearest double, infinite beyond the range; nil where it is no number.
    public func double(_ node: JSONNode) -> Double? { numberText(node).flatMap { Double($0) } }

    /// The number's text as it stands, or nil.
    public func numberText(_ node: JSONNode) -> String? {
        let entry = entry(node)
        return entry.kind == .number ? String(decoding: bytes[entry.range], as: UTF8.self) : nil
    }

    /// The string, or nil. Allocates where it is longer than 15 bytes.
    public func string(_ node: JSONNode) -> String? {
        let entry = entry(node)
        guard entry.kind == .string else { return nil }
        guard entry.special else {
            return bytes.withUnsafeBufferPointer { String(decoding: $0[entry.range], as: UTF8.self) }
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(entry.range.count)
        JSONText.decode(bytes.span, entry.range, into: &decoded)
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Length in bytes of the string's text as it stands, an upper bound of its decoded length; nil for no string.
    public func stringLength(_ node: JSONNode) -> Int? {
        let entry = entry(node)
        return entry.kind == .string ? Int(entry.length) : nil
    }

    /// Hands the string's UTF-8, without escapes, to `body`; nil where it is no string. No allocation where the text
    /// has no escapes.
    public func withString<Result>(_ node: JSONNode, _ body: (Span<UInt8>) -> Result) -> Result? {
        let entry = entry(node)
        guard entry.kind == .string else { return nil }
        guard entry.special else { return body(bytes.span.extracting(entry.range)) }
        var decoded: [UInt8] = []
        JSONText.decode(bytes.span, entry.range, into: &decoded)
        return body(decoded.span)
    }

    /// Whether the value is a string with this text.
    public func string(_ node: JSONNode, equals text: StaticString) -> Bool {
        let entry = entry(node)
        return entry.kind == .string && matches(entry, text)
    }

    @inline(__always)
    func matches(_ entry: TapeEntry, _ text: StaticString) -> Bool {
        if entry.special {
            var decoded: [UInt8] = []
            JSONText.decode(bytes.span, entry.range, into: &decoded)
            return text.withUTF8Buffer { decoded.elementsEqual($0) }
        }
        guard Int(entry.length) == text.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            return JSONText.equal(start + Int(entry.start), text.utf8Start, text.utf8CodeUnitCount)
        }
    }
}

// MARK: - Arrays and objects

extension JSONDocument {
    /// Number of elements or members; 0 for other values.
    public func count(_ node: JSONNode) -> Int {
        let entry = entry(node)
        return entry.kind == .array || entry.kind == .object ? Int(entry.length) : 0
    }

    /// The object's member of this name, or nil. Cost: linear in the number of members.
    public func member(_ node: JSONNode, _ name: StaticString) -> JSONNode? {
        let length = UInt32(truncatingIfNeeded: name.utf8CodeUnitCount)
        return tape.withUnsafeBufferPointer { entries in
            guard UInt(bitPattern: Int(node.index)) < UInt(bitPattern: entries.count) else { return nil }
            // The index itself says where each name lies: in bounds as long as the object is.
            let object = entries[Int(node.index)]
            guard object.kind == .object else { return nil }
            var key = Int(node.index) &+ 1
            for _ in 0..<object.length {
                // Names of another length are passed over at once, unless escapes hide how long they are.
                if entries[key].length == length || entries[key].special, matches(entries[key], name) {
                    return JSONNode(key &+ 1)
                }
                key = Int(entries[key &+ 1].next)
            }
            return nil
        }
    }

    /// The object's member of this name, or nil, for names known only at run time.
    public func member(_ node: JSONNode, named name: String) -> JSONNode? {
        for (key, value) in members(node) where string(key) == name { return value }
        return nil
    }

    /// Name and value of each member, in the order of the text. Empty for other values.
    public func members(_ node: JSONNode) -> JSONMembers { JSONMembers(self, node) }

    /// The elements, in order. Empty for other values.
    public func elements(_ node: JSONNode) -> JSONElements { JSONElements(self, node) }

    /// The place of the value's text, strings with their quotes. `null`'s of an empty document is empty.
    public func textRange(_ node: JSONNode) -> Range<Int> {
        let start = Int(entry(node).start)
        // No recursion: the text may be nested as deeply as it is long.
        var closings: [UInt8] = []
        var current = node
        while let bracket = closing(current) {
            closings.append(bracket)
            guard let last = lastChild(current) else { break }
            current = last
        }
        let innermost = entry(current)
        guard !closings.isEmpty else {
            return innermost.kind == .string ? (start - 1)..<(innermost.range.upperBound + 1) : innermost.range
        }
        // The end is the last value's end and what follows up to the closing bracket.
        var end =
            switch innermost.kind {
            case .array, .object: Int(innermost.start) + 1
            case .string: innermost.range.upperBound + 1
            default: innermost.range.upperBound
            }
        for bracket in closings.reversed() {
            while end < bytes.count, bytes[end] != bracket { end += 1 }
            end += 1
        }
        return start..<min(end, bytes.count)
    }

    /// The bracket that ends the value; nil for one that has none.
    private func closing(_ node: JSONNode) -> UInt8? {
        switch entry(node).kind {
        case .array: UInt8(ascii: "]")
        case .object: UInt8(ascii: "}")
        default: nil
        }
    }

    private func lastChild(_ node: JSONNode) -> JSONNode? {
        let entry = entry(node)
        guard entry.length > 0 else { return nil }
        let isObject = entry.kind == .object
        var child = Int(node.index) + (isObject ? 2 : 1)
        for _ in 1..<entry.length { child = Int(tape[child].next) + (isObject ? 1 : 0) }
        return JSONNode(child)
    }

    /// Whether `node` lies in `container`, or is it.
    public func contains(_ container: JSONNode, _ node: JSONNode) -> Bool {
        node.index >= container.index && Int(node.index) < Int(entry(container).next)
    }

    /// Dotted path from `container` to a value in it: names of members, indexes of elements, at most `limit`
    /// characters. Nil where it does not lie there. Names that `mask` asks for are written as `*`.
    public func path(
        to node: JSONNode, from container: JSONNode, limit: Int = 200, mask: (Span<UInt8>) -> Bool = { _ in false }
    ) -> String? {
        guard contains(container, node) else { return nil }
        var path = ""
        var current = container
        while current != node {
            var step: (name: String, node: JSONNode)?
            if kind(current) == .object {
                for (key, value) in members(current) where key == node || contains(value, node) {
                    let isMasked = withString(key, mask) == true
                    step = (isMasked ? "*" : string(key) ?? "", key == node ? key : value)
                }
            } else {
                var index = 0
                for element in elements(current) {
                    if contains(element, node) { step = (String(index), element) }
                    index += 1
                }
            }
            guard let step else { break }
            path += path.isEmpty ? step.name : "." + step.name
            current = step.node
            if path.utf8.count > limit { return String(path.prefix(limit)) }
        }
        return path
    }
}

/// Name and value of each member of an object.
public struct JSONMembers: Sequence, IteratorProtocol {
    private let document: JSONDocument
    private var key: Int
    private var left: UInt32

    init(_ document: JSONDocument, _ node: JSONNode) {
        let entry = document.entry(node)
        self.document = document
        key = Int(node.index) + 1
        left = entry.kind == .object ? entry.length : 0
    }

    /// The next member.
    public mutating func next() -> (key: JSONNode, value: JSONNode)? {
        guard left > 0 else { return nil }
        left -= 1
        defer { key = Int(document.tape[key + 1].next) }
        return (JSONNode(key), JSONNode(key + 1))
    }
}

/// The elements of an array.
public struct JSONElements: Sequence, IteratorProtocol {
    private let document: JSONDocument
    private var element: Int
    private var left: UInt32

    init(_ document: JSONDocument, _ node: JSONNode) {
        let entry = document.entry(node)
        self.document = document
        element = Int(node.index) + 1
        left = entry.kind == .array ? entry.length : 0
    }

    /// The next element.
    public mutating func next() -> JSONNode? {
        guard left > 0 else { return nil }
        left -= 1
        defer { element = Int(document.tape[element].next) }
        return JSONNode(element)
    }
}

extension JSONDocument {
    /// The first string in `node`, names of members included, that `matches`; also `node` itself. Cost: linear.
    /// - Parameter length: shorter strings are not looked at.
    public func firstString(
        in node: JSONNode, ofAtLeast length: Int = 0, where matches: (Span<UInt8>, JSONNode) -> Bool
    ) -> JSONNode? {
        guard Int(node.index) < tape.count else { return nil }
        let entries = tape.span
        for index in Int(node.index)..<Int(entry(node).next)
        where entries[index].kind == .string && Int(entries[index].length) >= length {
            let string = JSONNode(index)
            if withString(string, { matches($0, string) }) == true { return string }
        }
        return nil
    }
}
