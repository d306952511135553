import EventLog
import Foundation
import Glibc
import PaymentModel
import RecordFormat
import RocksStore
import Synchronization

/// The local copy of the state topic's partitions that this process owns or has owned. Written only after a commit
/// returned, or from read_committed records; each batch together with the topic position that it reaches: so it never
/// holds anything that is not committed (the protocol's row B46), and a restart reads only the tail.
///
/// Families: `entries` (partition, key → envelope), `timers` (partition, due, space, key), `rows` (finished, since,
/// payment → summary; what operators list), `references` (partition, reference → key), `meta`.
/// Writes survive the end of the process, not that of the machine: then RocksDB falls back to an earlier batch and the
/// tail is longer. Thread-safe.
final class LocalCopy: Sendable {
    /// How far the copy of a partition goes.
    struct Reach: Equatable, Sendable {
        /// The offset of the state topic to go on from.
        var next: Int64
        /// When the copy was last known to be at the end of the topic, milliseconds since 1970.
        var atEnd: Int64
        /// The last record that it holds; nil where it holds none, or was made before marks were kept.
        var mark: StateMark?
    }

    /// An open database with its families. Held briefly: `reopen` waits until nobody holds the one before.
    struct Handle: Sendable {
        let database: RocksDatabase
        var entries: RocksDatabase.Family { database.family(0) }
        var timers: RocksDatabase.Family { database.family(1) }
        var rows: RocksDatabase.Family { database.family(2) }
        var references: RocksDatabase.Family { database.family(3) }
        var meta: RocksDatabase.Family { database.family(4) }

