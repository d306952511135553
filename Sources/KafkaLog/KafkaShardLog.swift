import Dispatch
import EventLog
import KafkaTransport
import PaymentModel
import Synchronization

/// One shard's end of the Kafka log: one member of the consumer group and one transactional producer.
///
/// Three threads: the shard's (never blocks here), the poll thread (group, records), and the worker (everything that
/// waits for a broker: commits, restores), which does one thing at a time.
public final class KafkaShardLog: ShardLog {
    let log: KafkaEventLog
    let index: Int
    /// The producer's id and the member's client id.
    let transactionalID: String
    let state = Mutex(ShardState())
    let worker: DispatchQueue
    let bench: ShardBench
    private let inbox: ShardInbox
    private let consumer = Mutex<KafkaGroupConsumer?>(nil)
    /// Watches, holds and breaks commits in tests.
    package let watcher = Mutex<(@Sendable (CommitStep) -> StepAction)?>(nil)

    #if DEBUG
        /// Rules that a test leaves out.
        package let omitted: Omissions
    #endif

    init(log: KafkaEventLog, index: Int) {
        self.log = log
        self.index = index
        transactionalID = log.transactionalID(index)
        worker = DispatchQueue(label: "kafka-shard-\(index)")
        #if DEBUG
            let omitted = Omissions()
            self.omitted = omitted
            bench = ShardBench(log: log, transactionalID: transactionalID, keeps: omitted.keeps)
        #else
            bench = ShardBench(log: log, transactionalID: transactionalID) { _ in true }
        #endif
        inbox = ShardInbox(commands: log.name(.commands), notifications: log.name(.notifications))
    }

    /// The number of partitions of every topic.
    public var partitionCount: Int32 { log.partitionCount }

    /// Joins the group. See `ShardLog`.
    public func start(
        wake: @escaping @Sendable () -> Void, completion: @escaping @Sendable (LogError?) -> Void
    ) {
        worker.async { [self] in
            do {
                let member = try KafkaGroupConsumer(
                    log.settings.cluster, groupID: log.settings.groupID, clientID: transactionalID,
                    topics: [log.name(.commands), log.name(.notifications)],
                    maximumPollInterval: log.settings.maximumPollInterval, handlers: handlers())
                state.withLock {
                    $0.wake = wake
                    $0.started = true
                    $0.waiting = true
                }
                consumer.withLock { $0 = member }
                try member.start()
                serveProducer()
                completion(nil)
            } catch {
                completion(LogError(.misconfigured, "\(error)"))
            }
        }
    }

    /// The library hands out statistics and errors when it is asked; while nothing is committed nobody else asks.
    private func serveProducer() {
        worker.asyncAfter(deadline: .now() + .seconds(2)) { [weak self] in
            guard let self, !state.withLock({ $0.closed }) else { return }
            bench.transactor.producer?.service()
            serveProducer()
        }
    }

    /// Takes what is ready. See `ShardLog`.
    public func poll(into batch: inout RecordBatch, limit: PollLimit) throws(LogError) -> [LogEvent] {
        let events: [LogEvent]? = state.withLock { state in
            guard state.started, !state.closed else { return nil }
            var events = state.events
            state.events.removeAll(keepingCapacity: true)
            if !state.failed {
                let count = state.handOver.take(into: &batch, limit: limit)
                if count > 0 { events.append(.records(count: count)) }
            }
            state.waiting = events.isEmpty
            return events
        }
        guard let events else { throw LogError(.closed, "the shard is not started, or closed") }
        return events
    }

    /// One transaction. See `ShardLog`.
    public func commit(_ batch: CommitBatch, completion: @escaping @Sendable (CommitBatch, LogError?) -> Void) {
        let refusal: LogError? = state.withLock { state in
            guard state.started, !state.closed else { return LogError(.closed, "the shard is not started, or closed") }
            if state.failed { return LogError(.aborted, "a commit failed: recover first") }
            if state.inFlight { return LogError(.aborted, "a commit is in flight") }
            state.inFlight = true
            return nil
        }
        worker.async { [self] in
            if let refusal { return completion(batch, refusal) }
            let error = transact(batch)
            state.withLock {
                $0.inFlight = false
                if error != nil { $0.failed = true }
            }
            completion(batch, error)
        }
    }

