import Dispatch
import EventLog
import RecordFormat
import RocksStore
import Synchronization

/// Committed changes that the local copy's database does not have yet, with the topic positions that they reach. Several
/// changes of one key become one: a payout's two states within a few seconds are one write, and what the first put into the
/// indexes and the second took out is never written at all.
struct RecentChanges: Sendable {
    /// What became of a key.
    struct Change: Sendable {
        var partition: Int32
        var key: [UInt8]
        /// The value that the database will have when everything earlier is written; empty for none.
        var prior: [UInt8]
        /// The value from now on; empty for a tombstone.
        var new: [UInt8]
        /// References that belong to the key from now on.
        var added: [[UInt8]] = []
        /// References that belong to nobody any more.
        var removed: [[UInt8]] = []
    }

    /// By partition and key, as in the database.
    private(set) var changes: [[UInt8]: Change] = [:]
    /// By partition and reference: the key, empty for none.
    private(set) var references: [[UInt8]: [UInt8]] = [:]
    private(set) var reach: [Int32: LocalCopy.Reach] = [:]
    /// About how much memory it takes.
    private(set) var bytes = 0

    var isEmpty: Bool { changes.isEmpty && reach.isEmpty }

    mutating func add(_ change: Change) {
        let place = LocalKey.entry(change.partition, change.key)
        bytes += change.new.count + change.key.count + 256
        for reference in change.added { references[LocalKey.entry(change.partition, reference)] = change.key }
        for reference in change.removed { references[LocalKey.entry(change.partition, reference)] = [] }
        if let index = changes.index(forKey: place) {
            changes.values[index].new = change.new
        } else {
            changes[place] = change
        }
    }

    mutating func add(_ reach: LocalCopy.Reach, _ partition: Int32) { self.reach[partition] = reach }
}

/// The two generations of recent changes: those that are being written, and those that have come since.
struct RecentState: Sendable {
    var active = RecentChanges()
    /// On their way into the database; stay here until they are there, also where a write fails.
    var flushing = RecentChanges()
    /// Somebody will write soon.
    var isScheduled = false
    /// The last write failed: nothing more is taken before all of it is in the database.
    var failure: LogError?

    /// The value of a key, empty for a tombstone; nil where the database knows.
    func value(_ place: [UInt8]) -> [UInt8]? { (active.changes[place] ?? flushing.changes[place])?.new }

    /// The key of a reference, empty for none; nil where the database knows.
    func key(reference place: [UInt8]) -> [UInt8]? { active.references[place] ?? flushing.references[place] }

    /// The changes of a partition, by key.
    func changes(of partition: Int32) -> [[UInt8]: RecentChanges.Change] {
        var found: [[UInt8]: RecentChanges.Change] = [:]
        for generation in [flushing, active] {
            for change in generation.changes.values where change.partition == partition { found[change.key] = change }
        }
        return found
    }
}

extension LocalCopy {
    /// How long changes may wait for others of the same key.
    static let longestWait: DispatchTimeInterval = .seconds(3)
    /// Bytes from which on whoever commits waits until they are written: backpressure, not growth.
    static let waitingLimit = 48 << 20

    /// Takes what a commit changed. It can be read from now on; the database gets it within a few seconds, together with
    /// the positions. After a kill the tail of the topic has what is missing.
    /// - Throws: where the database takes nothing: only a restore helps.
    func take(_ changes: [RecentChanges.Change], _ reached: [Int32: Reach]) throws(LogError) {
        let (isFull, mustSchedule, failure) = recent.withLock { recent in
            for change in changes { recent.active.add(change) }
            for (partition, reach) in reached { recent.active.add(reach, partition) }
            let mustSchedule = !recent.isScheduled && recent.failure == nil
            if mustSchedule { recent.isScheduled = true }
            return (recent.active.bytes > LocalCopy.waitingLimit, mustSchedule, recent.failure)
        }
        if let failure { throw failure }
        if mustSchedule {
            writer.asyncAfter(deadline: .now() + LocalCopy.longestWait) { [weak self] in
                self?.recent.withLock { $0.isScheduled = false }
                // A failure is told to the next commit.
                try? self?.settle()
            }
        }
        if isFull { try settle() }
    }

    /// Writes what has been taken so far; returns when the database has it. Blocks for as long as that takes.
    func settle() throws(LogError) {
        let failure = writing.withLock { _ -> LogError? in
            do throws(LogError) {
                // What an earlier failure has left behind, then what has come since.
                try writeGeneration()
                try writeGeneration()
                recent.withLock { $0.failure = nil }
                return nil
            } catch {
                recent.withLock { $0.failure = error }
                return error
            }
        }
        if let failure { throw failure }
    }

    /// A batch that may be there already, because nobody knows what became of it, changes nothing when it is written again.
    private func writeGeneration() throws(LogError) {
        let changes = recent.withLock { recent in
            if recent.flushing.isEmpty { swap(&recent.flushing, &recent.active) }
            return recent.flushing
        }
        guard !changes.isEmpty else { return }
        let handle = try handle()
        var batch = WriteBatch()
        // In the order of the keys: each then finds its place in memory beside the one before.
        for (_, change) in changes.changes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            try LocalCopy.stage(
                change.partition, key: change.key, prior: change.prior.span.bytes, new: change.new.span.bytes,
                into: &batch, of: handle)
        }
        for (partition, reach) in changes.reach {
            LocalCopy.stage(reach: reach, partition, into: &batch, of: handle)
        }
        try write(batch, to: handle)
        recent.withLock { $0.flushing = RecentChanges() }
    }

    /// The value of a key as of the last commit, empty for none.
    func value(_ partition: Int32, _ key: [UInt8]) throws(LogError) -> [UInt8] {
        let place = LocalKey.entry(partition, key)
        if let value = recent.withLock({ $0.value(place) }) { return value }
        return try LocalCopy.value(handle(), partition, key)
    }
}
