/// A record of the log as one run of bytes: key, headers, value. Encoded once, by the shard, straight into its batch;
/// the embedded log stores it as it is, the Kafka log takes it apart into key, headers and value.
///
/// Layout: flags (bit 0 has a key, bit 1 has a value), timestamp (8 bytes, ms), [key length, key], header count,
/// headers (name length, name, value length, value), value up to the end.
public enum RecordFrame {
    /// The most headers that so many bytes can hold: each takes two at least. No other limit holds here: whoever reads a
    /// record from outside limits its bytes, and a dead letter carries all headers of its record and some more.
    public static func mostHeaders(in bytes: Int) -> Int { bytes / 2 }

    /// Begins a frame at the end of `bytes`. Headers follow, then `value(_:)`-less records end here.
    /// - Parameters:
    ///   - key: the record's key, nil for none.
    ///   - timestamp: milliseconds since 1970.
    ///   - headers: how many headers will follow, each by `appendHeader`.
    ///   - hasValue: whether the bytes appended after the headers are a value; false is a tombstone.
    public static func begin(
        into bytes: inout [UInt8], key: (some Collection<UInt8>)?, timestamp: Int64, headers: Int, hasValue: Bool
    ) {
        bytes.append((key == nil ? 0 : 1) | (hasValue ? 2 : 0))
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: timestamp >> Int64(shift)))
        }
        if let key {
            BinaryWriter.append(unsigned: UInt64(key.count), to: &bytes)
            bytes.append(contentsOf: key)
        }
        BinaryWriter.append(unsigned: UInt64(headers), to: &bytes)
    }

    /// Appends one header to the frame that was begun last.
    public static func appendHeader(
        into bytes: inout [UInt8], name: StaticString, value: some Collection<UInt8>
    ) {
        let nameBytes = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        appendHeader(into: &bytes, name: nameBytes, value: value)
    }

    /// Appends one header to the frame that was begun last.
    public static func appendHeader(
        into bytes: inout [UInt8], name: some Collection<UInt8>, value: some Collection<UInt8>
    ) {
        BinaryWriter.append(unsigned: UInt64(name.count), to: &bytes)
        bytes.append(contentsOf: name)
        BinaryWriter.append(unsigned: UInt64(value.count), to: &bytes)
        bytes.append(contentsOf: value)
    }

    /// A whole frame from parts.
    public static func encode(
        key: [UInt8]?, timestamp: Int64, headers: [(name: [UInt8], value: [UInt8])], value: [UInt8]?
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        begin(into: &bytes, key: key, timestamp: timestamp, headers: headers.count, hasValue: value != nil)
        for header in headers { appendHeader(into: &bytes, name: header.name, value: header.value) }
        if let value { bytes.append(contentsOf: value) }
        return bytes
    }
}

// MARK: - Into room that is there

extension RecordFrame {
    /// The most bytes that `begin(_:key:timestamp:headers:)` takes beside the key's.
    public static var openingBytes: Int { 9 + 2 * BinaryAppender.integerBytes }

    /// Begins a frame that has a key and a value.
    public static func begin(_ output: inout BinaryAppender, key: String, timestamp: Int64, headers: Int) {
        output.byte(3)
        output.fixed(UInt64(bitPattern: timestamp))
        output.text(key)
        output.count(headers)
    }

    /// Appends the name of a header whose value follows.
    public static func appendName(into bytes: inout [UInt8], _ name: StaticString) {
        BinaryWriter.append(unsigned: UInt64(name.utf8CodeUnitCount), to: &bytes)
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}

/// Where the parts of a frame lie within its bytes. Making one reads the frame once and copies nothing.
public struct RecordLayout: Sendable, Equatable {
    /// Milliseconds since 1970 when the record was made.
    public var timestamp: Int64
    /// The key's bytes, nil where the record has none.
    public var key: Range<Int>?
    /// Names and values of the headers, in order.
    public var headers: [(name: Range<Int>, value: Range<Int>)]
    /// The value's bytes, nil for a tombstone.
    public var value: Range<Int>?

    /// The layout of the frame in `span`; offsets count from `base`.
    public init(_ span: RawSpan, base: Int = 0) throws(BinaryError) {
        var reader = BinaryReader(span)
        let flags = try reader.byte()
        guard flags & ~3 == 0 else { throw .malformed }
        timestamp = Int64(bitPattern: try reader.fixed())
        func shifted(_ range: Range<Int>) -> Range<Int> { (range.lowerBound + base)..<(range.upperBound + base) }
        key = flags & 1 == 0 ? nil : shifted(try reader.blobRange())
        let count = try reader.count(limit: RecordFrame.mostHeaders(in: reader.remaining))
        headers = []
        headers.reserveCapacity(count)
        for _ in 0..<count {
            let name = try reader.blobRange()
            let value = try reader.blobRange()
            headers.append((shifted(name), shifted(value)))
        }
        value = flags & 2 == 0 ? nil : shifted(reader.offset..<span.byteCount)
        if flags & 2 == 0, reader.remaining != 0 { throw .trailing }
    }

    /// Same places.
    public static func == (left: RecordLayout, right: RecordLayout) -> Bool {
        left.timestamp == right.timestamp && left.key == right.key && left.value == right.value
            && left.headers.elementsEqual(right.headers, by: ==)
    }
}
