import EventLog
import InvariantChecker
import Orchestrator
import Partners
import PaymentCore
import PaymentModel

/// One run: the daemon's own shards, payments, routing and codecs on the memory log, in virtual time, against partners,
/// a network, a log and a host that misbehave as the seed says. The same seed gives the same run, byte for byte.
public final class Simulation {
    /// What came of a run.
    public struct Report: Sendable {
        /// The seed.
        public var seed: UInt64
        /// Promises that were broken, with the phase in which it was seen.
        public var violations: [Violation] = []
        /// Payments by their last state.
        public var states: [String: Int] = [:]
        /// How doubts ended.
        public var doubts: [String: Int] = [:]
        /// Everything that was published, byte for byte: events, postings and dead letters of all partitions.
        public var published: [UInt8] = []
        /// Scheduler steps taken.
        public var steps = 0
        /// Processes that were started.
        public var processes = 0
        /// Posts that partners received.
        public var posts = 0
        /// Repeats among them: a reference that was posted before.
        public var repeats = 0
        /// Events published.
        public var events = 0
        /// What people told the daemon and how it was taken: `hold.release accepted`.
        public var people: [String: Int] = [:]
        /// How often the whole was judged.
        public var judged = 0
        /// The events of the payments that broke a promise, what partners received about them, and where the shards
        /// stood, for whoever has to find out why.
        public var story: [String] = []
    }

    /// What to run.
    public struct Settings: Sendable {
        /// Decides everything that chance decides.
        public var seed: UInt64
        /// Payments that are initiated.
        public var payments = 12
        /// How long commands and faults go on, in virtual milliseconds.
        public var duration: Int64 = 30_000
        /// How long everything may take to come to rest after that: the last inquiry slot and a minute.
        public var healing: Int64 = 130_000
        /// What is taken out.
        public var mutation: Mutation?
        /// Instead of everything that can go wrong, only this: partners that turn half of all requests away (L5).
        public var isBrownOut = false
        /// So many scheduler steps lie between two looks at what has become durable, each event folded and each state
        /// compared with its events: by default none goes unseen.
        public var stepsBetweenLooks = 1
        /// So many between two judgements of the whole, books and requests included.
        public var stepsBetweenJudgements = 200

        /// A run with that seed.
        public init(seed: UInt64) { self.seed = seed }
    }

    let settings: Settings
    let scheduler: Scheduler
    private let random: SimulationRandom
    private let faults: LogFaults
    let log: MemoryLog
    private let network: Network
    let nodes: [PartnerNode]
    private let domain: DomainBox<SimulationDomain>
    let upstream: Upstream
    private let ingress: Ingress
    private let desk: Desk
    let lives: Lives
    let watch: Watch
    let probes: Probes
    private let operators: Operators
    private(set) var hasJumped = false
    private let jump = Jump()

