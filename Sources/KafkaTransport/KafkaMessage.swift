import CRDKafka

/// A record as the broker sent it. Owns the C message: its bytes are valid as long as the value lives.
public struct KafkaMessage: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_message_t>

    /// Takes ownership.
    init(owning pointer: UnsafeMutablePointer<rd_kafka_message_t>) { self.pointer = pointer }

    deinit { rd_kafka_message_destroy(pointer) }

    /// The topic's full name. Builds a String: not for every record; see `isIn`.
    public var topic: String {
        pointer.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
    }

    /// An identity of the topic that is cheap to compare and lives as long as the client.
    public var topicIdentity: UInt { pointer.pointee.rkt.map { UInt(bitPattern: $0) } ?? 0 }

    /// The partition.
    public var partition: Int32 { pointer.pointee.partition }

    /// The offset; for `partitionEnd` the offset of the end.
    public var offset: Int64 { pointer.pointee.offset }

    /// Milliseconds since 1970, or nil where the record has none.
    public var timestamp: Int64? {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let value = rd_kafka_message_timestamp(pointer, &kind)
        return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : value
    }

    /// Bytes of the key, nil where there is none.
    public var key: RawSpan? {
        @_lifetime(borrow self)
        get { KafkaMessage.span(pointer.pointee.key, pointer.pointee.key_len, of: self) }
    }

    /// Bytes of the value, nil for a tombstone.
    public var value: RawSpan? {
        @_lifetime(borrow self)
        get { KafkaMessage.span(pointer.pointee.payload, pointer.pointee.len, of: self) }
    }

    @_lifetime(borrow owner)
    private static func span(
        _ start: UnsafeMutableRawPointer?, _ count: Int, of owner: borrowing KafkaMessage
    ) -> RawSpan? {
        guard let start else { return nil }
        return unsafe _overrideLifetime(RawSpan(_unsafeStart: start, byteCount: count), borrowing: owner)
    }

    /// How many headers there are. Parses them at the first call.
    public var headerCount: Int {
        var headers: OpaquePointer?
        guard rd_kafka_message_headers(pointer, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers else { return 0 }
        return rd_kafka_header_cnt(headers)
    }

    /// Hands every header over in order: name without NUL, value (a header without a value is empty). The buffers are
    /// valid only inside the closure.
    public func forEachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        var headers: OpaquePointer?
        guard rd_kafka_message_headers(pointer, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers else { return }
        var index = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(headers, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            if let name {
                body(
                    UnsafeRawBufferPointer(UnsafeBufferPointer(start: name, count: stringLength(name))),
                    UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size))
            }
            index += 1
        }
    }

    private func stringLength(_ text: UnsafePointer<CChar>) -> Int {
        var count = 0
        while text[count] != 0 { count += 1 }
        return count
    }

    /// The error that this "message" stands for, nil for a record.
    var error: KafkaError? {
        let code = pointer.pointee.err
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        var detail: String?
        if let text = rd_kafka_message_errstr(pointer) { detail = String(cString: text) }
        return KafkaError(code: code, operation: "consume", detail: detail)
    }
}
