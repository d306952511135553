import CRocksDB

/// A value that RocksDB lends: no copy is made, and its block stays in memory until this goes away.
private struct PinnedValue: ~Copyable {
    let pointer: OpaquePointer

    var bytes: UnsafeRawBufferPointer {
        var count = 0
        let start = rocksdb_pinnableslice_value(pointer, &count)
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit { rocksdb_pinnableslice_destroy(pointer) }
}

extension RocksDatabase {
    /// Reads one key and lends its value to `body`, nil where there is none. The bytes are valid only inside `body`.
    ///
    /// Cost: about a microsecond where the value is cached; a key never written is answered by the bloom filter.
    public func read<Result: ~Copyable>(
        _ family: Family, key: RawSpan, in snapshot: RocksSnapshot? = nil,
        _ body: (UnsafeRawBufferPointer?) -> Result
    ) throws(RocksError) -> Result {
        let options = snapshot?.readOptions.pointer ?? readOptions.pointer
        var text: UnsafeMutablePointer<CChar>?
        let found = key.withCharacters { key, count in
            rocksdb_get_pinned_cf(pointer, options, family.pointer, key, count, &text)
        }
        if let text { throw consume(text, "read") }
        guard let found else { return body(nil) }
        let value = PinnedValue(pointer: found)
        return body(value.bytes)
    }

    /// The value of one key as an array of its own, nil where there is none.
    public func value(
        _ family: Family, key: RawSpan, in snapshot: RocksSnapshot? = nil
    ) throws(RocksError) -> [UInt8]? {
        try read(family, key: key, in: snapshot) { $0.map { [UInt8]($0) } }
    }

    /// Whether the key is there.
    public func contains(_ family: Family, key: RawSpan) throws(RocksError) -> Bool {
        try read(family, key: key) { $0 != nil }
    }

    /// Reads many keys of one family at once and lends each value to `body` with the key's index, in order.
    /// One call for many keys reads neighbouring blocks together.
    ///
    /// - Throws: the first error of any key; `body` may have seen the keys before it.
    public func readMany(
        _ family: Family, keys: [[UInt8]], _ body: (Int, UnsafeRawBufferPointer?) -> Void
    ) throws(RocksError) {
        guard !keys.isEmpty else { return }
        var joined: [CChar] = []
        joined.reserveCapacity(keys.reduce(1) { $0 + $1.count })
        var starts: [Int] = []
        for key in keys {
            starts.append(joined.count)
            for byte in key { joined.append(CChar(bitPattern: byte)) }
        }
        joined.append(0)
        let sizes = keys.map(\.count)
        var values = [OpaquePointer?](repeating: nil, count: keys.count)
        var errors = [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
        joined.withUnsafeBufferPointer { joined in
            let pointers = starts.map { joined.baseAddress?.advanced(by: $0) }
            pointers.withUnsafeBufferPointer { pointers in
                rocksdb_batched_multi_get_cf(
                    pointer, readOptions.pointer, family.pointer, keys.count, pointers.baseAddress, sizes,
                    &values, &errors, false)
            }
        }
        var failure: RocksError?
        for index in keys.indices {
            let value = values[index].map { PinnedValue(pointer: $0) }
            if let text = errors[index] {
                let error = consume(text, "readMany")
                failure = failure ?? error
            } else if failure == nil {
                body(index, value?.bytes)
            }
        }
        if let failure { throw failure }
    }

    /// A view of the present moment that later writes do not change. It holds old data back from compaction:
    /// keep it briefly.
    public func snapshot() -> RocksSnapshot { RocksSnapshot(self) }

    /// Secondary only: takes in what the writer has done since.
    public func catchUp() throws(RocksError) {
        try rocksCall("catchUp") { rocksdb_try_catch_up_with_primary(pointer, $0) }
    }
}

/// A view of one moment; released with its last reference, always before the database closes.
public final class RocksSnapshot: @unchecked Sendable {
    // Safe to share: a snapshot is immutable and RocksDB's reads through it are thread-safe.
    let database: RocksDatabase
    let pointer: OpaquePointer
    let readOptions: ReadOptions

    init(_ database: RocksDatabase) {
        self.database = database
        pointer = rocksdb_create_snapshot(database.pointer)
        readOptions = ReadOptions()
        rocksdb_readoptions_set_snapshot(readOptions.pointer, pointer)
    }

    deinit {
        rocksdb_readoptions_set_snapshot(readOptions.pointer, nil)
        rocksdb_release_snapshot(database.pointer, pointer)
    }
}
