/// Writes JSON text as the calls come: no tree, no strings built. Names are literals. Commas are set by looking at the
/// byte before. The caller nests rightly; what it writes is not checked.
///
/// The text grows in room that is made for it once at the end of the array that it is for, or in memory of the writer's
/// own where it needs more: a call costs one look at the room that is left and the bytes themselves, where an array
/// would be asked at each piece whether it is shared.
public struct JSONWriter: ~Copyable {
    var text: JSONTextBuffer

    private init(_ memory: UnsafeMutableBufferPointer<UInt8>) { text = JSONTextBuffer(memory) }

    /// Writes at the end of `buffer`.
    public static func append(to buffer: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        append(to: &buffer, room: 2_048, body)
    }

    /// Writes at the end of `buffer`; nothing after an error.
    public static func append<Failure: Error>(
        to buffer: inout [UInt8], _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        try append(to: &buffer, room: 2_048, body)
    }

    /// The bytes written by `body`.
    public static func write(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes, room: 480, body)
        return bytes
    }

    /// Writes at the end of `buffer`; what fits into so many bytes is written where it stays. Part of its callers, so that
    /// none asks at run time which error there may be.
    @inline(__always)
    static func append<Failure: Error>(
        to buffer: inout [UInt8], room: Int, _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        var outgrown: JSONWriter?
        try buffer.append(addingCapacity: room) { (output) throws(Failure) in
            try output.withUnsafeMutableBufferPointer { (memory, count) throws(Failure) in
                var writer = JSONWriter(memory)
                try body(&writer)
                if writer.text.isOwned {
                    outgrown = consume writer
                } else {
                    count = writer.text.count
                }
            }
        }
        outgrown?.text.append(to: &buffer)
    }

    /// A member's name, with the comma before it and the colon after it. A literal with quotes, backslashes or control
    /// characters in it is not escaped.
    public mutating func key(_ name: StaticString) {
        text.name(name, 0)
        text.valueIsDue()
    }

    /// A member's name that is known only at run time.
    public mutating func key(_ name: String) {
        element(name)
        text.colon()
    }
}

// MARK: - Containers

extension JSONWriter {
    /// `{`, as an element or as the whole text.
    public mutating func beginObject() {
        text.element(1)
        text.open(UInt8(ascii: "{"))
    }

    /// `{`, as a member.
    public mutating func beginObject(_ name: StaticString) {
        text.name(name, 1)
        text.open(UInt8(ascii: "{"))
    }

    /// `}`
    public mutating func endObject() { text.close(UInt8(ascii: "}")) }

    /// `[`, as an element or as the whole text.
    public mutating func beginArray() {
        text.element(1)
        text.open(UInt8(ascii: "["))
    }

    /// `[`, as a member.
    public mutating func beginArray(_ name: StaticString) {
        text.name(name, 1)
        text.open(UInt8(ascii: "["))
    }

    /// `]`
    public mutating func endArray() { text.close(UInt8(ascii: "]")) }
}

// MARK: - Members

extension JSONWriter {
    /// A string.
    public mutating func member(_ name: StaticString, _ value: String) {
        text.name(name, 2)
        text.put(quoted: value)
    }

    /// A string made of a text, a literal without anything that needs an escape, and a number: `p-1-attempt-2`.
    public mutating func member(_ name: StaticString, _ value: String, _ infix: StaticString, _ number: Int64) {
        text.name(name, 1)
        text.put(UInt8(ascii: "\""))
        text.put(text: value)
        text.reserve(infix.utf8CodeUnitCount &+ 21)
        text.put(literal: infix)
        text.put(decimal: number)
        text.put(UInt8(ascii: "\""))
    }

    /// A string made of a text between two literals without anything that needs an escape: `partner:p:clearing`.
    public mutating func member(
        _ name: StaticString, _ prefix: StaticString, _ value: String, _ suffix: StaticString
    ) {
        text.name(name, prefix.utf8CodeUnitCount &+ 1)
        text.put(UInt8(ascii: "\""))
        text.put(literal: prefix)
        text.put(text: value)
        text.reserve(suffix.utf8CodeUnitCount &+ 1)
        text.put(literal: suffix)
        text.put(UInt8(ascii: "\""))
    }

    /// A literal without anything that needs an escape.
    public mutating func member(_ name: StaticString, literal value: StaticString) {
        text.name(name, value.utf8CodeUnitCount &+ 2)
        text.put(UInt8(ascii: "\""))
        text.put(literal: value)
        text.put(UInt8(ascii: "\""))
    }

    /// A string of ASCII bytes without anything that needs an escape, such as a formatted time.
    public mutating func member(_ name: StaticString, ascii value: Span<UInt8>) {
        text.name(name, value.count &+ 2)
        text.put(UInt8(ascii: "\""))
        value.withUnsafeBufferPointer { text.put($0) }
        text.put(UInt8(ascii: "\""))
    }

    /// An integer.
    public mutating func member(_ name: StaticString, _ value: Int64) {
        text.name(name, 20)
        text.put(decimal: value)
    }

    /// An integer.
    public mutating func member(_ name: StaticString, _ value: Int) { member(name, Int64(value)) }

    /// A boolean.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        text.name(name, 5)
        text.put(literal: value ? "true" : "false")
    }

    /// A string, or nothing at all.
    public mutating func member(_ name: StaticString, optional value: String?) {
        if let value { member(name, value) }
    }

    /// `null`
    public mutating func memberNull(_ name: StaticString) {
        text.name(name, 4)
        text.put(literal: "null")
    }

    /// A value whose JSON text is known already.
    public mutating func member(_ name: StaticString, json value: some Collection<UInt8>) {
        text.name(name, 0)
        text.put(collection: value)
    }
}

// MARK: - Elements

extension JSONWriter {
    /// A string.
    public mutating func element(_ value: String) {
        text.element(2)
        text.put(quoted: value)
    }

    /// A literal without anything that needs an escape.
    public mutating func element(literal value: StaticString) {
        text.element(value.utf8CodeUnitCount &+ 2)
        text.put(UInt8(ascii: "\""))
        text.put(literal: value)
        text.put(UInt8(ascii: "\""))
    }

    /// An integer.
    public mutating func element(_ value: Int64) {
        text.element(20)
        text.put(decimal: value)
    }

    /// A boolean.
    public mutating func element(_ value: Bool) {
        text.element(5)
        text.put(literal: value ? "true" : "false")
    }

    /// A double as RFC 8785 writes it; `null` where it is not finite.
    public mutating func element(_ value: Double) {
        var number: [UInt8] = []
        guard JSONNumberText.append(value, to: &number) else { return elementNull() }
        element(json: number)
    }

    /// `null`
    public mutating func elementNull() {
        text.element(4)
        text.put(literal: "null")
    }

    /// A value whose JSON text is known already.
    public mutating func element(json value: some Collection<UInt8>) {
        text.element(0)
        text.put(collection: value)
    }
}
