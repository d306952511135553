import CRDKafka

/// Reads partitions that its user names: the state topic for a restore, events for `switchyard events`. Never joins a
/// group. One thread at a time; every call blocks at most for its time-out.
public final class KafkaReader: Sendable {
    private let client: KafkaClient

    /// A reader.
    /// - Parameters:
    ///   - configuration: how to reach the cluster.
    ///   - groupID: whose committed offsets `committed` answers; the group is not joined.
    ///   - clientID: shown to the broker.
    ///   - committedOnly: read_committed (aborted and open transactions are hidden; the end is the last stable offset;
    ///     committed offsets are stable ones) or read_uncommitted (the end is the high watermark; committed offsets are
    ///     answered although a transaction may be open).
    public init(
        _ configuration: KafkaConfiguration, groupID: String, clientID: String, committedOnly: Bool
    ) throws(KafkaConfigurationError) {
        client = try KafkaClient(
            configuration, role: .reader(groupID: groupID, committedOnly: committedOnly), clientID: clientID)
    }

    /// What a poll gives.
    public enum Step {
        /// Records were handed over, or the end of a partition was seen.
        case progress
        /// Nothing came within the time-out.
        case idle
    }

    /// Reads these partitions from these offsets; replaces what was read before.
    public func assign(_ offsets: [KafkaOffset]) throws(KafkaError) {
        let list = TopicPartitionList(offsets)
        let code = rd_kafka_assign(client.pointer, list.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code: code, operation: "assign") }
    }

    /// Waits at most `timeout` for the first record and hands over what is ready, at most `limit` records.
    /// - Parameters:
    ///   - record: gets each record.
    ///   - end: gets topic, partition and offset when the end of a partition is reached.
    public func poll(
        limit: Int, timeout: Duration, record: (borrowing KafkaMessage) throws(KafkaError) -> Void,
        end: (_ topic: String, _ partition: Int32, _ offset: Int64) -> Void
    ) throws(KafkaError) -> Step {
        var wait = milliseconds(timeout)
        var count = 0
        while count < limit, let next = rd_kafka_consumer_poll(client.pointer, wait) {
            let message = KafkaMessage(owning: next)
            count += 1
            wait = 0
            if let error = message.error {
                guard error.code == .partitionEnd else { throw error }
                end(message.topic, message.partition, message.offset)
            } else {
                try record(message)
            }
        }
        return count == 0 ? .idle : .progress
    }

    /// First retained offset and the end of a partition (see `committedOnly` for which end). Asks the broker.
    public func watermarks(topic: String, partition: Int32, timeout: Duration) throws(KafkaError) -> Range<Int64> {
        var low: Int64 = 0
        var high: Int64 = 0
        var code = rd_kafka_query_watermark_offsets(
            client.pointer, topic, partition, &low, &high, milliseconds(timeout))
        if code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC {
            // A broker that has just come back knows no topics for a moment, and the library believes that for minutes.
            _ = try KafkaMetadata(client, topic: topic, timeout: timeout)
            code = rd_kafka_query_watermark_offsets(
                client.pointer, topic, partition, &low, &high, milliseconds(timeout))
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(code: code, operation: "watermarks of \(topic) [\(partition)]")
        }
        return low..<max(low, high)
    }

    /// The ends of many partitions (see `committedOnly` for which end), one request for each broker that leads some.
    /// Partitions that cannot be asked at the moment are absent.
    public func ends(of partitions: [KafkaOffset], timeout: Duration) throws(KafkaError) -> [KafkaOffset] {
        guard !partitions.isEmpty else { return [] }
        // Kafka's protocol: the time -1 stands for the end.
        let list = TopicPartitionList(
            partitions.map { KafkaOffset(topic: $0.topic, partition: $0.partition, offset: KafkaOffset.end) })
        let code = rd_kafka_offsets_for_times(client.pointer, list.pointer, milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code: code, operation: "ends") }
        return list.succeeded.filter { $0.offset >= 0 }
    }

    /// Committed offsets with their metadata; see `init` for stability. Asks the group's coordinator.
    public func committed(_ partitions: [KafkaOffset], timeout: Duration) throws(KafkaError) -> [KafkaOffset] {
        try client.committed(partitions, timeout: timeout)
    }

    /// The first offset whose record is not older than `milliseconds` since 1970; the end where there is none.
    public func offset(
        topic: String, partition: Int32, notBefore milliseconds: Int64, timeout: Duration
    ) throws(KafkaError) -> Int64 {
        let list = TopicPartitionList([KafkaOffset(topic: topic, partition: partition, offset: milliseconds)])
        let code = rd_kafka_offsets_for_times(client.pointer, list.pointer, KafkaTransport.milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code: code, operation: "offsets for times") }
        if let error = list.elementError(operation: "offsets for times") { throw error }
        return list.offsets.first?.offset ?? KafkaOffset.end
    }

    /// The last complaint of the library's own.
    public var lastError: KafkaError? { client.lastError }
}
