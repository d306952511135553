import EventLog
import KafkaTransport
import RecordFormat

/// Between the log's frames and Kafka's records: a frame is taken apart into key, headers and value, and put together
/// from them.
enum FrameCodec {
    /// Appends the frame of a record as the broker sent it to `bytes`.
    static func append(_ message: borrowing KafkaMessage, to bytes: inout [UInt8]) {
        let headers = message.headerCount
        let hasValue = message.value != nil
        let timestamp = message.timestamp ?? 0
        if let key = message.key {
            key.withUnsafeBytes {
                RecordFrame.begin(into: &bytes, key: $0, timestamp: timestamp, headers: headers, hasValue: hasValue)
            }
        } else {
            RecordFrame.begin(
                into: &bytes, key: UnsafeRawBufferPointer?.none, timestamp: timestamp, headers: headers,
                hasValue: hasValue)
        }
        message.forEachHeader { RecordFrame.appendHeader(into: &bytes, name: $0, value: $1) }
        if let value = message.value { value.withUnsafeBytes { bytes.append(contentsOf: $0) } }
    }

    /// A frame's parts for producing: lends key, value and a function that fills the headers. Copies nothing.
    static func withParts(
        _ frame: UnsafeRawBufferPointer, topic: Int, partition: Int32,
        _ body: (_ record: KafkaOutgoing, _ headers: Int, _ fill: (borrowing KafkaHeaders) -> Void) throws(KafkaError)
            -> Void
    ) throws(KafkaError) {
        var scanner = FrameScanner(frame)
        let flags = scanner.byte()
        let timestamp = scanner.fixed()
        let key = flags & 1 == 0 ? nil : scanner.blob()
        let count = scanner.number()
        let start = scanner
        var left = 2 * count
        while left > 0, scanner.isGood {
            _ = scanner.blob()
            left -= 1
        }
        guard scanner.isGood, flags & ~3 == 0 else {
            throw KafkaError(
                operation: "produce", code: .invalidArgument, detail: "a frame of the batch cannot be read",
                isAbortable: true)
        }
        let value = flags & 2 == 0 ? nil : scanner.rest
        let record = KafkaOutgoing(topic: topic, partition: partition, timestamp: timestamp, key: key, value: value)
        try body(record, count) { list in
            // Read once already: these bytes are well formed.
            var headers = start
            for _ in 0..<count {
                let name = headers.blob()
                list.append(name: name, value: headers.blob())
            }
        }
    }
}

/// Reads a frame's bytes where they lie. What is not there reads as zero, and `isGood` tells: checked once, at the end.
private struct FrameScanner {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private(set) var isGood = true

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// What has not been read.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }

    mutating func byte() -> UInt8 {
        guard offset < bytes.count else { return fail() }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// Eight bytes, big-endian.
    mutating func fixed() -> Int64 {
        guard bytes.count - offset >= 8 else { return Int64(fail()) }
        defer { offset += 8 }
        return Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    }

    /// A LEB128 integer of at most 28 bits: lengths and counts.
    mutating func number() -> Int {
        var result = 0
        for shift in stride(from: 0, through: 21, by: 7) {
            let next = byte()
            result |= Int(next & 0x7F) << shift
            if next & 0x80 == 0 { return result }
        }
        return Int(fail())
    }

    /// Bytes with their length before them.
    mutating func blob() -> UnsafeRawBufferPointer {
        let length = number()
        guard bytes.count - offset >= length else {
            _ = fail()
            return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset])
        }
        defer { offset += length }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
    }

    private mutating func fail() -> UInt8 {
        isGood = false
        return 0
    }
}
