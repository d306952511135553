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
    private var current: KafkaTransactionalProducer?
    private var tail: KafkaReader?
    /// Highest epoch of each partition in this process.
    var epochs: [Int32: UInt64] = [:]
    /// Envelopes of the commit at hand.
    var staged: [UInt8] = []

    init(log: KafkaEventLog, transactionalID: String) {
        self.log = log
        self.transactionalID = transactionalID
    }

    /// The producer that is initialised, if there is one.
    var producer: KafkaTransactionalProducer? { current }

    /// The producer; a new one is initialised first, which fences every request of the one before and aborts what it
    /// left open.
    func readyProducer(while wanted: () -> Bool) throws -> KafkaTransactionalProducer {
        if let current { return current }
        let new = try KafkaTransactionalProducer(
            log.settings.cluster, transactionalID: transactionalID, clientID: transactionalID,
            topics: ShardBench.outputs.map(log.name), trackedTopic: ShardBench.stateIndex)
        while let error = ShardBench.initialise(new) {
            guard error.isRetriable, wanted() else { throw error }
            log.settings.report(4, "\(transactionalID): \(error); trying again")
        }
        current = new
        return new
    }

    private static func initialise(_ producer: KafkaTransactionalProducer) -> KafkaError? {
        do throws(KafkaError) {
            try producer.initTransactions(timeout: .seconds(2))
            return nil
        } catch {
            return error
        }
    }

    /// The producer is not to be used again.
    func discardProducer() { current = nil }

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
        current = nil
        tail = nil
    }
}
