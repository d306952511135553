import CanonicalJSON
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

        /// A run with that seed.
        public init(seed: UInt64) { self.seed = seed }
    }

    private let settings: Settings
    private let scheduler: Scheduler
    private let random: SimulationRandom
    private let faults: LogFaults
    private let log: MemoryLog
    private let network: Network
    private let nodes: [PartnerNode]
    private let domain: DomainBox<SimulationDomain>
    private let upstream: Upstream
    private let ingress: Ingress
    private let desk: Desk
    private let lives: Lives
    private var hasJumped = false
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
        domain = DomainBox(SimulationDomain(base: base, forgets: settings.mutation == .dedupeRemoved))
        upstream = Upstream(scheduler: scheduler, log: log, random: random.split(3))
        ingress = Ingress(
            scheduler: scheduler, log: log,
            secrets: Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, $0.secret) }), random: random.split(4))
        desk = Desk(scheduler: scheduler, log: log, upstream: upstream, partners: nodes, random: random.split(5))
        lives = Lives(
            scheduler: scheduler, log: log, network: network, nodes: nodes, domain: domain, ingress: ingress,
            faults: faults, answersEarly: settings.mutation == .intentCommitRemoved, random: random.split(6))
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

    /// Runs: faults first, then healing, then the whole is judged.
    public func run() -> Report {
        var report = Report(seed: settings.seed)
        var workload = Workload(scheduler: scheduler, upstream: upstream, random: random.split(7))
        workload.plan(payments: settings.payments, duration: settings.duration * 2 / 3)
        planFaults()
        lives.begin(until: scheduler.time + settings.duration)
        desk.work()
        scheduler.run(for: settings.duration)
        report.violations += judge(atRest: false, into: &report)
        heal()
        scheduler.run(for: settings.healing)
        report.violations += judge(atRest: true, into: &report)
        if !report.violations.isEmpty { report.story = story(of: report.violations) }
        report.steps = scheduler.steps
        report.processes = lives.count
        report.published = everythingPublished()
        return report
    }

    private func planFaults() {
        var random = random.split(8)
        let isSilent = random.happens(perMille: 400)
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
        lives.heal()
        for node in nodes { node.heal() }
    }
}

/// How far our wall clock is off.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
private final class Jump: @unchecked Sendable {
    var value: Int64 = 0
}

// MARK: - What to look at

extension Simulation {
    private func story(of violations: [Violation]) -> [String] {
        var lines = lives.status.map { "shard: \($0)" }
        let subjects = Set(violations.map(\.subject))
        var references: Set<String> = []
        for event in records(.events) where subjects.contains(event.subject) {
            let data = event.data
            if let reference = data["reference"]?.text { references.insert(reference) }
            let details = [
                "attemptId", "operation", "partner", "reference", "outcome", "cause", "code", "commandId", "try",
            ]
            .compactMap { name in data[name]?.text.map { "\(name)=\($0)" } }
            lines.append(
                "\(data["occurredAt"]?.text ?? "?") \(event.subject) \(event.name) → \(data["state"]?.text ?? "?") "
                    + details.joined(separator: " "))
        }
        for partition in 0..<log.partitionCount {
            for (offset, frame) in frames(.notifications, partition) {
                guard let record = PublishedRecord(frame), references.contains(record.subject) else { continue }
                lines.append(
                    "notification \(partition)/\(offset) \(record.id) \(record.type) \(record.subject) \(record.data())"
                )
            }
        }
        let reader = log.shard(partitions: [])
        for partition in 0..<log.partitionCount {
            let timers = try? reader.timers(
                partition: partition, through: Timestamp(milliseconds: .max), after: nil, limit: 1_000)
            for timer in timers ?? [] {
                let key = String(decoding: timer.key, as: UTF8.self)
                guard subjects.contains(key) else { continue }
                lines.append("stored timer of \(key): in \((timer.due - scheduler.wall).count) ms")
                let found = try? reader.entry(partition: partition, space: .payment, key: timer.key) { entry in
                    PaymentID(key).flatMap { id in (try? PaymentState(id: id, decoding: entry.state)).map { "\($0)" } }
                        ?? "?"
                }
                lines.append("stored state: \((found ?? nil) ?? "none")")
            }
        }
        for node in nodes {
            for request in Simulation.requests(node) where references.contains(request.reference ?? "") {
                lines.append(
                    "\(node.name) \(request.at) \(request.method) \(request.path) \(request.reference ?? "") "
                        + "\(request.status.map(String.init) ?? "no answer")")
            }
            for movement in Simulation.movements(node) where references.contains(movement.reference) {
                lines.append("\(node.name) moved: \(movement)")
            }
        }
        return lines
    }
}

