import EventLog
import Orchestrator
import PaymentModel

/// Processes that come and go: killed, drained, or left alive beside their successor for a while.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Lives: @unchecked Sendable {
    private let scheduler: Scheduler
    private let log: MemoryLog
    private let network: Network
    private let nodes: [PartnerName: PartnerNode]
    private let domain: DomainBox<SimulationDomain>
    private let ingress: Ingress
    private let faults: LogFaults
    private let answersEarly: Bool
    private let limits: ShardLimits
    private var random: SimulationRandom
    private var present: SimulatedProcess?
    private var isHealed = false
    /// How many were started.
    private(set) var count = 0

    init(
        scheduler: Scheduler, log: MemoryLog, network: Network, nodes: [PartnerNode],
        domain: DomainBox<SimulationDomain>, ingress: Ingress, faults: LogFaults, answersEarly: Bool,
        limits: ShardLimits,
        random: SimulationRandom
    ) {
        self.scheduler = scheduler
        self.log = log
        self.network = network
        self.nodes = Dictionary(uniqueKeysWithValues: nodes.map { (PartnerName($0.name), $0) })
        self.domain = domain
        self.ingress = ingress
        self.faults = faults
        self.answersEarly = answersEarly
        self.limits = limits
        self.random = random
    }

    /// Starts the first process and plans what befalls it and those after it, up to `end`.
    func begin(until end: Int64) {
        start(predecessorDead: true)
        var moment = scheduler.time
        while true {
            moment += random.number(1_500...14_000)
            guard moment < end else { return }
            let kind = random.next() % 10
            let pause = random.number(50...2_500)
            scheduler.at(moment) { [self] in
                guard !isHealed, present != nil else { return }
                switch kind {
                case 0..<6: crash(pause)
                case 6..<8: leaveZombie(pause)
                default: handOver()
                }
            }
        }
    }

    /// Where the present process's shards stand.
    var status: [ShardStatus] { present?.status ?? [] }

    /// From here on one process lives, a new one: whoever was there is killed.
    func heal() {
        isHealed = true
        present?.kill()
        start(predecessorDead: true)
    }

    private func start(predecessorDead: Bool) {
        count += 1
        log.setPredecessorProvenDead(predecessorDead)
        let transport = SimulatedTransport(scheduler: scheduler, network: network, partners: nodes)
        let process = SimulatedProcess(
            number: count, scheduler: scheduler, log: log, transport: transport, domain: domain,
            answersEarly: answersEarly, limits: limits, random: random.split(UInt64(count)))
        present = process
        ingress.isUp = true
        process.start()
    }

    private func restart(after pause: Int64) {
        scheduler.after(pause) { [self] in
            if present == nil { start(predecessorDead: true) }
        }
    }

    private func crash(_ pause: Int64) {
        present?.kill()
        present = nil
        ingress.isUp = false
        if random.happens(perMille: 500) { faults.dropWhatIsUnderWay() }
        restart(after: pause)
    }

    /// The old one lives on for a while, unaware: it still has permits and open connections.
    private func leaveZombie(_ life: Int64) {
        let old = present
        start(predecessorDead: false)
        scheduler.after(life * 3) { old?.kill() }
    }

    private func handOver() {
        let old = present
        present = nil
        old?.drain()
        scheduler.after(2_800) { [self] in
            old?.kill()
            if present == nil { start(predecessorDead: true) }
        }
    }
}

/// What goes wrong with the log, and how long it takes.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class LogFaults: @unchecked Sendable {
    private var random: SimulationRandom
    private let scheduler: Scheduler
    private var epoch = 0
    /// Whether anything goes wrong.
    var isFaulty = true

    init(random: SimulationRandom, scheduler: Scheduler) {
        self.random = random
        self.scheduler = scheduler
    }

    /// Does the log's work a little later, unless the process dies before.
    func deliver(_ work: @escaping @Sendable () -> Void) {
        let born = epoch
        scheduler.after(random.number(0...4)) { [self] in
            if born == epoch { work() }
        }
    }

    /// What the log has begun and not finished never happens.
    func dropWhatIsUnderWay() { epoch += 1 }

    func fault(_ operation: MemoryLog.Operation) -> MemoryFault? {
        guard isFaulty else { return nil }
        switch (operation, random.next() % 1_000) {
        case (.commit, 0..<8): return .aborted
        case (.commit, 8..<14): return .unknownApplied
        case (.commit, 14..<20): return .unknownLost
        case (.commit, 20..<24): return .full
        case (.append, 0..<15): return .unavailable
        case (.append, 15..<30): return .unknownApplied
        case (.recover, 0..<80): return .unavailable
        default: return nil
        }
    }
}
