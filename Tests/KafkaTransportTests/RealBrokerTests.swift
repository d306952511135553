import Foundation
import KafkaTransport
import Synchronization
import TestSupport
import Testing

/// What the transport does against Apache Kafka itself.
@Suite(
    "Kafka transport on a real broker", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct RealBrokerTests {
    private func fresh(_ partitions: Int32 = 2, _ settings: [String: String] = [:]) throws -> (
        KafkaConfiguration, String
    ) {
        let configuration = try KafkaConfiguration(bootstrapServers: try TestKafka.shared().bootstrap)
        let topic = "t-\(UUID().uuidString.prefix(8))"
        let admin = try KafkaAdmin(configuration, clientID: "admin")
        try admin.create(
            topics: [KafkaNewTopic(name: topic, partitions: partitions, settings: settings)], timeout: .seconds(10))
        return (configuration, topic)
    }

    private func produce(
        _ producer: KafkaTransactionalProducer, _ text: String, partition: Int32 = 0, headers: [(String, String)] = []
    ) throws {
        try text.utf8CString.withUnsafeBytes { bytes in
            let value = UnsafeRawBufferPointer(rebasing: bytes.dropLast())
            try producer.produce(
                KafkaOutgoing(topic: 0, partition: partition, timestamp: 1_700_000_000_000, key: value, value: value),
                headers: headers.count
            ) { list in
                for (name, value) in headers {
                    Array(name.utf8).withUnsafeBytes { name in
                        Array(value.utf8).withUnsafeBytes { list.append(name: name, value: $0) }
                    }
                }
            }
        }
    }

    private func read(
        _ configuration: KafkaConfiguration, _ topic: String, committedOnly: Bool
    ) throws -> [(key: String, headers: [String])] {
        let reader = try KafkaReader(configuration, groupID: "r", clientID: "r", committedOnly: committedOnly)
        try reader.assign([KafkaOffset(topic: topic, partition: 0, offset: KafkaOffset.beginning)])
        var rows: [(key: String, headers: [String])] = []
        var ended = false
        while !ended {
            _ = try reader.poll(limit: 100, timeout: .seconds(5)) { message in
                var headers: [String] = []
                message.forEachHeader {
                    headers.append(String(decoding: $0, as: UTF8.self) + "=" + String(decoding: $1, as: UTF8.self))
                }
                rows.append(
                    (keyText(message), headers))
            } end: { _, _, _ in
                ended = true
            }
        }
        return rows
    }

    /// A young broker is still loading its coordinators, and says that one may ask again.
    private func patiently(_ ask: () throws -> Int) throws -> Int {
        for _ in 0..<100 {
            do {
                return try ask()
            } catch let error as KafkaError {
                guard error.isRetriable else { throw error }
                usleep(200_000)
            }
        }
        return try ask()
    }

    @Test("a topic is created and described with its settings, twice is no error")
    func admin() throws {
        let (configuration, topic) = try fresh(3, ["cleanup.policy": "compact", "delete.retention.ms": "604800000"])
        let admin = try KafkaAdmin(configuration, clientID: "admin")
        let again = try admin.create(topics: [KafkaNewTopic(name: topic, partitions: 3)], timeout: .seconds(10))
        #expect(again.isEmpty)
        let rows = try admin.describe(topics: [topic, "missing"], timeout: .seconds(10))
        #expect(rows[0].partitions == 3)
        #expect(rows[0].settings["cleanup.policy"] == "compact")
        #expect(rows[0].settings["delete.retention.ms"] == "604800000")
        #expect(rows[0].settings["min.insync.replicas"] == "1")
        #expect(rows[1].partitions == 0)
        let cluster = try admin.cluster(timeout: .seconds(5))
        #expect(!cluster.id.isEmpty)
        let broker = try admin.brokerSettings(id: cluster.broker, timeout: .seconds(5))
        #expect(broker["transaction.max.timeout.ms"] != nil)
        let members = try patiently { try admin.members(of: "nobody-\(topic)", timeout: .seconds(5)).count }
        #expect(members == 0)
    }

    @Test("committed records with headers are seen, aborted and open ones are not; offsets move with the commit only")
    func transactions() throws {
        let (configuration, topic) = try fresh()
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: topic, clientID: topic, topics: [topic], trackedTopic: 0)
        try producer.initTransactions(timeout: .seconds(10))
        try producer.begin()
        try produce(producer, "one", headers: [("ce_id", "1"), ("empty", "")])
        try producer.commit(timeout: .seconds(10))
        #expect(producer.deliveredOffsets == [0: 0])
        try producer.begin()
        try produce(producer, "aborted")
        try producer.waitForDelivery()
        try producer.abort(timeout: .seconds(10))
        try producer.begin()
        try produce(producer, "open")
        try producer.waitForDelivery()
        let seen = try read(configuration, topic, committedOnly: true)
        #expect(seen.map(\.key) == ["one"])
        #expect(seen[0].headers == ["ce_id=1", "empty="])
        try producer.commit(timeout: .seconds(10))
        #expect(try read(configuration, topic, committedOnly: true).map(\.key) == ["one", "open"])
    }

    @Test("the end asked by a read_committed handle is the last stable offset, by a read_uncommitted one the true end")
    func watermarks() throws {
        let (configuration, topic) = try fresh()
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: topic, clientID: topic, topics: [topic], trackedTopic: 0)
        try producer.initTransactions(timeout: .seconds(10))
        try producer.begin()
        try produce(producer, "open")
        while producer.deliveredOffsets.isEmpty { producer.service() }
        let stable = try KafkaReader(configuration, groupID: "r", clientID: "r", committedOnly: true)
        let all = try KafkaReader(configuration, groupID: "r", clientID: "r", committedOnly: false)
        #expect(try stable.watermarks(topic: topic, partition: 0, timeout: .seconds(5)) == 0..<0)
        #expect(try all.watermarks(topic: topic, partition: 0, timeout: .seconds(5)) == 0..<1)
        try producer.abort(timeout: .seconds(10))
    }

    @Test("a second producer of the same id fences the first: fatal, and its records stay invisible")
    func fencing() throws {
        let (configuration, topic) = try fresh()
        let first = try KafkaTransactionalProducer(
            configuration, transactionalID: topic, clientID: "a", topics: [topic])
        try first.initTransactions(timeout: .seconds(10))
        try first.begin()
        try produce(first, "zombie")
        try KafkaTransactionalProducer.fence(
            configuration, transactionalID: topic, clientID: "b", timeout: .seconds(10))
        let error = #expect(throws: KafkaError.self) { try first.commit(timeout: .seconds(10)) }
        #expect(error?.isFatal == true)
        #expect(error?.isStaleOwner == true)
        #expect(try read(configuration, topic, committedOnly: true).isEmpty)
    }

    @Test("members: metadata of the assignment, revocation with it, a stale generation is refused as abortable")
    func generations() throws {
        let (configuration, topic) = try fresh()
        let group = "g-\(topic)"
        let first = Member()
        let consumer = try KafkaGroupConsumer(
            configuration, groupID: group, clientID: "one", topics: [topic], handlers: first.handlers)
        try consumer.start()
        first.wait { $0.metadata != nil && $0.partitions.count == 2 }
        let old = try #require(first.state.withLock { $0.metadata })
        #expect(old.isChecked && old.groupID == group)
        let admin = try KafkaAdmin(configuration, clientID: "admin")
        #expect(try admin.members(of: group, timeout: .seconds(5)) == ["one"])

        let second = Member()
        let other = try KafkaGroupConsumer(
            configuration, groupID: group, clientID: "two", topics: [topic], handlers: second.handlers)
        try other.start()
        second.wait { $0.metadata != nil && $0.partitions.count == 1 }
        first.wait { $0.revocations == 1 && $0.partitions.count == 1 }
        let new = try #require(first.state.withLock { $0.metadata })
        #expect(new.generation > old.generation)

        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: topic, clientID: topic, topics: [topic])
        try producer.initTransactions(timeout: .seconds(10))
        try producer.begin()
        let stale = #expect(throws: KafkaError.self) {
            try producer.sendOffsets(
                [KafkaOffset(topic: topic, partition: 0, offset: 1, metadata: "who")], group: old, timeout: .seconds(5))
        }
        #expect(stale?.isAbortable == true && stale?.isStaleOwner == true)
        try producer.abort(timeout: .seconds(5))
        try producer.begin()
        try producer.sendOffsets(
            [KafkaOffset(topic: topic, partition: 0, offset: 1, metadata: "who")], group: new, timeout: .seconds(5))
        // The stable fetch waits while the transaction is open, the other one answers.
        let stable = try KafkaReader(configuration, groupID: group, clientID: "r", committedOnly: true)
        let unstable = try KafkaReader(configuration, groupID: group, clientID: "r", committedOnly: false)
        let asked = [KafkaOffset(topic: topic, partition: 0, offset: 0)]
        let waiting = #expect(throws: KafkaError.self) { try stable.committed(asked, timeout: .milliseconds(700)) }
        #expect(waiting?.isRetriable == true)
        #expect(try unstable.committed(asked, timeout: .seconds(5)).first?.offset == KafkaOffset.invalid)
        try producer.commit(timeout: .seconds(10))
        #expect(try stable.committed(asked, timeout: .seconds(5)).first?.offset == 1)
        #expect(try unstable.committed(asked, timeout: .seconds(5)).first?.metadata == "who")
        other.close()
        consumer.close()
        #expect(first.state.withLock { $0.revocations } >= 2)
    }

    @Test("records come from the offsets asked for; paused, nothing comes and nothing is lost")
    func backpressure() throws {
        let (configuration, topic) = try fresh(1)
        let delivered = Mutex(0)
        let append = try KafkaProducer(configuration, clientID: "p", topics: [topic]) { _, error, _ in
            #expect(error == nil)
            delivered.withLock { $0 += 1 }
        }
        func send(_ range: Range<Int>) throws {
            for number in range {
                try Array("\(number)".utf8).withUnsafeBytes {
                    try append.produce(
                        KafkaOutgoing(topic: 0, partition: 0, timestamp: 1, key: nil, value: $0), token: UInt(number))
                }
            }
        }
        try send(0..<100)
        let member = Member()
        let consumer = try KafkaGroupConsumer(
            configuration, groupID: "g-\(topic)", clientID: "one", topics: [topic], handlers: member.handlers)
        try consumer.start()
        member.wait { $0.metadata != nil }
        #expect(member.state.withLock { $0.values.isEmpty })
        try consumer.fetch(from: [KafkaOffset(topic: topic, partition: 0, offset: 40)])
        member.wait { $0.values.count == 60 }
        consumer.setPaused(true)
        try send(100..<200)
        usleep(300_000)
        #expect(member.state.withLock { $0.values.count } == 60)
        consumer.setPaused(false)
        member.wait { $0.values.count == 160 }
        #expect(member.state.withLock { $0.values } == (40..<200).map(String.init))
        try consumer.fetch(from: [KafkaOffset(topic: topic, partition: 0, offset: 190)])
        member.wait { $0.values.count == 170 }
        #expect(member.state.withLock { Array($0.values.suffix(10)) } == (190..<200).map(String.init))
        try consumer.fetch(from: [KafkaOffset(topic: topic, partition: 0, offset: 5_000)])
        member.wait { $0.errors.contains { $0.code == .offsetReset } }
        consumer.close()
        append.close()
        #expect(delivered.withLock { $0 } == 200)
    }

    @Test("statistics become numbers: of the member, of the transactional producer, of the ingress; of no other client")
    func statistics() throws {
        var (configuration, topic) = try fresh(1)
        let seen = Mutex<Set<String>>([])
        configuration.statistics = { _, kind, metrics in
            seen.withLock { $0.formUnion(metrics.map { "\(kind) \($0.name.rawValue)" }) }
        }
        configuration.statisticsInterval = 200
        let append = try KafkaProducer(configuration, clientID: "p", topics: [topic]) { _, _, _ in }
        try append.produce(KafkaOutgoing(topic: 0, partition: 0, timestamp: 1, key: nil, value: nil), token: 1)
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: topic, clientID: topic, topics: [topic])
        try producer.initTransactions(timeout: .seconds(10))
        let member = Member()
        let consumer = try KafkaGroupConsumer(
            configuration, groupID: "g-\(topic)", clientID: "one", topics: [topic], handlers: member.handlers)
        try consumer.start()
        member.wait { $0.metadata != nil }
        try consumer.fetch(from: [KafkaOffset(topic: topic, partition: 0, offset: 0)])
        member.wait { $0.values.count == 1 }
        let wanted: Set<String> = [
            "consumer kafka_broker_up", "consumer kafka_group_rebalances_total", "consumer kafka_fetch_queue_messages",
            "consumer kafka_broker_round_trip_seconds", "producer kafka_transaction_state_age_seconds",
            "producer kafka_producer_queue_messages", "ingress kafka_broker_round_trip_p99_seconds",
        ]
        for _ in 0..<100 where !seen.withLock({ $0.isSuperset(of: wanted) }) {
            producer.service()
            usleep(50_000)
        }
        #expect(wanted.subtracting(seen.withLock { $0 }) == [])
        #expect(seen.withLock { $0.allSatisfy { !$0.hasPrefix("reader") && !$0.hasPrefix("admin") } })
        append.close()
        consumer.close()
    }

    @Test("the ends of many partitions in one question: stable ones and true ones")
    func ends() throws {
        let (configuration, topic) = try fresh(3)
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: topic, clientID: topic, topics: [topic], trackedTopic: 0)
        try producer.initTransactions(timeout: .seconds(10))
        try producer.begin()
        try produce(producer, "one", partition: 1)
        try producer.commit(timeout: .seconds(10))
        try producer.begin()
        try produce(producer, "open", partition: 1)
        try producer.waitForDelivery()
        let asked = (0..<Int32(3)).map { KafkaOffset(topic: topic, partition: $0, offset: 0) }
        func ends(_ committedOnly: Bool) throws -> [Int64] {
            let reader = try KafkaReader(configuration, groupID: "r", clientID: "r", committedOnly: committedOnly)
            return try reader.ends(of: asked, timeout: .seconds(5)).sorted { $0.partition < $1.partition }.map(\.offset)
        }
        // A record and a marker, then the open record.
        #expect(try ends(true) == [0, 2, 0])
        #expect(try ends(false) == [0, 3, 0])
        try producer.abort(timeout: .seconds(10))
    }
}

