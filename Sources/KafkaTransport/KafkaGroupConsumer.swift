import CRDKafka
import Glibc
import Synchronization

/// A member of the consumer group (eager, `range`; the library's cooperative protocol has open bugs). Polls on a thread
/// of its own, so that heartbeats and rebalances never wait for a shard, and hands records over as they come; the
/// taker bounds its queue by `setPaused`.
///
/// When the group assigns partitions nothing is fetched yet: the owner restores their state first and then calls
/// `fetch(from:)` with explicit offsets.
public final class KafkaGroupConsumer: Sendable {
    /// What the consumer tells; all closures run on its poll thread, one at a time.
    public struct Handlers: Sendable {
        /// The group has assigned these partitions. The metadata is that of this generation, captured now; nil where
        /// the client is no member any more (a new assignment will follow).
        public var assigned: @Sendable (_ partitions: [KafkaOffset], _ metadata: KafkaGroupMetadata?) -> Void
        /// All partitions go away when this returns: finish or abort the transaction first. `lost`: they may already
        /// belong to somebody else.
        public var revoked: @Sendable (_ lost: Bool) -> Void
        /// A record, in the order of its partition.
        public var received: @Sendable (_ message: borrowing KafkaMessage) -> Void
        /// The last `received` for now; the moment to wake the taker.
        public var drained: @Sendable () -> Void
        /// Between two polls: the moment to call `fetch` and `setPaused`, which belong to the poll thread.
        public var between: @Sendable () -> Void
        /// A partition cannot be read (an offset out of range, for one), or the client is finished.
        public var failed: @Sendable (_ error: KafkaError, _ topic: String, _ partition: Int32) -> Void

        /// Handlers.
        public init(
            assigned: @escaping @Sendable ([KafkaOffset], KafkaGroupMetadata?) -> Void,
            revoked: @escaping @Sendable (Bool) -> Void,
            received: @escaping @Sendable (borrowing KafkaMessage) -> Void,
            drained: @escaping @Sendable () -> Void,
            between: @escaping @Sendable () -> Void = {},
            failed: @escaping @Sendable (KafkaError, String, Int32) -> Void
        ) {
            self.assigned = assigned
            self.revoked = revoked
            self.received = received
            self.drained = drained
            self.between = between
            self.failed = failed
        }
    }

    private struct State {
        var fetching: [KafkaOffset] = []
        var paused = false
        var thread: ServiceThread?
    }

    private let client: KafkaClient
    private let handlers: Handlers
    private let topics: [String]
    private let stopping = Atomic<Bool>(false)
    private let abandoned = Atomic<Bool>(false)
    private let stalled = Atomic<Bool>(false)
    private let state = Mutex(State())
    /// How many records one round hands over before `drained`.
    private static let roundLimit = 500

    /// A consumer that is not yet a member; `start()` joins.
    /// - Parameters:
    ///   - configuration: how to reach the cluster.
    ///   - groupID: the group.
    ///   - clientID: `<groupId>-<instanceId>-<shard>`, by which a successor recognises this member.
    ///   - topics: full names.
    ///   - maximumPollInterval: how long the poll thread may be away (in a revoke handler that awaits a commit) before
    ///     the membership is given up; also how long a rebalance waits for this member.
    ///   - handlers: what is told.
    public init(
        _ configuration: KafkaConfiguration, groupID: String, clientID: String, topics: [String],
        maximumPollInterval: Duration = .seconds(30), handlers: Handlers
    ) throws(KafkaConfigurationError) {
        self.handlers = handlers
        self.topics = topics
        let relay = RebalanceRelay()
        client = try KafkaClient(
            configuration, role: .groupConsumer(groupID: groupID, pollInterval: milliseconds(maximumPollInterval)),
            clientID: clientID,
            rebalance: { code, partitions in relay.target.withLock { $0.value }?.rebalance(code, partitions) })
        relay.target.withLock { $0.value = self }
    }

    /// Breaks the circle between client and consumer: the client's callback holds the relay, the relay the consumer
    /// weakly.
    private final class RebalanceRelay: Sendable {
        struct Weak: Sendable { weak var value: KafkaGroupConsumer? }
        let target = Mutex(Weak())
    }

