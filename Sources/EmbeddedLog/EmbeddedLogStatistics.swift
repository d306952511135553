/// What the embedded log has done since it was opened; for metrics.
public struct EmbeddedLogStatistics: Sendable, Equatable {
    /// Synced writes.
    public private(set) var groups: UInt64 = 0
    /// Bytes of these writes.
    public private(set) var bytes: UInt64 = 0
    /// Time that these writes took, their syncs included, in nanoseconds.
    public private(set) var writeNanoseconds: UInt64 = 0
    /// The longest of them, in nanoseconds.
    public private(set) var longestWriteNanoseconds: UInt64 = 0
    /// How often the store was opened again after a failed write.
    public internal(set) var reopenings: UInt64 = 0
    /// How often a write was turned away, and tried again, because the store's background work lagged behind.
    public internal(set) var stalls: UInt64 = 0
    /// Bytes in memory: write buffers and block cache. Set when the statistics are asked for.
    public internal(set) var memoryBytes: UInt64 = 0

    mutating func add(bytes: Int, nanoseconds: UInt64) {
        groups += 1
        self.bytes += UInt64(bytes)
        writeNanoseconds += nanoseconds
        longestWriteNanoseconds = max(longestWriteNanoseconds, nanoseconds)
    }
}
