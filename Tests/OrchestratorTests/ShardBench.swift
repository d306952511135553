import EventLog
import Orchestrator
import PaymentModel
import RecordFormat
import SwitchyardSimulation
import Synchronization

/// Alarms as they came.
final class RecordedAlarms: AlarmSink {
    private let alarms = Mutex<[ShardAlarm]>([])
    func raise(_ alarm: ShardAlarm, shard: Int) { alarms.withLock { $0.append(alarm) } }
    var all: [ShardAlarm] { alarms.withLock { $0 } }
}

/// A number that closures share.
final class SharedDelay: Sendable {
    private let value: Atomic<Int64>
    init(_ value: Int64) { self.value = Atomic(value) }
    func load() -> Int64 { value.load(ordering: .relaxed) }
    func store(_ new: Int64) { value.store(new, ordering: .relaxed) }
}

/// One shard (or several, one after the other) on a memory log, a scripted transport and virtual time.
final class ShardBench {
    typealias BenchPorts = Ports<
        SimulatedExecutor, MemoryShardLog, ScriptedTransport, VirtualClock, TestDomain, RecordedAlarms
    >

    let scheduler: Scheduler
    let log: MemoryLog
    let transport: ScriptedTransport
    let domain: DomainBox<TestDomain>
    let alarms = RecordedAlarms()
    var limits: ShardLimits
    private(set) var shard: Shard<BenchPorts>
    private(set) var executor: SimulatedExecutor
    private(set) var shardLog: MemoryShardLog
    private var sent = 0
    /// How long the log takes for everything, in milliseconds; 0: at once, within the call.
    let logDelay = SharedDelay(0)

    /// - Parameter delayed: deliver the log's completions by the scheduler, one millisecond later each, instead of at once.
    init(
        partitions: Int32 = 2, domain: TestDomain = TestDomain(), limits: ShardLimits = ShardLimits(),
        delayed: Bool = false
    ) {
        let scheduler = Scheduler(seed: 1, wall: Timestamp(milliseconds: 1_790_000_000_000))
        self.scheduler = scheduler
        let logDelay = logDelay
        logDelay.store(delayed ? 1 : 0)
        log = MemoryLog(
            partitionCount: partitions,
            deliver: { work in
                let delay = logDelay.load()
                if delay > 0 { scheduler.after(delay, work) } else { work() }
            })
        transport = ScriptedTransport(clock: { scheduler.monotonic })
        self.domain = DomainBox(domain)
        self.limits = limits
        executor = SimulatedExecutor(scheduler)
        shardLog = log.shard(partitions: Array(0..<partitions))
        shard = Shard(
            index: 0,
            ports: Ports(
                executor: executor, log: shardLog, transport: transport, clock: VirtualClock(scheduler),
                domain: self.domain, alarms: alarms), limits: limits)
    }

    /// Starts the shard and lets it take its partitions.
    func start() {
        shard.start()
        scheduler.run(for: 10)
    }

    /// The process dies: nothing of the shard runs any more, its exchanges' ends are nobody's. Another one starts.
    func crashAndRestart(index: Int = 1, predecessorDead: Bool = true) {
        executor.stop()
        log.setPredecessorProvenDead(predecessorDead)
        executor = SimulatedExecutor(scheduler)
        shardLog = log.shard(partitions: Array(0..<log.partitionCount))
        shard = Shard(
            index: index,
            ports: Ports(
                executor: executor, log: shardLog, transport: transport, clock: VirtualClock(scheduler),
                domain: domain, alarms: alarms), limits: limits)
        start()
    }

    func run(_ milliseconds: Int64) { scheduler.run(for: milliseconds) }

    // MARK: In

    /// Publishes a command; its id is `c<n>` unless given.
    @discardableResult
    func send(_ type: String, _ payment: String, _ rest: String? = nil, id: String? = nil) -> String {
        sent += 1
        let id = id ?? "c\(sent)"
        var value = "\(type)|\(payment)|\(id)"
        if let rest { value += "|\(rest)" }
        append(
            .commands, key: payment, value: value,
            partition: PartitionHash.partition(of: payment.utf8, count: log.partitionCount))
        return id
    }

    func notify(_ reference: String, _ word: String, id: String, partner: String = "bank-a") {
        let hash = Reference(reference)?.partitionHash ?? 0
        append(
            .notifications, key: reference, value: "\(id)|\(reference)|\(word)|\(partner)",
            partition: PartitionHash.partition(hash: hash, count: log.partitionCount))
    }

    func append(_ topic: Topic, key: String, value: String, partition: Int32) {
        var batch = RecordBatch()
        batch.append(topic: topic, partition: partition, offset: 0, frame: frame(key: key, value: value))
        log.append(batch) { _ in }
    }

    func frame(key: String, value: String) -> [UInt8] {
        RecordFrame.encode(
            key: Array(key.utf8), timestamp: scheduler.wall.milliseconds, headers: [], value: Array(value.utf8))
    }

    // MARK: Out

    struct Row: Equatable {
        var key: String
        var words: [String]
        var headers: [String: String]
    }

    func records(_ topic: Topic) -> [Row] {
        var rows: [Row] = []
        for partition in 0..<log.partitionCount {
            var batch = RecordBatch()
            _ = try? log.read(
                topic: topic, partition: partition, from: 0, into: &batch, limit: PollLimit(records: .max, bytes: .max))
            for slot in batch.records {
                let frame = Array(batch.bytes[slot.frame])
                guard let layout = try? RecordLayout(frame.span.bytes) else { continue }
                func text(_ range: Range<Int>?) -> String {
                    range.map { String(decoding: frame[$0], as: UTF8.self) } ?? ""
                }
                var headers: [String: String] = [:]
                for header in layout.headers { headers[text(header.name)] = text(header.value) }
                let value = text(layout.value).split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                rows.append(Row(key: text(layout.key), words: value, headers: headers))
            }
        }
        return rows
    }

    /// The names of a payment's events, in order.
    func events(_ payment: String) -> [String] {
        records(.events).filter { $0.key == payment }.map { $0.words[2] }
    }

    /// The state after the last event.
    func state(_ payment: String) -> String? {
        records(.events).last { $0.key == payment }?.words[1]
    }

    /// References of a payment's attempts, in order.
    func references(_ payment: String) -> [String] {
        records(.events).filter { $0.key == payment && $0.words[2] == "attemptStarted" }.map { $0.words[4] }
    }
}
