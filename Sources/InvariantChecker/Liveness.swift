/// A command as it lies in the commands topic. Records that cannot be decoded are not among these.
public struct PublicationFact: Hashable, Sendable {
    /// Which command.
    public var command: CommandFact
    /// Its partition.
    public var partition: Int64
    /// When it was published: the record's time, milliseconds since 1970.
    public var at: Int64

    /// A publication.
    public init(command: CommandFact, partition: Int64, at: Int64) {
        self.command = command
        self.partition = partition
        self.at = at
    }
}

/// How far a partition's owner and its readers are, after everything has come to rest.
public struct LagFact: Hashable, Sendable {
    /// The topic.
    public var topic: String
    /// The partition.
    public var partition: Int64
    /// The group's committed position; nil for a topic that is not consumed.
    public var committed: Int64?
    /// The last stable offset: read_committed readers come so far.
    public var stable: Int64
    /// The end, open transactions included.
    public var end: Int64

    /// How far it is.
    public init(topic: String, partition: Int64, committed: Int64?, stable: Int64, end: Int64) {
        self.topic = topic
        self.partition = partition
        self.committed = committed
        self.stable = stable
        self.end = end
    }
}

/// What was done to a system under test, and how far it came: what liveness is judged by. All times are milliseconds
/// since 1970 on the clock of the one host on which everything ran; all spans are milliseconds.
public struct LivenessFacts: Sendable {
    /// When the last fault ended.
    public var healedAt: Int64
    /// From then on partners and log were healthy, and had been for a while: L2 holds commands published since.
    public var calmFrom: Int64
    /// So long after the start of an attempt its last inquiry is due (the catalogue's last slot).
    public var lastInquirySlot: Int64
    /// So soon a command of the calm time has its outcome, whatever others are stuck or poisoned.
    public var outcomeBound: Int64
    /// The transactions' time-out.
    public var transactionTimeout: Int64
    /// What lies in the commands topic.
    public var publications: [PublicationFact] = []
    /// When instances were started.
    public var restarts: [Int64] = []
    /// When and how long something was done to instances or brokers; a kill takes no time.
    public var faults: [ClosedRange<Int64>] = []
    /// Topics in the end; empty where nobody looked.
    public var lags: [LagFact] = []

    /// Facts without publications, restarts, faults and lags.
    public init(
        healedAt: Int64, calmFrom: Int64, lastInquirySlot: Int64, outcomeBound: Int64, transactionTimeout: Int64
    ) {
        self.healedAt = healedAt
        self.calmFrom = calmFrom
        self.lastInquirySlot = lastInquirySlot
        self.outcomeBound = outcomeBound
        self.transactionTimeout = transactionTimeout
    }
}

/// Checks L1–L4 of the architecture, section 5, from outside: when what was published, and when what came of it.
struct LivenessChecker {
    private(set) var violations: [Violation] = []
    /// How many restarts were judged by L4; the others met the next fault too soon, or found no work.
    private(set) var restartsJudged = 0
    private let facts: LivenessFacts

    /// L1 beyond the last slot; L4 beyond the transaction's time-out (the architecture, section 5).
    static let parkingGrace: Int64 = 60_000
    static let restartGrace: Int64 = 5_000

    init(_ facts: LivenessFacts, events: [RecordFact], histories: [String: PaymentHistory]) {
        self.facts = facts
        let moments = events.map { ($0, FactTime.milliseconds($0.data["occurredAt"]?.text ?? "") ?? 0) }
        rests(histories)
        answers(moments)
        lags()
        restarts(moments)
    }

    private mutating func note(_ invariant: String, _ subject: String, _ detail: String) {
        violations.append(Violation(invariant, subject, detail))
    }

    /// L1: at rest in time. Countdowns begin with an attempt, a repeat or a command, and anew with the last fault.
    private mutating func rests(_ histories: [String: PaymentHistory]) {
        for (payment, history) in histories {
            guard let restedAt = history.restedAt else { continue }
            let limit =
                max(facts.healedAt, history.stirredAt ?? 0) + facts.lastInquirySlot + LivenessChecker.parkingGrace
            if restedAt > limit { note("L1", payment, "came to rest \(restedAt - limit) ms too late") }
        }
    }

    /// L2: in calm times every command is answered soon, whatever else lies in its partition.
    private mutating func answers(_ events: [(RecordFact, Int64)]) {
        let answered = outcomes(events)
        for publication in facts.publications where publication.at >= facts.calmFrom {
            let command = publication.command
            guard let at = answered[command] else {
                note("L2", command.subject, "command \(command.id) of a calm time has no outcome")
                continue
            }
            if at > publication.at + facts.outcomeBound {
                note("L2", command.subject, "command \(command.id) waited \(at - publication.at) ms for its outcome")
            }
        }
    }

    /// L3: nothing is left to take in, and nothing hangs.
    private mutating func lags() {
        for lag in facts.lags {
            let name = "\(lag.topic) [\(lag.partition)]"
            if let committed = lag.committed, committed < lag.end {
                note("L3", name, "\(lag.end - committed) records are not taken in")
            }
            if lag.stable < lag.end { note("L3", name, "the last stable offset is \(lag.end - lag.stable) behind") }
        }
    }

    /// L4: after a restart every partition in which work waits goes on in time, unless the next fault comes before.
    private mutating func restarts(_ events: [(RecordFact, Int64)]) {
        let bound = facts.transactionTimeout + LivenessChecker.restartGrace
        let answered = outcomes(events)
        var progress: [Int64: [Int64]] = [:]
        for (event, at) in events { progress[event.partition, default: []].append(at) }
        for partition in progress.keys { progress[partition]?.sort() }
        for restart in facts.restarts {
            // Something else was under way, or came before the time was over.
            if facts.faults.contains(where: { $0.upperBound > restart && $0.lowerBound < restart + bound }) { continue }
            let waiting = Set(
                facts.publications.filter { $0.at <= restart && answered[$0.command] ?? .max > restart }
                    .map(\.partition))
            if !waiting.isEmpty { restartsJudged += 1 }
            for partition in waiting.sorted() {
                let next = progress[partition]?.first { $0 > restart }
                if next ?? .max > restart + bound {
                    note(
                        "L4", "partition \(partition)",
                        "work waited at the restart of \(restart); "
                            + (next.map { "it went on after \($0 - restart) ms" } ?? "it never went on"))
                }
            }
        }
    }

    private func outcomes(_ events: [(RecordFact, Int64)]) -> [CommandFact: Int64] {
        var found: [CommandFact: Int64] = [:]
        for (event, at) in events where event.name == "command.accepted" || event.name == "command.rejected" {
            let command = CommandFact(
                subject: event.subject, source: event.data["commandSource"]?.text ?? "?",
                id: event.data["commandId"]?.text ?? "?")
            found[command] = min(found[command] ?? .max, at)
        }
        return found
    }
}
