import CRDKafka
import Synchronization

/// One transactional producer. Every call may block up to its time-out: never on a shard's thread. One thread at a time.
///
/// After an error that is fatal, timed out or indefinite the producer must be thrown away: a new one's
/// `initTransactions` bumps the epoch, which fences every request of the old one that may still be on its way.
public final class KafkaTransactionalProducer: Sendable {
    private let sink: KafkaRecordSink
    private let reporter: Reporter
    private let sinceService = Atomic<Int>(0)
    /// The id that fences.
    public let transactionalID: String

    /// Delivery reports of the transaction at hand; held by the client's callback, which calls it for every record.
    private final class Reporter: Sendable {
        private struct Deliveries {
            var failed: KafkaError?
            var highest: [Int32: Int64] = [:]
        }

        private let deliveries = Mutex(Deliveries())
        /// The tracked topic's object as reports name it; 0 for none.
        private let tracked = Atomic<UInt>(0)

        func track(_ topic: OpaquePointer?) { tracked.store(UInt(bitPattern: topic), ordering: .releasing) }

        func begin() { deliveries.withLock { $0 = Deliveries() } }

        var failed: KafkaError? { deliveries.withLock { $0.failed } }

        var highest: [Int32: Int64] { deliveries.withLock { $0.highest } }

        func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
            if message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                let error = KafkaError(code: message.pointee.err, operation: "deliver")
                deliveries.withLock { if $0.failed == nil { $0.failed = error } }
                return
            }
            // Most records end here.
            guard UInt(bitPattern: message.pointee.rkt) == tracked.load(ordering: .acquiring) else { return }
            let (partition, offset) = (message.pointee.partition, message.pointee.offset)
            deliveries.withLock { $0.highest[partition] = max($0.highest[partition] ?? -1, offset) }
        }
    }

    /// A producer.
    /// - Parameters:
    ///   - configuration: how to reach the cluster.
    ///   - transactionalID: `<groupId>-<instanceId>-<shard>`.
    ///   - clientID: shown to the broker; the same text.
    ///   - topics: full names; records name their topic by index.
    ///   - trackedTopic: index of the topic whose offsets `deliveredOffsets` tells.
    public init(
        _ configuration: KafkaConfiguration, transactionalID: String, clientID: String, topics: [String],
        trackedTopic: Int = -1
    ) throws {
        let reporter = Reporter()
        let client = try KafkaClient(
            configuration, role: .transactionalProducer(transactionalID: transactionalID), clientID: clientID,
            delivered: { message in reporter.delivered(message) })
        sink = try KafkaRecordSink(client: client, topics: topics)
        self.reporter = reporter
        self.transactionalID = transactionalID
        if topics.indices.contains(trackedTopic) { reporter.track(sink.topic(trackedTopic)) }
    }

    /// Registers the id: aborts what an earlier producer of this id left open, waits for what it decided, and fences
    /// it. Once for each producer; retriable after a time-out.
    public func initTransactions(timeout: Duration) throws(KafkaError) {
        try check(rd_kafka_init_transactions(sink.client.pointer, milliseconds(timeout)), "init-transactions")
    }

    /// Begins a transaction. Local: does not ask the broker.
    public func begin() throws(KafkaError) {
        reporter.begin()
        try check(rd_kafka_begin_transaction(sink.client.pointer), "begin")
    }

    /// Hands a record over; waits only where the bounded queue is full, at most `timeout`.
    public func produce(
        _ record: KafkaOutgoing, headers: Int = 0, timeout: Duration = .seconds(5),
        fill: (borrowing KafkaHeaders) -> Void = { _ in }
    ) throws(KafkaError) {
        var deadline: ContinuousClock.Instant?
        while true {
            let list = KafkaHeaders(capacity: headers)
            if headers > 0 { fill(list) }
            do {
                try sink.produce(record, headers: list, opaque: nil)
                if sinceService.wrappingAdd(1, ordering: .relaxed).newValue % 1_024 == 0 {
                    rd_kafka_poll(sink.client.pointer, 0)
                }
                return
            } catch  where error.code == .queueFull {
                let until = deadline ?? ContinuousClock.now + timeout
                deadline = until
                guard ContinuousClock.now < until else { throw error }
                rd_kafka_poll(sink.client.pointer, 10)
            }
        }
    }

    /// Adds consumed positions to the transaction, checked by the broker against `group`'s generation: the only call
    /// in which ownership is checked.
    public func sendOffsets(
        _ offsets: [KafkaOffset], group: KafkaGroupMetadata, timeout: Duration
    ) throws(KafkaError) {
        guard group.isChecked else {
            throw KafkaError(
                operation: "send-offsets", code: .unknownMember, detail: "no membership: the broker would not check it",
                isAbortable: true)
        }
        try sendOffsets(offsets, group, timeout)
    }

    /// Sends positions without member and generation, which the broker takes from anybody (row B42). For the test that
    /// shows why `sendOffsets` refuses that.
    package func sendOffsetsUnchecked(
        _ offsets: [KafkaOffset], groupID: String, timeout: Duration
    ) throws(KafkaError) {
        try sendOffsets(offsets, KafkaGroupMetadata(groupID: groupID, generation: -1, memberID: ""), timeout)
    }

    private func sendOffsets(
        _ offsets: [KafkaOffset], _ group: KafkaGroupMetadata, _ timeout: Duration
    ) throws(KafkaError) {
        let list = TopicPartitionList(offsets)
        let error = group.withPointer {
            rd_kafka_send_offsets_to_transaction(sink.client.pointer, list.pointer, $0, milliseconds(timeout))
        }
        guard let error else {
            throw KafkaError(
                operation: "send-offsets", code: .invalidArgument, detail: "group metadata", isAbortable: true)
        }
        try check(error, "send-offsets")
    }

    /// Flushes and commits. A time-out leaves the outcome unknown.
    public func commit(timeout: Duration) throws(KafkaError) {
        try check(rd_kafka_commit_transaction(sink.client.pointer, milliseconds(timeout)), "commit")
        // The library refuses to commit after a failed delivery; asked again because money hangs on it.
        if let failed = reporter.failed { throw failed }
    }

    /// Aborts: nothing of the transaction becomes visible.
    public func abort(timeout: Duration) throws(KafkaError) {
        try check(rd_kafka_abort_transaction(sink.client.pointer, milliseconds(timeout)), "abort")
    }

    /// Highest offset that the broker gave to a record of the tracked topic in this transaction, by partition.
    public var deliveredOffsets: [Int32: Int64] { reporter.highest }

    /// The error that has finished the client, if one has.
    public var fatalError: KafkaError? { sink.client.fatalError }

    /// Serves callbacks while nothing is produced (statistics, errors). Never blocks.
    public func service() { rd_kafka_poll(sink.client.pointer, 0) }

    /// Aborts what a dead owner left open under its id, and fences it, by a throw-away producer: afterwards its
    /// successor need not wait for the transaction's time-out. Never for an owner that may be healthy.
    public static func fence(
        _ configuration: KafkaConfiguration, transactionalID: String, clientID: String, timeout: Duration
    ) throws {
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: transactionalID, clientID: clientID, topics: [])
        try producer.initTransactions(timeout: timeout)
    }

    private func check(_ error: OpaquePointer?, _ operation: String) throws(KafkaError) {
        guard let error else { return }
        var told = KafkaError(consuming: error, operation: operation)
        // After records were refused in the background the next call says only that the transaction is in a bad state.
        if told.code == .wrongState, let line = sink.client.lastLine { told.detail += "; last seen: \(line)" }
        throw told
    }
}
