import MessageCodec
import Orchestrator
import Partners
import PaymentCore
import PaymentModel
import RecordFormat
import Routing
import Screening
import Testing

@Suite("The domain that joins the pure modules")
struct SwitchyardDomainTests {
    private let route = Route(partner: PartnerName("bank-a"), rail: Rail("sepa-instant"))
    private let display = RouteHealthDisplay()

    private func domain() throws -> SwitchyardDomain {
        let currency = try #require(Currency("EUR"))
        let entry = CatalogueRoute(
            route: route, kind: .payout,
            currencies: [currency: .init(maximum: 1_000_000, fees: FeeSchedule(fixed: 10, millionths: 0))],
            accountForms: [.iban], terms: TestDomain.terms)
        let manual = OffloadPlan.Manual(owner: "operations", deadline: .seconds(3_600))
        let dates = ExecutionDates(
            zone: .utc, releaseTime: .zero, owner: "operations", grace: .seconds(60), manual: manual)
        let policy = try RoutingPolicy(version: "v", routes: [entry], rules: [], executionDates: dates)
        let lists = ScreeningLists(
            version: 7, owner: "compliance", deadline: .seconds(60),
            entries: [ScreeningEntry(id: "e-1", list: .hold, names: ["Casimir Testholder"])])
        let adapter = try #require(PartnerAdapter(named: "reference"))
        return SwitchyardDomain(
            policy: policy, lists: lists, partners: [route.partner: adapter], rules: CoreRules(terms: [:]), shards: 1,
            display: display, hash: { TestDomain.digest(String(decoding: $0, as: UTF8.self)) })
    }

    private let reference = Reference(partitionHash: 5, seed: Digest(high: 1, low: 2), attempt: 1)

    private func notification(
        partner: String = "bank-a", reference: String, body: String, fresh: Bool = true
    ) throws -> DecodedNotification {
        let record = NotificationRecord(
            partner: PartnerName(partner), id: "n-1", type: "transfer.settled", reference: reference,
            receivedAt: Timestamp(milliseconds: 1_000), fresh: fresh, body: Array(body.utf8))
        let frame = record.frame()
        return try domain().notification(frame: frame.span.bytes)
    }

    private func body(_ reference: String, type: String = "transfer.settled", status: String = "settled") -> String {
        """
        {"id":"n-1","type":"\(type)","occurredAt":"2026-11-21T10:00:00Z","data":{"reference":"\(reference)",\
        "transferId":"t-1","status":"\(status)","valueDate":"2026-11-21"}}
        """
    }

    @Test(
        "a stored notification is read by its partner's adapter, with the freshness of its receipt",
        arguments: [true, false])
    func notified(fresh: Bool) throws {
        let told = try notification(reference: reference.text, body: body(reference.text), fresh: fresh)
        guard case .notification(let notification) = told else {
            Issue.record("\(told)")
            return
        }
        #expect(notification.reference == reference)
        #expect(notification.fresh == fresh)
        #expect(notification.receivedAt == Timestamp(milliseconds: 1_000))
        guard case .order(let report) = notification.subject else {
            Issue.record("\(notification.subject)")
            return
        }
        #expect(report.status == .settled)
    }

    @Test("what nobody can apply goes to the dead letters with a code")
    func undecodable() throws {
        func code(_ decoded: DecodedNotification) -> String? {
            if case .undecodable(let code, _) = decoded { code } else { nil }
        }
        let ours = reference.text
        #expect(code(try notification(partner: "bank-z", reference: ours, body: body(ours))) == "unknown-partner")
        #expect(code(try notification(reference: ours, body: "no json")) == "unreadable-notification")
        #expect(code(try notification(reference: ours, body: body("OTHER"))) == "unreadable-notification")
        #expect(code(try notification(reference: "THEIRS", body: body("THEIRS"))) == "unexplained-notification")
        #expect(
            code(try notification(reference: ours, body: body(ours, type: "weather.changed")))
                == "unexplained-notification")
        #expect(code(try domain().notification(frame: [UInt8](repeating: 255, count: 9).span.bytes)) != nil)
    }

    @Test(
        "money that came in by a foreign reference is told with its amount; of what is stale, or says no amount, nothing"
    )
    func unexplained() throws {
        func money(_ data: String, type: String = "transfer.returned", fresh: Bool = true) throws -> UnexplainedMoney? {
            let body = #"{"id":"n-1","type":"\#(type)","occurredAt":"2026-11-21T10:00:00Z","data":{\#(data)}}"#
            let record = NotificationRecord(
                partner: route.partner, id: "n-1", type: type, reference: "THEIRS",
                receivedAt: Timestamp(milliseconds: 1_000), fresh: fresh, body: Array(body.utf8))
            let frame = record.frame()
            return try domain().unexplainedMoney(frame: frame.span.bytes, now: Timestamp(milliseconds: 0))
        }
        let amount = #""amount":{"currency":"EUR","minorUnits":700}"#
        let returned = #""reference":"THEIRS","transferId":"t-9","status":"returned","valueDate":"2026-11-20""#
        let told = try #require(try money("\(returned),\(amount)"))
        #expect(told.postingID == "bank-a-posting-t-9")
        #expect(told.amount == Money(700, try #require(Currency("EUR"))))
        #expect(told.valueDate == RFC3339.day("2026-11-20"))
        let captured = try money(
            #""reference":"THEIRS","authorizationId":"a-1",\#(amount)"#, type: "authorization.captured")
        #expect(captured?.postingID == "bank-a-posting-THEIRS")
        #expect(captured?.valueDate == RFC3339.day("1970-01-01"))
        #expect(try money(returned) == nil)
        #expect(try money("\(returned),\(amount)", fresh: false) == nil)
        #expect(try money("\(returned),\(amount)", type: "transfer.settled") == nil)
        #expect(try money(#""reference":"THEIRS","transferId":"a b",\#(amount)"#) == nil)
        #expect(try money(#""reference":"OTHER","transferId":"t-9",\#(amount)"#) == nil)
    }

    @Test("terms come from the policy, unknown partners get no request, and people see what the shards have seen")
    func surroundings() throws {
        let domain = try domain()
        #expect(domain.rules.terms[route] == TestDomain.terms)
        let elsewhere = Route(partner: PartnerName("bank-z"), rail: route.rail)
        let inquiry = InquiryOrder(
            attempt: 1, inquiry: 1, operation: .payout, route: elsewhere, reference: reference,
            amount: Money(1, try #require(Currency("EUR"))), partnerReference: nil, target: nil)
        #expect(domain.call(for: inquiry) == nil)
        #expect(domain.outcome(of: PartnerAnswer(status: 200), to: inquiry).outcome == .unanswered)

        var health = domain.initialHealth()
        let moment = MonotonicTime(milliseconds: 10_000)
        let now = Now(
            wall: Timestamp(milliseconds: 0), monotonic: moment,
            incarnation: Incarnation(number: 1, began: moment, predecessor: .provenDead))
        domain.started(route, health: &health, now: now)
        #expect(display.seen(route, at: moment).openAttempts == 1)
        domain.ended(route, .answered, startedAt: moment, health: &health, now: now)
        #expect(display.seen(route, at: moment).openAttempts == 0, "it does not show for ever what was under way")
    }
}
