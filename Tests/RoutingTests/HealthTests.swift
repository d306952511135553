import PaymentModel
import Testing

@testable import Routing

@Suite("Route health: breaker, throttle, budget") struct HealthTests {
    static let settings = CircuitBreaker.Settings(
        window: 4, minimum: 3, failurePercent: 50, openFor: .seconds(10), maximumOpenFor: .seconds(40), trials: 2,
        trialLease: .seconds(30))

    static func moment(_ seconds: Int64) -> MonotonicTime { MonotonicTime(milliseconds: seconds * 1_000) }

    /// A breaker that has just opened at second 0.
    static func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<3 { breaker.ended(succeeded: false, startedAt: moment(0), at: moment(0), settings) }
        return breaker
    }

    @Test("Too few outcomes never open it, nor do failures below the share")
    func staysClosed() {
        var breaker = CircuitBreaker()
        let now = HealthTests.moment(0)
        for _ in 0..<2 { breaker.ended(succeeded: false, startedAt: now, at: now, HealthTests.settings) }
        #expect(breaker.state(at: now) == .closed)
        var mixed = CircuitBreaker()
        for outcome in [true, true, true, false, true, true, true, false, true] {
            mixed.ended(succeeded: outcome, startedAt: now, at: now, HealthTests.settings)
            #expect(mixed.state(at: now) == .closed)
        }
        #expect(mixed.recent == (1, 4), "only the window counts")
    }

    @Test("Open, then a bounded trial, then closed")
    func recovers() {
        var breaker = HealthTests.opened()
        #expect(breaker.state(at: HealthTests.moment(9)) == .open(until: HealthTests.moment(10)))
        #expect(!breaker.permits(at: HealthTests.moment(9), HealthTests.settings))
        let trial = HealthTests.moment(10)
        #expect(breaker.permits(at: trial, HealthTests.settings))
        breaker.started(at: trial, HealthTests.settings)
        breaker.started(at: trial, HealthTests.settings)
        #expect(!breaker.permits(at: trial, HealthTests.settings), "two trials are running")
        breaker.ended(succeeded: true, startedAt: HealthTests.moment(0), at: trial, HealthTests.settings)
        #expect(!breaker.permits(at: trial, HealthTests.settings), "an old attempt's end is no trial's")
        breaker.ended(succeeded: true, startedAt: trial, at: HealthTests.moment(11), HealthTests.settings)
        #expect(breaker.state(at: HealthTests.moment(11)) == .halfOpen)
        breaker.ended(succeeded: true, startedAt: trial, at: HealthTests.moment(11), HealthTests.settings)
        #expect(breaker.state(at: HealthTests.moment(11)) == .closed)
        #expect(breaker.recent == (0, 0))
    }

    @Test("A failed trial opens it again, twice as long, up to the maximum")
    func backsOff() {
        var breaker = HealthTests.opened()
        var now: Int64 = 10
        for expected: Int64 in [20, 40, 40] {
            breaker.started(at: HealthTests.moment(now), HealthTests.settings)
            breaker.ended(
                succeeded: false, startedAt: HealthTests.moment(now), at: HealthTests.moment(now), HealthTests.settings)
            #expect(breaker.state(at: HealthTests.moment(now)) == .open(until: HealthTests.moment(now + expected)))
            now += expected
        }
    }

    @Test("A trial that never ends gives its place back")
    func trialLease() {
        var breaker = HealthTests.opened()
        for _ in 0..<2 { breaker.started(at: HealthTests.moment(10), HealthTests.settings) }
        #expect(!breaker.permits(at: HealthTests.moment(39), HealthTests.settings))
        #expect(breaker.permits(at: HealthTests.moment(40), HealthTests.settings))
    }

    /// An input of the model check.
    private enum Step: CaseIterable { case start, succeed, fail, wait, waitLong }

    @Test("Model check: every sequence of eight inputs keeps the promises")
    func modelCheck() {
        var states = 0
        /// `running`: start times of attempts that have not ended, oldest first.
        func explore(_ breaker: CircuitBreaker, _ now: Int64, _ running: [Int64], _ trials: [Int64], _ depth: Int) {
            states += 1
            let time = HealthTests.moment(now)
            let permits = breaker.permits(at: time, HealthTests.settings)
            switch breaker.state(at: time) {
            case .closed: #expect(permits, "closed lets everything go")
            case .open: #expect(!permits, "open lets nothing go")
            case .halfOpen:
                if trials.count >= 2, let last = trials.last, now - last < 30 {
                    #expect(!permits, "no more than two trials at once")
                }
            }
            guard depth > 0 else { return }
            for step in Step.allCases {
                var next = breaker
                switch step {
                case .start:
                    guard permits else { continue }
                    let isTrial = breaker.state(at: time) == .halfOpen
                    let isAnew = trials.last.map { now - $0 >= 30 } ?? true
                    next.started(at: time, HealthTests.settings)
                    explore(next, now, running + [now], isTrial ? (isAnew ? [] : trials) + [now] : [], depth - 1)
                case .succeed, .fail:
                    guard let first = running.first else { continue }
                    next.ended(
                        succeeded: step == .succeed, startedAt: HealthTests.moment(first), at: time,
                        HealthTests.settings)
                    let wasTrial = trials.first == first && breaker.state(at: time) == .halfOpen
                    if step == .fail, wasTrial {
                        #expect(!next.permits(at: time, HealthTests.settings), "one failed trial opens it")
                    }
                    let isOver = next.state(at: time) != .halfOpen
                    let left = isOver ? [] : wasTrial ? Array(trials.dropFirst()) : trials
                    explore(next, now, Array(running.dropFirst()), left, depth - 1)
                case .wait: explore(breaker, now + 10, running, trials, depth - 1)
                case .waitLong: explore(breaker, now + 45, running, trials, depth - 1)
                }
            }
        }
        explore(CircuitBreaker(), 0, [], [], 6)
        explore(HealthTests.opened(), 0, [], [], 8)
        #expect(states > 20_000)
    }

    @Test(
        "The share kept away in a brown-out is Google's formula with K = 2",
        arguments: [
            (100, 100, 0), (100, 50, 0), (100, 25, 495), (100, 0, 990), (0, 0, 0), (1, 0, 500),
        ])
    func throttle(_ requests: Int, _ accepts: Int, _ share: Int) {
        var throttle = BrownOutThrottle()
        let now = HealthTests.moment(1)
        for number in 0..<requests { throttle.ended(accepted: number < accepts, at: now) }
        #expect(throttle.share(at: now) == share)
        #expect(throttle.share(at: HealthTests.moment(181)) == 0, "forgotten after three minutes")
    }

    @Test("A throttled route takes its share of payments, decided by the seed alone")
    func unhealthy() throws {
        let policy = try makePolicy([
            payoutRoute("a/x"),
            // A breaker that never opens, so that the throttle alone is seen.
            payoutRoute("b/x") { $0.breaker = .init(window: 64, minimum: 1_000) },
        ])
        var board = RouteHealthBoard(policy)
        let now = HealthTests.moment(1_000)
        for number in 0..<100 {
            board.started(route("b/x"), at: now)
            board.ended(route("b/x"), number < 25 ? .answered : .turnedAway, startedAt: now, at: now)
        }
        var kept = 0
        for seed in 0..<2_000 {
            let decision = policy.decide(payout { $0.seed = UInt64(seed) }, health: board, now: at(friday))
            #expect(decision.health.first?.throttledPerMille == 495)
            if decision.code("b/x") == .unhealthy {
                kept += 1
                #expect(decision.detail("b/x") == "throttled 495‰")
            }
        }
        #expect(kept > 900 && kept < 1_080, "\(kept)")
    }

    @Test("Another policy keeps what was seen of the routes that both have")
    func adopt() throws {
        let now = HealthTests.moment(1_000)
        let first = try makePolicy([payoutRoute("a/x"), payoutRoute("b/x")])
        var board = RouteHealthBoard(first)
        for _ in 0..<10 {
            board.started(route("b/x"), at: now)
            board.ended(route("b/x"), .failed, startedAt: now, at: now)
        }
        let second = try makePolicy([payoutRoute("b/x"), payoutRoute("c/x")])
        board.adopt(second)
        let decision = second.decide(payout(), health: board, now: at(friday))
        #expect(decision.code("b/x") == .circuitOpen)
        #expect(decision.names == ["c/x"])
        #expect(board.state(of: route("a/x"), at: now) == nil)
    }

    @Test("So many a second, and no more")
    func perSecond() throws {
        let policy = try makePolicy([payoutRoute("a/x") { $0.capacity.perSecond = 2 }])
        var board = RouteHealthBoard(policy)
        for _ in 0..<2 { board.started(route("a/x"), at: HealthTests.moment(1_000)) }
        #expect(policy.decide(payout(), health: board, now: at(friday)).code("a/x") == .noCapacity)
        let later = at(friday, monotonic: 1_001_000)
        #expect(policy.decide(payout(), health: board, now: later).names == ["a/x"])
    }
}
