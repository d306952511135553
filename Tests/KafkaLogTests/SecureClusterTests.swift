import EventLog
import EventLogConformance
import KafkaLog
import KafkaTransport
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

    @Test("SCRAM with a library before 2.6.1: the warning at start, and the cause in the error")
    func scram() throws {
        let configuration = try sasl("SCRAM-SHA-256", user: "switchyard", password: "switchyard-test")
        guard !configuration.warnings.isEmpty else { return }
        let admin = try KafkaAdmin(configuration, clientID: "a")
        let error = #expect(throws: KafkaError.self) { try admin.cluster(timeout: .seconds(5)) }
        #expect(error?.description.contains("#4895") == true, "\(String(describing: error))")
    }
}
