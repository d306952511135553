import EventLog
import PaymentModel

/// How long records of a topic stay. What neither names stays for ever.
public struct TopicRetention: Sendable, Equatable {
    /// Records older than this go.
    public var age: Milliseconds?
    /// Where a partition of the topic takes more bytes on disk than this, its oldest records go.
    public var bytes: Int64?

    /// A retention.
    public init(age: Milliseconds?, bytes: Int64? = nil) {
        self.age = age
        self.bytes = bytes
    }

    static func days(_ count: Int64) -> TopicRetention { TopicRetention(age: .seconds(count * 86_400)) }
}

/// How the embedded log is opened. Every limit of memory, queues and files is here.
public struct EmbeddedLogOptions: Sendable, Equatable {
    /// Partitions of every topic: recorded at the first start; another number is refused later. Nil: what is recorded,
    /// for commands that open the directory beside the daemon's life.
    public var partitionCount: Int32?
    /// How long to wait for a directory that another process holds.
    public var lockWait: Milliseconds = .zero
    /// Retention of records by topic (the contract, section 1: commands shorter than finished payments). Commands and
    /// notifications that no commit has taken in stay, whatever their age.
    public var retention: [Topic: TopicRetention] = [
        .commands: .days(7), .notifications: .days(7), .events: .days(30), .settlements: .days(90),
        .deadLetters: .days(30),
    ]
    /// Bytes of appended records that may wait for the disk; an append beyond that is refused as unavailable.
    public var maximumQueuedBytes = 32 << 20
    /// About how many bytes one synced write takes together.
    public var maximumGroupBytes = 8 << 20
    /// Bytes of RocksDB's block cache, which holds indexes and filters, too.
    public var blockCacheBytes = 64 << 20
    /// Bytes of RocksDB's write buffers.
    public var writeBufferBytes = 96 << 20
    /// Files RocksDB may hold open.
    public var maximumOpenFiles = 256
    /// How long a write is tried that RocksDB turns away because its background work lags behind or cannot go on; then it
    /// counts as a full disk.
    public var stallPatience: Milliseconds = .seconds(10)
    /// Has the store count its syncs (`EmbeddedLog.syncs`); for tests.
    package var countsSyncs = false

    /// The defaults above.
    public init(partitionCount: Int32? = nil) { self.partitionCount = partitionCount }
}
