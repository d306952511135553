import EventLog
import KafkaTransport
import PaymentModel

/// What the worker holds between two jobs. Used on the worker only.
final class ShardBench: @unchecked Sendable {  // confined to the shard's serial worker queue
    /// Output topics in the order of their index.
    static let outputs: [Topic] = [.events, .settlements, .state, .deadLetters]
    static let stateIndex = 2

    private let log: KafkaEventLog
    private let transactionalID: String
    /// The shard's producer.
    let transactor: Transactor
    private var tail: KafkaReader?
    /// Highest epoch of each partition in this process.
    var epochs: [Int32: UInt64] = [:]
    /// Partitions whose state topic was told to be created anew under us.
    var alarmed: Set<Int32> = []
    /// Envelopes of the commit at hand.
    var staged: [UInt8] = []

    init(log: KafkaEventLog, transactionalID: String, keeps: @escaping (ProtocolRule) -> Bool) {
        self.log = log
        self.transactionalID = transactionalID
        let settings = log.settings
        let topics = ShardBench.outputs.map(log.name)
        transactor = Transactor(
            transactionalID: transactionalID,
            make: { identity in
                try KafkaTransactionalProducer(
                    settings.cluster, transactionalID: identity, clientID: transactionalID, topics: topics,
                    trackedTopic: ShardBench.stateIndex)
            }, report: settings.report, keeps: keeps)
    }

    /// Reads committed records of the state topic.
    func stateReader() throws -> KafkaReader {
        if let tail { return tail }
        let new = try KafkaReader(
            log.settings.cluster, groupID: log.settings.groupID, clientID: "\(transactionalID)-restore",
            committedOnly: true)
        tail = new
        return new
    }

    /// Releases everything.
    func clear() {
        transactor.discard()
        tail = nil
    }
}
