import EventLog
import Orchestrator
import PaymentModel

/// Everything that lives and dies with one process: shards, executors, its end of the network.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class SimulatedProcess: @unchecked Sendable {
    typealias ProcessPorts = Ports<
        SimulatedExecutor, SimulationLog, SimulatedTransport, VirtualClock, SimulationDomain, SilentAlarms
    >

    static let shardCount = 2

    private let executors: [SimulatedExecutor]
    private let logs: [SimulationLog]
    private let transport: SimulatedTransport
    private let shards: [Shard<ProcessPorts>]

    /// A process that owns all partitions, two shards where there are that many.
    init(
        number: Int, scheduler: Scheduler, log: MemoryLog, transport: SimulatedTransport,
        domain: DomainBox<SimulationDomain>, answersEarly: Bool, limits: ShardLimits, random: SimulationRandom
    ) {
        self.transport = transport
        let count = SimulatedProcess.shardCount
        let delays = DelaySource(random: random)
        let executors = (0..<count).map { _ in SimulatedExecutor(scheduler, delay: { delays.next() }) }
        let logs = (0..<count).map { shard in
            SimulationLog(
                log.shard(partitions: (0..<log.partitionCount).filter { Int($0) % count == shard }),
                scheduler: scheduler, answersEarly: answersEarly)
        }
        self.executors = executors
        self.logs = logs
        shards = (0..<count).map { index in
            Shard(
                index: number * count + index,
                ports: Ports(
                    executor: executors[index], log: logs[index], transport: transport, clock: VirtualClock(scheduler),
                    domain: domain, alarms: SilentAlarms()), limits: limits)
        }
    }

    func start() { for shard in shards { shard.start() } }

    /// kill -9.
    func kill() {
        for executor in executors { executor.stop() }
        for log in logs { log.die() }
        transport.die()
    }

    /// SIGTERM.
    func drain() { for shard in shards { shard.drain {} } }

    var status: [ShardStatus] { shards.map(\.currentStatus) }
}

/// How long turns wait: what a busy machine does.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
private final class DelaySource: @unchecked Sendable {
    private var random: SimulationRandom
    init(random: SimulationRandom) { self.random = random }
    func next() -> Int64 { random.happens(perMille: 900) ? 0 : random.number(1...5) }
}