    /// Joins the group and starts the poll thread.
    public func start() throws(KafkaError) {
        let list = TopicPartitionList(topics.map { KafkaOffset(topic: $0, partition: -1, offset: 0) })
        let code = rd_kafka_subscribe(client.pointer, list.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code: code, operation: "subscribe") }
        state.withLock { $0.thread = ServiceThread(name: "kafka-poll") { [self] in run() } }
    }

    /// Leaves the group (the revoke handler runs) and stops the thread. Blocks until both are done.
    public func close() {
        stopping.store(true, ordering: .releasing)
        let thread = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
    }

    /// Ends the thread without leaving the group, as a crash does: the group learns of it by the session's time-out.
    package func abandon() {
        abandoned.store(true, ordering: .releasing)
        close()
    }

    /// Stalls the poll thread, as a stopped process does, until told otherwise. For tests.
    package func setStalled(_ value: Bool) { stalled.store(value, ordering: .releasing) }

    /// Starts fetching these partitions at these offsets, and no others. Replaces what was fetched before: records of
    /// the earlier positions that were not handed over are dropped by the library. Call it from `between` only: then
    /// no record of an earlier position can arrive after it.
    public func fetch(from offsets: [KafkaOffset]) throws(KafkaError) {
        let list = TopicPartitionList(offsets)
        let paused = state.withLock { state in
            state.fetching = offsets
            return state.paused
        }
        if !paused { rd_kafka_resume_partitions(client.pointer, list.pointer) }
        let code = rd_kafka_assign(client.pointer, list.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code: code, operation: "assign") }
        if paused { rd_kafka_pause_partitions(client.pointer, list.pointer) }
    }

    /// Stops or resumes fetching without leaving the group. Cheap when nothing changes. The library drops what it has
    /// prefetched and asks for it again at resumption.
    public func setPaused(_ paused: Bool) {
        let fetching = state.withLock { state -> [KafkaOffset]? in
            guard state.paused != paused else { return nil }
            state.paused = paused
            return state.fetching
        }
        guard let fetching, !fetching.isEmpty else { return }
        let list = TopicPartitionList(fetching)
        _ =
            paused
            ? rd_kafka_pause_partitions(client.pointer, list.pointer)
            : rd_kafka_resume_partitions(client.pointer, list.pointer)
    }

    /// Committed offsets, *stable* ones only: while a transaction with an offset of such a partition is open the
    /// broker answers `unstableOffset`, which is retriable. `.invalid` where nothing is committed. Blocks.
    public func committed(_ partitions: [KafkaOffset], timeout: Duration) throws(KafkaError) -> [KafkaOffset] {
        try client.committed(partitions, timeout: timeout)
    }

    /// The metadata of this moment, whatever generation that is. Never for a commit (row B41); for the test of that.
    package var presentMetadata: KafkaGroupMetadata? { KafkaGroupMetadata(of: client.pointer) }

    /// Leaves and joins again: the way out when the broker has forgotten this member and the client has not noticed.
    public func rejoin() {
        let list = TopicPartitionList(topics.map { KafkaOffset(topic: $0, partition: -1, offset: 0) })
        rd_kafka_unsubscribe(client.pointer)
        rd_kafka_subscribe(client.pointer, list.pointer)
    }

    /// The error that has finished the client, if one has.
    public var fatalError: KafkaError? { client.fatalError }

    /// The last complaint of the library's own.
    public var lastError: KafkaError? { client.lastError }

    private func run() {
        while !stopping.load(ordering: .acquiring) {
            if stalled.load(ordering: .acquiring) {
                usleep(5_000)
                continue
            }
            handlers.between()
            guard let first = rd_kafka_consumer_poll(client.pointer, 20) else { continue }
            take(KafkaMessage(owning: first))
            var count = 1
            while count < KafkaGroupConsumer.roundLimit, let next = rd_kafka_consumer_poll(client.pointer, 0) {
                take(KafkaMessage(owning: next))
                count += 1
            }
            handlers.drained()
        }
        if !abandoned.load(ordering: .acquiring) { rd_kafka_consumer_close(client.pointer) }
    }

    private func take(_ message: consuming KafkaMessage) {
        if let error = message.error {
            handlers.failed(error, message.topic, message.partition)
        } else {
            handlers.received(message)
        }
    }

    /// Runs on the poll thread, or on the closing one.
    private func rebalance(
        _ code: rd_kafka_resp_err_t, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let assigned = TopicPartitionList.offsets(partitions)
            // While the library waits for the assign call the generation cannot move: what is read now is that of
            // this assignment, or empty where the membership was lost meanwhile.
            let metadata = KafkaGroupMetadata(of: client.pointer).flatMap { $0.isChecked ? $0 : nil }
            let nothing = TopicPartitionList(capacity: 0)
            rd_kafka_assign(client.pointer, nothing.pointer)
            state.withLock { $0.fetching = [] }
            handlers.assigned(assigned, metadata)
        } else {
            handlers.revoked(rd_kafka_assignment_lost(client.pointer) != 0)
            rd_kafka_assign(client.pointer, nil)
            state.withLock { $0.fetching = [] }
        }
    }
}

extension KafkaClient {
    /// See `KafkaGroupConsumer.committed`; whether only stable offsets are answered is decided by the client's
    /// isolation level.
    func committed(_ partitions: [KafkaOffset], timeout: Duration) throws(KafkaError) -> [KafkaOffset] {
        let list = TopicPartitionList(partitions)
        let code = rd_kafka_committed(pointer, list.pointer, milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code: code, operation: "committed") }
        if let error = list.elementError(operation: "committed") { throw error }
        return list.offsets
    }
}