private func keyText(_ message: borrowing KafkaMessage) -> String {
    guard let key = message.key else { return "" }
    return key.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
}

private func valueText(_ message: borrowing KafkaMessage) -> String {
    guard let value = message.value else { return "" }
    return value.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
}

extension KafkaTransactionalProducer {
    /// A moment for the open transaction's record to reach the broker.
    fileprivate func waitForDelivery() throws {
        for _ in 0..<200 where deliveredOffsets.isEmpty {
            service()
            usleep(5_000)
        }
    }
}

/// What a member of a group has been told.
final class Member: Sendable {
    struct State: Sendable {
        var partitions: [KafkaOffset] = []
        var metadata: KafkaGroupMetadata?
        var revocations = 0
        var values: [String] = []
        var errors: [KafkaError] = []
    }
    let state = Mutex(State())

    var handlers: KafkaGroupConsumer.Handlers {
        KafkaGroupConsumer.Handlers(
            assigned: { [self] partitions, metadata in
                state.withLock {
                    $0.partitions = partitions
                    $0.metadata = metadata
                }
            },
            revoked: { [self] _ in
                state.withLock {
                    $0.partitions = []
                    $0.metadata = nil
                    $0.revocations += 1
                }
            },
            received: { [self] message in
                let text = valueText(message)
                state.withLock { $0.values.append(text) }
            },
            drained: {},
            failed: { [self] error, _, _ in state.withLock { $0.errors.append(error) } })
    }

    func wait(_ condition: @Sendable (State) -> Bool) {
        for _ in 0..<3_000 {
            if state.withLock({ condition($0) }) { return }
            usleep(10_000)
        }
        Issue.record("not within 30 s: \(state.withLock { "\($0)" })")
    }
}
