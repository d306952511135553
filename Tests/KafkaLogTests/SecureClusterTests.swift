import EventLog
import EventLogConformance
import Foundation
import KafkaLog
import KafkaTransport
import Synchronization
import TestSupport
import Testing

/// TLS, client certificates, SASL and access rights, against a broker that insists on them.
@Suite(
    "The Kafka log on a secured cluster", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct SecureClusterTests {
    private static let broker: Result<TestKafka, any Error> = Result { try TestKafka(secure: true) }

    private func value(_ name: String) throws -> String {
        try #require(try Self.broker.get().environment[name])
    }

    private func sasl(_ mechanism: String, user: String, password: String) throws -> KafkaConfiguration {
        try KafkaConfiguration(
            bootstrapServers: try value("KAFKA_SASL_BOOTSTRAP"),
            properties: [
                "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": user,
                "sasl.password": password, "ssl.ca.location": try value("KAFKA_CA"),
            ])
    }

    /// One commit, seen by a reader.
    private func works(_ cluster: KafkaConfiguration, _ prefix: String) async throws {
        let directory = TemporaryDirectory("secure")
        var settings = KafkaLogSettings(cluster: cluster, directory: directory.path)
        settings.topicPrefix = prefix
        settings.groupID = prefix + "group"
        settings.partitions = 1
        let log = try KafkaEventLog(settings)
        let owner = Owner(log.shard(0), patience: .seconds(30))
        try await owner.start()
        var draft = BatchDraft()
        draft.record(.events, 0, Content(key: "p", value: "v"))
        draft.state("p", "s", partition: 0)
        #expect(await owner.commit(draft) == nil)
        var batch = RecordBatch()
        _ = try log.reader().read(
            topic: .events, partition: 0, from: 0, into: &batch, limit: PollLimit(records: 10, bytes: 1 << 20))
        #expect(batch.records.count == 1)
        await owner.close()
        log.close()
    }

    @Test("SASL/PLAIN over TLS, with rights on names that begin as ours")
    func plain() async throws {
        try await works(try sasl("PLAIN", user: "switchyard", password: "switchyard-test"), "switchyard.plain.")
    }

    @Test("client certificates")
    func certificates() async throws {
        let pem = try value("KAFKA_CLIENT_PEM")
        let configuration = try KafkaConfiguration(
            bootstrapServers: try value("KAFKA_MTLS_BOOTSTRAP"),
            properties: [
                "security.protocol": "SSL", "ssl.ca.location": try value("KAFKA_CA"),
                "ssl.certificate.location": pem, "ssl.key.location": pem,
            ])
        try await works(configuration, "switchyard.mtls.")
    }

    @Test("a wrong password, and a user without rights, are told as what they are")
    func refused() throws {
        let wrong = try KafkaAdmin(
            try sasl("PLAIN", user: "switchyard", password: "not-the-password"), clientID: "a")
        let error = #expect(throws: KafkaError.self) { try wrong.cluster(timeout: .seconds(5)) }
        #expect(error?.description.contains("_AUTHENTICATION") == true, "\(String(describing: error))")
        #expect(error?.description.contains("not-the-password") == false)
        let reader = try KafkaAdmin(try sasl("PLAIN", user: "reader", password: "reader-test"), clientID: "a")
        let denied = #expect(throws: KafkaError.self) {
            try reader.create(topics: [KafkaNewTopic(name: "switchyard.denied", partitions: 1)], timeout: .seconds(5))
        }
        #expect(denied?.name.contains("AUTHORIZATION_FAILED") == true, "\(String(describing: denied))")
    }

    /// What cannot connect, and what is then said.
    struct Trouble: Sendable, CustomTestStringConvertible {
        var what: String
        var listener: String
        var properties: [String: String]
        var says: [String]
        var kind: LogError.Kind
        var testDescription: String { what }
    }

    static let troubles: [Trouble] = [
        Trouble(
            what: "a wrong password", listener: "KAFKA_SASL_BOOTSTRAP",
            properties: [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "switchyard",
                "sasl.password": "not-the-password", "ssl.ca.location": "KAFKA_CA",
            ], says: ["_AUTHENTICATION", "Authentication failed"], kind: .misconfigured),
        Trouble(
            what: "no authority that knows the broker", listener: "KAFKA_SASL_BOOTSTRAP",
            properties: [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "switchyard",
                "sasl.password": "switchyard-test",
            ], says: ["_SSL", "certificate verify failed", "ssl.ca.location"], kind: .misconfigured),
        Trouble(
            what: "no client certificate", listener: "KAFKA_MTLS_BOOTSTRAP",
            properties: ["security.protocol": "SSL", "ssl.ca.location": "KAFKA_CA"], says: ["_SSL"],
            kind: .misconfigured),
        Trouble(
            what: "a client in the clear at a TLS listener", listener: "KAFKA_SASL_BOOTSTRAP", properties: [:],
            says: ["_TRANSPORT", "security.protocol"], kind: .unavailable),
        Trouble(
            what: "a TLS client at a listener in the clear", listener: "KAFKA_BOOTSTRAP",
            properties: ["security.protocol": "SSL", "ssl.ca.location": "KAFKA_CA"], says: ["_SSL"],
            kind: .misconfigured),
    ]

    @Test("what cannot connect is told at start, in one line that names the cause", arguments: troubles)
    func trouble(_ trouble: Trouble) throws {
        var properties = trouble.properties
        if properties["ssl.ca.location"] != nil { properties["ssl.ca.location"] = try value("KAFKA_CA") }
        let cluster = try KafkaConfiguration(bootstrapServers: try value(trouble.listener), properties: properties)
        let error = #expect(throws: LogError.self) {
            try KafkaEventLog(KafkaLogSettings(cluster: cluster, directory: TemporaryDirectory().path))
        }
        let text = error?.detail ?? ""
        #expect(error?.kind == trouble.kind, "\(text)")
        for word in trouble.says { #expect(text.contains(word), "\(text)") }
        #expect(!text.contains("\n") && !text.contains("not-the-password"), "\(text)")
    }

    /// Rights of the user `reader` that are not enough.
    struct Rights: Sendable, CustomTestStringConvertible {
        var lacks: String
        var granted: [[String]]
        var says: [String]
        var testDescription: String { "without \(lacks)" }
    }

    private static let topics = ["--operation", "Describe", "--operation", "Read", "--operation", "DescribeConfigs"]
    private static let write = ["--operation", "Write"]

    static let insufficient: [Rights] = [
        Rights(lacks: "any", granted: [], says: ["TOPIC_AUTHORIZATION_FAILED", "a right on the topic"]),
        Rights(
            lacks: "the group", granted: [topics + write + ["--topic"]],
            says: ["GROUP_AUTHORIZATION_FAILED", "Read and Describe on the group"]),
        Rights(
            lacks: "transactional ids",
            granted: [topics + write + ["--topic"], ["--operation", "Read", "--operation", "Describe", "--group"]],
            says: ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "Write and Describe on transactional ids"]),
        Rights(
            lacks: "Write on topics",
            granted: [
                topics + ["--topic"], ["--operation", "Read", "--operation", "Describe", "--group"],
                ["--operation", "Write", "--operation", "Describe", "--transactional-id"],
            ], says: ["opic authorization failed"]),
    ]

    @Test("a right that is missing is told at start, or at the first commit, by its name", arguments: insufficient)
    func rights(_ rights: Rights) async throws {
        let prefix = "switchyard.\(UUID().uuidString.prefix(8))."
        let plain = try value("KAFKA_BOOTSTRAP")
        let directory = TemporaryDirectory("rights")
        func settings(_ cluster: KafkaConfiguration, _ name: String) -> KafkaLogSettings {
            var settings = KafkaLogSettings(cluster: cluster, directory: directory.appending(name))
            settings.topicPrefix = prefix
            settings.groupID = prefix + "group"
            settings.partitions = 1
            return settings
        }
        // The topics are there already.
        let maker = try KafkaEventLog(settings(try KafkaConfiguration(bootstrapServers: plain), "maker"))
        maker.close()
        for rule in rights.granted {
            let done = try TestKafka.tool(
                ["acls", "--bootstrap-server", plain, "--add", "--allow-principal", "User:reader"]
                    + ["--resource-pattern-type", "prefixed"] + rule + [prefix])
            if done == nil { return }
        }
        let reports = Mutex<[String]>([])
        var mine = settings(try sasl("PLAIN", user: "reader", password: "reader-test"), "mine")
        mine.cluster.log = { level, _, line in if level <= 3 { reports.withLock { $0.append(line) } } }
        mine.report = { level, text in if level <= 3 { reports.withLock { $0.append(text) } } }
        var found: LogError?
        do {
            let log = try KafkaEventLog(mine)
            defer { log.close() }
            try log.checkRights()
            let owner = Owner(log.shard(0), patience: .seconds(30))
            try await owner.start()
            var draft = BatchDraft()
            draft.record(.events, 0, Content(key: "p", value: "v"))
            found = await owner.commit(draft)
            #expect(found?.kind == .aborted)
            #expect(reports.withLock { $0.contains { $0.contains("authorization failed") } }, "told as an error")
            await owner.close()
        } catch {
            found = error as? LogError
            #expect(found?.kind == .misconfigured, "\(error)")
        }
        let text = found?.detail ?? ""
        for word in rights.says { #expect(text.contains(word), "\(text)") }
        #expect(!text.contains("\n"))
    }

    @Test("SCRAM with a library before 2.6.1: the warning at start, and the cause in the error")
    func scram() throws {
        let configuration = try sasl("SCRAM-SHA-256", user: "switchyard", password: "switchyard-test")
        guard !configuration.warnings.isEmpty else { return }
        let admin = try KafkaAdmin(configuration, clientID: "a")
        let error = #expect(throws: KafkaError.self) { try admin.cluster(timeout: .seconds(5)) }
        #expect(error?.description.contains("#4895") == true, "\(String(describing: error))")
    }
}
