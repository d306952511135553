import EventLog
import Glibc
import KafkaTransport
import PaymentModel

/// What the topics must be like (the contract, section 1; the architecture, section 3), checked at start.
struct TopicChecks {
    /// What the checks found.
    struct Result {
        var clusterID: String
        var partitions: Int32
        var tombstoneRetention: Milliseconds
    }

    private let settings: KafkaLogSettings
    private let admin: KafkaAdmin
    private let timeout: Duration = .seconds(10)

    init(_ settings: KafkaLogSettings, _ admin: KafkaAdmin) {
        self.settings = settings
        self.admin = admin
    }

    /// Least `delete.retention.ms` of the state topic: 7 days.
    static let leastTombstoneRetention = Milliseconds.seconds(7 * 86_400)

    /// Creates what is missing where that is allowed, then checks everything.
    func run() throws(LogError) -> Result {
        do {
            let cluster = try admin.cluster(timeout: timeout)
            let names = Topic.allCases.map { settings.topicPrefix + $0.suffix }
            let present = try admin.partitions(of: names, timeout: timeout)
            let missing = Topic.allCases.filter { present[settings.topicPrefix + $0.suffix] == nil }
            if !missing.isEmpty { try create(missing, present) }
            var topics = try admin.describe(topics: names, timeout: timeout)
            for _ in 0..<100 where topics.contains(where: { $0.partitions == 0 }) {
                // A topic just created takes a moment to be known to every broker.
                usleep(100_000)
                topics = try admin.describe(topics: names, timeout: timeout)
            }
            let partitions = try TopicChecks.partitions(topics)
            let retention = try TopicChecks.check(topics, settings)
            for warning in TopicChecks.warnings(topics) { settings.report(4, warning) }
            try checkBroker(cluster.broker)
            return Result(clusterID: cluster.id, partitions: partitions, tombstoneRetention: retention)
        } catch {
            throw TopicChecks.translated(error)
        }
    }

    private static func translated(_ error: any Error) -> LogError {
        if let error = error as? LogError { return error }
        guard let error = error as? KafkaError else { return LogError(.unavailable, "\(error)") }
        return LogError(error.isRetriable ? .unavailable : .misconfigured, "\(error)")
    }

    private func create(_ topics: [Topic], _ present: [String: (Int32, Int)]) throws {
        guard settings.createsTopics else {
            throw LogError(
                .misconfigured,
                "missing topics: " + topics.map { settings.topicPrefix + $0.suffix }.joined(separator: ", "))
        }
        let count = present.values.first?.0 ?? settings.partitions
        func request(_ more: [String: String]) throws(KafkaError) {
            try admin.create(
                topics: topics.map { topic in
                    KafkaNewTopic(
                        name: settings.topicPrefix + topic.suffix, partitions: count,
                        replication: settings.replication,
                        settings: defaults(topic).merging(durability) { $1 }.merging(more) { $1 })
                }, timeout: timeout)
        }
        do throws(KafkaError) {
            try request([TopicChecks.futureLimit: "\(Int64.max)"])
        } catch {
            // Brokers before 3.6 do not know the limit, and have none.
            guard error.code == .invalidConfig else { throw error }
            try request([:])
        }
    }

    /// How far ahead of the broker's clock a record may be: an hour, where nobody says otherwise. Our clock may be wrong
    /// by more; then every commit would be refused until it is right.
    private static let futureLimit = "message.timestamp.after.max.ms"

    /// Two brokers hold what was acknowledged, where three have copies.
    private var durability: [String: String] { settings.replication >= 3 ? ["min.insync.replicas": "2"] : [:] }

    /// Settings of a topic that is created.
    private func defaults(_ topic: Topic) -> [String: String] {
        let day: Int64 = 86_400_000
        return switch topic {
        case .commands:
            [
                "cleanup.policy": "delete",
                "retention.ms": "\(min(7 * day, max(day, settings.finishedRetention.count / 2)))",
            ]
        case .notifications: ["cleanup.policy": "delete", "retention.ms": "\(7 * day)"]
        case .state:
            ["cleanup.policy": "compact", "delete.retention.ms": "\(TopicChecks.leastTombstoneRetention.count)"]
        case .deadLetters:
            ["cleanup.policy": "delete", "retention.ms": "\(30 * day)", "max.message.bytes": "\(2_097_152)"]
        case .events, .settlements: ["cleanup.policy": "delete", "retention.ms": "-1"]
        }
    }

    /// All topics have the same number of partitions.
    static func partitions(_ topics: [KafkaTopicDescription]) throws(LogError) -> Int32 {
        guard let first = topics.first, topics.allSatisfy({ $0.partitions == first.partitions && $0.partitions > 0 })
        else {
            let list = topics.map { "\($0.name): \($0.partitions)" }.joined(separator: ", ")
            throw LogError(.misconfigured, "all topics must have the same number of partitions, but \(list)")
        }
        return first.partitions
    }