        func text(_ name: String) throws(LogError) -> String? {
            try LocalCopy.rocks { () throws(RocksError) in
                try database.value(meta, key: Array(name.utf8).span.bytes).map { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    private let path: String
    private let state: Mutex<Handle?>
    /// Made up with the directory: names it in ownership notes.
    let directoryID: String

    /// Opens the copy below `directory`, or makes an empty one. A copy of another cluster, prefix or group is dropped:
    /// the topic has everything.
    init(directory: String, identity: String) throws(LogError) {
        path = directory + "/kafka-state"
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw LogError(.misconfigured, "directory \(directory): \(error.localizedDescription)")
        }
        var opened: Handle? = try LocalCopy.open(path)
        if let known = try opened?.text("identity"), known != identity {
            opened = nil
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw LogError(.misconfigured, "\(path) is a copy of another cluster and cannot be removed: \(error)")
            }
            opened = try LocalCopy.open(path)
        }
        let stored = try opened?.text("directory")
        directoryID = stored ?? String(UUID().uuidString.prefix(13)).lowercased()
        state = Mutex(opened)
        try set(meta: "identity", identity)
        try set(meta: "directory", directoryID)
    }

    /// The open database.
    func handle() throws(LogError) -> Handle {
        guard let handle = state.withLock({ $0 }) else { throw LogError(.unavailable, "the local copy is closed") }
        return handle
    }

    /// After a failed write nothing more goes through the open handle: closes it and opens again. What is missing is
    /// read from the topic.
    func reopenIfNeeded() throws(LogError) {
        let needed = state.withLock { state in
            guard state?.database.needsReopen ?? true else { return false }
            state = nil
            return true
        }
        guard needed else { return }
        // Readers of this moment still hold the old handle and, with it, the directory's lock.
        for attempt in 0..<100 {
            do {
                let opened = try LocalCopy.open(path)
                state.withLock { $0 = opened }
                return
            } catch  where error.kind == .heldElsewhere && attempt < 99 {
                usleep(20_000)
            }
        }
    }

    /// Closes the database when nobody reads it any more.
    func close() { state.withLock { $0 = nil } }

    /// The instance's id that was made up for this directory, or stored now.
    func instanceID(default made: () -> String) throws(LogError) -> String {
        if let stored = try metaText("instance") { return stored }
        let made = made()
        try set(meta: "instance", made)
        return made
    }

    /// A text of the directory's own.
    func metaText(_ name: String) throws(LogError) -> String? {
        try handle().text(name)
    }

    /// Sets a text of the directory's own.
    func set(meta name: String, _ value: String) throws(LogError) {
        let handle = try handle()
        let batch = WriteBatch()
        batch.put(handle.meta, key: Array(name.utf8).span.bytes, value: Array(value.utf8).span.bytes)
        try write(batch, to: handle, .synced)
    }

    /// How far the copy of a partition goes; nil where there is none.
    func reach(_ partition: Int32) throws(LogError) -> Reach? {
        let key = [UInt8(ascii: "p")] + LocalKey.partition(partition)
        let handle = try handle()
        let value = try LocalCopy.rocks { () throws(RocksError) in
            try handle.database.value(handle.meta, key: key.span.bytes)
        }
        guard let value, value.count == 16 || value.count == 40 else { return nil }
        return value.withUnsafeBytes { bytes in
            let mark =
                bytes.count == 40
                ? StateMark(
                    offset: Int64(bitPattern: LocalKey.number(bytes, 16)), key: LocalKey.number(bytes, 24),
                    content: LocalKey.number(bytes, 32)) : nil
            return Reach(
                next: Int64(bitPattern: LocalKey.number(bytes, 0)), atEnd: Int64(bitPattern: LocalKey.number(bytes, 8)),
                mark: mark)
        }
    }

    /// Notes that the copy of a partition was at the end then; nothing else changes.
    func confirm(_ partition: Int32, atEnd: Int64) throws(LogError) {
        guard var reach = try reach(partition) else { return }
        reach.atEnd = atEnd
        let handle = try handle()
        var batch = WriteBatch()
        LocalCopy.stage(reach: reach, partition, into: &batch, of: handle)
        try write(batch, to: handle)
    }

    /// Adds the reach of a partition to a batch.
    static func stage(reach: Reach, _ partition: Int32, into batch: inout WriteBatch, of handle: Handle) {
        let key = [UInt8(ascii: "p")] + LocalKey.partition(partition)
        var value = BinaryWriter()
        value.fixed(UInt64(bitPattern: reach.next))
        value.fixed(UInt64(bitPattern: reach.atEnd))
        if let mark = reach.mark {
            value.fixed(UInt64(bitPattern: mark.offset))
            value.fixed(mark.key)
            value.fixed(mark.content)
        }
        batch.put(handle.meta, key: key.span.bytes, value: value.bytes.span.bytes)
    }

    /// Forgets the copy of a partition: it is too old, or not of this topic.
    func drop(_ partition: Int32) throws(LogError) {
        let start = LocalKey.partition(partition)
        let end = LocalKey.partition(partition + 1)
        let handle = try handle()
        let batch = WriteBatch()
        for family in [handle.entries, handle.timers, handle.references] {
            batch.deleteRange(family, from: start.span.bytes, to: end.span.bytes)
        }
        batch.delete(handle.meta, key: ([UInt8(ascii: "p")] + start).span.bytes)
        var stale: [[UInt8]] = []
        try LocalCopy.rocks { () throws(RocksError) in
            try handle.database.scan(handle.rows, from: [0].span.bytes, to: [2].span.bytes, fillCache: false) {
                key, value in
                if value.count >= 4, value.prefix(4).elementsEqual(start) { stale.append(Array(key)) }
                return true
            }
        }
        for key in stale { batch.delete(handle.rows, key: key.span.bytes) }
        try write(batch, to: handle)
    }

    /// Writes a batch; see the type's comment for what it survives.
    func write(
        _ batch: borrowing WriteBatch, to handle: Handle, _ durability: RocksDatabase.Durability = .logged
    ) throws(LogError) {
        do throws(RocksError) {
            try handle.database.write(batch, durability)
        } catch {
            throw LocalCopy.translated(error)
        }
    }

    private static func open(_ path: String) throws(LogError) -> Handle {
        let families = [
            RocksFamily("entries"), RocksFamily("timers", bloomBitsPerKey: 0, writeBufferBytes: 8 << 20),
            RocksFamily("rows", bloomBitsPerKey: 0, writeBufferBytes: 8 << 20),
            RocksFamily("references", writeBufferBytes: 8 << 20),
            RocksFamily("meta", bloomBitsPerKey: 0, writeBufferBytes: 1 << 20, compression: .none),
        ]
        do throws(RocksError) {
            return Handle(database: try RocksDatabase(path: path, families: families))
        } catch  where error.kind == .lockHeld {
            throw LogError(.heldElsewhere, "directory \(path) is in use by another process")
        } catch {
            throw translated(error)
        }
    }

    static func rocks<Result>(_ body: () throws(RocksError) -> Result) throws(LogError) -> Result {
        do throws(RocksError) {
            return try body()
        } catch {
            throw LocalCopy.translated(error)
        }
    }

    static func translated(_ error: RocksError) -> LogError {
        switch error.kind {
        case .diskFull, .needsReopen, .readOnly: LogError(.full, "local copy: \(error)")
        case .corruption: LogError(.corrupt, "local copy: \(error)")
        default: LogError(.unavailable, "local copy: \(error)")
        }
    }
}
