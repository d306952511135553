import CRDKafka

/// How to reach a cluster: the bootstrap servers and the user's `properties`, passed through to librdkafka after they
/// have been checked. What exactly-once needs is the daemon's to set and refused here.
public struct KafkaConfiguration: Sendable {
    /// Where the library's log lines go (level 0…7 as in syslog). Called from any thread.
    public typealias LogSink = @Sendable (_ level: Int, _ facility: String, _ line: String) -> Void
    /// Where numbers from the library's statistics go, every `statisticsInterval`.
    public typealias StatisticsSink =
        @Sendable (
            _ clientID: String, _ kind: KafkaClientKind, _ values: [KafkaMetric]
        ) -> Void

    /// `host:port,…`.
    public let bootstrapServers: String
    /// Checked properties of the user.
    public let properties: [String: String]
    /// What an operator should know before the first connection (SCRAM's limit with this library, for one).
    public let warnings: [String]
    /// Values that must not be seen, wherever the library may put them.
    let secrets: KafkaSecrets
    /// Sink of log lines; by default they are dropped.
    public var log: LogSink = { _, _, _ in }
    /// Sink of statistics; nil: none are collected.
    public var statistics: StatisticsSink?
    /// Milliseconds between statistics.
    public var statisticsInterval = 10_000

    /// Checks the properties one by one against the library.
    /// - Parameters:
    ///   - bootstrapServers: `host:port,…`; must not be empty.
    ///   - properties: librdkafka's properties, e. g. `security.protocol`.
    ///   - libraryVersion: the library's version as `rd_kafka_version` tells it; a parameter for tests.
    public init(
        bootstrapServers: String, properties: [String: String] = [:], libraryVersion: Int32 = rd_kafka_version()
    ) throws(KafkaConfigurationError) {
        guard !bootstrapServers.isEmpty else {
            throw KafkaConfigurationError(
                property: "bootstrap.servers", detail: "is empty", hint: "name at least one broker as host:port")
        }
        let probe = Conf()
        try probe.set("bootstrap.servers", bootstrapServers)
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            try KafkaConfiguration.checkReserved(name)
            try probe.set(name, value)
            try KafkaConfiguration.checkBounds(name, value)
        }
        try KafkaSecurity.check(properties)
        self.bootstrapServers = bootstrapServers
        self.properties = properties
        secrets = KafkaSecrets(properties)
        warnings =
            (KafkaConfiguration.scramWarning(properties, libraryVersion).map { [$0] } ?? [])
            + KafkaSecurity.warnings(properties)
    }

    /// What is said about SCRAM with a library that sends the client's nonce twice (librdkafka #4895), at start and in
    /// every authentication error; nil where it does not apply.
    static func scramWarning(_ properties: [String: String], _ version: Int32) -> String? {
        let mechanism = (properties["sasl.mechanism"] ?? properties["sasl.mechanisms"] ?? "").uppercased()
        guard mechanism.hasPrefix("SCRAM"), version < 0x0206_01_ff else { return nil }
        return "\(mechanism) with librdkafka \(String(cString: rd_kafka_version_str())) fails against Kafka 4.x "
            + "(\"invalid credentials\"): before 2.6.1 the library sends the client nonce twice (librdkafka #4895). "
            + "Use SASL/PLAIN over TLS, client certificates or OAUTHBEARER, or a newer library."
    }

    /// Settings on which exactly-once rests; they are the daemon's to choose.
    private static let reserved: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id", "client.id", "transactional.id",
        "enable.idempotence", "acks", "request.required.acks", "enable.auto.commit", "auto.commit.enable",
        "enable.auto.offset.store", "auto.offset.reset", "isolation.level", "partition.assignment.strategy",
        "partitioner", "enable.partition.eof", "message.timeout.ms", "delivery.timeout.ms", "max.in.flight",
        "max.in.flight.requests.per.connection", "enable.gapless.guarantee", "statistics.interval.ms",
        "allow.auto.create.topics", "max.poll.interval.ms", "retries", "message.send.max.retries",
    ]

    /// Names that other clients use for settings that librdkafka spells otherwise.
    private static let otherSpellings: [String: String] = [
        "sasl.jaas.config": "librdkafka has sasl.username and sasl.password",
        "ssl.truststore.location": "librdkafka has ssl.ca.location (a PEM file)",
        "ssl.truststore.password": "librdkafka reads PEM files: ssl.ca.location",
        "ssl.truststore.type": "librdkafka reads PEM files: ssl.ca.location",
        "ssl.keystore.type": "librdkafka has ssl.certificate.location and ssl.key.location (PEM)",
        "ssl.ca.file": "librdkafka has ssl.ca.location",
        "linger": "librdkafka has linger.ms",
    ]

    static func hint(unknown name: String) -> String {
        otherSpellings[name] ?? "see CONFIGURATION.md of librdkafka \(String(cString: rd_kafka_version_str()))"
    }

    private static func checkReserved(_ name: String) throws(KafkaConfigurationError) {
        guard reserved.contains(name) else { return }
        throw KafkaConfigurationError(
            property: name, detail: "is set by the daemon: exactly-once rests on it",
            hint: "remove it from log.properties")
    }

    /// Time-outs that decide how soon a dead owner is replaced (the architecture, section 3).
    private static func checkBounds(_ name: String, _ value: String) throws(KafkaConfigurationError) {
        let limits: [String: (ClosedRange<Int>, String)] = [
            "transaction.timeout.ms": (1_000...15_000, "a hanging transaction stalls its partitions for so long"),
            "session.timeout.ms": (1_000...10_000, "a dead owner is replaced after so long"),
        ]
        guard let (range, why) = limits[name] else { return }
        guard let number = Int(value), range.contains(number) else {
            throw KafkaConfigurationError(
                property: name, detail: "must lie in \(range.lowerBound)…\(range.upperBound)", hint: why)
        }
    }
}

/// A C configuration object: freed by `deinit` unless a client has taken it over.
struct Conf: ~Copyable {
    private var pointer: OpaquePointer?

    init() { pointer = rd_kafka_conf_new() }

    deinit { if let pointer { rd_kafka_conf_destroy(pointer) } }

    func set(_ name: String, _ value: String) throws(KafkaConfigurationError) {
        var text = [CChar](repeating: 0, count: 512)
        let result = rd_kafka_conf_set(pointer, name, value, &text, text.count)
        switch result {
        case RD_KAFKA_CONF_OK: return
        case RD_KAFKA_CONF_UNKNOWN:
            throw KafkaConfigurationError(
                property: name, detail: "no such property", hint: KafkaConfiguration.hint(unknown: name))
        default:
            let detail =
                KafkaSecrets.isSecret(name)
                ? "bad value" : String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw KafkaConfigurationError(property: name, detail: detail, hint: "")
        }
    }

    /// Lets `body` set callbacks.
    func with(_ body: (OpaquePointer) -> Void) { if let pointer { body(pointer) } }

    /// Makes a client, which takes the configuration over; on failure the configuration is freed here.
    consuming func client(_ kind: rd_kafka_type_t, secrets: KafkaSecrets) throws(KafkaConfigurationError)
        -> OpaquePointer
    {
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(kind, pointer, &text, text.count) else {
            throw KafkaConfigurationError(
                property: "properties",
                detail: secrets.redacted(
                    String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)), hint: "")
        }
        pointer = nil
        return client
    }
}