    /// Cleanup, retention and sizes; returns how long tombstones stay on the state topic. Settings that the cluster
    /// does not let us read are not judged.
    static func check(
        _ topics: [KafkaTopicDescription], _ settings: KafkaLogSettings
    ) throws(LogError) -> Milliseconds {
        func setting(_ topic: Topic, _ name: String) -> String? {
            topics.first { $0.name == settings.topicPrefix + topic.suffix }?.settings[name]
        }
        func refuse(_ topic: Topic, _ text: String) -> LogError {
            LogError(.misconfigured, "topic \(settings.topicPrefix + topic.suffix): \(text)")
        }
        for topic in [Topic.commands, .notifications] {
            if let policy = setting(topic, "cleanup.policy"), policy != "delete" {
                throw refuse(topic, "cleanup.policy is \(policy), must be delete")
            }
        }
        if let text = setting(.commands, "retention.ms"), let retention = Int64(text) {
            guard retention >= 0, retention < settings.finishedRetention.count else {
                throw refuse(
                    .commands,
                    "retention.ms is \(text); it must be shorter than finished payments stay "
                        + "(\(settings.finishedRetention.count)), else an old initiate revives a finished payment")
            }
        }
        if let policy = setting(.state, "cleanup.policy"), policy != "compact" {
            throw refuse(.state, "cleanup.policy is \(policy), must be compact, or payments are forgotten")
        }
        var tombstones = leastTombstoneRetention
        if let text = setting(.state, "delete.retention.ms"), let value = Int64(text) {
            guard value >= leastTombstoneRetention.count else {
                throw refuse(
                    .state, "delete.retention.ms is \(text), must be at least \(leastTombstoneRetention.count)")
            }
            tombstones = Milliseconds(value)
        }
        for topic in topics {
            guard let text = topic.settings["min.insync.replicas"], let least = Int(text), least > topic.replicas else {
                continue
            }
            throw LogError(
                .misconfigured,
                "topic \(topic.name): min.insync.replicas is \(least) and it has \(topic.replicas) replica(s): nothing "
                    + "can be written")
        }
        if let text = setting(.deadLetters, "max.message.bytes"), let limit = Int(text) {
            let commands = setting(.commands, "max.message.bytes").flatMap { Int($0) } ?? settings.maximumCommandBytes
            guard limit >= commands + 65_536 else {
                throw refuse(
                    .deadLetters, "max.message.bytes is \(text), must be 65536 more than that of commands (\(commands))"
                )
            }
        }
        return tombstones
    }

    /// What runs, but not as production should.
    static func warnings(_ topics: [KafkaTopicDescription]) -> [String] {
        let early = topics.filter { topic in
            topic.settings[futureLimit].flatMap { Int64($0) }.map { $0 < 86_400_000 } ?? false
        }
        let unread = topics.filter(\.settings.isEmpty).map(\.name)
        let blind =
            unread.isEmpty
            ? []
            : [
                "settings of \(unread.joined(separator: ", ")) cannot be read (DescribeConfigs is denied): cleanup.policy, "
                    + "retention and min.insync.replicas are not checked"
            ]
        return blind
            + early.map {
                "topic \($0.name): \(futureLimit) is below a day: while a clock is wrong by more, every commit is refused"
            }
            + topics.compactMap { topic in
                guard let text = topic.settings["min.insync.replicas"], let least = Int(text) else { return nil }
                if topic.replicas >= 3, least < 2 {
                    return "topic \(topic.name): min.insync.replicas is 1: a commit may be lost with one broker; set 2"
                }
                return topic.replicas < 3
                    ? "topic \(topic.name) has \(topic.replicas) replica(s); production has 3" : nil
            }
    }

    private func checkBroker(_ id: Int32) throws(KafkaError) {
        guard id >= 0, let values = try? admin.brokerSettings(id: id, timeout: timeout),
            let text = values["transaction.max.timeout.ms"], let most = Int(text)
        else { return }
        if values["unclean.leader.election.enable"] == "true" {
            settings.report(
                4, "brokers have unclean.leader.election.enable: what was acknowledged may be lost with a broker")
        }
        let ours = Int(settings.cluster.properties["transaction.timeout.ms"] ?? "15000") ?? 15_000
        guard most < ours else { return }
        throw KafkaError(
            operation: "check", code: .invalidArgument,
            detail: "the brokers' transaction.max.timeout.ms (\(most)) is below transaction.timeout.ms (\(ours))")
    }
}