    /// Puts a world together.
    public init(_ settings: Settings) {
        self.settings = settings
        let random = SimulationRandom(seed: settings.seed &+ 0x5EED)
        self.random = random
        // A Friday at 10:00 UTC.
        let scheduler = Scheduler(seed: settings.seed, wall: Timestamp(milliseconds: 1_795_168_800_000))
        self.scheduler = scheduler
        let faults = LogFaults(random: random.split(1), scheduler: scheduler)
        self.faults = faults
        log = MemoryLog(partitionCount: 4, deliver: { faults.deliver($0) })
        log.injectFaults { faults.fault($0) }
        network = Network(random: random.split(2))
        nodes = SimulationPolicy.partners.enumerated().map { place, name in
            PartnerNode(name: name.text, seed: settings.seed &+ UInt64(place), scheduler: scheduler)
        }
        let policy = SimulationPolicy.policy(gate: settings.mutation != .inquiryGateRemoved)
        let base = SwitchyardDomain(
            policy: policy, lists: SimulationPolicy.lists,
            partners: Dictionary(
                uniqueKeysWithValues: SimulationPolicy.partners.map { ($0, .reference(ReferenceAdapter())) }),
            rules: CoreRules(terms: [:]), shards: 2, hash: { Simulation.digest($0) })
        watch = Watch(log: log)
        domain = DomainBox(
            SimulationDomain(base: base, forgets: settings.mutation == .dedupeRemoved, watch: watch))
        upstream = Upstream(scheduler: scheduler, log: log, random: random.split(3))
        ingress = Ingress(
            scheduler: scheduler, log: log,
            secrets: Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, $0.secret) }), random: random.split(4))
        operators = Operators(
            scheduler: scheduler, upstream: upstream, partners: nodes, random: random.split(9))
        desk = Desk(
            scheduler: scheduler, log: log, upstream: upstream, partners: nodes, operators: operators,
            random: random.split(5))
        probes = Probes(scheduler: scheduler, upstream: upstream, partitions: log.partitionCount)
        lives = Lives(
            scheduler: scheduler, log: log, network: network, nodes: nodes, domain: domain, ingress: ingress,
            faults: faults, answersEarly: settings.mutation == .intentCommitRemoved,
            limits: Simulation.limits(settings.mutation), random: random.split(6))
        let ingress = ingress
        for node in nodes { node.deliver = { ingress.receive($0, done: $1) } }
    }

    /// 128 bits that stand for the bytes. Not SHA-256: a run makes thousands, and nobody forges them here.
    static func digest(_ bytes: [UInt8]) -> Digest {
        var first: UInt64 = 0xcbf2_9ce4_8422_2325
        var second: UInt64 = 0x9E37_79B9_7F4A_7C15
        for byte in bytes {
            first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
            second = (second &+ UInt64(byte)) &* 0xD6E8_FEB8_6659_FD93
            second ^= second >> 29
        }
        first ^= first >> 31
        return Digest(high: first &* 0xBF58_476D_1CE4_E5B9, low: second ^ first)
    }

    /// The shards' limits: small, so that everything that they bound is met.
    static func limits(_ mutation: Mutation?) -> ShardLimits {
        var limits = ShardLimits()
        limits.idle = Milliseconds(3_000)
        limits.hotPayments = 12
        limits.pollRecords = 5
        limits.drain = Milliseconds(2_000)
        limits.stallBound = Milliseconds(10_000)
        limits.keptLifetime = Milliseconds(60_000)
        limits.retryBurst = 2
        if mutation == .retryBudgetRemoved {
            limits.retryBurst = 1_000
            limits.firstsPerRetry = 1
        }
        return limits
    }

    /// Runs: faults first, then healing. What becomes durable is looked at all the time, the whole is judged now and then
    /// and at the end. The first broken promise ends the run.
    public func run() -> Report {
        var report = Report(seed: settings.seed)
        var workload = Workload(scheduler: scheduler, upstream: upstream, random: random.split(7))
        if settings.isBrownOut {
            for node in nodes { node.setFaults(FaultMenu.brownOut) }
            network.isFaulty = false
            faults.isFaulty = false
            workload.planPayouts(settings.payments, duration: settings.duration * 2 / 3)
            lives.begin(until: scheduler.time)
        } else {
            workload.plan(payments: settings.payments, duration: settings.duration * 2 / 3)
            planFaults()
            lives.begin(until: scheduler.time + settings.duration)
            desk.work()
        }
        run(for: settings.duration, into: &report)
        if report.violations.isEmpty {
            heal()
            run(for: settings.healing, into: &report)
        }
        if report.violations.isEmpty { report.violations = judge(atRest: true, into: &report) }
        if !report.violations.isEmpty { report.story = story(of: report.violations) }
        report.steps = scheduler.steps
        report.processes = lives.count
        report.published = everythingPublished()
        return report
    }

    private func run(for span: Int64, into report: inout Report) {
        let end = scheduler.time + span
        while scheduler.step(before: end + 1) {
            if scheduler.steps % settings.stepsBetweenJudgements == 0 {
                report.violations = judge(atRest: false, into: &report)
            } else if scheduler.steps % settings.stepsBetweenLooks == 0 {
                watch.look()
                report.violations = watch.violations
            }
            if !report.violations.isEmpty { return }
        }
        scheduler.run(until: end)
    }

    private func planFaults() {
        var random = random.split(8)
        let isSilent = random.happens(perMille: 400)
        operators.mayTellOfExecutions = !isSilent
        for node in nodes {
            for _ in 0..<random.number(1...4) {
                let rules = FaultMenu.rules(silent: isSilent, &random)
                scheduler.after(random.number(0...settings.duration)) { node.setFaults(rules) }
            }
            if random.happens(perMille: 200) {
                scheduler.after(random.number(0...settings.duration)) { node.heal() }
            }
        }
        if random.happens(perMille: 150) {
            hasJumped = true
            let distance = random.happens(perMille: 500) ? Int64(3_600_000) : -3_600_000
            scheduler.after(random.number(0...settings.duration - 1)) { [scheduler, jump] in
                jump.value = distance
                scheduler.wallOffset += distance
            }
        }
    }

    private func heal() {
        faults.isFaulty = false
        network.isFaulty = false
        scheduler.wallOffset -= jump.value
        for node in nodes { node.heal() }
        lives.heal()
        probes.send()
    }
}

/// How far our wall clock is off.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
private final class Jump: @unchecked Sendable {
    var value: Int64 = 0
}
