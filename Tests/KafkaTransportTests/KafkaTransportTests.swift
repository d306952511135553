import CRDKafka
import KafkaMock
import KafkaTransport
import Synchronization
import Testing

/// Settings are checked before anything is connected.
@Suite("Kafka configuration")
struct KafkaConfigurationTests {
    @Test(
        "refused with the property's name and a hint",
        arguments: [
            ("no.such.thing", "1", "no such property"), ("linger.ms", "soon", ""), ("acks", "0", "set by the daemon"),
            ("transactional.id", "x", "set by the daemon"),
            ("isolation.level", "read_uncommitted", "set by the daemon"),
            ("transaction.timeout.ms", "60000", "must lie in 1000…15000"),
            ("session.timeout.ms", "45000", "must lie in 1000…10000"), ("security.protocol", "TLS", ""),
            ("sasl.username", "me", "has no effect: security.protocol is PLAINTEXT"),
            ("ssl.ca.location", "/ca.pem", "has no effect: security.protocol is PLAINTEXT"),
        ])
    func refused(name: String, value: String, detail: String) throws {
        let error = #expect(throws: KafkaConfigurationError.self) {
            try KafkaConfiguration(bootstrapServers: "127.0.0.1:1", properties: [name: value])
        }
        #expect(error?.property == name)
        #expect(error?.description.contains(detail) == true)
    }

    @Test("Java's spellings get the hint that helps")
    func otherSpellings() {
        let error = #expect(throws: KafkaConfigurationError.self) {
            try KafkaConfiguration(bootstrapServers: "x:1", properties: ["ssl.truststore.location": "/ca.jks"])
        }
        #expect(error?.description.contains("ssl.ca.location") == true)
    }

    @Test(
        "TLS and SASL settings that do not fit each other are one line before anything is connected",
        arguments: [
            (["security.protocol": "sasl_ssl"], "sasl.mechanism: is missing"),
            (["security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN"], "sasl.username: is missing or empty"),
            (
                [
                    "security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN", "sasl.username": "me",
                    "sasl.password": "",
                ],
                "sasl.password: is missing or empty"
            ),
            (
                ["security.protocol": "ssl", "sasl.username": "me"], "sasl.username: has no effect"
            ),
            (
                ["security.protocol": "sasl_plaintext", "sasl.mechanism": "OAUTHBEARER", "ssl.ca.location": "/ca"],
                "ssl.ca.location: has no effect"
            ),
            (["security.protocol": "ssl", "ssl.certificate.location": "/c.pem"], "ssl.key.location: is missing"),
            (["security.protocol": "ssl", "ssl.key.location": "/k.pem"], "ssl.certificate.location: is missing"),
        ] as [([String: String], String)])
    func security(properties: [String: String], says: String) {
        let error = #expect(throws: KafkaConfigurationError.self) {
            try KafkaConfiguration(bootstrapServers: "127.0.0.1:1", properties: properties)
        }
        #expect(error?.description.hasPrefix(says) == true, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
    }

    @Test(
        "what works but endangers money is a warning",
        arguments: [
            (
                [
                    "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "a",
                    "sasl.password": "b",
                ], "in the clear"
            ),
            (["security.protocol": "ssl", "enable.ssl.certificate.verification": "false"], "anybody can pretend"),
            (["security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "none"], "names are not checked"),
        ] as [([String: String], String)])
    func warned(properties: [String: String], says: String) throws {
        let configuration = try KafkaConfiguration(bootstrapServers: "127.0.0.1:1", properties: properties)
        #expect(configuration.warnings.contains { $0.contains(says) })
    }

    @Test("a configuration that is printed or dumped shows no secret")
    func redacted() throws {
        let configuration = try KafkaConfiguration(
            bootstrapServers: "127.0.0.1:1",
            properties: [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "me",
                "sasl.password": "hunter2",
            ])
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("sasl.password=<redacted>"))
        }
    }

    @Test("the library's own lines and complaints reach the sink, with their level and without secrets")
    func lines() throws {
        var configuration = try KafkaConfiguration(
            bootstrapServers: "127.0.0.1:1",
            properties: [
                "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "me",
                // A secret that the library says by itself, to see it redacted: the address that it cannot reach.
                "sasl.password": "127.0.0.1:1",
            ])
        let lines = Mutex<[(Int, String)]>([])
        configuration.log = { level, facility, line in lines.withLock { $0.append((level, "\(facility) \(line)")) } }
        let admin = try KafkaAdmin(configuration, clientID: "t")
        let error = #expect(throws: KafkaError.self) { try admin.cluster(timeout: .seconds(1)) }
        let seen = lines.withLock { $0 }
        #expect(seen.contains { $0.0 <= 3 && $0.1.contains("Connection refused") }, "\(seen)")
        #expect(seen.allSatisfy { !$0.1.contains("127.0.0.1:1") } && seen.contains { $0.1.contains("<redacted>") })
        #expect(error?.description.contains("127.0.0.1:1/") == false, "\(String(describing: error))")
    }

    @Test("a secret's value is never repeated")
    func secrets() throws {
        let configuration = try KafkaConfiguration(
            bootstrapServers: "127.0.0.1:1",
            properties: [
                "security.protocol": "ssl", "ssl.key.password": "hunter2", "ssl.key.location": "/nonexistent",
                "ssl.certificate.location": "/nonexistent",
            ])
        do {
            _ = try KafkaAdmin(configuration, clientID: "t")
            Issue.record("a missing key file was accepted")
        } catch {
            #expect(!error.description.contains("hunter2"))
            #expect(error.description.contains("/nonexistent") || error.description.contains("ssl"))
        }
    }

    @Test("every transaction time-out that is allowed makes a producer: requests wait no longer than transactions")
    func shortTransactions() throws {
        for (timeout, socket) in [("1000", nil), ("6000", "60000"), ("15000", nil)] as [(String, String?)] {
            var properties = ["transaction.timeout.ms": timeout]
            properties["socket.timeout.ms"] = socket
            let configuration = try KafkaConfiguration(bootstrapServers: "127.0.0.1:1", properties: properties)
            #expect(throws: Never.self) {
                try KafkaTransactionalProducer(
                    configuration, transactionalID: "t", clientID: "t", topics: ["events"], trackedTopic: 0)
            }
        }
    }

    @Test("an empty bootstrap list is refused")
    func empty() {
        #expect(throws: KafkaConfigurationError.self) { try KafkaConfiguration(bootstrapServers: "") }
    }

    @Test(
        "SCRAM's limit is told at start for libraries before 2.6.1 and only for them",
        arguments: [
            ("SCRAM-SHA-256", Int32(0x0200_02ff), true), ("SCRAM-SHA-512", 0x0206_00ff, true),
            ("SCRAM-SHA-256", 0x0206_01ff, false), ("PLAIN", 0x0200_02ff, false),
        ])
    func scram(mechanism: String, version: Int32, warned: Bool) throws {
        let configuration = try KafkaConfiguration(
            bootstrapServers: "127.0.0.1:1",
            properties: [
                "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": "a",
                "sasl.password": "b",
            ], libraryVersion: version)
        #expect(configuration.warnings.isEmpty != warned)
    }
}

/// The serialised group metadata, of which 2.0.2 has no accessors.
@Suite("Kafka group metadata")
struct KafkaGroupMetadataTests {
    @Test("without membership it is not sent: the broker would not check it (row B42)")
    func unchecked() throws {
        let mock = try MockCluster(topics: ["in"])
        let configuration = try KafkaConfiguration(bootstrapServers: mock.bootstrap)
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: "t", clientID: "t", topics: ["in"])
        try producer.initTransactions(timeout: .seconds(10))
        try producer.begin()
        for metadata in [
            KafkaGroupMetadata(groupID: "g", generation: -1, memberID: ""),
            KafkaGroupMetadata(groupID: "g", generation: 3, memberID: ""),
            KafkaGroupMetadata(groupID: "g", generation: -1, memberID: "m"),
        ] {
            let error = #expect(throws: KafkaError.self) {
                try producer.sendOffsets(
                    [KafkaOffset(topic: "in", partition: 0, offset: 1)], group: metadata, timeout: .seconds(1))
            }
            #expect(error?.isAbortable == true)
            #expect(error?.isStaleOwner == true)
        }
    }
}
