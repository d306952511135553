/// Why bytes are no JSON text, or none that may be used.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// The bytes end before the value does.
        case unexpectedEnd = "unexpected-end"
        /// A byte that the grammar does not allow here.
        case unexpectedByte = "unexpected-byte"
        /// Bytes remain after the value.
        case trailingBytes = "trailing-bytes"
        /// A string that is not UTF-8.
        case invalidUTF8 = "invalid-utf-8"
        /// A backslash followed by something else than RFC 8259 names.
        case invalidEscape = "invalid-escape"
        /// A control character that is not escaped.
        case controlCharacter = "control-character"
        /// A number that the grammar does not know.
        case invalidNumber = "invalid-number"
        /// More bytes than the limit.
        case tooLarge = "too-large"
        /// Nested deeper than the limit.
        case tooDeep = "too-deep"
        /// An object names a member twice. RFC 7493 forbids it: readers would disagree about the value.
        case duplicateKey = "duplicate-key"
        /// Half of a surrogate pair: no Unicode text. RFC 7493 forbids it.
        case loneSurrogate = "lone-surrogate"
        /// A number beyond IEEE 754 double precision, for which RFC 8785 knows no text.
        case numberOutOfRange = "number-out-of-range"
    }

    /// What is wrong.
    public var code: Code
    /// Offset of the byte at fault.
    public var offset: Int

    /// An error at an offset.
    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// Code and offset; nothing of the text itself.
    public var description: String { "\(code.rawValue) at byte \(offset)" }
}

/// How much text a parse may take. Both are hard limits, so that hostile input costs a known amount.
public struct JSONLimits: Hashable, Sendable {
    /// At most so many bytes.
    public var bytes: Int
    /// Arrays and objects nested at most so deep.
    public var depth: Int

    /// Limits; `bytes` is cut to 1 GiB, because places in the text are kept in 32 bits.
    public init(bytes: Int = 16_777_216, depth: Int = 64) {
        self.bytes = min(bytes, 1 << 30)
        self.depth = min(depth, 512)
    }
}
