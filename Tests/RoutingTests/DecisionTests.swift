import PaymentModel
import Testing

@testable import Routing

@Suite("Decisions: rules, order, roles, offload") struct DecisionTests {
    @Test(
        "Costs are rounded half up to a minor unit and held to minimum and maximum",
        arguments: [
            // 49 × 1 % = 0.49; 50 × 1 % = 0.5; 149 × 1 % = 1.49; 150 × 1 % = 1.5
            (49, 10_000, 0, Int64.max, 0), (50, 10_000, 0, .max, 1), (149, 10_000, 0, .max, 1),
            (150, 10_000, 0, .max, 2),
            (50_000, 1_000, 0, .max, 50), (50_000, 1_000, 60, .max, 60), (50_000, 1_000, 0, 40, 40),
            (0, 10_000, 0, .max, 0),
            (9_007_199_254_740_991, 1_000_000, 0, .max, 9_007_199_254_740_991),
            (9_007_199_254_740_991, 999_999, 0, .max, 9_007_190_247_541_736),
            (.max, 1_000_000, 0, .max, .max),
        ] as [(Int64, Int64, Int64, Int64, Int64)])
    func costs(_ amount: Int64, _ millionths: Int64, _ minimum: Int64, _ maximum: Int64, _ expected: Int64) {
        let fees = FeeSchedule(fixed: 7, millionths: millionths, minimum: minimum, maximum: maximum)
        #expect(fees.cost(of: amount) == (7, expected))
    }

    @Test("Tiers price the whole amount by the tier that it falls into")
    func tiers() {
        let fees = FeeSchedule(tiers: [
            .init(upTo: 1_000, fixed: 5, millionths: 0), .init(upTo: 10_000, fixed: 0, millionths: 10_000),
            .init(fixed: 50, millionths: 5_000),
        ])
        #expect(fees.cost(of: 1_000) == (5, 0))
        #expect(fees.cost(of: 1_001) == (0, 10))
        #expect(fees.cost(of: 10_000) == (0, 100))
        #expect(fees.cost(of: 20_000) == (50, 100))
    }

    static func priced(_ name: String, _ fixed: Int64, seconds: Int64 = 10) -> CatalogueRoute {
        payoutRoute(name) {
            $0.currencies[eur]?.fees = FeeSchedule(fixed: fixed, millionths: 0)
            $0.delivery = .within(.seconds(seconds))
        }
    }

    static let three = [priced("a/x", 30, seconds: 5), priced("b/x", 10, seconds: 60), priced("c/x", 20, seconds: 1)]

    @Test(
        "The objective orders a group; upstream's goes before the rule's",
        arguments: [
            (nil, RoutingWishes.Objective.cost, ["b/x", "c/x", "a/x"]),
            (nil, .speed, ["c/x", "a/x", "b/x"]),
            (.cost, .speed, ["b/x", "c/x", "a/x"]),
            (.speed, .cost, ["c/x", "a/x", "b/x"]),
        ] as [(RoutingWishes.Objective?, RoutingWishes.Objective, [String])])
    func objectives(_ asked: RoutingWishes.Objective?, _ rule: RoutingWishes.Objective, _ expected: [String]) throws {
        let all = RoutingRule(
            name: "r", condition: .init(), primary: DecisionTests.three.map(\.route), objective: rule)
        let policy = try makePolicy(DecisionTests.three, rules: [all])
        let decision = policy.decide(payout { $0.wishes.objective = asked }, health: nil, now: at(friday))
        #expect(decision.names == expected)
    }

    @Test("Balance spreads by the seed, and the same seed decides alike")
    func balance() throws {
        let all = RoutingRule(
            name: "r", condition: .init(), primary: DecisionTests.three.map(\.route), objective: .balance)
        let policy = try makePolicy(DecisionTests.three, rules: [all])
        var firsts: [String: Int] = [:]
        for seed in 0..<3_000 {
            let query = payout { $0.seed = UInt64(seed) }
            let decision = policy.decide(query, health: nil, now: at(friday))
            #expect(decision == policy.decide(query, health: nil, now: at(friday)))
            firsts[decision.names[0], default: 0] += 1
        }
        #expect(firsts.count == 3)
        #expect(firsts.values.allSatisfy { $0 > 850 && $0 < 1_150 }, "\(firsts)")
    }

