import KafkaTransport
import PaymentModel

/// How the Kafka log is set up (the contract, section 7: `log: { kind: kafka, … }`).
public struct KafkaLogSettings: Sendable {
    /// How to reach the cluster; checked.
    public var cluster: KafkaConfiguration
    /// Before the names of all topics.
    public var topicPrefix = "switchyard."
    /// The consumer group.
    public var groupID = "switchyard"
    /// Names this instance within the group, over restarts; nil: made up once and kept in `directory`.
    public var instanceID: String?
    /// Holds the local copy of the state topic. One process at a time.
    public var directory: String
    /// How many partitions topics get that do not exist yet.
    public var partitions: Int32 = 12
    /// Copies of topics that are created; -1: the cluster's default.
    public var replication: Int32 = -1
    /// Whether missing topics are created; otherwise they are refused.
    public var createsTopics = true
    /// How long finished payments stay; the commands topic must keep its records shorter (checked at start).
    public var finishedRetention = Milliseconds.seconds(30 * 86_400)
    /// Largest command value; dead letters must take records 64 KiB larger.
    public var maximumCommandBytes = 262_144
    /// Where an operator reads of what was found (level as in syslog: up to 2 an alarm, 3 error, 4 warning, 6
    /// information).
    public var report: @Sendable (_ level: Int, _ text: String) -> Void = { _, _ in }
    /// Where things are counted. Called on the log's own threads.
    public var measure: @Sendable (KafkaLogMeasure) -> Void = { _ in }
    /// How long a rebalance waits for a member that lives but does not join again: with the session's end before it, so
    /// long the whole group may stand still after an instance has died (L4: transaction time-out + 5 s). One second is
    /// left for the rest. The library wants it no shorter than the session.
    package var maximumPollInterval: Duration {
        get { pollInterval ?? KafkaLogSettings.pollInterval(session: sessionTimeout, transaction: transactionTimeout) }
        set { pollInterval = newValue }
    }
    private var pollInterval: Duration?

    private var sessionTimeout: Duration { timeout("session.timeout.ms", else: 10_000) }
    private var transactionTimeout: Duration { timeout("transaction.timeout.ms", else: 15_000) }

    private func timeout(_ name: String, else standard: Int) -> Duration {
        .milliseconds(cluster.properties[name].flatMap { Int($0) } ?? standard)
    }

    /// See `maximumPollInterval`.
    package static func pollInterval(session: Duration, transaction: Duration) -> Duration {
        max(session, transaction + .seconds(4) - session)
    }

    /// Settings with the defaults of the contract.
    public init(cluster: KafkaConfiguration, directory: String) {
        self.cluster = cluster
        self.directory = directory
    }
}
