import Foundation

/// One number of the library's statistics, an integer in units of 1/`scale`.
public struct KafkaMetric: Sendable, Equatable {
    /// What is measured; in Prometheus' style, e. g. `kafka_broker_round_trip_seconds`, counters end with `_total`.
    public enum Name: String, Sendable, CaseIterable {
        /// Records that wait in a producer, unacknowledged ones included.
        case producerQueueMessages = "kafka_producer_queue_messages"
        /// Bytes that wait in a producer.
        case producerQueueBytes = "kafka_producer_queue_bytes"
        /// Records fetched ahead, not yet taken by the poll thread.
        case fetchQueueMessages = "kafka_fetch_queue_messages"
        /// 1 while the connection to a broker is usable.
        case brokerUp = "kafka_broker_up"
        /// Requests that wait to be sent to a broker.
        case brokerWaitingRequests = "kafka_broker_waiting_requests"
        /// Requests to a broker that were not answered in time.
        case brokerRequestTimeouts = "kafka_broker_request_timeouts_total"
        /// Connections to a broker that ended.
        case brokerDisconnects = "kafka_broker_disconnects_total"
        /// A broker's average round trip in the last window.
        case brokerRoundTrip = "kafka_broker_round_trip_seconds"
        /// The 99th percentile of a broker's round trips in the last window.
        case brokerRoundTrip99 = "kafka_broker_round_trip_p99_seconds"
        /// Generations that the member has seen.
        case groupRebalances = "kafka_group_rebalances_total"
        /// Partitions that the group has given the member.
        case groupAssigned = "kafka_group_assigned_partitions"
        /// How long the producer's transaction is in its present state.
        case transactionStateAge = "kafka_transaction_state_age_seconds"

        /// Whether it only grows, as long as the client lives.
        public var isCounter: Bool { rawValue.hasSuffix("_total") }
    }

    /// What is measured.
    public var name: Name
    /// The broker's number, where it is about one.
    public var broker: Int64?
    /// The number in units of 1/`scale`.
    public var value: Int64
    /// 1, or a power of ten for times.
    public var scale: Int64
}

/// Reads librdkafka's statistics (a JSON document every few seconds; STATISTICS.md of librdkafka) into the numbers
/// that are worth watching: brokers, queues, rebalances, transaction state. Lags are not among them: the library does
/// not know positions that were committed by a transaction, and fetches no topic that transactions write.
enum KafkaStatistics {
    private struct Document: Decodable {
        var type: String?
        var msg_cnt: Int64?
        var msg_size: Int64?
        var brokers: [String: Broker]?
        var topics: [String: Topic]?
        var cgrp: Group?
        var eos: Transactions?
    }
    private struct Broker: Decodable {
        struct Window: Decodable {
            var avg: Int64?
            var p99: Int64?
        }
        var nodeid: Int64?
        var state: String?
        var outbuf_cnt: Int64?
        var req_timeouts: Int64?
        var disconnects: Int64?
        var rtt: Window?
    }
    private struct Topic: Decodable {
        var partitions: [String: Partition]?
    }
    private struct Partition: Decodable {
        var fetchq_cnt: Int64?
    }
    private struct Group: Decodable {
        var rebalance_cnt: Int64?
        var assignment_size: Int64?
    }
    private struct Transactions: Decodable {
        var txn_stateage: Int64?
    }

    /// The numbers of one document; empty where it cannot be read.
    static func metrics(_ json: UnsafeRawBufferPointer) -> [KafkaMetric] {
        guard let base = json.baseAddress,
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes: base, count: json.count))
        else { return [] }
        var result: [KafkaMetric] = []
        func add(_ name: KafkaMetric.Name, _ value: Int64?, broker: Int64? = nil, scale: Int64 = 1) {
            guard let value, value >= 0 else { return }
            result.append(KafkaMetric(name: name, broker: broker, value: value, scale: scale))
        }
        if document.type == "producer" {
            add(.producerQueueMessages, document.msg_cnt)
            add(.producerQueueBytes, document.msg_size)
            // The library's milliseconds.
            add(.transactionStateAge, document.eos?.txn_stateage, scale: 1_000)
        } else {
            let partitions = (document.topics ?? [:]).values.flatMap { ($0.partitions ?? [:]).values }
            add(.fetchQueueMessages, partitions.reduce(0) { $0 + max(0, $1.fetchq_cnt ?? 0) })
            add(.groupRebalances, document.cgrp?.rebalance_cnt)
            add(.groupAssigned, document.cgrp?.assignment_size)
        }
        for broker in (document.brokers ?? [:]).values.sorted(by: { ($0.nodeid ?? -1) < ($1.nodeid ?? -1) }) {
            // Bootstrap entries and the coordinator's alias have no number of their own.
            guard let id = broker.nodeid, id >= 0 else { continue }
            add(.brokerUp, broker.state == "UP" ? 1 : 0, broker: id)
            add(.brokerWaitingRequests, broker.outbuf_cnt, broker: id)
            add(.brokerRequestTimeouts, broker.req_timeouts, broker: id)
            add(.brokerDisconnects, broker.disconnects, broker: id)
            add(.brokerRoundTrip, broker.rtt?.avg, broker: id, scale: 1_000_000)
            add(.brokerRoundTrip99, broker.rtt?.p99, broker: id, scale: 1_000_000)
        }
        return result
    }
}
