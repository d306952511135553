import CRDKafka

/// What a broker says of a topic, or of the whole cluster: owner of librdkafka's answer.
struct KafkaMetadata: ~Copyable {
    private let pointer: UnsafePointer<rd_kafka_metadata>

    /// Asks a broker, whatever the client remembers; what it remembers is replaced by the answer. Blocks up to `timeout`.
    /// - Parameter topic: its name; nil: the brokers and every topic.
    init(_ client: KafkaClient, topic: String?, timeout: Duration) throws(KafkaError) {
        var handle: OpaquePointer?
        if let topic {
            handle = rd_kafka_topic_new(client.pointer, topic, nil)
            guard handle != nil else { throw KafkaError(code: rd_kafka_last_error(), operation: "topic \(topic)") }
        }
        defer { if let handle { rd_kafka_topic_destroy(handle) } }
        var found: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(client.pointer, 0, handle, &found, milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let found else { throw KafkaError(code: code, operation: "metadata") }
        pointer = found
    }

    deinit { rd_kafka_metadata_destroy(pointer) }

    /// The id of one of the brokers; -1 where none is told.
    var broker: Int32 { pointer.pointee.broker_cnt > 0 ? pointer.pointee.brokers[0].id : -1 }

    /// The topics of the answer, each with its own error. The names and partitions live as long as this.
    func forEachTopic(_ body: (rd_kafka_metadata_topic) throws(KafkaError) -> Void) throws(KafkaError) {
        for index in 0..<Int(pointer.pointee.topic_cnt) { try body(pointer.pointee.topics[index]) }
    }
}
