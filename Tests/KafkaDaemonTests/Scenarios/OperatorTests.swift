import DaemonTestSupport
import Foundation
import KafkaTransport
import TestSupport
import Testing

/// What an operator sees of Kafka: numbers, lines, and why a daemon does not start.
@Suite("What an operator sees of Kafka", .enabled(if: TestKafka.isAvailable), .serialized)
struct OperatorTests {
    @Test("lags, transactions, restores, brokers and money in doubt are in the metrics")
    func metrics() async throws {
        var options = Fleet.Options()
        options.instances = ["a"]
        let fleet = try await Fleet(options)
        let daemon = try await fleet.start("a")
        try await fleet.world.send(
            (1...5).map { Line.payout("m-\($0)") } + [Line.payout("m-held", creditor: "Casimir Testholder")])
        // The statistics come every ten seconds.
        let last = options.partitions - 1
        let wanted = [
            "switchyard_kafka_consumer_lag{topic=\"commands\",partition=\"\(last)\"} 0\n",
            "switchyard_kafka_consumer_lag{topic=\"notifications\",partition=\"0\"} 0\n",
            "switchyard_kafka_last_stable_offset_lag{topic=\"events\",partition=\"0\"} ",
            "switchyard_kafka_last_stable_offset_stalled_seconds{topic=\"state\",partition=\"\(last)\"} 0\n",
            "switchyard_kafka_transactions_total{shard=\"0\",end=\"committed\"} ",
            "switchyard_kafka_transaction_seconds_count{shard=\"0\"} ",
            "switchyard_kafka_restores_total{shard=\"0\"} ", "switchyard_kafka_restore_seconds_sum{shard=\"0\"} ",
            "switchyard_kafka_producers_total{shard=\"0\"} 1\n",
            "switchyard_kafka_broker_up{client=\"a-0\",kind=\"consumer\",broker=\"1\"} 1\n",
            "switchyard_kafka_broker_round_trip_p99_seconds{client=\"a-0\",kind=\"producer\",broker=\"1\"} ",
            "switchyard_kafka_broker_round_trip_seconds{client=\"a-append\",kind=\"ingress\",broker=\"1\"} ",
            "switchyard_kafka_producer_queue_messages{client=\"a-0\",kind=\"producer\"} ",
            "switchyard_kafka_group_assigned_partitions{client=\"a-0\",kind=\"consumer\"} ",
            "switchyard_payments_open{state=\"held\",partner=\"\"} 1\n",
            "switchyard_payments_parked{state=\"held\",partner=\"\"} 1\n",
        ]
        var missing: [String] = []
        do {
            try await eventually(90, "the metrics are there") {
                let page = try await fleet.call("a", "GET", "/metrics").text
                missing = wanted.filter { !page.contains($0) }
                return missing.isEmpty
            }
        } catch {
            Issue.record("missing: \(missing)")
        }
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
    }

    @Test("credentials that are refused: one line, exit code 3, and the password nowhere")
    func refused() async throws {
        let kafka = try TestKafka(secure: true)
        let run = UUID().uuidString.prefix(8).lowercased()
        let servers = try #require(kafka.environment["KAFKA_SASL_BOOTSTRAP"])
        let authority = try #require(kafka.environment["KAFKA_CA"])
        let world = try await World(banks: false) {
            $0.replacingOccurrences(
                of: "log: { kind: embedded, directory: ./data }",
                with: "log: { kind: kafka, bootstrapServers: \"\(servers)\", directory: ./data, partitions: 1, "
                    + "topicPrefix: \"switchyard.\(run).\", groupId: switchyard-\(run), instanceId: a, properties: { "
                    + "security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: switchyard, "
                    + "sasl.password: { file: ./kafka.password }, ssl.ca.location: \(authority) } }")
        }
        let secret = URL(fileURLWithPath: world.folder.appending("kafka.password"))
        try Data("not-the-password".utf8).write(to: secret)
        let ended = try await Finished.run(["run", "--config", world.configuration], timeout: 90)
        #expect(ended.status == 3, "\(ended)")
        let line = ended.err.split(separator: "\n").last.map(String.init) ?? ""
        #expect(line.contains("_AUTHENTICATION") && line.contains("Authentication failed"), "\(line)")
        // What librdkafka says by itself comes as lines of ours, at its level.
        #expect(
            ended.err.contains("\"level\":\"error\",\"component\":\"kafka\",\"message\":\"librdkafka\""), "\(ended)")
        #expect(!ended.err.contains("not-the-password") && !ended.out.contains("not-the-password"))
        try Data("switchyard-test".utf8).write(to: secret)
        let daemon = try await world.start()
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
        kafka.stop()
    }
}
