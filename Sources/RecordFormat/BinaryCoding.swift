/// Appends compact binary values to a byte buffer: LEB128 varints, zigzag for signed integers, length-prefixed bytes.
public struct BinaryWriter: Sendable {
    /// What has been written.
    public var bytes: [UInt8]

    /// A writer that appends to `bytes`.
    public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// A writer with room for so many bytes.
    public init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// One byte.
    public mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// One byte, 1 or 0.
    public mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// An unsigned integer as LEB128, 1–10 bytes.
    public mutating func unsigned(_ value: UInt64) { BinaryWriter.append(unsigned: value, to: &bytes) }

    /// A signed integer, zigzag and LEB128, 1–10 bytes.
    public mutating func signed(_ value: Int64) { unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    /// A 64-bit integer in eight bytes, big-endian: sorts as its value does.
    public mutating func fixed(_ value: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    /// The text's UTF-8 with its length before it.
    public mutating func text(_ value: String) {
        value.withBytes {
            BinaryWriter.append(unsigned: UInt64($0.count), to: &bytes)
            bytes.append(contentsOf: $0)
        }
    }

    /// The bytes with their length before them.
    public mutating func blob(_ value: some Collection<UInt8>) {
        unsigned(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// The bytes with their length before them.
    public mutating func blob(_ value: [UInt8]) {
        unsigned(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// An unsigned integer as LEB128 at the end of a buffer.
    public static func append(unsigned value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Why bytes could not be decoded.
public enum BinaryError: Error, Equatable, Sendable {
    /// The bytes end before the value does.
    case truncated
    /// An integer of more than 64 bits, a length over the stated limit, or a code that no value has.
    case malformed
    /// Bytes remain after the last value.
    case trailing
}

/// Reads what `BinaryWriter` wrote. Never traps: any bytes give values or an error.
public struct BinaryReader: ~Escapable {
    private let span: RawSpan
    /// Offset of the next byte.
    public private(set) var offset: Int

    /// A reader at the start of `span`.
    @_lifetime(copy span)
    public init(_ span: RawSpan) {
        self.span = span
        offset = 0
    }

    /// How many bytes are left.
    public var remaining: Int { span.byteCount - offset }

    /// One byte.
    @_lifetime(self: copy self)
    public mutating func byte() throws(BinaryError) -> UInt8 {
        guard offset < span.byteCount else { throw .truncated }
        defer { offset += 1 }
        return span.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// One byte that must be 1 or 0.
    @_lifetime(self: copy self)
    public mutating func flag() throws(BinaryError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw .malformed
        }
    }

    /// An unsigned LEB128 integer.
    @_lifetime(self: copy self)
    public mutating func unsigned() throws(BinaryError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            if shift == 63, next > 1 { throw .malformed }
            result |= UInt64(next & 0x7F) << shift
            if next & 0x80 == 0 { return result }
            shift += 7
            if shift > 63 { throw .malformed }
        }
    }

    /// A zigzag LEB128 integer.
    @_lifetime(self: copy self)
    public mutating func signed() throws(BinaryError) -> Int64 {
        let raw = try unsigned()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// An unsigned integer that must not exceed `limit`; for counts and lengths.
    @_lifetime(self: copy self)
    public mutating func count(limit: Int) throws(BinaryError) -> Int {
        let raw = try unsigned()
        guard raw <= UInt64(limit) else { throw .malformed }
        return Int(raw)
    }

    /// Eight bytes, big-endian.
    @_lifetime(self: copy self)
    public mutating func fixed() throws(BinaryError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated }
        defer { offset += 8 }
        return UInt64(bigEndian: span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// A length-prefixed text of at most `limit` bytes; malformed UTF-8 is refused.
    @_lifetime(self: copy self)
    public mutating func text(limit: Int = 65_536) throws(BinaryError) -> String {
        let bytes = try blob(limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
        return text
    }

    /// Length-prefixed bytes, at most `limit`.
    @_lifetime(self: copy self)
    public mutating func blob(limit: Int = 16_777_216) throws(BinaryError) -> [UInt8] {
        let range = try blobRange(limit: limit)
        return span.extracting(range).withUnsafeBytes { Array($0) }
    }

    /// The place of length-prefixed bytes of at most `limit`, without copying them.
    @_lifetime(self: copy self)
    public mutating func blobRange(limit: Int = 16_777_216) throws(BinaryError) -> Range<Int> {
        let length = try count(limit: limit)
        guard remaining >= length else { throw .truncated }
        defer { offset += length }
        return offset..<(offset + length)
    }

    /// Throws where bytes are left.
    public func finish() throws(BinaryError) {
        guard remaining == 0 else { throw .trailing }
    }
}
