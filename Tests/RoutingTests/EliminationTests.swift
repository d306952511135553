import PaymentModel
import Testing

@testable import Routing

@Suite("Elimination: one table for every rule and code") struct EliminationTests {
    /// A change of the route `b/sepa` or of the query that must eliminate the route, while `a/sepa` stays.
    struct Row: Sendable, CustomTestStringConvertible {
        var code: EliminationCode
        var detail: String
        var route: @Sendable (inout CatalogueRoute) -> Void = { _ in }
        var query: @Sendable (inout RouteQuery) -> Void = { _ in }
        var testDescription: String { "\(code.rawValue): \(detail)" }
    }

    static let closed = OperatingHours(
        zone: berlin,
        calendar: BusinessCalendar(
            name: "T", weekdays: [1, 2, 3, 4, 5], holidays: [day(2026, 11, 20)],
            coverage: day(2026, 1, 1)...day(2026, 12, 31)), windows: [.init(opens: time(8), cutOff: time(16))])

    static func hours(_ opens: Milliseconds, _ cutOff: Milliseconds) -> OperatingHours {
        let calendar = BusinessCalendar(
            name: "T", weekdays: [1, 2, 3, 4, 5], holidays: [], coverage: day(2026, 1, 1)...day(2026, 12, 31))
        return OperatingHours(zone: berlin, calendar: calendar, windows: [.init(opens: opens, cutOff: cutOff)])
    }

    static let rows: [Row] = [
        Row(code: .amountAboveLimit, detail: "EUR 499.99", route: { $0.currencies[eur]?.maximum = 49_999 }),
        Row(code: .amountBelowMinimum, detail: "EUR 500.01", route: { $0.currencies[eur]?.minimum = 50_001 }),
        Row(code: .currencyUnsupported, detail: "EUR", route: { $0.currencies = [:] }),
        Row(code: .countryUnsupported, detail: "DE", route: { $0.countries = [country("FR")] }),
        Row(code: .accountFormUnsupported, detail: "iban", route: { $0.accountForms = [.us, .alias] }),
        Row(code: .instrumentUnsupported, detail: "payments only", route: { $0.kind = .payment }),
        Row(code: .railNotRequested, detail: "on request only", route: { $0.onlyOnRequest = true }),
        Row(
            code: .railNotRequested, detail: "another asked", route: { $0.route = route("b/other") },
            query: { $0.wishes.rail = Rail("sepa") }),
        Row(
            code: .partnerExcluded, detail: "",
            query: { $0.wishes.excludePartners = [PartnerName("x"), PartnerName("b")] }),
        Row(
            code: .costAboveMaximum, detail: "EUR 0.61",
            route: { $0.currencies[eur]?.fees = FeeSchedule(fixed: 11, millionths: 1_000) },
            query: { $0.wishes.maximumCost = Money(60, eur) }),
        Row(code: .alreadyTried, detail: "", query: { $0.tried = [.init(route: route("b/sepa"), ending: .rejected)] }),
        Row(
            code: .alreadyTried, detail: "not sent",
            query: { $0.tried = [.init(route: route("b/sepa"), ending: .notSent)] }),
        Row(code: .outsideWindow, detail: "opens 2026-11-20 13:00Z", route: { $0.hours = hours(time(14), time(16)) }),
        Row(code: .afterCutOff, detail: "opens 2026-11-23 07:00Z", route: { $0.hours = hours(time(8), time(12)) }),
        Row(code: .calendarClosed, detail: "opens 2026-11-23 07:00Z", route: { $0.hours = closed }),
        Row(
            code: .tooSlow, detail: "", route: { $0.delivery = .within(.seconds(3_600)) },
            query: { $0.deliverBy = friday + .seconds(3_599) }),
        Row(
            code: .tooSlow, detail: "even when open", route: { $0.hours = hours(time(8), time(12)) },
            query: { $0.deliverBy = utc(2026, 11, 23, 7) }),
        Row(
            code: .tooSlow, detail: "",
            route: {
                $0.hours = hours(time(8), time(17))
                $0.delivery = .workingDays(1, at: time(9))
            }, query: { $0.deliverBy = utc(2026, 11, 23, 7, 59) }),
    ]

    @Test("Each fault eliminates the route and no other", arguments: rows)
    func eliminated(_ row: Row) throws {
        let routes = [payoutRoute("a/sepa"), payoutRoute("b/sepa", row.route)]
        let policy = try makePolicy(routes)
        let decision = policy.decide(payout(row.query), health: nil, now: at(friday))
        #expect(decision.names == ["a/sepa"])
        let other = routes[1].route.description
        #expect(decision.code(other) == row.code)
        #expect(decision.detail(other) == row.detail)
        #expect(decision.eliminated.count == 1)
        #expect(decision.outcome == .attempt)
    }

    @Test("The bounds themselves pass")
    func bounds() throws {
        let exact = payoutRoute("b/sepa") {
            $0.currencies[eur]?.minimum = 50_000
            $0.currencies[eur]?.maximum = 50_000
            $0.delivery = .within(.seconds(60))
        }
        let query = payout {
            $0.wishes.maximumCost = Money(60, eur)
            $0.deliverBy = friday + .seconds(60)
        }
        #expect(try makePolicy([exact]).decide(query, health: nil, now: at(friday)).names == ["b/sepa"])
    }