    @Test("The first choice goes before the second, whatever the cost; roles say so")
    func groups() throws {
        let rule = RoutingRule(
            name: "r", condition: .init(), primary: [route("a/x"), route("c/x")], secondary: [route("b/x")])
        let policy = try makePolicy(DecisionTests.three, rules: [rule])
        let decision = policy.decide(payout(), health: nil, now: at(friday))
        #expect(decision.names == ["c/x", "a/x", "b/x"])
        #expect(decision.candidates.map(\.role) == [.primary, .secondary, .secondary])
        #expect(decision.candidates[0].cost == RouteCost(fixed: 20, variable: 0, total: 20, currency: eur))
        #expect(decision.policyVersion == "v1")
        let second = policy.decide(
            payout { $0.tried = [.init(route: route("c/x"), ending: .absent)] }, health: nil, now: at(friday))
        #expect(second.names == ["a/x", "b/x"])
        #expect(second.candidates.map(\.role) == [.secondary, .secondary])
        let offloaded = policy.decide(payout { $0.afterOffload = true }, health: nil, now: at(friday))
        #expect(offloaded.candidates.map(\.role) == [.offload, .offload, .offload])
        let onlySecond = policy.decide(
            payout { $0.wishes.excludePartners = [PartnerName("a"), PartnerName("c")] }, health: nil, now: at(friday))
        #expect(onlySecond.candidates.map(\.role) == [.secondary])
    }

    @Test("The first rule that matches decides")
    func firstMatch() throws {
        let routes = DecisionTests.three
        func rule(_ name: String, _ to: String, _ condition: RoutingRule.Condition) -> RoutingRule {
            RoutingRule(name: name, condition: condition, primary: [route(to)])
        }
        let policy = try makePolicy(
            routes,
            rules: [
                rule("payment", "a/x", .init(kind: .payment)),
                rule("usd", "a/x", .init(currencies: [usd])),
                rule("us", "a/x", .init(countries: [country("US")])),
                rule("alias", "a/x", .init(accountForms: [.alias])),
                rule("large", "a/x", .init(minimum: 50_001)),
                rule("asked", "b/x", .init(requestedRails: [])),
                rule("rest", "c/x", .init(maximum: 50_000)),
            ])
        #expect(policy.decide(payout(), health: nil, now: at(friday)).names == ["c/x"])
        #expect(policy.decide(payout { $0.amount.minorUnits += 1 }, health: nil, now: at(friday)).names == ["a/x"])
        #expect(policy.decide(payout { $0.country = country("US") }, health: nil, now: at(friday)).names == ["a/x"])
        #expect(policy.decide(payout { $0.wishes.rail = Rail("x") }, health: nil, now: at(friday)).names == ["b/x"])
        #expect(policy.decide(payout { $0.wishes.rail = Rail("nope") }, health: nil, now: at(friday)).names == [])
    }

    @Test("A bound on the cost in another currency is compared by reference rates, exactly; without a rate it fails")
    func maximumCostAcrossCurrencies() throws {
        // USD 1 = EUR 0.50; JPY 1 = EUR 0.005.
        let jpy = currency("JPY")
        let rates = ReferenceRates(billionths: [eur: 1_000_000_000, usd: 500_000_000, jpy: 5_000_000])
        #expect(rates.isAtMost(60, eur, Money(120, usd)) == true)
        #expect(rates.isAtMost(61, eur, Money(120, usd)) == false)
        #expect(rates.isAtMost(60, eur, Money(120, jpy)) == true)
        #expect(rates.isAtMost(60, eur, Money(119, jpy)) == false)
        #expect(rates.isAtMost(.max, eur, Money(.max, jpy)) == false, "no overflow")
        #expect(rates.isAtMost(60, eur, Money(60, currency("KWD"))) == nil)
        let policy = try makePolicy([payoutRoute("a/x")])
        let decision = policy.decide(payout { $0.wishes.maximumCost = Money(9_999, usd) }, health: nil, now: at(friday))
        #expect(decision.code("a/x") == .costAboveMaximum)
    }

    // MARK: Offload

