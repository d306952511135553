import CRDKafka

/// librdkafka's built-in mock cluster: good for injecting errors, no proof of transactions (it never fences and shows
/// aborted records).
public final class MockCluster: @unchecked Sendable {  // the C object is thread-safe
    /// Request types of Kafka's protocol.
    public enum Request: Int16, Sendable, CaseIterable {
        /// Records.
        case produce = 0
        /// Topics and leaders.
        case metadata = 3
        /// Committed offsets.
        case offsetFetch = 9
        /// Id and epoch of a producer.
        case initProducerId = 22
        /// Partitions of a transaction.
        case addPartitions = 24
        /// The group of a transaction.
        case addOffsets = 25
        /// Commit or abort.
        case endTransaction = 26
        /// Positions of a transaction.
        case offsetCommit = 28
    }

    private let host: OpaquePointer
    private let cluster: OpaquePointer
    /// Where it listens.
    public let bootstrap: String

    /// A cluster of one broker with these topics.
    public init(topics: [String], partitions: Int32 = 4) throws {
        var text = [CChar](repeating: 0, count: 256)
        let conf = rd_kafka_conf_new()
        rd_kafka_conf_set(conf, "client.id", "mock-host", nil, 0)
        rd_kafka_conf_set(conf, "log_level", "0", nil, 0)
        host = try MockCluster.present(rd_kafka_new(RD_KAFKA_PRODUCER, conf, &text, text.count))
        cluster = try MockCluster.present(rd_kafka_mock_cluster_new(host, 1))
        bootstrap = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
        for topic in topics { rd_kafka_mock_topic_create(cluster, topic, partitions, 1) }
    }

    private struct Missing: Error {}

    private static func present(_ pointer: OpaquePointer?) throws -> OpaquePointer {
        guard let pointer else { throw Missing() }
        return pointer
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(host)
    }

    /// The next answers to requests of this type are these errors.
    public func push(_ request: Request, _ errors: [rd_kafka_resp_err_t]) {
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
    }

    /// Forgets the errors that wait for requests of this type.
    public func clear(_ request: Request) { rd_kafka_mock_clear_request_errors(cluster, request.rawValue) }

    /// Takes the broker away, or brings it back.
    public func setUp(_ up: Bool) {
        if up {
            rd_kafka_mock_broker_set_up(cluster, 1)
        } else {
            rd_kafka_mock_broker_set_down(cluster, 1)
        }
    }
}
