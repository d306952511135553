import PaymentCore
import PaymentModel

/// How many requests a batch has ordered, by partner.
struct OrderedRequests {
    private(set) var total = 0
    /// Few: a linear search beats a dictionary.
    private var counts: [(partner: PartnerName, count: Int)] = []

    mutating func add(_ partner: PartnerName) {
        total += 1
        if let place = counts.firstIndex(where: { $0.partner == partner }) {
            counts[place].count += 1
        } else {
            counts.append((partner, 1))
        }
    }

    func count(of partner: PartnerName) -> Int { counts.first { $0.partner == partner }?.count ?? 0 }

    func contains(where matches: (PartnerName) -> Bool) -> Bool { counts.contains { matches($0.partner) } }
}

/// What waits for partners and what is under way there, a lane for each partner (bulkhead): bounded, inquiries about
/// doubt first, repeats within a budget. Owned by the shard; decides what may start, starts nothing itself.
struct Outbox {
    /// One partner's share.
    struct Lane {
        var active = 0
        var doubt = JobRing<OutboxJob>(capacity: 16)
        var submits = JobRing<OutboxJob>(capacity: 16)
        var checks = JobRing<OutboxJob>(capacity: 16)
        var budget: RetryBudget
        var lastAnswer: MonotonicTime

        var waiting: Int { doubt.count + submits.count + checks.count }
    }

    private struct Active {
        var job: OutboxJob
        var lane: Int
    }

    private let limits: ShardLimits
    /// Partners' lanes in the order of their first request: everything is done in this order, never in a dictionary's.
    fileprivate var lanes: [Lane] = []
    private var places: [PartnerName: Int] = [:]
    private var active: [UInt64: Active] = [:]
    private(set) var waiting = 0

    init(limits: ShardLimits) { self.limits = limits }

    /// Everything that waits or is under way.
    var count: Int { waiting + active.count }
    /// What is under way.
    var underWay: Int { active.count }

    /// Takes a job in, or says why it cannot go out.
    mutating func accept(_ job: OutboxJob, now: MonotonicTime) -> NotSentCause? {
        let partner = job.order.route.partner
        let lane = places[partner] ?? lanes.count
        if lane == lanes.count {
            let budget = RetryBudget(burst: limits.retryBurst, firstsPerRetry: limits.firstsPerRetry)
            lanes.append(Lane(budget: budget, lastAnswer: now))
            places[partner] = lane
        }
        if let refusal = lanes[lane].accept(job, limit: limits.partnerWaiting) { return refusal }
        waiting += 1
        return nil
    }

    /// The next job that may start, over all partners; it counts as under way from now on.
    mutating func next() -> OutboxJob? {
        guard waiting > 0 else { return nil }
        for lane in lanes.indices {
            guard let job = lanes[lane].start(limit: limits.partnerActive) else { continue }
            waiting -= 1
            active[job.id] = Active(job: job, lane: lane)
            return job
        }
        return nil
    }

    /// A job under way has ended; nil where it is not known (any more).
    mutating func end(_ id: UInt64, answered: Bool, now: MonotonicTime) -> OutboxJob? {
        guard let ended = active.removeValue(forKey: id) else { return nil }
        lanes[ended.lane].ended(answered: answered, now: now)
        return ended.job
    }

    /// Jobs that wait although they may not leave any more: withdrawn, or past their deadline.
    mutating func expired(now: MonotonicTime) -> [OutboxJob] {
        var expired: [OutboxJob] = []
        for lane in lanes.indices where lanes[lane].submits.contains(where: { $0.isOver(now) }) {
            expired += lanes[lane].submits.extract { $0.isOver(now) }
        }
        waiting -= expired.count
        return expired
    }

    /// Takes back the permits of everything of these partitions, or of one payment; what is under way stays known
    /// until the transport has told its end. Returns the numbers of what is under way.
    mutating func withdraw(where matches: (OutboxJob) -> Bool) -> [UInt64] {
        var underWay: [UInt64] = []
        for entry in active.values where matches(entry.job) {
            entry.job.permit.withdraw()
            underWay.append(entry.job.id)
        }
        for lane in lanes.indices { lanes[lane].withdraw(where: matches) }
        return underWay.sorted()
    }

    /// Forgets what waits for these.
    mutating func dropWaiting(where matches: (OutboxJob) -> Bool) -> [OutboxJob] {
        var dropped: [OutboxJob] = []
        for lane in lanes.indices { dropped += lanes[lane].drop(where: matches) }
        waiting -= dropped.count
        return dropped
    }

    /// Whether taking in more would only lengthen the queue of a partner that works. A silent one stops nobody.
    ///
    /// - Parameter ordered: requests in batches that are not durable yet. They are on their way here and nothing can stop
    ///   them, so they count as if they waited already; without them a slow commit lets in more than a partner can take
    ///   within the requests' send deadline.
    func isPressing(now: MonotonicTime, ordered: (open: OrderedRequests, flying: OrderedRequests?)) -> Bool {
        let coming = ordered.open.total + (ordered.flying?.total ?? 0)
        guard count + coming < limits.inFlight else { return true }
        guard waiting + coming >= limits.partnerHighWater else { return false }
        /// A partner of the first batch of all has no lane yet.
        func isFull(_ partner: PartnerName) -> Bool {
            let lane = places[partner].map { lanes[$0] }
            if let lane, now - lane.lastAnswer >= limits.silence { return false }
            let coming = ordered.open.count(of: partner) + (ordered.flying?.count(of: partner) ?? 0)
            return (lane?.waiting ?? 0) + coming >= limits.partnerHighWater
        }
        return places.keys.contains(where: isFull) || ordered.open.contains(where: isFull)
            || ordered.flying?.contains(where: isFull) ?? false
    }
}

extension Outbox.Lane {
    fileprivate mutating func accept(_ job: OutboxJob, limit: Int) -> NotSentCause? {
        guard self.waiting < limit else { return .queueFull }
        switch job.order {
        case .submit(let order):
            if order.request > 1 {
                guard budget.spend() else { return .queueFull }
            } else {
                budget.earn()
            }
            submits.append(job)
        case .inquire(_, let urgent):
            if urgent { doubt.append(job) } else { checks.append(job) }
        }
        return nil
    }

    fileprivate mutating func start(limit: Int) -> OutboxJob? {
        guard active < limit else { return nil }
        guard let job = doubt.popFirst() ?? submits.popFirst() ?? checks.popFirst() else { return nil }
        active += 1
        return job
    }

    fileprivate mutating func ended(answered: Bool, now: MonotonicTime) {
        active -= 1
        if answered { lastAnswer = now }
    }

    fileprivate mutating func withdraw(where matches: (OutboxJob) -> Bool) {
        // A permit is shared with whoever holds the job: marking it is enough.
        submits.forEach { if matches($0) { $0.permit.withdraw() } }
    }

    fileprivate mutating func drop(where matches: (OutboxJob) -> Bool) -> [OutboxJob] {
        doubt.extract(where: matches) + submits.extract(where: matches) + checks.extract(where: matches)
    }
}
