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
    private let shards = Mutex<[WeakShard]>([])
    private let watch = Mutex<LogWatch?>(nil)

    private struct WeakShard: Sendable { weak var shard: KafkaShardLog? }

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
        try KafkaEventLog.checkGroup(settings, admin)
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
    public func shard(_ index: Int) -> KafkaShardLog {
        let shard = KafkaShardLog(log: self, index: index)
        shards.withLock { list in
            list.removeAll { $0.shard == nil }
            list.append(WeakShard(shard: shard))
        }
        return shard
    }

    /// Where commands and notifications come in.
    public func appender() throws(LogError) -> KafkaAppender { try KafkaAppender(self) }

    /// Committed records, and the states of the partitions that this process owns.
    public func reader() -> KafkaLogReader { KafkaLogReader(self) }

    /// Looks at lags and open transactions from now on, every `interval`, on a thread of its own; `figures` has what
    /// the last look showed.
    public func startWatch(every interval: Duration = .seconds(10)) {
        let made = LogWatch(self, interval: interval)
        let before = watch.withLock { watch in
            defer { watch = made }
            return watch
        }
        before?.stop()
        made.start()
    }

    /// Lags and open transactions of the partitions that the group has given this process, as of the last look; empty
    /// where nobody looks, no broker answers, or there is no partition.
    public var figures: [KafkaPartitionFigures] { watch.withLock { $0 }?.figures ?? [] }

    /// Closes the local copy. Shards are closed before. Blocks for a look under way.
    public func close() {
        let running = watch.withLock { watch in
            defer { watch = nil }
            return watch
        }
        running?.stop()
        copy.close()
    }

    /// Tells an operator, and counts what a person must look at.
    func alarm(_ kind: KafkaAlarm, _ text: String) {
        settings.measure(.alarm(kind))
        settings.report(1, "ALARM: \(text)")
    }

    /// The partitions that each shard is a member for, and the positions of those that it works on.
    var memberships: [(partitions: [Int32], positions: [KafkaOffset])] {
        shards.withLock { $0.compactMap(\.shard) }.map(\.standing)
    }

    /// Where the state topic ended at that time, milliseconds since 1970: copies that reach that far were whole then.
    func confirmCopies(ends: [Int32: Int64], at time: Int64) {
        for shard in shards.withLock({ $0.compactMap(\.shard) }) { shard.confirmCopies(ends: ends, at: time) }
    }

    /// Whether this instance may commit: initialises a transactional id of its own that no shard uses. What it writes
    /// is nothing. The rights to the group were asked for when the log was opened; those to write a topic show at the
    /// first commit. Blocks for at most 20 s; also warms the coordinator up.
    /// - Throws: `LogError` with `.misconfigured` where the cluster forbids it.
    public func checkRights() throws(LogError) {
        let name = "\(settings.groupID)-\(instanceID)-check"
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                return try KafkaTransactionalProducer.fence(
                    settings.cluster, transactionalID: name, clientID: name, timeout: .seconds(5))
            } catch let error as KafkaError where error.isRetriable && ContinuousClock.now < deadline {
                usleep(200_000)
            } catch let error as KafkaError {
                throw LogError(error.isRetriable ? .unavailable : .misconfigured, "\(error)")
            } catch {
                throw LogError(.misconfigured, "\(error)")
            }
        }
    }

    /// The full name of a topic.
    func name(_ topic: Topic) -> String { settings.topicPrefix + topic.suffix }

    /// A transactional id, and with it the client id, of a shard.
    func transactionalID(_ shard: Int) -> String { "\(settings.groupID)-\(instanceID)-\(shard)" }

    /// A group that may not be described answers a question for offsets by a time-out that says nothing.
    private static func checkGroup(_ settings: KafkaLogSettings, _ admin: KafkaAdmin) throws(LogError) {
        do throws(KafkaError) {
            _ = try admin.members(of: settings.groupID, timeout: .seconds(5))
        } catch  where error.isDenied {
            throw LogError(.misconfigured, "\(error)")
        } catch {
            // A young cluster has no coordinator yet: the question for offsets waits for it.
        }
    }

    /// Whether a shard of this process owns the partition.
    func owns(_ partition: Int32) -> Bool { owned.withLock { $0[partition] != nil } }

    /// The partitions that shards of this process own, in ascending order.
    var ownedPartitions: [Int32] { owned.withLock { $0.keys.sorted() } }

    /// The instance to which the group has given a partition; nil where it has not. Asks the group's coordinator.
    func ownerNamed(_ partition: Int32) throws(LogError) -> String? {
        do throws(KafkaError) {
            let owners = try admin.assignments(
                of: settings.groupID, topic: name(.commands), timeout: .seconds(5))
            return owners[partition].flatMap { OwnershipNote.instance(of: $0, groupID: settings.groupID) }
        } catch {
            throw LogError(.unavailable, "\(error)")
        }
    }

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
                    throw LogError(error.isRetriable ? .unavailable : .misconfigured, "\(error)")
                }
                usleep(200_000)
            }
        }
    }
}

#if DEBUG
    // For tests of what an old copy may be trusted for.
    extension KafkaEventLog {
        /// Makes a partition's copy look older.
        package func setCopyAge(partition: Int32, days: Int64) throws(LogError) {
            try copy.confirm(
                partition, atEnd: Int64(Date().timeIntervalSince1970 * 1_000) - days * 86_400_000)
        }

        /// How long ago a partition's copy was known to be whole, in seconds.
        package func copyAge(partition: Int32) throws(LogError) -> Int64 {
            guard let reach = try copy.reach(partition) else { return .max }
            return (Int64(Date().timeIntervalSince1970 * 1_000) - reach.atEnd) / 1_000
        }
    }
#endif