    static let queue = OffloadPlan.Queue(
        owner: "treasury", deadline: .seconds(4 * 86_400),
        causes: [.outsideWindow, .afterCutOff, .calendarClosed, .circuitOpen, .noCapacity, .alreadyTried],
        retryAfter: .seconds(30))

    static let windowed = payoutRoute("a/x") { $0.hours = EliminationTests.hours(time(8), time(12)) }

    @Test("Outside of the hours: queue until the window opens where the policy says so, else no route")
    func offWindow() throws {
        let policy = try makePolicy(
            [DecisionTests.windowed], offload: OffloadPlan(queue: DecisionTests.queue, manual: desk))
        let decision = policy.decide(payout(), health: nil, now: at(friday))
        #expect(
            decision.outcome
                == .offload(
                    OffloadOrder(
                        lane: .queue, owner: "treasury", deadline: friday + .seconds(4 * 86_400),
                        releaseRule: "window-opens", releaseAt: utc(2026, 11, 23, 7), manualOwner: "desk",
                        manualDeadline: .seconds(3_600))))
        let strict = try makePolicy([DecisionTests.windowed])
        #expect(strict.decide(payout(), health: nil, now: at(friday)).outcome == .noRoute)
    }

    @Test("A wait that would end too late is a person's now: beyond the deadline, or again and again")
    func tooLate() throws {
        let policy = try makePolicy(
            [DecisionTests.windowed], offload: OffloadPlan(queue: DecisionTests.queue, manual: desk))
        let again = policy.decide(
            payout { $0.offloadedSince = friday + Milliseconds(-2 * 86_400_000) }, health: nil, now: at(friday))
        guard case .offload(let order) = again.outcome else {
            Issue.record("\(again.outcome)")
            return
        }
        #expect(order.lane == .manual)
        #expect(order.deadline == friday + .seconds(3_600))
        #expect(order.releaseAt == nil)
        #expect(order.releaseRule == "operator")
    }

    @Test("The queue waits for the earliest route that time can heal, for a reason that the policy names")
    func causes() throws {
        let soon = payoutRoute("b/x") { $0.hours = EliminationTests.hours(time(14), time(16)) }
        let plan = OffloadPlan(queue: DecisionTests.queue, manual: desk)
        let policy = try makePolicy([DecisionTests.windowed, soon], offload: plan)
        guard case .offload(let order) = policy.decide(payout(), health: nil, now: at(friday)).outcome else {
            Issue.record("not offloaded")
            return
        }
        #expect(order.releaseAt == utc(2026, 11, 20, 13))
        // A route that was not reached may be reached later; one that rejected may not.
        let open = try makePolicy([payoutRoute("a/x")], offload: plan)
        let notSent = payout { $0.tried = [.init(route: route("a/x"), ending: .notSent)] }
        guard case .offload(let retry) = open.decide(notSent, health: nil, now: at(friday)).outcome else {
            Issue.record("not offloaded")
            return
        }
        #expect((retry.releaseAt, retry.releaseRule) == (friday + .seconds(30), "retry-later"))
        let rejected = payout { $0.tried = [.init(route: route("a/x"), ending: .rejected)] }
        #expect(open.decide(rejected, health: nil, now: at(friday)).outcome == .noRoute)
    }

    @Test("The queue never waits beyond deliverBy")
    func deliverBy() throws {
        let policy = try makePolicy(
            [DecisionTests.windowed], offload: OffloadPlan(queue: DecisionTests.queue, manual: desk))
        let decision = policy.decide(payout { $0.deliverBy = utc(2026, 11, 23, 8) }, health: nil, now: at(friday))
        guard case .offload(let order) = decision.outcome else {
            Issue.record("not offloaded")
            return
        }
        #expect((order.lane, order.deadline) == (.queue, utc(2026, 11, 23, 8)))
        let never = policy.decide(payout { $0.deliverBy = utc(2026, 11, 23, 7) }, health: nil, now: at(friday))
        #expect(never.outcome == .noRoute)
        #expect(never.code("a/x") == .tooSlow)
    }

    @Test("Reasons that a person must see go to lane manual at once")
    func manualCauses() throws {
        let plan = OffloadPlan(
            queue: nil, manual: .init(owner: "desk", deadline: .seconds(60), causes: [.amountAboveLimit]))
        let policy = try makePolicy([payoutRoute("a/x")], offload: plan)
        let decision = policy.decide(payout { $0.amount.minorUnits = 100_001 }, health: nil, now: at(friday))
        guard case .offload(let order) = decision.outcome else {
            Issue.record("not offloaded")
            return
        }
        #expect((order.lane, order.owner, order.deadline) == (.manual, "desk", friday + .seconds(60)))
    }

    @Test("A future execution date waits until its day begins, if any route could serve it at all")
    func executionDate() throws {
        let policy = try makePolicy([DecisionTests.windowed])
        func outcome(_ date: CalendarDate, amount: Int64 = 50_000) -> RouteDecision.Outcome {
            let query = payout {
                $0.requestedExecutionDate = date
                $0.amount.minorUnits = amount
            }
            return policy.decide(query, health: nil, now: at(utc(2026, 11, 20, 10))).outcome
        }
        guard case .offload(let order) = outcome(day(2026, 11, 23)) else {
            Issue.record("not offloaded")
            return
        }
        #expect((order.lane, order.releaseRule, order.owner) == (.queue, "execution-date", "treasury"))
        #expect(order.releaseAt == utc(2026, 11, 23, 5), "06:00 in Berlin")
        #expect(order.deadline == utc(2026, 11, 23, 6))
        #expect(outcome(day(2026, 11, 20)) == .attempt, "today is now")
        #expect(outcome(day(2026, 11, 1)) == .attempt, "a past day means today")
        #expect(outcome(day(2026, 11, 23), amount: 100_001) == .noRoute, "no day would help")
    }

    @Test("A query of an initiate: the account's country, the instrument")
    func queryOfInitiation() {
        func query(_ account: Account?, country: String? = nil) -> RouteQuery {
            let creditor = Party(name: Personal("x"), account: account, country: country)
            return RouteQuery(
                Initiation(kind: .payout, instructedAmount: Money(1, eur), creditor: creditor), seed: 1)
        }
        let iban = Account(form: .iban, number: Personal("FR7630006000011234567890189"))
        #expect(query(iban, country: "US").country == Routing.CountryCode("FR"))
        #expect(query(Account(form: .us, number: Personal("1")), country: nil).country == Routing.CountryCode("US"))
        #expect(
            query(Account(form: .alias, number: Personal("a@b")), country: "BR").country == Routing.CountryCode("BR"))
        #expect(query(Account(form: .alias, number: Personal("a@b"))).country == nil)
        let payment = RouteQuery(
            Initiation(
                kind: .payment, instructedAmount: Money(1, eur),
                instrument: .card(token: Personal("t"), network: "VISA")), seed: 1)
        #expect((payment.instrument, payment.network) == (.card, "visa"))
    }

    @Test("What cannot be compiled is refused")
    func faults() throws {
        let one = payoutRoute("a/x")
        #expect(throws: RoutingPolicyFault.routeTwice(one.route)) { try makePolicy([one, one]) }
        let rule = RoutingRule(name: "r", condition: .init(), primary: [route("b/x")])
        #expect(throws: RoutingPolicyFault.unknownRoute(route("b/x"), rule: "r")) {
            try makePolicy([one], rules: [rule])
        }
        let twice = RoutingRule(name: "r", condition: .init(), primary: [one.route])
        #expect(throws: RoutingPolicyFault.ruleTwice("r")) { try makePolicy([one], rules: [twice, twice]) }
        let many = (0...RoutingPolicy.maximumRoutes).map { payoutRoute("a/r\($0)") }
        #expect(throws: RoutingPolicyFault.tooManyRoutes(1_025)) { try makePolicy(many) }
    }

    @Test("The benchmark's policy: every route is decided on, all rules are asked")
    func synthetic() throws {
        let policy = try SyntheticPolicy.make(routes: 100, rules: 1_000, currency: eur)
        let decision = policy.decide(payout(), health: RouteHealthBoard(policy), now: at(friday))
        #expect(decision.candidates.count == 50)
        #expect(decision.eliminated.count == 50)
        let firstChoice = decision.candidates.prefix { policy.index(of: $0.route).map { $0 < 50 } == true }
        #expect(firstChoice.count == 25)
        #expect(firstChoice.map(\.cost.total) == firstChoice.map(\.cost.total).sorted())
    }
}