    /// Reads the log again, as a new owner would. See `ShardLog`.
    public func recover(completion: @escaping @Sendable (LogError?) -> Void) {
        worker.async { [self] in
            let token: UInt64? = state.withLock { state in
                guard state.started, !state.closed else { return nil }
                state.token += 1
                state.failed = false
                state.revokeAll()
                return state.token
            }
            guard let token else { return completion(LogError(.closed, "the shard is not started, or closed")) }
            releaseOwnership()
            // Without membership the group gives the partitions again, or to somebody else: that is told by poll.
            do {
                try restore(token)
                completion(nil)
            } catch {
                log.settings.report(4, "shard \(index): recovery failed: \(error)")
                retryRestore(token, after: .milliseconds(500))
                completion(nil)
            }
        }
    }

    /// An entry as of the last commit. See `ShardLog`.
    public func entry<Result>(
        partition: Int32, space: StateSpace, key: [UInt8], _ body: (borrowing StoredEntry) throws -> Result
    ) throws -> Result? {
        try log.copy.entry(partition, space, key, body)
    }

    /// The payment of a reference. See `ShardLog`.
    public func key(reference: [UInt8], partition: Int32) throws(LogError) -> [UInt8]? {
        try log.copy.key(reference: reference, partition)
    }

    /// Due timers. See `ShardLog`.
    public func timers(
        partition: Int32, through: Timestamp, after: DueTimer?, limit: Int
    ) throws(LogError) -> [DueTimer] {
        try log.copy.timers(partition, through: through, after: after, limit: limit)
    }

    /// Leaves the group after the commit in flight. See `ShardLog`.
    public func close(completion: @escaping @Sendable () -> Void) {
        end()
        DispatchQueue.global().async { [self] in
            let member = consumer.withLock { member in
                defer { member = nil }
                return member
            }
            member?.close()
            worker.sync { bench.clear() }
            releaseOwnership()
            completion()
        }
    }

    /// Ends everything as a crash does: the group learns of it by the session's time-out, an open transaction stays.
    package func abandon() {
        end()
        let member = consumer.withLock { member in
            defer { member = nil }
            return member
        }
        member?.abandon()
        worker.sync { bench.clear() }
        releaseOwnership()
    }

    /// Stalls the poll thread, as a stopped process does. For tests.
    package func setStalled(_ value: Bool) { consumer.withLock { $0 }?.setStalled(value) }

    /// The metadata of the present generation. For tests.
    package var generation: KafkaGroupMetadata? { state.withLock { $0.membership?.metadata } }

    /// The producer whose request to end its transaction is still on its way. For the test of row C24.
    package var lateProducer: KafkaTransactionalProducer? { worker.sync { bench.transactor.late } }

    private func end() {
        state.withLock {
            $0.closed = true
            $0.wake = nil
        }
    }

    /// Whether work under this token still counts.
    func isCurrent(_ token: UInt64) -> Bool { state.withLock { $0.token == token && !$0.closed } }

    /// Nothing here is ours any more.
    func releaseOwnership() {
        for partition in 0..<partitionCount { log.setOwner(partition, nil, from: index) }
    }

    /// The partitions that the group has given, and committed positions of those that are restored.
    var standing: (partitions: [Int32], positions: [KafkaOffset]) {
        state.withLock { state in
            let positions = state.owned.flatMap { partition, owned in
                [
                    KafkaOffset(topic: log.name(.commands), partition: partition, offset: owned.commands),
                    KafkaOffset(topic: log.name(.notifications), partition: partition, offset: owned.notifications),
                ]
            }
            return (state.membership?.partitions ?? [], positions)
        }
    }

    /// Metadata that is read now: what row B41 forbids.
    func freshMetadata() -> KafkaGroupMetadata? { consumer.withLock { $0 }?.presentMetadata }

    /// Committed offsets, stable ones only.
    func stableOffsets(_ asked: [KafkaOffset]) throws -> [KafkaOffset] {
        if !keeps(.stableOffsets) { return try log.observer.committed(asked, timeout: .seconds(5)) }
        guard let member = consumer.withLock({ $0 }) else { throw LogError(.closed, "closed") }
        return try member.committed(asked, timeout: .milliseconds(500))
    }

    /// Restores later, where it did not work now.
    func retryRestore(_ token: UInt64, after delay: DispatchTimeInterval) {
        worker.asyncAfter(deadline: .now() + delay) { [self] in
            guard isCurrent(token) else { return }
            do {
                try restore(token)
            } catch {
                log.settings.report(4, "shard \(index): restore failed: \(error)")
                retryRestore(token, after: .seconds(1))
            }
        }
    }
}

