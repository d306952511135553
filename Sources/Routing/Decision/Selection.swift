import PaymentModel

/// What a decision has found so far.
struct Selection {
    /// A route that can serve.
    struct Survivor {
        var route: Int32
        /// 1: primary; 2: secondary.
        var group: UInt8
        var fixed: Int64
        var variable: Int64
        /// Milliseconds since the epoch.
        var arrival: Int64
        /// What orders the routes of a group.
        var keys: (Int64, Int64) = (0, 0)
    }

    /// A route that could serve later.
    struct Wait {
        var code: EliminationCode
        /// When; nil where only trying tells.
        var until: Timestamp?
        /// Beyond what the calendars cover: it will be, but nobody can say when.
        var isBeyondCalendar = false
    }

    var survivors: [Survivor] = []
    var eliminated: [Elimination] = []
    var waits: [Wait] = []
    var health: [RouteHealthInput] = []

    init(capacity: Int) {
        eliminated.reserveCapacity(capacity)
        survivors.reserveCapacity(min(capacity, 64))
    }

    @inline(__always)
    mutating func eliminate(_ route: Route, _ code: EliminationCode, _ detail: String) {
        eliminated.append(Elimination(route: route, code: code, detail: detail))
    }

    /// A closed window: the next opening is the detail.
    mutating func wait(_ route: Route, _ code: EliminationCode, until: Timestamp?) {
        eliminate(route, code, until.map { "opens \(Selection.minute($0))" } ?? "no opening known")
        waits.append(Wait(code: code, until: until, isBeyondCalendar: until == nil))
    }

    /// A route where this payment has been. Where nothing left for it, time may heal.
    mutating func eliminateTried(_ route: Route, _ code: EliminationCode, _ query: RouteQuery) {
        let notSent = query.tried.last { $0.route == route }?.ending == .notSent
        eliminate(route, code, notSent ? "not sent" : "")
        if notSent { waits.append(Wait(code: code, until: nil)) }
    }

    /// Whether a route's health lets the payment go there. Records what was looked at.
    mutating func isHealthy(
        _ board: RouteHealthBoard, _ route: Route, _ index: Int32, _ seed: UInt64, _ now: Now
    ) -> Bool {
        let entry = board.entries[Int(index)]
        guard entry.isNotable else { return true }
        let state = entry.breaker.state(at: now.monotonic)
        let share = entry.throttle.share(at: now.monotonic)
        let recent = entry.breaker.recent
        if state != .closed || share > 0 || recent.failed > 0 || entry.hasCapacity {
            let name: RouteHealthInput.Breaker =
                switch state {
                case .closed: .closed
                case .open: .open
                case .halfOpen: .halfOpen
                }
            health.append(
                RouteHealthInput(
                    route: route, breaker: name, recentFailures: recent.failed, recentOutcomes: recent.of,
                    throttledPerMille: share, openAttempts: entry.openAttempts))
        }
        guard let code = HealthRule.check(entry, route: index, seed: seed, at: now.monotonic) else { return true }
        switch code {
        case .circuitOpen:
            var until: Timestamp?
            if case .open(let moment) = state { until = now.wall + (moment - now.monotonic) }
            eliminate(route, code, state == .halfOpen ? "trials running" : "open")
            waits.append(Wait(code: code, until: until))
        case .unhealthy:
            eliminate(route, code, "throttled \(share)‰")
            waits.append(Wait(code: code, until: nil))
        default:
            eliminate(route, code, "\(entry.openAttempts) open")
            waits.append(Wait(code: code, until: nil))
        }
        return false
    }

    /// Orders the routes that can serve: the first choice before the second; within each by the objective, then by
    /// cost, then as the policy lists them.
    mutating func order(by objective: RoutingWishes.Objective, seed: UInt64) {
        guard survivors.count > 1 else { return }
        for place in survivors.indices {
            let total = survivors[place].fixed &+ survivors[place].variable
            switch objective {
            case .cost: survivors[place].keys = (total, survivors[place].arrival)
            case .speed: survivors[place].keys = (survivors[place].arrival, total)
            case .balance:
                let number = Mixing.mix(seed, UInt64(UInt32(bitPattern: survivors[place].route)))
                survivors[place].keys = (Int64(number >> 1), total)
            }
        }
        survivors.sort { left, right in
            if left.group != right.group { return left.group < right.group }
            if left.keys.0 != right.keys.0 { return left.keys.0 < right.keys.0 }
            if left.keys.1 != right.keys.1 { return left.keys.1 < right.keys.1 }
            return left.route < right.route
        }
    }

    /// The candidates with their roles: the first choice's best is primary, what follows secondary; after an offload
    /// lane all have that role.
    func routeCandidates(_ query: RouteQuery, names: [Route]) -> [RouteCandidate] {
        var candidates: [RouteCandidate] = []
        candidates.reserveCapacity(survivors.count)
        for (place, survivor) in survivors.enumerated() {
            let isFirstChoice = place == 0 && survivor.group == 1 && query.tried.isEmpty
            let cost = RouteCost(
                fixed: survivor.fixed, variable: survivor.variable, total: survivor.fixed &+ survivor.variable,
                currency: query.amount.currency)
            candidates.append(
                RouteCandidate(
                    route: names[Int(survivor.route)],
                    role: query.afterOffload ? .offload : isFirstChoice ? .primary : .secondary, cost: cost))
        }
        return candidates
    }

    /// `2026-11-21 08:00Z`.
    private static func minute(_ moment: Timestamp) -> String {
        let day = CalendarDate(utc: moment)
        let minutes = (moment.milliseconds - Int64(day.daysSinceEpoch) * 86_400_000) / 60_000
        let (hour, minute) = minutes.quotientAndRemainder(dividingBy: 60)
        return "\(day) \(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)Z"
    }
}
