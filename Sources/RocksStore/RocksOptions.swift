/// What one column family holds decides how it is stored.
public struct RocksFamily: Sendable, Equatable {
    /// How its blocks are compressed.
    public enum Compression: Int32, Sendable {
        /// Not at all: for tiny values.
        case none = 0
        /// LZ4: cheap, about half the bytes of JSON.
        case lz4 = 4
        /// Zstandard: fewest bytes, dearest.
        case zstd = 7
    }

    /// The family's name in the directory.
    public var name: String
    /// Bits per key of the bloom filter that answers for keys never written; 0 = no filter.
    public var bloomBitsPerKey: Double
    /// Bytes of a family's write buffer before it is flushed to a file.
    public var writeBufferBytes: Int
    /// How its blocks are compressed.
    public var compression: Compression
    /// Bytes of a block before compression: small for point reads, large for scans.
    public var blockBytes: Int

    /// Whether files in which most keys are deletions are compacted soon: for queues, whose reading begins at keys that
    /// are gone.
    public var compactsDeletions = false

    /// Describes a family; the defaults suit point reads of small values.
    public init(
        _ name: String, bloomBitsPerKey: Double = 10, writeBufferBytes: Int = 32 << 20,
        compression: Compression = .lz4, blockBytes: Int = 8 << 10
    ) {
        self.name = name
        self.bloomBitsPerKey = bloomBitsPerKey
        self.writeBufferBytes = writeBufferBytes
        self.compression = compression
        self.blockBytes = blockBytes
    }
}

/// How a database is opened. Every limit of memory, files and threads is here.
public struct RocksOptions: Sendable, Equatable {
    /// Whether a missing directory is created (its parent must exist), and missing families with it.
    public var createIfMissing = true
    /// Bytes of the cache of blocks, indexes and filters, shared by all families.
    public var blockCacheBytes = 64 << 20
    /// Bytes of all write buffers together; the largest is flushed when they exceed it.
    public var writeBufferBytes = 96 << 20
    /// Bytes of write-ahead log after which families are flushed so that old log files go.
    /// It bounds the time of the next open after a crash.
    public var maximumLogBytes = 256 << 20
    /// Files RocksDB may hold open; the rest of its files is reopened on demand.
    public var maximumOpenFiles = 256
    /// Threads for flushes and compactions.
    public var backgroundJobs = 2
    /// Whether flushes of several families are one step. Needed where the write-ahead log is not used
    /// (`RocksDatabase.Durability.unlogged`) and a batch over several families has to stay atomic.
    public var atomicFlush = false
    /// Bytes per second that background writes are spread over; keeps a flush from stopping a commit's sync.
    public var bytesPerSync = 1 << 20

    /// Whether a synced write that would have to wait for background work is turned away (`RocksError.Kind.stalled`)
    /// instead of waiting: RocksDB would hold the writer for as long as it cannot flush or compact, and on a full disk
    /// nobody knows how long that is.
    public var turnsStalledWritesAway = false
    /// Stops writes as long as a family has so many files that are not compacted yet: how tests make writes stall.
    package var stopsAtFiles: Int?
    /// Has RocksDB count what it does (`RocksDatabase.count`): how tests see what was synced. Costs a little of each call.
    package var countsOperations = false

    /// The defaults above.
    public init() {}
}
