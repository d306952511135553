import KafkaTransport

/// Something that happened and that is worth counting.
public enum KafkaLogMeasure: Sendable, Equatable {
    /// How a transaction ended.
    public enum End: String, Sendable, CaseIterable {
        /// Durable and visible.
        case committed
        /// Nothing of it is visible.
        case aborted
        /// Nothing of it is visible, because somebody else is the owner.
        case fenced
        /// Nobody knows until the log has been read again.
        case unknown
    }

    /// A transaction of a shard ended, so long after it began.
    case transaction(shard: Int, End, Duration)
    /// A shard initialised a producer; more than one since the start: the one before was replaced.
    case producer(shard: Int)
    /// A shard restored partitions: so many, with so many records of the state topic, in that time.
    case restored(shard: Int, partitions: Int, records: Int, Duration)
    /// A person must look: the text was reported, too.
    case alarm(KafkaAlarm)
}

/// What a person must look at.
public enum KafkaAlarm: String, Sendable, CaseIterable {
    /// Inputs were deleted before they were taken in. The partition stands still.
    case offsetOutOfRange = "kafka-offset-out-of-range"
    /// The state topic ends before the point that it had reached. The partition stands still.
    case stateLost = "kafka-state-lost"
    /// The state topic is another one than that of which the local copy was made.
    case stateTopicAnew = "kafka-state-topic-anew"
}

/// What one look at a partition showed.
public struct KafkaPartitionFigures: Sendable, Equatable {
    /// The topic, without the prefix.
    public var topic: String
    /// The partition.
    public var partition: Int32
    /// Inputs (`commands`, `notifications`): stable records that no commit has taken in. Outputs: nil.
    public var lag: Int64?
    /// Outputs (`events`, `settlements`, `state`): records behind the last stable offset. Inputs: nil.
    public var unstable: Int64?
    /// For how long the last stable offset has stood still below the end: an open transaction, no older than that.
    public var stalled: Duration?
}
