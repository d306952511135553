import EventLog
import Foundation
import Glibc
import KafkaTransport
import PaymentModel
import RocksStore
import Synchronization

/// The event log on Kafka: what all shards of one process share. Opening it checks the cluster's topics and the
/// directory; it refuses rather than run on settings that lose money.
public final class KafkaEventLog: Sendable {
    /// The number of partitions of every topic.
    public let partitionCount: Int32
    /// The name of this instance in the group.
    public let instanceID: String
    let settings: KafkaLogSettings
    let copy: LocalCopy
    let admin: KafkaAdmin
    /// Reads ends and ownership notes although a transaction may be open.
    let observer: KafkaReader
    /// `delete.retention.ms` of the state topic.
    let tombstoneRetention: Milliseconds
    private let owned = Mutex<[Int32: Int]>([:])

    /// Opens the log: creates missing topics where that is allowed, checks all of them, opens the local copy.
    /// Blocks for seconds; call it at start, not on a shard's thread.
    /// - Throws: `LogError` with `.misconfigured` where something must be changed first, `.unavailable` where no broker
    ///   answers.
    public init(_ settings: KafkaLogSettings) throws(LogError) {
        for warning in settings.cluster.warnings { settings.report(4, warning) }
        do {
            admin = try KafkaAdmin(settings.cluster, clientID: "\(settings.groupID)-admin")
            observer = try KafkaReader(
                settings.cluster, groupID: settings.groupID, clientID: "\(settings.groupID)-observer",
                committedOnly: false)
        } catch {
            throw LogError(.misconfigured, "\(error)")
        }
        let checked = try TopicChecks(settings, admin).run()
        partitionCount = checked.partitions
        tombstoneRetention = checked.tombstoneRetention
        let identity = "\(checked.clusterID)|\(settings.topicPrefix)|\(settings.groupID)"
        copy = try LocalCopy(directory: settings.directory, identity: identity)
        if let named = settings.instanceID {
            instanceID = named
        } else {
            instanceID = try copy.instanceID { String(UUID().uuidString.prefix(8)).lowercased() }
        }
        self.settings = settings
        try checkRecordedCount()
    }

    /// The end of one shard, numbered from 0 within this instance. On Kafka the group decides which partitions it gets.
    public func shard(_ index: Int) -> KafkaShardLog { KafkaShardLog(log: self, index: index) }

    /// Where commands and notifications come in.
    public func appender() throws(LogError) -> KafkaAppender { try KafkaAppender(self) }

    /// Committed records, and the states of the partitions that this process owns.
    public func reader() -> KafkaLogReader { KafkaLogReader(self) }

    /// Closes the local copy. Shards are closed before.
    public func close() { copy.close() }

    /// The full name of a topic.
    func name(_ topic: Topic) -> String { settings.topicPrefix + topic.suffix }

    /// A transactional id, and with it the client id, of a shard.
    func transactionalID(_ shard: Int) -> String { "\(settings.groupID)-\(instanceID)-\(shard)" }

    /// Whether a shard of this process owns the partition.
    func owns(_ partition: Int32) -> Bool { owned.withLock { $0[partition] != nil } }

    /// Notes the owner of a partition within this process.
    func setOwner(_ partition: Int32, _ shard: Int?, from: Int) {
        owned.withLock { owned in
            if let shard {
                owned[partition] = shard
            } else if owned[partition] == from {
                owned[partition] = nil
            }
        }
    }

    /// The number of partitions is recorded twice: in the directory, and beside every committed offset. Another number
    /// would move payments to other partitions.
    private func checkRecordedCount() throws(LogError) {
        if let recorded = try copy.metaText("partitions"), recorded != "\(partitionCount)" {
            throw LogError(
                .misconfigured,
                "the topics have \(partitionCount) partitions, this directory recorded \(recorded): a payment's "
                    + "partition must never change")
        }
        let asked = (0..<partitionCount).map {
            KafkaOffset(topic: name(.commands), partition: $0, offset: KafkaOffset.invalid)
        }
        for entry in try committed(asked) {
            guard let note = OwnershipNote(entry.metadata), note.partitions != partitionCount else { continue }
            throw LogError(
                .misconfigured,
                "the topics have \(partitionCount) partitions, the group recorded \(note.partitions): a payment's "
                    + "partition must never change")
        }
        try copy.set(meta: "partitions", "\(partitionCount)")
    }

    /// Committed offsets, open transactions or not. A cluster that has just started has no coordinator for a moment.
    private func committed(_ asked: [KafkaOffset]) throws(LogError) -> [KafkaOffset] {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do throws(KafkaError) {
                return try observer.committed(asked, timeout: .seconds(5))
            } catch {
                guard error.isRetriable, ContinuousClock.now < deadline else {
                    throw LogError(.unavailable, "\(error)")
                }
                usleep(200_000)
            }
        }
    }
}
