/// Writes JSON text at the end of a byte buffer, as the calls come: no tree, no strings built. Names are literals.
/// Commas are set by looking at the byte before. The caller nests rightly; what it writes is not checked.
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
    public static func append<Failure: Error>(
        to buffer: inout [UInt8], _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        var writer = JSONWriter()
        swap(&writer.bytes, &buffer)
        writer.start = writer.bytes.count
        defer { swap(&writer.bytes, &buffer) }
        try body(&writer)
    }

    /// The bytes written by `body`.
    public static func write<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) -> [UInt8] {
        var writer = JSONWriter()
        try body(&writer)
        return writer.bytes
    }

    /// The text written by this writer, for people and command lines.
    public var text: String { String(decoding: bytes[start...], as: UTF8.self) }

    @inline(__always)
    private mutating func separate() {
        guard bytes.count > start else { return }
        switch bytes[bytes.count - 1] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
        default: bytes.append(UInt8(ascii: ","))
        }
    }

    /// A member's name, with the comma before it and the colon after it. A literal with quotes, backslashes or control
    /// characters in it is not escaped.
    public mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// A member's name that is known only at run time.
    public mutating func key(_ name: String) {
        element(name)
        bytes.append(UInt8(ascii: ":"))
    }
}

// MARK: - Containers

extension JSONWriter {
    /// `{`, as an element or as the whole text.
    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
    }

    /// `{`, as a member.
    public mutating func beginObject(_ name: StaticString) {
        key(name)
        bytes.append(UInt8(ascii: "{"))
    }

    /// `}`
    public mutating func endObject() { bytes.append(UInt8(ascii: "}")) }

    /// `[`, as an element or as the whole text.
    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
    }

    /// `[`, as a member.
    public mutating func beginArray(_ name: StaticString) {
        key(name)
        bytes.append(UInt8(ascii: "["))
    }

    /// `]`
    public mutating func endArray() { bytes.append(UInt8(ascii: "]")) }
}

// MARK: - Members

extension JSONWriter {
    /// A string.
    public mutating func member(_ name: StaticString, _ value: String) {
        key(name)
        element(value)
    }

    /// A literal.
    public mutating func member(_ name: StaticString, literal value: StaticString) {
        key(name)
        element(literal: value)
    }

    /// An integer.
    public mutating func member(_ name: StaticString, _ value: Int64) {
        key(name)
        element(value)
    }

    /// An integer.
    public mutating func member(_ name: StaticString, _ value: Int) { member(name, Int64(value)) }

    /// A boolean.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        element(value)
    }

    /// A string, or nothing at all.
    public mutating func member(_ name: StaticString, optional value: String?) {
        if let value { member(name, value) }
    }

    /// A string whose UTF-8 parts stand side by side; for identifiers put together. Parts are escaped.
    public mutating func member(_ name: StaticString, parts: (inout JSONStringParts) -> Void) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        var sink = JSONStringParts()
        swap(&sink.bytes, &bytes)
        parts(&sink)
        swap(&sink.bytes, &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// `null`
    public mutating func memberNull(_ name: StaticString) {
        key(name)
        bytes.append(contentsOf: "null".utf8)
    }

    /// A value whose JSON text is known already.
    public mutating func member(_ name: StaticString, json text: some Collection<UInt8>) {
        key(name)
        bytes.append(contentsOf: text)
    }
}

// MARK: - Elements

extension JSONWriter {
    /// A string.
    public mutating func element(_ value: String) {
        separate()
        var value = value
        value.withUTF8 { JSONText.appendQuoted($0, to: &bytes) }
    }

    /// A literal.
    public mutating func element(literal value: StaticString) {
        separate()
        value.withUTF8Buffer { JSONText.appendQuoted($0, to: &bytes) }
    }

    /// An integer.
    public mutating func element(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        JSONNumberText.append(value.magnitude, to: &bytes)
    }

    /// A boolean.
    public mutating func element(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// A double as RFC 8785 writes it; `null` where it is not finite.
    public mutating func element(_ value: Double) {
        separate()
        if !JSONNumberText.append(value, to: &bytes) { bytes.append(contentsOf: "null".utf8) }
    }

    /// `null`
    public mutating func elementNull() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// A value whose JSON text is known already.
    public mutating func element(json text: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
    }
}

/// The inside of one string of a `JSONWriter`.
public struct JSONStringParts: Sendable {
    var bytes: [UInt8] = []

    /// Text, escaped where it must be.
    public mutating func text(_ value: String) {
        for byte in value.utf8 {
            if JSONText.mustEscape(byte) {
                withUnsafePointer(to: byte) {
                    var quoted: [UInt8] = []
                    JSONText.appendQuoted(UnsafeBufferPointer(start: $0, count: 1), to: &quoted)
                    bytes.append(contentsOf: quoted[1..<(quoted.count - 1)])
                }
            } else {
                bytes.append(byte)
            }
        }
    }

    /// A literal without anything that needs an escape.
    public mutating func literal(_ value: StaticString) {
        value.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// An integer in decimal digits.
    public mutating func integer(_ value: Int64) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        JSONNumberText.append(value.magnitude, to: &bytes)
    }

    /// Whatever `body` appends; nothing in it may need an escape.
    public mutating func raw(_ body: (inout [UInt8]) -> Void) { body(&bytes) }

    /// ASCII bytes without anything that needs an escape, such as a formatted time.
    public mutating func ascii(_ value: some Collection<UInt8>) { bytes.append(contentsOf: value) }
}
