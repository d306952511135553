import CRocksDB

/// Walks one family's keys in byte order between bounds.
///
/// It sees the moment of its making and holds the database open and old data back: keep it briefly. One thread at a
/// time. Keys and values are lent until the next move.
public struct RocksIterator: ~Copyable {
    private let database: RocksDatabase
    private let snapshot: RocksSnapshot?
    private let options: ReadOptions
    private let pointer: OpaquePointer

    /// An iterator over keys from `start` (inclusive) to `end` (exclusive), not yet on any key.
    ///
    /// - Parameter fillCache: false for long scans, which would push everything else out of the cache.
    public init(
        _ database: RocksDatabase, _ family: RocksDatabase.Family, from start: RawSpan, to end: RawSpan,
        in snapshot: RocksSnapshot? = nil, fillCache: Bool = true
    ) {
        var options = ReadOptions()
        options.setLowerBound(start)
        options.setUpperBound(end)
        rocksdb_readoptions_set_fill_cache(options.pointer, fillCache ? 1 : 0)
        if let snapshot { rocksdb_readoptions_set_snapshot(options.pointer, snapshot.pointer) }
        self.database = database
        self.snapshot = snapshot
        self.pointer = rocksdb_create_iterator_cf(database.pointer, options.pointer, family.pointer)
        self.options = options
    }

    deinit { rocksdb_iter_destroy(pointer) }

    /// Whether the iterator stands on a key. False also after an error: ask `check()` at the end of a walk.
    public var isValid: Bool { rocksdb_iter_valid(pointer) != 0 }

    /// Goes to the first key within the bounds.
    public mutating func seekToFirst() { rocksdb_iter_seek_to_first(pointer) }

    /// Goes to the last key within the bounds.
    public mutating func seekToLast() { rocksdb_iter_seek_to_last(pointer) }

    /// Goes to the first key at or behind `key`.
    public mutating func seek(_ key: RawSpan) {
        key.withCharacters { rocksdb_iter_seek(pointer, $0, $1) }
    }

    /// Goes to the last key at or before `key`.
    public mutating func seekBack(_ key: RawSpan) {
        key.withCharacters { rocksdb_iter_seek_for_prev(pointer, $0, $1) }
    }

    /// Goes to the next key. The iterator must be valid.
    public mutating func next() {
        precondition(isValid, "next() on an iterator that stands on no key")
        rocksdb_iter_next(pointer)
    }

    /// Goes to the key before. The iterator must be valid.
    public mutating func previous() {
        precondition(isValid, "previous() on an iterator that stands on no key")
        rocksdb_iter_prev(pointer)
    }

    /// Lends key and value of the place where the iterator stands. It must be valid.
    public func withCurrent<Result: ~Copyable, Failure: Error>(
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(isValid, "an iterator that stands on no key has nothing to lend")
        var keyCount = 0
        var valueCount = 0
        let key = rocksdb_iter_key(pointer, &keyCount)
        let value = rocksdb_iter_value(pointer, &valueCount)
        return try body(
            UnsafeRawBufferPointer(start: key, count: keyCount),
            UnsafeRawBufferPointer(start: value, count: valueCount))
    }

    /// Throws the error that ended a walk, if one did.
    public func check() throws(RocksError) {
        try rocksCall("iterate") { rocksdb_iter_get_error(pointer, $0) }
    }
}

extension RocksDatabase {
    /// Lends every key and value from `start` (inclusive) to `end` (exclusive) to `body`, in order, until it answers
    /// false. Reads a single moment.
    public func scan(
        _ family: Family, from start: RawSpan, to end: RawSpan, in snapshot: RocksSnapshot? = nil,
        fillCache: Bool = true, _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(RocksError) {
        var iterator = RocksIterator(self, family, from: start, to: end, in: snapshot, fillCache: fillCache)
        iterator.seekToFirst()
        while iterator.isValid {
            guard iterator.withCurrent(body) else { return }
            iterator.next()
        }
        try iterator.check()
    }

    /// Lends the last key and its value from `start` (inclusive) to `end` (exclusive), nil where the range is empty.
    public func last<Result>(
        _ family: Family, from start: RawSpan, to end: RawSpan,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Result
    ) throws(RocksError) -> Result? {
        var iterator = RocksIterator(self, family, from: start, to: end)
        iterator.seekToLast()
        guard iterator.isValid else {
            try iterator.check()
            return nil
        }
        return iterator.withCurrent(body)
    }
}

/// The smallest key behind every key that begins with `prefix`, nil where there is none (all bytes are 255).
public func endOfPrefix(_ prefix: [UInt8]) -> [UInt8]? {
    var end = prefix
    while let last = end.last {
        if last < UInt8.max {
            end[end.count - 1] = last + 1
            return end
        }
        end.removeLast()
    }
    return nil
}
