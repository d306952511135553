import EventLog
import EventLogConformance
import Foundation
import KafkaLog
import KafkaTransport
import PaymentModel
import Synchronization
import TestSupport
import Testing

/// What the log refuses at start, and what it records.
@Suite(
    "The Kafka log at start", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct KafkaStartTests {
    /// A topic that is not as it must be.
    struct Wrong: Sendable, CustomTestStringConvertible {
        var topic: Topic
        var settings: [String: String]
        var says: String
        var testDescription: String { "\(topic) \(settings)" }
    }

    private func settings(_ prefix: String, _ directory: TemporaryDirectory) throws -> KafkaLogSettings {
        var settings = KafkaLogSettings(
            cluster: try KafkaTest.Cluster.shared().configuration(), directory: directory.path)
        settings.topicPrefix = prefix
        settings.groupID = "g-\(prefix)"
        settings.partitions = 3
        return settings
    }

    private func prefix() -> String { "s\(UUID().uuidString.prefix(8))." }

    @Test("creates its topics, all with the same number of partitions, and opens twice")
    func creates() throws {
        let directory = TemporaryDirectory()
        let settings = try settings(prefix(), directory)
        let log = try KafkaEventLog(settings)
        #expect(log.partitionCount == 3)
        let name = log.instanceID
        log.close()
        let again = try KafkaEventLog(settings)
        #expect(again.instanceID == name, "the instance's id is kept in the directory")
        again.close()
    }

    @Test(
        "refuses topics that lose payments",
        arguments: [
            Wrong(topic: .state, settings: ["cleanup.policy": "delete"], says: "must be compact"),
            Wrong(
                topic: .state, settings: ["cleanup.policy": "compact", "delete.retention.ms": "3600000"],
                says: "delete.retention.ms"),
            Wrong(topic: .commands, settings: ["cleanup.policy": "compact"], says: "must be delete"),
            Wrong(topic: .commands, settings: ["retention.ms": "-1"], says: "shorter than finished payments"),
            Wrong(topic: .commands, settings: ["retention.ms": "2592000000"], says: "shorter than finished payments"),
            Wrong(topic: .events, settings: ["min.insync.replicas": "2"], says: "nothing can be written"),
            Wrong(topic: .deadLetters, settings: ["max.message.bytes": "1048588"], says: "65536 more"),
        ])
    func refuses(_ wrong: Wrong) throws {
        let settings = try settings(prefix(), TemporaryDirectory())
        let admin = try KafkaAdmin(settings.cluster, clientID: "a")
        try admin.create(
            topics: [
                KafkaNewTopic(
                    name: settings.topicPrefix + wrong.topic.suffix, partitions: 3, settings: wrong.settings)
            ], timeout: .seconds(10))
        let error = #expect(throws: LogError.self) { try KafkaEventLog(settings) }
        #expect(error?.kind == .misconfigured)
        #expect(error?.detail.contains(wrong.says) == true, "\(String(describing: error))")
    }

    @Test("refuses unequal partition counts, missing topics where it may not create them, and a count that has changed")
    func partitionCounts() throws {
        var settings = try settings(prefix(), TemporaryDirectory())
        settings.createsTopics = false
        #expect(throws: LogError.self) { try KafkaEventLog(settings) }
        settings.createsTopics = true
        let admin = try KafkaAdmin(settings.cluster, clientID: "a")
        let names = Topic.allCases.map { settings.topicPrefix + $0.suffix }
        try admin.create(
            topics: [KafkaNewTopic(name: names[2], partitions: 5)], timeout: .seconds(10))
        try admin.create(
            topics: [KafkaNewTopic(name: names[0], partitions: 4, settings: ["retention.ms": "86400000"])],
            timeout: .seconds(10))
        let unequal = #expect(throws: LogError.self) { try KafkaEventLog(settings) }
        #expect(unequal?.detail.contains("same number of partitions") == true)
    }

    @Test("the number of partitions is recorded: topics that grew are refused, also from a new directory")
    func recordedCount() async throws {
        let directory = TemporaryDirectory()
        let settings = try settings(prefix(), directory)
        let log = try KafkaEventLog(settings)
        // One commit leaves the count beside the committed offset.
        let owner = Owner(log.shard(0), patience: .seconds(30))
        try await owner.start()
        var draft = BatchDraft()
        draft.state("p", "s", partition: 0)
        #expect(await owner.commit(draft) == nil)
        await owner.close()
        log.close()
        let answer = try TestKafka.tool([
            "topics", "--bootstrap-server", try TestKafka.shared().bootstrap, "--alter", "--topic",
            settings.topicPrefix + ".*", "--partitions", "6",
        ])
        guard answer != nil else { return }
        let same = #expect(throws: LogError.self) { try KafkaEventLog(settings) }
        #expect(same?.detail.contains("this directory recorded 3") == true)
        let fresh = #expect(throws: LogError.self) {
            try KafkaEventLog(try self.settings(settings.topicPrefix, TemporaryDirectory()))
        }
        #expect(fresh?.detail.contains("the group recorded 3") == true)
    }

    @Test("an offset out of range stops its partition with an alarm, and no other")
    func outOfRange() async throws {
        let log = try KafkaLogUnderTest(partitions: 2, cluster: try KafkaTest.Cluster.shared())
        let alarms = Alarms()
        log.report.withLock { $0 = alarms.take }
        let owner = try await log.startOwner()
        for partition in 0..<Int32(2) {
            try await log.append(.commands, partition, [Content(key: "a", value: "1"), Content(key: "b", value: "2")])
        }
        let inputs = try await owner.take(4)
        var draft = BatchDraft()
        for partition in 0..<Int32(2) {
            draft.position(.commands, partition, try #require(inputs.first { $0.partition == partition }).offset + 1)
        }
        #expect(await owner.commit(draft) == nil)
        // Somebody deletes what was not taken in.
        let file = TemporaryDirectory()
        let list =
            "{\"partitions\":[{\"topic\":\"\(log.prefix)commands\",\"partition\":0,\"offset\":-1}],\"version\":1}"
        try list.write(toFile: file.appending("delete.json"), atomically: true, encoding: .utf8)
        let answer = try TestKafka.tool([
            "delete-records", "--bootstrap-server", try TestKafka.shared().bootstrap, "--offset-json-file",
            file.appending("delete.json"),
        ])
        guard answer != nil else { return await log.tearDown() }
        try await log.crashAndReopen()
        let next = try await log.startOwner()
        #expect(try await next.take(1).map(\.partition) == [1])
        let deadline = ContinuousClock.now + .seconds(10)
        while alarms.texts.isEmpty, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(alarms.texts.contains { $0.contains("ALARM") && $0.contains("commands [0]") })
        await log.tearDown()
    }

    @Test("a directory that another process holds is refused")
    func held() throws {
        let directory = TemporaryDirectory()
        let settings = try settings(prefix(), directory)
        let log = try KafkaEventLog(settings)
        let error = #expect(throws: LogError.self) { try KafkaEventLog(settings) }
        #expect(error?.kind == .heldElsewhere)
        log.close()
    }

    @Test("no broker: told as unavailable, not for ever waited for")
    func unreachable() throws {
        let configuration = try KafkaConfiguration(bootstrapServers: "127.0.0.1:1")
        let error = #expect(throws: LogError.self) {
            try KafkaEventLog(KafkaLogSettings(cluster: configuration, directory: TemporaryDirectory().path))
        }
        #expect(error?.kind == .unavailable)
    }
}

