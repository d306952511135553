import CRocksDB

/// Changes that become durable and visible together or not at all.
///
/// It owns one growing buffer; `clear()` keeps the memory, so one batch serves many commits.
/// It is a handle: filling it does not need exclusive access to the value, and it is no `Sendable`: one thread at a time.
public struct WriteBatch: ~Copyable {
    let pointer: OpaquePointer

    /// An empty batch.
    public init() { pointer = rocksdb_writebatch_create() }

    deinit { rocksdb_writebatch_destroy(pointer) }

    /// Changes in the batch; a range counts as one.
    public var count: Int { Int(rocksdb_writebatch_count(pointer)) }

    /// Bytes of the batch as it will be logged.
    public var byteCount: Int {
        var size = 0
        _ = rocksdb_writebatch_data(pointer, &size)
        return size
    }

    /// Forgets every change and keeps the buffer.
    public func clear() { rocksdb_writebatch_clear(pointer) }

    /// Sets `key` to `value`; both are copied into the batch.
    public func put(_ family: RocksDatabase.Family, key: RawSpan, value: RawSpan) {
        key.withCharacters { key, keyCount in
            value.withCharacters { value, valueCount in
                rocksdb_writebatch_put_cf(pointer, family.pointer, key, keyCount, value, valueCount)
            }
        }
    }

    /// Sets `key` to the bytes of `head` followed by those of `tail`, without joining them first.
    public func put(_ family: RocksDatabase.Family, key: RawSpan, head: RawSpan, tail: RawSpan) {
        key.withCharacters { key, keyCount in
            head.withCharacters { head, headCount in
                tail.withCharacters { tail, tailCount in
                    var keys: UnsafePointer<CChar>? = key
                    var keySize = keyCount
                    withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: 2) { parts in
                        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { sizes in
                            parts.initializeElement(at: 0, to: head)
                            parts.initializeElement(at: 1, to: tail)
                            sizes.initializeElement(at: 0, to: headCount)
                            sizes.initializeElement(at: 1, to: tailCount)
                            rocksdb_writebatch_putv_cf(
                                pointer, family.pointer, 1, &keys, &keySize, 2, parts.baseAddress, sizes.baseAddress)
                        }
                    }
                }
            }
        }
    }

    /// Removes `key`.
    public func delete(_ family: RocksDatabase.Family, key: RawSpan) {
        key.withCharacters { rocksdb_writebatch_delete_cf(pointer, family.pointer, $0, $1) }
    }

    /// Removes every key from `start` (inclusive) to `end` (exclusive); costs one entry however many keys there are.
    public func deleteRange(_ family: RocksDatabase.Family, from start: RawSpan, to end: RawSpan) {
        start.withCharacters { start, startCount in
            end.withCharacters { end, endCount in
                rocksdb_writebatch_delete_range_cf(pointer, family.pointer, start, startCount, end, endCount)
            }
        }
    }
}