// MARK: - The judge

extension Simulation {
    private func judge(atRest: Bool, into report: inout Report) -> [Violation] {
        var world = CheckedWorld()
        world.commands = upstream.commands
        world.events = records(.events)
        world.settlements = records(.settlements)
        world.atRest = atRest
        // Where our wall clock has jumped, it says nothing about the partners'.
        world.clockTolerance = hasJumped ? 4_000_000 : 1
        for node in nodes {
            world.movements += Simulation.movements(node)
            world.requests += Simulation.requests(node)
        }
        let checker = InvariantChecker(world)
        report.states = checker.states
        report.doubts = checker.doubts
        report.events = world.events.count
        let posts = world.requests.filter { $0.method == "POST" }
        report.posts = posts.count
        report.repeats = posts.count - Set(posts.map { "\($0.partner) \($0.reference ?? "")" }).count
        return checker.violations
    }

    private func records(_ topic: Topic) -> [RecordFact] {
        var facts: [RecordFact] = []
        for partition in 0..<log.partitionCount {
            for (offset, frame) in frames(topic, partition) {
                guard let record = PublishedRecord(frame) else { continue }
                facts.append(
                    RecordFact(
                        topic: topic.suffix, partition: Int64(partition), offset: offset, type: record.type,
                        id: record.id, source: record.source, subject: record.subject, data: FactValue(record.data())))
            }
        }
        return facts
    }

    private func frames(_ topic: Topic, _ partition: Int32) -> [(Int64, [UInt8])] {
        var batch = RecordBatch()
        _ = try? log.read(
            topic: topic, partition: partition, from: 0, into: &batch, limit: PollLimit(records: .max, bytes: .max))
        return batch.records.map { ($0.offset, Array(batch.bytes[$0.frame])) }
    }

    private func everythingPublished() -> [UInt8] {
        var bytes: [UInt8] = []
        for topic in [Topic.events, .settlements, .deadLetters] {
            for partition in 0..<log.partitionCount {
                for (_, frame) in frames(topic, partition) { bytes += frame }
            }
        }
        return bytes
    }

    private static func movements(_ node: PartnerNode) -> [MovementFact] {
        (node.books()["movements"]?.array ?? []).map { movement in
            MovementFact(
                partner: node.name, operation: movement["op"]?.string ?? "?",
                reference: movement["reference"]?.string ?? "?",
                currency: movement["amount"]?["currency"]?.string ?? "?",
                minorUnits: movement["amount"]?["minorUnits"]?.integer ?? 0,
                fee: movement["fee"]?["minorUnits"]?.integer ?? 0)
        }
    }

    private static func requests(_ node: PartnerNode) -> [RequestFact] {
        (node.requests()["requests"]?.array ?? []).map { request in
            RequestFact(
                partner: node.name, at: request["at"]?.string.flatMap { FactTime.milliseconds($0) } ?? 0,
                method: request["method"]?.string ?? "?",
                path: request["path"]?.string ?? "?", key: request["key"]?.string,
                bodyHash: request["bodyHash"]?.string, reference: request["reference"]?.string,
                status: request["status"]?.integer)
        }
    }
}
