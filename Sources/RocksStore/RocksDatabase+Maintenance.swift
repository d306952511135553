import CRocksDB

extension RocksDatabase {
    /// Writes a consistent copy of the database into `directory`, which must not exist yet, while work goes on.
    /// Files are linked, not copied, where the file system can.
    public func checkpoint(to directory: String) throws(RocksError) {
        let checkpoint = try rocksCall("checkpoint") { rocksdb_checkpoint_object_create(pointer, $0) }
        defer { rocksdb_checkpoint_object_destroy(checkpoint) }
        try rocksCall("checkpoint") { rocksdb_checkpoint_create(checkpoint, directory, 0, $0) }
    }

    /// Writes the family's buffer to a file and waits for it.
    public func flush(_ family: Family) throws(RocksError) {
        let options = rocksdb_flushoptions_create()
        defer { rocksdb_flushoptions_destroy(options) }
        rocksdb_flushoptions_set_wait(options, 1)
        try rocksCall("flush") { rocksdb_flush_cf(pointer, options, family.pointer, $0) }
    }

    /// Compacts the keys from `start` to `end`, so that deleted ones give their room back. Reads and rewrites the
    /// range: never on a thread that answers payments.
    public func compact(_ family: Family, from start: RawSpan, to end: RawSpan) {
        start.withCharacters { start, startCount in
            end.withCharacters { end, endCount in
                rocksdb_compact_range_cf(pointer, family.pointer, start, startCount, end, endCount)
            }
        }
    }

    /// Drops whole files whose keys all lie between `start` and `end`, both included: gives the room of a deleted range back at once.
    /// Only for ranges that no reader needs any more, snapshots included.
    public func dropFiles(_ family: Family, from start: RawSpan, to end: RawSpan) throws(RocksError) {
        var text: UnsafeMutablePointer<CChar>?
        start.withCharacters { start, startCount in
            end.withCharacters { end, endCount in
                rocksdb_delete_file_in_range_cf(pointer, family.pointer, start, startCount, end, endCount, &text)
            }
        }
        if let text { throw consume(text, "dropFiles") }
    }

    /// A number that RocksDB keeps about a family, by its name (`rocksdb.estimate-num-keys`, …); nil where unknown.
    public func property(_ name: String, _ family: Family) -> UInt64? {
        var value: UInt64 = 0
        return rocksdb_property_int_cf(pointer, family.pointer, name, &value) == 0 ? value : nil
    }

    /// How often RocksDB has done something since the open (`rocksdb.wal.synced`, …); nil where it does not count, or knows
    /// no such name. For tests: `RocksOptions.countsOperations`.
    package func count(_ name: String) -> UInt64? {
        guard let text = rocksdb_property_value(pointer, "rocksdb.options-statistics") else { return nil }
        defer { rocksdb_free(text) }
        for line in String(cString: text).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 4, words[0] == name, words[1] == "COUNT" { return UInt64(words[3]) }
        }
        return nil
    }

    /// Bytes that the keys from `start` to `end` take in files, estimated without reading them.
    public func approximateBytes(_ family: Family, from start: RawSpan, to end: RawSpan) throws(RocksError) -> UInt64 {
        var size: UInt64 = 0
        var text: UnsafeMutablePointer<CChar>?
        start.withCharacters { start, startCount in
            end.withCharacters { end, endCount in
                var starts: UnsafePointer<CChar>? = start
                var ends: UnsafePointer<CChar>? = end
                var startSize = startCount
                var endSize = endCount
                rocksdb_approximate_sizes_cf(
                    pointer, family.pointer, 1, &starts, &startSize, &ends, &endSize, &size, &text)
            }
        }
        if let text { throw consume(text, "approximateBytes") }
        return size
    }

    /// Bytes in memory: write buffers of all families, and the block cache with indexes and filters.
    public var memoryBytes: UInt64 {
        var buffers: UInt64 = 0
        for index in 0..<familyCount {
            buffers += property("rocksdb.cur-size-all-mem-tables", family(index)) ?? 0
        }
        // The cache is shared: any family tells its whole size.
        let cache = familyCount > 0 ? property("rocksdb.block-cache-usage", family(0)) ?? 0 : 0
        return buffers + cache
    }

    /// Whether a background flush or compaction has failed, so that the next write will.
    public var hasBackgroundError: Bool {
        guard familyCount > 0 else { return false }
        return (property("rocksdb.background-errors", family(0)) ?? 0) > 0
    }
}
