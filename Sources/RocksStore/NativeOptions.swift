import CRocksDB

/// The values of RocksDB's enumerations that are used here; the C header has only numbers for them.
private enum Native {
    /// Tolerates an incomplete record at the end of the log, which a kill leaves behind, and refuses damage in
    /// its middle. RocksDB's default (point in time) would drop everything behind the damage in silence: here
    /// that would be acknowledged payments.
    static let tolerateCorruptedTailRecords = Int32(rocksdb_tolerate_corrupted_tail_records_recovery)
    static let fatalLevel: Int32 = 4
}

/// Options of a whole database, owned; the database copies them when it opens.
struct NativeOptions: ~Copyable {
    let pointer: OpaquePointer

    init(_ options: RocksOptions) {
        pointer = rocksdb_options_create()
        rocksdb_options_set_create_if_missing(pointer, options.createIfMissing ? 1 : 0)
        rocksdb_options_set_create_missing_column_families(pointer, options.createIfMissing ? 1 : 0)
        rocksdb_options_set_paranoid_checks(pointer, 1)
        rocksdb_options_set_wal_recovery_mode(pointer, Native.tolerateCorruptedTailRecords)
        rocksdb_options_set_max_open_files(pointer, Int32(clamping: options.maximumOpenFiles))
        rocksdb_options_set_max_background_jobs(pointer, Int32(clamping: options.backgroundJobs))
        rocksdb_options_set_db_write_buffer_size(pointer, max(1 << 20, options.writeBufferBytes))
        rocksdb_options_set_max_total_wal_size(pointer, UInt64(clamping: options.maximumLogBytes))
        rocksdb_options_set_bytes_per_sync(pointer, UInt64(clamping: options.bytesPerSync))
        rocksdb_options_set_atomic_flush(pointer, options.atomicFlush ? 1 : 0)
        rocksdb_options_set_is_fd_close_on_exec(pointer, 1)
        // RocksDB's own diary stays empty: in 7.8.3, with its assertions on, a line that finds the disk full aborts the
        // process at the next one (fixed in 8.1, facebook/rocksdb pull request 11314). Without a size to roll at, this
        // level silences even the lines that otherwise ignore it. What matters comes as an error of a call.
        rocksdb_options_set_info_log_level(pointer, Native.fatalLevel)
        rocksdb_options_set_keep_log_file_num(pointer, 4)
        if options.countsOperations { rocksdb_options_enable_statistics(pointer) }
        rocksdb_options_set_stats_dump_period_sec(pointer, 0)
        rocksdb_options_set_stats_persist_period_sec(pointer, 0)
        // Reading statistics out of every file would make a large store slow to open.
        rocksdb_options_set_skip_stats_update_on_db_open(pointer, 1)
        rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(pointer, 1)
    }

    /// A family's options: the database's, and what the family says for itself.
    init(_ family: RocksFamily, of options: RocksOptions, cache: borrowing BlockCache) {
        self.init(options)
        rocksdb_options_set_write_buffer_size(pointer, max(1 << 16, family.writeBufferBytes))
        rocksdb_options_set_max_write_buffer_number(pointer, 4)
        rocksdb_options_set_compression(pointer, family.compression.rawValue)
        rocksdb_options_set_level_compaction_dynamic_level_bytes(pointer, 1)
        if let files = options.stopsAtFiles {
            rocksdb_options_set_level0_file_num_compaction_trigger(pointer, Int32(clamping: files))
            rocksdb_options_set_level0_slowdown_writes_trigger(pointer, Int32(clamping: files))
            rocksdb_options_set_level0_stop_writes_trigger(pointer, Int32(clamping: files))
        }
        let table: OpaquePointer = rocksdb_block_based_options_create()
        rocksdb_block_based_options_set_block_cache(table, cache.pointer)
        rocksdb_block_based_options_set_block_size(table, max(1 << 10, family.blockBytes))
        rocksdb_block_based_options_set_format_version(table, 5)
        // Indexes and filters count against the cache, so memory is bounded by the budget, not by the data.
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1)
        rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
        // In parts, of which a lookup needs one: whole ones of a large store would push each other out of the cache, and a
        // lookup of a key that was never written would read megabytes (seen with 600 000 open payments: 70 % of a shard's
        // time).
        rocksdb_block_based_options_set_index_type(
            table, Int32(rocksdb_block_based_table_index_type_two_level_index_search))
        rocksdb_block_based_options_set_partition_filters(table, 1)
        rocksdb_block_based_options_set_metadata_block_size(table, 4 << 10)
        rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1)
        if family.bloomBitsPerKey > 0 {
            // The table options own the filter from here on.
            rocksdb_block_based_options_set_filter_policy(
                table, rocksdb_filterpolicy_create_bloom_full(family.bloomBitsPerKey))
            rocksdb_options_set_memtable_prefix_bloom_size_ratio(pointer, 0.02)
            rocksdb_options_set_memtable_whole_key_filtering(pointer, 1)
        }
        if family.compactsDeletions {
            rocksdb_options_add_compact_on_deletion_collector_factory(pointer, 16_384, 8_192)
        }
        rocksdb_options_set_block_based_table_factory(pointer, table)
        rocksdb_block_based_options_destroy(table)
    }

    deinit { rocksdb_options_destroy(pointer) }
}

/// The cache of blocks; the database keeps its own share of it, so this handle may go after the open.
struct BlockCache: ~Copyable {
    let pointer: OpaquePointer
    init(bytes: Int) { pointer = rocksdb_cache_create_lru(max(1 << 20, bytes)) }
    deinit { rocksdb_cache_destroy(pointer) }
}

/// Options of one read or iterator, with the bounds they point to.
struct ReadOptions: ~Copyable {
    let pointer: OpaquePointer
    private var bounds: [UnsafeMutableRawBufferPointer] = []

    init() { pointer = rocksdb_readoptions_create() }

    /// Keys from `lower` (inclusive); the bytes are copied.
    mutating func setLowerBound(_ bytes: RawSpan) {
        let copy = keep(bytes)
        rocksdb_readoptions_set_iterate_lower_bound(
            pointer, copy.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.byteCount)
    }

    /// Keys below `upper`; the bytes are copied.
    mutating func setUpperBound(_ bytes: RawSpan) {
        let copy = keep(bytes)
        rocksdb_readoptions_set_iterate_upper_bound(
            pointer, copy.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.byteCount)
    }

    /// RocksDB keeps only a pointer to a bound, so the copy lives as long as these options.
    private mutating func keep(_ bytes: RawSpan) -> UnsafeMutableRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.byteCount), alignment: 1)
        bytes.withUnsafeBytes { copy.copyMemory(from: $0) }
        bounds.append(copy)
        return copy
    }

    deinit {
        rocksdb_readoptions_destroy(pointer)
        for bound in bounds { bound.deallocate() }
    }
}
