import CRocksDB
import Synchronization

/// An open RocksDB directory with its column families.
///
/// Closing is ownership: iterators and snapshots hold the database, and the last reference destroys the families
/// and closes it, in the order RocksDB insists on. All methods may be called from any thread.
///
/// After a write has failed nothing more is written through this handle (`RocksError.Kind.needsReopen`), although
/// RocksDB may heal itself: the failed batch may lie in its log, and a later one would be replayed behind it.
/// Drop the handle, open again, read what is there.
public final class RocksDatabase: @unchecked Sendable {
    // Safe to share: RocksDB's database and family handles are thread-safe, the pointers never change after init,
    // and the rest of the state is atomic.

    /// How long a write is waited for, and what it survives.
    public enum Durability: Sendable {
        /// Survives the loss of power: returned after the log was synced.
        case synced
        /// Survives the end of the process, not that of the machine.
        case logged
        /// In memory until flushed; atomic over families only with `RocksOptions.atomicFlush`.
        case unlogged
    }

    /// What the handle may do.
    public enum Access: Sendable, Equatable {
        /// The only writer: holds the directory's lock.
        case exclusive
        /// A consistent view of the moment of opening; no lock, no writes. Another process may hold the directory.
        case readOnly
        /// Follows a directory that another process writes (`catchUp`); `scratch` is a directory of its own for its diary.
        case secondary(scratch: String)
    }

    /// One family of an open database. Valid only as long as the database it came from.
    public struct Family: @unchecked Sendable {
        // Safe to share: RocksDB's family handles are thread-safe and this is a plain copy of the pointer.
        let pointer: OpaquePointer
    }

    /// The directory.
    public let path: String
    let access: Access
    let pointer: OpaquePointer
    private let families: [OpaquePointer]
    private let names: [String]
    let readOptions = ReadOptions()
    private let writeFailed = Atomic<Bool>(false)
    private let syncedWrite: OpaquePointer
    private let loggedWrite: OpaquePointer
    private let unloggedWrite: OpaquePointer

    /// Opens `path`. `families` are in addition to RocksDB's own, empty "default".
    ///
    /// - Throws: `lockHeld` where another process writes the directory, `missing`, `corruption`, `diskFull`, …
    public init(
        path: String, families: [RocksFamily], options: RocksOptions = RocksOptions(), access: Access = .exclusive
    ) throws(RocksError) {
        var options = options
        if access != .exclusive { options.createIfMissing = false }
        if case .secondary = access { options.maximumOpenFiles = -1 }
        let opened = try Opened(path: path, families: families, options: options, access: access)
        self.path = path
        self.access = access
        self.pointer = opened.database
        self.families = opened.families
        self.names = families.map(\.name)
        self.syncedWrite = rocksdb_writeoptions_create()
        self.loggedWrite = rocksdb_writeoptions_create()
        self.unloggedWrite = rocksdb_writeoptions_create()
        rocksdb_writeoptions_set_sync(syncedWrite, 1)
        rocksdb_writeoptions_set_no_slowdown(syncedWrite, options.turnsStalledWritesAway ? 1 : 0)
        rocksdb_writeoptions_disable_WAL(unloggedWrite, 1)
    }

    deinit {
        for family in families { rocksdb_column_family_handle_destroy(family) }
        rocksdb_close(pointer)
        rocksdb_writeoptions_destroy(syncedWrite)
        rocksdb_writeoptions_destroy(loggedWrite)
        rocksdb_writeoptions_destroy(unloggedWrite)
    }

    /// The family at `index` of the list given at opening.
    public func family(_ index: Int) -> Family {
        // The first handle is RocksDB's own "default".
        Family(pointer: families[index + 1])
    }

    /// Families given at opening.
    var familyCount: Int { names.count }

    /// The family of that name, nil where the database was opened without it.
    public func family(named name: String) -> Family? {
        names.firstIndex(of: name).map(family)
    }

    /// Whether a write has failed, so that this handle writes nothing any more.
    public var needsReopen: Bool { writeFailed.load(ordering: .acquiring) }

    /// Writes the batch atomically and leaves it as it is (clear it for the next).
    ///
    /// - Throws: where `RocksError.nothingWasWritten` is false, the batch may be there after the next open.
    public func write(_ batch: borrowing WriteBatch, _ durability: Durability) throws(RocksError) {
        guard access == .exclusive else {
            throw RocksError(kind: .readOnly, operation: "write", detail: "opened for reading")
        }
        guard !needsReopen else {
            throw RocksError(kind: .needsReopen, operation: "write", detail: "an earlier write failed")
        }
        let options =
            switch durability {
            case .synced: syncedWrite
            case .logged: loggedWrite
            case .unlogged: unloggedWrite
            }
        do throws(RocksError) {
            let batch = batch.pointer
            try rocksCall("write") { rocksdb_write(pointer, options, batch, $0) }
        } catch {
            if !error.nothingWasWritten { writeFailed.store(true, ordering: .releasing) }
            throw error
        }
    }

    /// The number of the last write that is there: each key that is put or removed counts one. It never goes back, not
    /// over an opening either, unless something that was there is lost.
    public var sequence: UInt64 { rocksdb_get_latest_sequence_number(pointer) }

    /// Marks the handle as failed without a failing disk: the way tests reach the path above.
    public func failFurtherWrites() { writeFailed.store(true, ordering: .releasing) }
}

/// The handles of a database that was just opened; on failure none is left open.
private struct Opened {
    let database: OpaquePointer
    let families: [OpaquePointer]

    init(
        path: String, families: [RocksFamily], options: RocksOptions, access: RocksDatabase.Access
    ) throws(RocksError) {
        let cache = BlockCache(bytes: options.blockCacheBytes)
        let native = NativeOptions(options)
        let all = [RocksFamily("default", bloomBitsPerKey: 0, writeBufferBytes: 1 << 20)] + families
        // Copies owned by this function: an array cannot hold the non-copyable wrapper.
        var familyOptions: [OpaquePointer?] = []
        for family in all {
            let one = NativeOptions(family, of: options, cache: cache)
            familyOptions.append(rocksdb_options_create_copy(one.pointer))
        }
        defer { for one in familyOptions { rocksdb_options_destroy(one) } }
        let names = all.map { $0.name.utf8CString }
        var namePointers: [UnsafePointer<CChar>?] = []
        var storage: [UnsafeMutablePointer<CChar>] = []
        for name in names {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: name.count)
            for (index, character) in name.enumerated() { (copy + index).initialize(to: character) }
            storage.append(copy)
            namePointers.append(UnsafePointer(copy))
        }
        defer { for one in storage { one.deallocate() } }
        var handles = [OpaquePointer?](repeating: nil, count: all.count)
        let count = Int32(all.count)
        let database: OpaquePointer? = try rocksCall("open") { error in
            switch access {
            case .exclusive:
                rocksdb_open_column_families(
                    native.pointer, path, count, &namePointers, &familyOptions, &handles, error)
            case .readOnly:
                rocksdb_open_for_read_only_column_families(
                    native.pointer, path, count, &namePointers, &familyOptions, &handles, 0, error)
            case .secondary(let scratch):
                rocksdb_open_as_secondary_column_families(
                    native.pointer, path, scratch, count, &namePointers, &familyOptions, &handles, error)
            }
        }
        guard let database else {
            throw RocksError(kind: .other, operation: "open", detail: "no handle and no error")
        }
        self.database = database
        self.families = handles.compactMap { $0 }
    }
}