    @Test("A route that no rule gives, and a payment that no rule matches")
    func notInRules() throws {
        let routes = [payoutRoute("a/sepa"), payoutRoute("b/sepa")]
        let only = RoutingRule(name: "a", condition: .init(kind: .payout), primary: [route("a/sepa")])
        let decision = try makePolicy(routes, rules: [only]).decide(payout(), health: nil, now: at(friday))
        #expect(decision.names == ["a/sepa"])
        #expect(decision.code("b/sepa") == .notInRules)
        let other = RoutingRule(name: "us", condition: .init(currencies: [usd]), primary: [route("a/sepa")])
        let none = try makePolicy(routes, rules: [other]).decide(payout(), health: nil, now: at(friday))
        #expect(none.candidates.isEmpty)
        #expect(none.outcome == .noRoute)
        #expect(none.code("a/sepa") == .notInRules)
        #expect(none.code("b/sepa") == .notInRules)
    }

    @Test("A partner that the daemon cannot reach")
    func partnerUnknown() throws {
        let policy = try makePolicy([payoutRoute("a/sepa"), payoutRoute("b/sepa")], reached: [PartnerName("a")])
        #expect(policy.reaches(PartnerName("a")) && !policy.reaches(PartnerName("b")))
        let decision = policy.decide(payout(), health: nil, now: at(friday))
        #expect(decision.names == ["a/sepa"])
        #expect(decision.code("b/sepa") == .partnerUnknown)
    }

    @Test("A currency that nobody serves, and the reason for each route")
    func currencyOfNobody() throws {
        let policy = try makePolicy([payoutRoute("a/sepa"), payoutRoute("b/sepa")])
        let decision = policy.decide(payout { $0.amount = Money(1, currency("CLF")) }, health: nil, now: at(friday))
        #expect(decision.eliminated.map(\.code) == [.currencyUnsupported, .currencyUnsupported])
        #expect(decision.outcome == .noRoute)
    }

    @Test("Cards: instrument and network")
    func cards() throws {
        func card(_ name: String, _ networks: Set<String>?, _ instruments: Set<InstrumentKind> = [.card])
            -> CatalogueRoute
        {
            payoutRoute(name) {
                $0.kind = .payment
                $0.instruments = instruments
                $0.networks = networks
            }
        }
        let policy = try makePolicy([
            card("a/card", nil), card("b/card", ["visa"]), card("c/bank", nil, [.openBanking]), payoutRoute("d/sepa"),
        ])
        func decide(_ network: String?) -> RouteDecision {
            let query = RouteQuery(kind: .payment, amount: Money(50_000, eur), instrument: .card, network: network)
            return policy.decide(query, health: nil, now: at(friday))
        }
        #expect(decide("visa").names == ["a/card", "b/card"])
        #expect(decide(nil).names == ["a/card", "b/card"], "the partner knows the network by the token")
        #expect(decide("amex").names == ["a/card"])
        #expect(decide("amex").detail("b/card") == "amex")
        #expect(decide("visa").code("c/bank") == .instrumentUnsupported)
        #expect(decide("visa").code("d/sepa") == .instrumentUnsupported)
        #expect(decide("visa").detail("d/sepa") == "payouts only")
    }

    @Test("Health: an open breaker, a throttle, no room")
    func health() throws {
        let policy = try makePolicy([
            payoutRoute("a/sepa"), payoutRoute("b/sepa"), payoutRoute("c/sepa") { $0.capacity.openAttempts = 4 },
        ])
        let now = MonotonicTime(milliseconds: 1_000_000)
        var board = RouteHealthBoard(policy, shards: 2)
        for _ in 0..<10 {
            board.started(route("b/sepa"), at: now)
            board.ended(route("b/sepa"), .failed, startedAt: now, at: now)
        }
        for _ in 0..<2 { board.started(route("c/sepa"), at: now) }
        let decision = policy.decide(payout(), health: board, now: at(friday))
        #expect(decision.names == ["a/sepa"])
        #expect(decision.code("b/sepa") == .circuitOpen)
        #expect(decision.code("c/sepa") == .noCapacity, "a shard among two has half of the capacity")
        #expect(decision.health.map(\.route) == [route("b/sepa"), route("c/sepa")])
        #expect(decision.health[0].breaker == .open)
        #expect(decision.health[1].openAttempts == 2)
        board.ended(route("c/sepa"), .answered, startedAt: now, at: now)
        #expect(policy.decide(payout(), health: board, now: at(friday)).names == ["a/sepa", "c/sepa"])
        let later = at(friday, monotonic: 1_000_000 + 10_000)
        #expect(policy.decide(payout(), health: board, now: later).code("b/sepa") != .circuitOpen, "trials may go")
    }

    @Test("Every code has a test here")
    func complete() {
        let covered = Set(EliminationTests.rows.map(\.code)).union([
            .notInRules, .partnerUnknown, .circuitOpen, .noCapacity, .unhealthy,
        ])
        #expect(Set(EliminationCode.allCases).subtracting(covered).isEmpty)
    }
}
