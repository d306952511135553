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

    /// A frame's parts for producing: lends key, value and a function that fills the headers.
    static func withParts(
        _ frame: UnsafeRawBufferPointer, topic: Int, partition: Int32,
        _ body: (_ record: KafkaOutgoing, _ headers: Int, _ fill: (borrowing KafkaHeaders) -> Void) throws(KafkaError)
            -> Void
    ) throws(KafkaError) {
        do {
            var reader = BinaryReader(frame.bytes)
            let flags = try reader.byte()
            let timestamp = Int64(bitPattern: try reader.fixed())
            let key = flags & 1 == 0 ? nil : UnsafeRawBufferPointer(rebasing: frame[try reader.blobRange()])
            let count = try reader.count(limit: RecordFrame.mostHeaders(in: reader.remaining))
            let start = reader.offset
            for _ in 0..<count {
                _ = try reader.blobRange()
                _ = try reader.blobRange()
            }
            let value = flags & 2 == 0 ? nil : UnsafeRawBufferPointer(rebasing: frame[reader.offset...])
            let record = KafkaOutgoing(
                topic: topic, partition: partition, timestamp: timestamp, key: key, value: value)
            try body(record, count) { list in
                // Read once already: these bytes are well formed.
                var headers = BinaryReader(frame.bytes.extracting(start..<frame.count))
                for _ in 0..<count {
                    guard let name = try? headers.blobRange(), let value = try? headers.blobRange() else { return }
                    list.append(
                        name: UnsafeRawBufferPointer(
                            rebasing: frame[(name.lowerBound + start)..<(name.upperBound + start)]),
                        value: UnsafeRawBufferPointer(
                            rebasing: frame[(value.lowerBound + start)..<(value.upperBound + start)]))
                }
            }
        } catch let error as KafkaError {
            throw error
        } catch {
            throw KafkaError(
                operation: "produce", code: .invalidArgument, detail: "a frame of the batch cannot be read: \(error)",
                isAbortable: true)
        }
    }
}
