import Foundation

/// One number of the library's statistics.
public struct KafkaMetric: Sendable, Equatable {
    /// Prometheus name, e. g. `kafka_consumer_lag`.
    public var name: String
    /// Label names and values.
    public var labels: [String: String]
    /// The value; times are in seconds.
    public var value: Double

    /// A number.
    public init(name: String, labels: [String: String], value: Double) {
        self.name = name
        self.labels = labels
        self.value = value
    }
}

/// Reads librdkafka's statistics (a JSON document every few seconds; STATISTICS.md of librdkafka) into the numbers
/// that are worth watching: lag, last stable offset, broker latency, queues, rebalances, transaction state.
enum KafkaStatistics {
    private struct Document: Decodable {
        var msg_cnt: Int64?
        var msg_size: Int64?
        var replyq: Int64?
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
        var nodename: String?
        var nodeid: Int64?
        var state: String?
        var outbuf_cnt: Int64?
        var txerrs: Int64?
        var rxerrs: Int64?
        var req_timeouts: Int64?
        var disconnects: Int64?
        var rtt: Window?
    }
    private struct Topic: Decodable {
        var partitions: [String: Partition]?
    }
    private struct Partition: Decodable {
        var partition: Int64?
        var desired: Bool?
        var fetchq_cnt: Int64?
        var ls_offset: Int64?
        var hi_offset: Int64?
        var app_offset: Int64?
    }
    private struct Group: Decodable {
        var join_state: String?
        var rebalance_cnt: Int64?
        var rebalance_age: Int64?
        var assignment_size: Int64?
    }
    private struct Transactions: Decodable {
        var txn_state: String?
        var txn_stateage: Int64?
        var epoch_cnt: Int64?
    }

    /// The numbers of one document; empty where it cannot be read.
    static func metrics(_ json: UnsafeRawBufferPointer) -> [KafkaMetric] {
        guard let base = json.baseAddress,
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes: base, count: json.count))
        else { return [] }
        var result: [KafkaMetric] = []
        func add(_ name: String, _ value: Int64?, _ labels: [String: String] = [:], scale: Double = 1) {
            guard let value, value >= 0 else { return }
            result.append(KafkaMetric(name: name, labels: labels, value: Double(value) * scale))
        }
        add("kafka_producer_queue_messages", document.msg_cnt)
        add("kafka_producer_queue_bytes", document.msg_size)
        add("kafka_reply_queue", document.replyq)
        for broker in (document.brokers ?? [:]).values.sorted(by: { ($0.nodeid ?? -1) < ($1.nodeid ?? -1) }) {
            guard let id = broker.nodeid, id >= 0 else { continue }
            let labels = ["broker": String(id)]
            add("kafka_broker_up", broker.state == "UP" ? 1 : 0, labels)
            add("kafka_broker_waiting_requests", broker.outbuf_cnt, labels)
            add("kafka_broker_request_timeouts_total", broker.req_timeouts, labels)
            add("kafka_broker_disconnects_total", broker.disconnects, labels)
            add("kafka_broker_round_trip_seconds", broker.rtt?.avg, labels, scale: 1e-6)
            add("kafka_broker_round_trip_p99_seconds", broker.rtt?.p99, labels, scale: 1e-6)
        }
        for (topic, entry) in (document.topics ?? [:]).sorted(by: { $0.key < $1.key }) {
            for partition in (entry.partitions ?? [:]).values.sorted(by: { ($0.partition ?? -1) < ($1.partition ?? -1) }
            ) {
                guard let number = partition.partition, number >= 0, partition.desired == true else { continue }
                let labels = ["topic": topic, "partition": String(number)]
                add("kafka_fetch_queue_messages", partition.fetchq_cnt, labels)
                if let stable = partition.ls_offset, let position = partition.app_offset, stable >= 0, position >= 0 {
                    // The library's own "consumer_lag" knows no offsets that a transaction committed.
                    add("kafka_consumer_lag", max(0, stable - position), labels)
                }
                if let high = partition.hi_offset, let stable = partition.ls_offset, high >= 0, stable >= 0 {
                    // How far the last stable offset hangs behind the end: a hanging transaction shows here.
                    add("kafka_last_stable_offset_lag", max(0, high - stable), labels)
                }
            }
        }
        add("kafka_group_rebalances_total", document.cgrp?.rebalance_cnt)
        add("kafka_group_assigned_partitions", document.cgrp?.assignment_size)
        add("kafka_transaction_state_age_seconds", document.eos?.txn_stateage, scale: 1e-3)
        add("kafka_transaction_producer_epochs_total", document.eos?.epoch_cnt)
        return result
    }
}
