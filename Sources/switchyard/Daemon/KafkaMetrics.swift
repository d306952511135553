import KafkaLog
import KafkaTransport
import Metrics
import StructuredLog
import Synchronization

/// What the Kafka log and librdkafka tell, as metrics and log lines.
final class KafkaMetrics: Sendable {
    private struct Client: Hashable {
        var name: String
        var kind: KafkaClientKind
    }

    private let metrics: MetricsRegistry
    private let log: Logger
    /// What a client's name begins with; the rest tells clients of one process apart.
    private let prefix: String
    private let latest = Mutex<[Client: [KafkaMetric]]>([:])

    /// - Parameters:
    ///   - metrics: where numbers are shown.
    ///   - log: where lines go.
    ///   - groupID: what all client names begin with.
    init(_ metrics: MetricsRegistry, log: Logger, groupID: String) {
        self.metrics = metrics
        self.log = log
        prefix = groupID + "-"
        metrics.collect { [weak self] in self?.clientSamples ?? [] }
    }

    /// Connects the log's settings with metrics and log lines.
    func attach(to settings: inout KafkaLogSettings) {
        settings.cluster.statistics = { [self] name, kind, values in
            latest.withLock { $0[Client(name: name, kind: kind)] = values }
        }
        settings.cluster.log = { [log] level, facility, line in
            log.log(
                KafkaMetrics.level(level), "librdkafka", [("facility", .text(facility)), ("line", .text(line))])
        }
        settings.report = { [log] level, text in log.log(KafkaMetrics.level(level), text) }
        settings.measure = { [self] in count($0) }
    }

    /// Shows lags and open transactions of the open log.
    func watch(_ opened: KafkaEventLog) {
        metrics.collect { [weak opened] in opened.map(KafkaMetrics.samples) ?? [] }
        opened.startWatch()
    }

    /// Syslog's levels: up to 3 does not work, 4 works but should be looked at, 5 and 6 say what happened.
    static func level(_ level: Int) -> LogLevel {
        switch level {
        case ...3: .error
        case 4: .warning
        case 5, 6: .info
        default: .debug
        }
    }

    // MARK: Happenings

    private func count(_ measure: KafkaLogMeasure) {
        switch measure {
        case .transaction(let shard, let end, let duration):
            metrics.counter(
                "switchyard_kafka_transactions_total", "Transactions, by how they ended.",
                [("shard", "\(shard)"), ("end", end.rawValue)]
            ).add()
            metrics.histogram(
                "switchyard_kafka_transaction_seconds", "From the first record of a transaction to its end.",
                [("shard", "\(shard)")]
            ).observe(KafkaMetrics.milliseconds(duration))
        case .producer(let shard):
            metrics.counter(
                "switchyard_kafka_producers_total", "Transactional producers initialised; the first is no replacement.",
                [("shard", "\(shard)")]
            ).add()
        case .restored(let shard, let partitions, let records, let duration):
            let labels = [(name: "shard", value: "\(shard)")]
            metrics.counter("switchyard_kafka_restores_total", "Restores of partitions after an assignment.", labels)
                .add()
            metrics.counter(
                "switchyard_kafka_restored_partitions_total", "Partitions restored, each time anew.", labels
            ).add(UInt64(max(0, partitions)))
            metrics.counter(
                "switchyard_kafka_restored_records_total", "Records of the state topic that restores have read.", labels
            ).add(UInt64(max(0, records)))
            metrics.histogram(
                "switchyard_kafka_restore_seconds", "From an assignment to running.", labels
            ).observe(KafkaMetrics.milliseconds(duration))
        case .alarm(let alarm):
            metrics.counter(
                "switchyard_alarms_total", "Things that a person should look at, by their kind.",
                [("kind", alarm.rawValue)]
            ).add()
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    // MARK: Numbers asked for when they are rendered

    private static func samples(_ opened: KafkaEventLog) -> [MetricSample] {
        opened.figures.flatMap { row in
            let labels = [(name: "topic", value: row.topic), (name: "partition", value: "\(row.partition)")]
            var samples: [MetricSample] = []
            if let lag = row.lag {
                samples.append(
                    MetricSample(
                        name: "switchyard_kafka_consumer_lag", help: "Stable inputs that no commit has taken in.",
                        labels: labels, value: lag))
            }
            if let unstable = row.unstable {
                samples.append(
                    MetricSample(
                        name: "switchyard_kafka_last_stable_offset_lag",
                        help: "Records behind the last stable offset: an open transaction.", labels: labels,
                        value: unstable))
            }
            if let stalled = row.stalled {
                samples.append(
                    MetricSample(
                        name: "switchyard_kafka_last_stable_offset_stalled_seconds",
                        help: "For how long the last stable offset has stood still below the end.", labels: labels,
                        value: milliseconds(stalled), scale: 1_000))
            }
            return samples
        }
    }

    private var clientSamples: [MetricSample] {
        let latest = latest.withLock { $0 }
        let clients = latest.sorted { ($0.key.name, $0.key.kind.rawValue) < ($1.key.name, $1.key.kind.rawValue) }
        return clients.flatMap { client, values in
            let name = client.name.hasPrefix(prefix) ? String(client.name.dropFirst(prefix.count)) : client.name
            return values.map { value in
                var labels = [(name: "client", value: name), (name: "kind", value: client.kind.rawValue)]
                if let broker = value.broker { labels.append((name: "broker", value: "\(broker)")) }
                return MetricSample(
                    name: "switchyard_" + value.name.rawValue, help: KafkaMetrics.help(value.name),
                    isCounter: value.name.isCounter, labels: labels, value: value.value, scale: value.scale)
            }
        }
    }

    private static func help(_ name: KafkaMetric.Name) -> String {
        switch name {
        case .producerQueueMessages: "Records that wait in a producer."
        case .producerQueueBytes: "Bytes that wait in a producer."
        case .fetchQueueMessages: "Records fetched ahead."
        case .brokerUp: "1 while the connection to the broker is usable."
        case .brokerWaitingRequests: "Requests that wait to be sent to the broker."
        case .brokerRequestTimeouts: "Requests that the broker did not answer in time."
        case .brokerDisconnects: "Connections to the broker that ended."
        case .brokerRoundTrip: "Average round trip to the broker."
        case .brokerRoundTrip99: "99th percentile of round trips to the broker."
        case .groupRebalances: "Generations that the member has seen."
        case .groupAssigned: "Partitions that the group has given the member."
        case .transactionStateAge: "How long the transaction is in its present state."
        }
    }
}
