/// What a client is for; decides the settings that are not the user's.
enum KafkaClientRole {
    /// Member of the consumer group: commands and notifications.
    case groupConsumer(groupID: String, pollInterval: Int32)
    /// Reads partitions that it names itself. Never joins the group; uses its id for committed offsets.
    case reader(groupID: String, committedOnly: Bool)
    /// The shard's transactional producer.
    case transactionalProducer(transactionalID: String)
    /// Ingress: idempotent, not transactional.
    case idempotentProducer
    /// Administration only.
    case admin

    /// Settings that the user's properties may override.
    var defaults: [(String, String)] {
        let connection = [
            ("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "1000"), ("socket.keepalive.enable", "true"),
            ("socket.nagle.disable", "true"), ("socket.timeout.ms", "10000"),
        ]
        switch self {
        case .groupConsumer:
            return connection + [
                ("session.timeout.ms", "10000"), ("heartbeat.interval.ms", "1000"), ("queued.min.messages", "5000"),
                ("queued.max.messages.kbytes", "8192"), ("fetch.error.backoff.ms", "100"), ("check.crcs", "true"),
            ]
        case .reader:
            return connection + [
                ("queued.min.messages", "50000"), ("queued.max.messages.kbytes", "65536"),
                ("fetch.message.max.bytes", "4194304"), ("fetch.error.backoff.ms", "100"), ("check.crcs", "true"),
                // The end of a partition is told after an empty fetch: the shorter, the sooner a restore is done.
                ("fetch.wait.max.ms", "20"),
            ]
        case .transactionalProducer:
            // retry.backoff.ms = 1: a transaction that follows another at once is answered CONCURRENT_TRANSACTIONS
            // until its markers are written, and the library waits so long before it asks again.
            // linger.ms = 100: a commit flushes without lingering, so nothing is late by it; whatever leaves before, while
            // the transaction is still being filled, leaves in small requests, and beyond five of them on their way the
            // library's thread asks without a pause whether it may send the next.
            return connection + [
                ("transaction.timeout.ms", "15000"), ("retry.backoff.ms", "1"), ("linger.ms", "100"),
                ("batch.size", "1000000"), ("queue.buffering.max.messages", "500000"),
                ("queue.buffering.max.kbytes", "524288"), ("message.max.bytes", "2000000"),
            ]
        case .idempotentProducer:
            return connection + [
                ("linger.ms", "1"), ("batch.size", "1000000"), ("queue.buffering.max.messages", "100000"),
                ("queue.buffering.max.kbytes", "131072"), ("retry.backoff.ms", "50"),
            ]
        case .admin:
            return connection
        }
    }

    /// Settings that follow from the user's: the library refuses a transactional producer whose requests may wait longer
    /// than its transactions.
    func bounded(_ properties: [String: String]) -> [(String, String)] {
        guard case .transactionalProducer = self else { return [] }
        func setting(_ name: String) -> Int? {
            (properties[name] ?? defaults.first { $0.0 == name }?.1).flatMap { Int($0) }
        }
        guard let socket = setting("socket.timeout.ms"), let transaction = setting("transaction.timeout.ms"),
            socket > transaction
        else { return [] }
        return [("socket.timeout.ms", "\(transaction)")]
    }

    /// Settings that exactly-once rests on; nobody overrides them.
    var fixed: [(String, String)] {
        switch self {
        case .groupConsumer(let groupID, let pollInterval):
            [
                ("group.id", groupID), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"), ("isolation.level", "read_committed"),
                ("partition.assignment.strategy", "range"), ("max.poll.interval.ms", String(pollInterval)),
                ("allow.auto.create.topics", "false"),
            ]
        case .reader(let groupID, let committedOnly):
            [
                ("group.id", groupID), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"), ("enable.partition.eof", "true"),
                ("isolation.level", committedOnly ? "read_committed" : "read_uncommitted"),
                ("allow.auto.create.topics", "false"),
            ]
        case .transactionalProducer(let transactionalID):
            [
                ("transactional.id", transactionalID), ("enable.idempotence", "true"), ("acks", "all"),
                ("partitioner", "murmur2_random"),
            ]
        case .idempotentProducer:
            [
                ("enable.idempotence", "true"), ("acks", "all"), ("partitioner", "murmur2_random"),
                ("message.timeout.ms", "10000"),
            ]
        case .admin: []
        }
    }

    /// Whether the client lives long enough, and does enough, for its statistics to be worth their cost.
    var isMeasured: Bool {
        switch self {
        case .groupConsumer, .transactionalProducer, .idempotentProducer: true
        case .reader, .admin: false
        }
    }

    /// What the client is, in statistics.
    var kind: KafkaClientKind {
        switch self {
        case .groupConsumer: .consumer
        case .reader: .reader
        case .transactionalProducer: .producer
        case .idempotentProducer: .ingress
        case .admin: .admin
        }
    }

    var isProducer: Bool {
        switch self {
        case .groupConsumer, .reader: false
        case .transactionalProducer, .idempotentProducer, .admin: true
        }
    }
}

/// What a client is, in statistics.
public enum KafkaClientKind: String, Sendable, Hashable {
    /// Member of the group.
    case consumer
    /// A shard's transactional producer.
    case producer
    /// The idempotent producer of commands and notifications.
    case ingress
    /// Reads what it names itself.
    case reader
    /// Administration.
    case admin
}