/// Java producers must put a payment where we look for it.
@Suite(
    "Partitions as Kafka's own client chooses them",
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct PartitionHashTests {
    @Test("murmur2 of Kafka's own console producer")
    func javaAgrees() throws {
        let configuration = try KafkaTest.Cluster.shared().configuration()
        let topic = "m\(UUID().uuidString.prefix(8))"
        let partitions: Int32 = 7
        try KafkaAdmin(configuration, clientID: "a").create(
            topics: [KafkaNewTopic(name: topic, partitions: partitions)], timeout: .seconds(10))
        var random = SeededGenerator(seed: 7)
        var keys = ["a", "ab", "abc", "abcd", "pay-1", "ÄÖÜ", "€", "payment-with-a-long-identifier-0123456789"]
        for _ in 0..<200 {
            let length = Int.random(in: 1...40, using: &random)
            keys.append(
                String(
                    (0..<length).map { _ in
                        Character(Unicode.Scalar(UInt8.random(in: 0x21...0x7D, using: &random)))
                    }))
        }
        let lines = keys.map { "\($0)~v\n" }.joined()
        let output = try TestKafka.tool(
            [
                "console-producer", "--bootstrap-server", try TestKafka.shared().bootstrap, "--topic", topic,
                "--property", "parse.key=true", "--property", "key.separator=~",
            ], input: lines)
        // A distribution without the tools cannot be asked.
        guard output != nil else { return }
        let reader = try KafkaReader(configuration, groupID: "m", clientID: "m", committedOnly: true)
        try reader.assign(
            (0..<partitions).map { KafkaOffset(topic: topic, partition: $0, offset: KafkaOffset.beginning) })
        var seen = 0
        var ends = 0
        while ends < Int(partitions) {
            _ = try reader.poll(limit: 1_000, timeout: .seconds(5)) { message in
                guard let key = message.key else { return }
                let bytes = key.withUnsafeBytes { Array($0) }
                #expect(PartitionHash.partition(of: bytes, count: partitions) == message.partition)
                seen += 1
            } end: { _, _, _ in
                ends += 1
            }
        }
        #expect(seen == keys.count)
    }
}

/// What was reported at the level of alarms.
final class Alarms: Sendable {
    private let found = Mutex<[String]>([])
    var texts: [String] { found.withLock { $0 } }
    var take: @Sendable (Int, String) -> Void {
        { [self] level, text in if level <= 1 { found.withLock { $0.append(text) } } }
    }
}
