import Spelling
import PaymentModel
import YAMLDocument

extension ConfigurationDecoder {
    private enum Kind: String, CaseIterable { case embedded, kafka }
    private enum KindKey: String, CaseIterable { case kind }
    private enum EmbeddedKey: String, CaseIterable { case kind, directory, partitions, retention }
    private enum KafkaKey: String, CaseIterable {
        case kind, bootstrapServers, topicPrefix, directory, groupId, instanceId, properties, createTopics, partitions
        case replicationFactor, transactionTimeout, sessionTimeout
    }

    func log(_ value: YAMLValue, retention: RetentionConfiguration) throws(YAMLError) -> LogConfiguration {
        let entries = try value.entries()
        guard let kind = entries.first(where: { $0.key == KindKey.kind.rawValue }) else {
            throw value.fault("the key 'kind' is missing", hint: "kind: embedded, or kind: kafka")
        }
        switch try kind.value.choice(Kind.self) {
        case .embedded: return .embedded(try embedded(value, retention: retention))
        case .kafka: return .kafka(try kafka(value))
        }
    }

    private func embedded(
        _ value: YAMLValue, retention: RetentionConfiguration
    ) throws(YAMLError) -> EmbeddedLogConfiguration {
        let mapping = try value.mapping(EmbeddedKey.self)
        var log = EmbeddedLogConfiguration(directory: path(try mapping.required(.directory).text()))
        if let partitions = try mapping.optional(.partitions) {
            log.partitions = Int(try partitions.integer(in: 1...256))
        }
        if let span = try mapping.optional(.retention) {
            log.retention = try milliseconds(span, in: .seconds(60) ... .seconds(400 * 86_400))
            guard log.retention < retention.withoutMoney else {
                throw span.fault(
                    "commands would outlive finished payments",
                    hint: "it must be shorter than retention.withoutMoney, else an old initiate revives a payment")
            }
        }
        return log
    }

    private func kafka(_ value: YAMLValue) throws(YAMLError) -> KafkaLogConfiguration {
        let mapping = try value.mapping(KafkaKey.self)
        let servers = try mapping.required(.bootstrapServers)
        var log = KafkaLogConfiguration(
            bootstrapServers: try bootstrapServers(servers), directory: path(try mapping.required(.directory).text()))
        if let prefix = try mapping.optional(.topicPrefix) { log.topicPrefix = try name(prefix, limit: 200) }
        if let group = try mapping.optional(.groupId) { log.groupId = try name(group) }
        if let instance = try mapping.optional(.instanceId) { log.instanceId = try name(instance) }
        if let create = try mapping.optional(.createTopics) { log.createTopics = try create.boolean() }
        if let partitions = try mapping.optional(.partitions) {
            log.partitions = Int(try partitions.integer(in: 1...256))
        }
        if let factor = try mapping.optional(.replicationFactor) {
            log.replicationFactor = Int(try factor.integer(in: 1...15))
        }
        if let span = try mapping.optional(.transactionTimeout) {
            log.transactionTimeout = try milliseconds(span, in: KafkaBounds.transaction)
        }
        if let span = try mapping.optional(.sessionTimeout) {
            log.sessionTimeout = try milliseconds(span, in: KafkaBounds.session)
        }
        if let properties = try mapping.optional(.properties) {
            for entry in try properties.entries() { try property(entry, of: &log) }
        }
        return log
    }

    private func bootstrapServers(_ value: YAMLValue) throws(YAMLError) -> String {
        let text = try value.text()
        for server in text.split(separator: ",", omittingEmptySubsequences: false) {
            let trimmed = server.drop { $0 == " " }
            guard let address = HostAndPort(String(trimmed)), address.port > 0 else {
                throw value.fault(
                    "'\(Spelling.excerpt(String(trimmed)))' is no host:port", hint: "as in broker-1:9092,broker-2:9092")
            }
        }
        return text
    }

    private func property(_ entry: YAMLEntry, of log: inout KafkaLogConfiguration) throws(YAMLError) {
        let key = entry.key
        if let reason = KafkaBounds.ours[key] {
            throw entry.keyFault("'\(key)' is set by the daemon", hint: reason)
        }
        switch key {
        case "transaction.timeout.ms":
            log.transactionTimeout = try span(entry.value, in: KafkaBounds.transaction)
            return
        case "session.timeout.ms":
            log.sessionTimeout = try span(entry.value, in: KafkaBounds.session)
            return
        default: break
        }
        if KafkaBounds.secrets.contains(key) || key.hasSuffix("password") || key.hasSuffix("secret") {
            log.properties[key] = .secret(try secret(entry.value))
        } else if entry.value.isMapping {
            log.properties[key] = .secret(try secret(entry.value))
        } else {
            let text = try entry.value.text()
            let isPath = key.hasSuffix(".location") && text != "probe"
            log.properties[key] = .plain(isPath ? try readableFile(entry.value) : text)
        }
    }

    private func span(_ value: YAMLValue, in range: ClosedRange<Duration>) throws(YAMLError) -> Milliseconds {
        let bounds = range.lowerBound.milliseconds...range.upperBound.milliseconds
        return Milliseconds(try value.integer(in: bounds))
    }
}

/// What the daemon keeps for itself among librdkafka's settings, and why (the architecture, section 3).
private enum KafkaBounds {
    static let transaction: ClosedRange<Duration> = .seconds(1) ... .seconds(15)
    static let session: ClosedRange<Duration> = .seconds(1) ... .seconds(10)

    static let secrets: Set<String> = [
        "sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
    ]

    static let ours: [String: String] = [
        "bootstrap.servers": "use log.bootstrapServers",
        "metadata.broker.list": "use log.bootstrapServers",
        "group.id": "use log.groupId",
        "group.instance.id": "static membership would delay a takeover",
        "client.id": "it carries groupId, instanceId and shard",
        "transactional.id": "it carries groupId, instanceId and shard",
        "enable.idempotence": "exactly once needs it",
        "enable.auto.commit": "offsets go with the transaction",
        "enable.auto.offset.store": "offsets go with the transaction",
        "auto.offset.reset": "an offset out of range must stop the partition",
        "isolation.level": "the daemon reads committed records",
        "partition.assignment.strategy": "cooperative assignment has open bugs in librdkafka 2.0.2",
        "partitioner": "a payment's partition is murmur2 of its id",
        "acks": "exactly once needs all",
        "enable.partition.eof": "restore needs it",
        "max.poll.interval.ms": "it follows from sessionTimeout",
    ]
}