// What the poll thread does.
extension KafkaShardLog {
    private func handlers() -> KafkaGroupConsumer.Handlers {
        KafkaGroupConsumer.Handlers(
            assigned: { [weak self] in self?.assigned($0, $1) },
            revoked: { [weak self] in self?.revoked(lost: $0) },
            received: { [inbox] in inbox.take($0) },
            drained: { [weak self] in self?.handOver() },
            between: { [weak self] in self?.between() },
            failed: { [weak self] in self?.failed($0, $1, $2) })
    }

    private func assigned(_ offsets: [KafkaOffset], _ metadata: KafkaGroupMetadata?) {
        func partitions(_ topic: Topic) -> Set<Int32> {
            Set(offsets.filter { $0.topic == log.name(topic) }.map(\.partition))
        }
        // "range" gives the same partitions of both topics, because both have the same number of them.
        let both = partitions(.commands).intersection(partitions(.notifications))
        if both.count * 2 != offsets.count {
            log.settings.report(2, "shard \(index): the group assigned commands and notifications apart: \(offsets)")
        }
        let token = state.withLock { state in
            state.token += 1
            state.staleSince = nil
            state.membership = metadata.map {
                ShardState.Membership(partitions: both.sorted(), metadata: $0)
            }
            return state.token
        }
        log.settings.report(
            6, "shard \(index): assigned \(both.sorted()) in generation \(metadata?.generation ?? -1)")
        retryRestore(token, after: .milliseconds(0))
    }

    /// The commit in flight is finished before this returns; then the partitions may go to somebody else.
    private func revoked(lost: Bool) {
        state.withLock {
            $0.token += 1
            $0.membership = nil
            $0.staleSince = nil
            $0.fetch = nil
        }
        if keeps(.finishBeforeRevoke) { worker.sync {} }
        releaseOwnership()
        let wake = state.withLock { state in
            state.revokeAll()
            return state.wakeUp()
        }
        inbox.clear()
        log.settings.report(6, "shard \(index): partitions revoked\(lost ? " (lost)" : "")")
        wake?()
    }

    private func between() {
        let (job, full, rejoin) = state.withLock { state in
            defer { state.fetch = nil }
            var rejoin = false
            // The broker refuses us and the client has not noticed for longer than a session may last.
            if let since = state.staleSince, since.duration(to: .now) > .seconds(15) {
                state.staleSince = .now
                rejoin = true
            }
            return (state.fetch, state.handOver.isFull, rejoin)
        }
        let member = consumer.withLock { $0 }
        if rejoin { member?.rejoin() }
        if let job {
            inbox.clear()
            do {
                try member?.fetch(from: job.offsets)
                state.withLock { if $0.token == job.token { $0.accepting = job.token } }
            } catch {
                log.settings.report(3, "shard \(index): \(error)")
                retryRestore(job.token, after: .seconds(1))
            }
        }
        member?.setPaused(full)
    }

    private func handOver() {
        guard !inbox.batch.records.isEmpty else { return }
        let wake: (@Sendable () -> Void)? = state.withLock { state in
            guard state.accepting == state.token, !state.closed else { return nil }
            state.handOver.append(inbox.batch)
            return state.failed ? nil : state.wakeUp()
        }
        inbox.clear()
        wake?()
    }

    private func failed(_ error: KafkaError, _ topic: String, _ partition: Int32) {
        if error.code == .offsetReset {
            log.alarm(
                .offsetOutOfRange,
                "\(topic) [\(partition)]: the committed offset is out of range: records were deleted before they "
                    + "were taken in. The partition stands still; see the documentation before resetting its offset")
        } else {
            log.settings.report(3, "shard \(index): \(topic) [\(partition)]: \(error)")
        }
    }
}

/// Records on their way through the poll thread. Used on that thread only.
final class ShardInbox: @unchecked Sendable {  // confined to the poll thread, one at a time
    var batch = RecordBatch()
    private let commands: String
    private let notifications: String
    private var topics: [UInt: Topic] = [:]

    init(commands: String, notifications: String) {
        self.commands = commands
        self.notifications = notifications
    }

    func take(_ message: borrowing KafkaMessage) {
        let identity = message.topicIdentity
        let topic: Topic
        if let known = topics[identity] {
            topic = known
        } else {
            topic = message.topic == notifications ? .notifications : .commands
            topics[identity] = topic
        }
        let start = batch.bytes.count
        FrameCodec.append(message, to: &batch.bytes)
        batch.records.append(
            RecordSlot(
                topic: topic, partition: message.partition, offset: message.offset, frame: start..<batch.bytes.count))
    }

    func clear() { batch.removeAll() }
}
