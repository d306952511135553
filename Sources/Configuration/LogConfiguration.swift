import Credentials
import PaymentModel

/// The event log: `log`.
public enum LogConfiguration: Sendable, Hashable {
    /// `kind: embedded`: one process, one directory.
    case embedded(EmbeddedLogConfiguration)
    /// `kind: kafka`: many instances.
    case kafka(KafkaLogConfiguration)

    /// The directory of the log or of its local copy.
    public var directory: String {
        switch self {
        case .embedded(let log): log.directory
        case .kafka(let log): log.directory
        }
    }
}

/// `log: { kind: embedded, … }`.
public struct EmbeddedLogConfiguration: Sendable, Hashable {
    /// Where everything lies: `directory`.
    public var directory: String
    /// Partitions, recorded at the first start: `partitions`, default 8, 1 to 256.
    public var partitions = 8
    /// How long records stay readable for consumers: `retention`, default 7 days; shorter than that of finished
    /// payments, else an old initiate would revive one.
    public var retention = Milliseconds.days(7)
}

/// `log: { kind: kafka, … }`.
public struct KafkaLogConfiguration: Sendable, Hashable {
    /// A setting that is passed through to librdkafka.
    public enum Property: Sendable, Hashable, CustomStringConvertible {
        /// May be shown.
        case plain(String)
        /// A password or key, from a file or the environment.
        case secret(Secret)

        /// The value, or `<redacted>`.
        public var description: String {
            switch self {
            case .plain(let text): text
            case .secret(let secret): secret.description
            }
        }
    }

    /// The brokers to ask first: `bootstrapServers`, `host:port` separated by commas.
    public var bootstrapServers: String
    /// What the topics' names begin with: `topicPrefix`, default `switchyard.`.
    public var topicPrefix = "switchyard."
    /// Where the local copy of the state lies: `directory`.
    public var directory: String
    /// The consumer group: `groupId`, default `switchyard`.
    public var groupId = "switchyard"
    /// This instance among all of the group: `instanceId`; nil: the directory keeps one.
    public var instanceId: String?
    /// Whether missing topics are created: `createTopics`, default true.
    public var createTopics = true
    /// Partitions of topics that are created: `partitions`, default 8, 1 to 256.
    public var partitions = 8
    /// Replicas of topics that are created: `replicationFactor`; nil: the broker's default.
    public var replicationFactor: Int?
    /// Transaction time-out: `transactionTimeout` or property `transaction.timeout.ms`, default 10 s, at most 15 s
    /// (the architecture, section 3).
    public var transactionTimeout = Milliseconds.seconds(10)
    /// Session time-out: `sessionTimeout` or property `session.timeout.ms`, default 6 s, at most 10 s.
    public var sessionTimeout = Milliseconds.seconds(6)
    /// Further settings of librdkafka: `properties`. Paths in it are already relative to the working directory.
    public var properties: [String: Property] = [:]
}
