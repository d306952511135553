/// Writes JSON text at the end of a byte buffer, as the calls come: no tree, no strings built. Names are literals.
/// Commas are set by looking at the byte before. The caller nests rightly; what it writes is not checked.
///
/// Each call makes room once for all that it appends, and copies whole pieces into it.
public struct JSONWriter: Sendable {
    /// Everything in the buffer, with what stood there before.
    public private(set) var bytes: [UInt8]
    private var start: Int

    /// A writer with a buffer of its own.
    public init() {
        bytes = []
        start = 0
    }

    /// Writes at the end of `buffer`, without copying it.
    @inlinable
    public static func append<Failure: Error>(
        to buffer: inout [UInt8], _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        var writer = JSONWriter()
        writer.exchange(&buffer)
        defer { writer.exchange(&buffer) }
        try body(&writer)
    }

    /// The bytes written by `body`.
    @inlinable
    public static func write<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) -> [UInt8] {
        var writer = JSONWriter()
        try body(&writer)
        return writer.bytes
    }

    /// Takes the buffer in place of its own, to write at its end.
    @usableFromInline
    mutating func exchange(_ buffer: inout [UInt8]) {
        swap(&bytes, &buffer)
        start = bytes.count
    }

    /// The text written by this writer, for people and command lines.
    public var text: String { String(decoding: bytes[start...], as: UTF8.self) }

    @inline(__always)
    private var needsComma: Bool {
        let count = bytes.count
        guard count > start else { return false }
        switch bytes[count - 1] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): return false
        default: return true
        }
    }

    /// Appends an element of at most `capacity` bytes, with the comma before it.
    @inline(__always)
    private mutating func put(_ capacity: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
        let comma = needsComma
        bytes.append(addingCapacity: capacity &+ 1) { output in
            if comma { output.append(UInt8(ascii: ",")) }
            body(&output)
        }
    }

    /// Appends a member whose value has at most `capacity` bytes, with the comma before it.
    @inline(__always)
    private mutating func put(_ name: StaticString, _ capacity: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
        put(name.utf8CodeUnitCount &+ capacity &+ 3) { output in
            output.append(UInt8(ascii: "\""))
            output.append(literal: name)
            output.append(UInt8(ascii: "\""))
            output.append(UInt8(ascii: ":"))
            body(&output)
        }
    }

    /// A member's name, with the comma before it and the colon after it. A literal with quotes, backslashes or control
    /// characters in it is not escaped.
    public mutating func key(_ name: StaticString) { put(name, 0) { _ in } }

    /// A member's name that is known only at run time.
    public mutating func key(_ name: String) {
        element(name)
        bytes.append(UInt8(ascii: ":"))
    }
}

// MARK: - Containers

extension JSONWriter {
    /// `{`, as an element or as the whole text.
    public mutating func beginObject() { put(1) { $0.append(UInt8(ascii: "{")) } }

    /// `{`, as a member.
    public mutating func beginObject(_ name: StaticString) { put(name, 1) { $0.append(UInt8(ascii: "{")) } }

    /// `}`
    public mutating func endObject() { bytes.append(UInt8(ascii: "}")) }

    /// `[`, as an element or as the whole text.
    public mutating func beginArray() { put(1) { $0.append(UInt8(ascii: "[")) } }

    /// `[`, as a member.
    public mutating func beginArray(_ name: StaticString) { put(name, 1) { $0.append(UInt8(ascii: "[")) } }

    /// `]`
    public mutating func endArray() { bytes.append(UInt8(ascii: "]")) }
}

// MARK: - Members

extension JSONWriter {
    /// A string.
    public mutating func member(_ name: StaticString, _ value: String) {
        let isPlain = value.withBytes { text in
            guard !JSONText.mustEscape(text) else { return false }
            put(name, text.count &+ 2) { output in
                output.append(UInt8(ascii: "\""))
                output.append(copying: text)
                output.append(UInt8(ascii: "\""))
            }
            return true
        }
        if !isPlain {
            key(name)
            element(value)
        }
    }

    /// A string made of a text, a literal without anything that needs an escape, and a number: `p-1-attempt-2`.
    public mutating func member(_ name: StaticString, _ text: String, _ infix: StaticString, _ number: Int64) {
        let isPlain = text.withBytes { text in
            guard !JSONText.mustEscape(text) else { return false }
            put(name, text.count &+ infix.utf8CodeUnitCount &+ 22) { output in
                output.append(UInt8(ascii: "\""))
                output.append(copying: text)
                output.append(literal: infix)
                output.append(decimal: number)
                output.append(UInt8(ascii: "\""))
            }
            return true
        }
        if !isPlain { member(name, text + "\(infix)\(number)") }
    }

    /// A literal without anything that needs an escape.
    public mutating func member(_ name: StaticString, literal value: StaticString) {
        put(name, value.utf8CodeUnitCount &+ 2) { output in
            output.append(UInt8(ascii: "\""))
            output.append(literal: value)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// A string of ASCII bytes without anything that needs an escape, such as a formatted time.
    public mutating func member(_ name: StaticString, ascii value: Span<UInt8>) {
        put(name, value.count &+ 2) { output in
            output.append(UInt8(ascii: "\""))
            output.append(copying: value)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// An integer.
    public mutating func member(_ name: StaticString, _ value: Int64) { put(name, 20) { $0.append(decimal: value) } }

    /// An integer.
    public mutating func member(_ name: StaticString, _ value: Int) { member(name, Int64(value)) }

    /// A boolean.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        put(name, 5) { $0.append(literal: value ? "true" : "false") }
    }

    /// A string, or nothing at all.
    public mutating func member(_ name: StaticString, optional value: String?) {
        if let value { member(name, value) }
    }

    /// `null`
    public mutating func memberNull(_ name: StaticString) { put(name, 4) { $0.append(literal: "null") } }

    /// A value whose JSON text is known already.
    public mutating func member(_ name: StaticString, json text: some Collection<UInt8>) {
        key(name)
        bytes.append(contentsOf: text)
    }

    /// A value of at most `capacity` bytes that `body` writes as JSON text.
    public mutating func member(
        _ name: StaticString, capacity: Int, json body: (inout OutputSpan<UInt8>) -> Void
    ) {
        put(name, capacity, body)
    }
}

// MARK: - Elements

extension JSONWriter {
    /// A string.
    public mutating func element(_ value: String) {
        put(0) { _ in }
        value.withBytes { JSONText.appendQuoted($0, to: &bytes) }
    }

    /// A literal without anything that needs an escape.
    public mutating func element(literal value: StaticString) {
        put(value.utf8CodeUnitCount &+ 2) { output in
            output.append(UInt8(ascii: "\""))
            output.append(literal: value)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// An integer.
    public mutating func element(_ value: Int64) { put(20) { $0.append(decimal: value) } }

    /// A boolean.
    public mutating func element(_ value: Bool) { put(5) { $0.append(literal: value ? "true" : "false") } }

    /// A double as RFC 8785 writes it; `null` where it is not finite.
    public mutating func element(_ value: Double) {
        put(0) { _ in }
        if !JSONNumberText.append(value, to: &bytes) { bytes.append(contentsOf: "null".utf8) }
    }

    /// `null`
    public mutating func elementNull() { put(4) { $0.append(literal: "null") } }

    /// A value whose JSON text is known already.
    public mutating func element(json text: some Collection<UInt8>) {
        put(0) { _ in }
        bytes.append(contentsOf: text)
    }
}
