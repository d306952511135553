import CanonicalJSON
import CurlHTTP
import EventLog
import Operations
import PaymentModel
import Testing

@Suite("What people and tools read")
struct ReadingTests {
    private func summary(_ status: PaymentStatus, ago seconds: Int64, partner: String = "bank-a") -> PaymentSummary {
        PaymentSummary(
            status: status.rawValue, parked: PaymentStatus.parked.contains(status),
            finished: PaymentStatus.terminal.contains(status),
            since: Timestamp(milliseconds: PortUnderTest.now.milliseconds - seconds * 1_000), partner: partner)
    }

    private func filled(_ limits: OperationsLimits = OperationsLimits()) throws -> PortUnderTest {
        let port = try PortUnderTest(limits: limits)
        for number in 1...7 {
            port.commit(
                "screening.held", "held-\(number)", sequence: 1, data: ["state": "held", "holdId": "x"],
                summary: summary(.held, ago: Int64(number * 60), partner: ""))
        }
        port.commit(
            "payout.submitted", "sub-1", sequence: 1, data: ["state": "submitted"],
            summary: summary(.submitted, ago: 10))
        port.commit(
            "payout.settled", "done-1", sequence: 1, data: ["state": "settled"], summary: summary(.settled, ago: 5))
        return port
    }

    @Test("the list: unfinished ones by default, longest in their state first, page by page")
    func list() async throws {
        let port = try filled()
        var seen: [String] = []
        var target = "/v1/payments?limit=3"
        while true {
            let page = try await port.call("GET", target)
            #expect(page.status == 200)
            seen += page.json?["payments"]?.array?.compactMap { $0["paymentId"]?.string } ?? []
            guard let next = page.json?["next"]?.string else { break }
            target = "/v1/payments?limit=3&after=\(next)"
        }
        #expect(seen == (1...7).reversed().map { "held-\($0)" } + ["sub-1"])
    }

    @Test("a page of a rare partner looks at so many payments and no more, and says where to go on")
    func rarePartner() async throws {
        var limits = OperationsLimits()
        limits.rowsPerList = 3
        let port = try filled(limits)
        var pages: [[String?]] = []
        var next: String? = ""
        while let after = next, pages.count < 10 {
            let page = try await port.call("GET", "/v1/payments?partner=bank-a\(after)")
            #expect(page.status == 200)
            pages.append(page.json?["payments"]?.array?.map { $0["paymentId"]?.string } ?? [])
            next = page.json?["next"]?.string.map { "&after=\($0)" }
        }
        #expect(pages == [[], [], ["sub-1"]])
    }

    @Test("filters: state, partner, age; what is wrong is named")
    func filters() async throws {
        let port = try filled()
        func ids(_ query: String) async throws -> [String] {
            try await port.call("GET", "/v1/payments?\(query)").json?["payments"]?.array?
                .compactMap { $0["paymentId"]?.string } ?? []
        }
        #expect(try await ids("state=settled") == ["done-1"])
        #expect(try await ids("partner=bank-a") == ["sub-1"])
        #expect(try await ids("olderThan=5m") == ["held-7", "held-6", "held-5"])
        let moment = RFC3339.string(Timestamp(milliseconds: PortUnderTest.now.milliseconds - 390_000))
        #expect(try await ids("olderThan=\(PercentEncoding.encode(moment))") == ["held-7"])
        for wrong in ["state=nowhere", "olderThan=soon", "limit=0", "after=%21%21"] {
            let answer = try await port.call("GET", "/v1/payments?\(wrong)")
            #expect(answer.status == 400)
            #expect(answer.json?["field"]?.string == String(wrong.prefix { $0 != "=" }))
        }
    }

    @Test("one payment: attempts as its events tell, and its history")
    func show() async throws {
        let port = try PortUnderTest()
        #expect(try await port.call("GET", "/v1/payments/p").status == 404)
        port.commit("payout.received", "p", sequence: 1, data: ["state": "screening"])
        port.commit(
            "attempt.started", "p", sequence: 2,
            data: [
                "state": "attempting", "attemptId": "p-attempt-1", "operation": "payout", "partner": "bank-b",
                "rail": "sepa", "reference": "SREF", "amount": ["currency": "EUR", "minorUnits": 5],
            ])
        port.commit("attempt.in-doubt", "p", sequence: 3, data: ["state": "inDoubt", "attemptId": "p-attempt-1"])
        let answer = try await port.call("GET", "/v1/payments/p")
        #expect(answer.status == 200)
        #expect(answer.json?["state"]?.string == "inDoubt")
        #expect(answer.json?["partner"]?.string == "bank-b")
        #expect(answer.json?["sequence"]?.integer == 3)
        #expect(answer.json?["attempts"]?[0]?["status"]?.string == "inDoubt")
        #expect(answer.json?["attempts"]?[0]?["reference"]?.string == "SREF")
        #expect(answer.json?["events"]?.array?.count == 3)
    }

    @Test("records come page by page in the order of their offsets, by topic, filtered by key")
    func records() async throws {
        let port = try PortUnderTest(partitions: 1)
        for number in 1...5 { port.commit("payout.received", "p\(number)", sequence: 1, data: ["state": "screening"]) }
        let first = try await port.call("GET", "/v1/records/events?partition=0&limit=2")
        #expect(first.status == 200)
        #expect(first.headers["content-type"] == "application/x-ndjson")
        #expect(first.headers["switchyard-partitions"] == "1")
        #expect(first.headers["switchyard-next-offset"] == "2")
        #expect(first.headers["switchyard-end-offset"] == "5")
        let lines = first.text.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
        #expect(lines.compactMap { $0["offset"]?.integer } == [0, 1])
        #expect(lines[0]["topic"]?.string == "switchyard.events")
        #expect(lines[0]["data"]?["paymentId"]?.string == "p1")
        let filtered = try await port.call("GET", "/v1/records/events?partition=0&key=p4")
        #expect(filtered.text.split(separator: "\n").count == 1)
        #expect(try await port.call("GET", "/v1/records/commands?partition=0").status == 404)
        #expect(try await port.call("GET", "/v1/records/notifications?partition=0").status == 404)
        #expect(try await port.call("GET", "/v1/records/events?partition=1").status == 400)
        #expect(try await port.call("GET", "/v1/records/events?partition=0&offset=-1").status == 400)
    }

    @Test("a line for a person: amounts in major units, fees, evidence, and what a route decision weighed")
    func lines() throws {
        let settled = try JSONValue(
            parsing: #"""
                {"time":"t","subject":"p1","type":"io.switchyard.payout.settled.v1","data":{"state":"settled",
                "settledAmount":{"currency":"EUR","minorUnits":125000},"fee":{"currency":"JPY","minorUnits":3},
                "evidence":{"kind":"notification","id":"n7"}}}
                """#)
        #expect(
            RecordPresentation.line(settled)
                == "t  p1  payout.settled  state=settled  EUR 1250.00  fee JPY 3  evidence: notification n7")
        let decision = try JSONValue(
            parsing: #"""
                {"data":{"candidates":[{"partner":"bank-a","rail":"r","role":"primary",
                "cost":{"fixed":20,"variable":5,"total":25,"currency":"EUR"}}],
                "eliminated":[{"partner":"bank-b","rail":"s","code":"circuit-open","detail":"5 of 6 failed"}]}}
                """#)
        #expect(
            RecordPresentation.details(decision)
                == ["primary bank-a/r: costs EUR 0.25", "not bank-b/s: circuit-open, 5 of 6 failed"])
    }

    @Test("readiness tells its reasons, routes their health, and the console is one page without outside resources")
    func surroundings() async throws {
        let port = try PortUnderTest(
            readiness: { Readiness(reasons: ["the log cannot be written"], notices: ["policy broken"]) },
            routes: {
                RouteOverview(
                    policyVersion: "abc",
                    routes: [
                        RouteOverview.Entry(
                            partner: "bank-a", rail: "sepa", kind: "payout", health: "open", isConfigured: false,
                            openAttempts: 3, maximumOpenAttempts: 9,
                            currencies: [
                                RouteOverview.Terms(
                                    currency: "EUR", amounts: 1...90,
                                    tiers: [.init(upTo: 10, fixed: 5, perMillion: 50), .init(fixed: 9, perMillion: 7)])
                            ])
                    ])
            })
        let ready = try await port.call("GET", "/readyz")
        #expect(ready.status == 503)
        #expect(ready.json?["reasons"]?[0]?.string == "the log cannot be written")
        let routes = try await port.call("GET", "/v1/routes")
        #expect(routes.json?["routes"]?[0]?["health"]?.string == "open")
        #expect(routes.json?["routes"]?[0]?["capacity"]?["maximum"]?.integer == 9)
        #expect(routes.json?["routes"]?[0]?["configured"] == .bool(false))
        // Half a basis point is 50 millionths, not none.
        let tiers = routes.json?["routes"]?[0]?["cost"]?[0]?["tiers"]
        #expect(tiers?[0]?["fixed"]?.integer == 5)
        #expect(tiers?[0]?["perMillion"]?.integer == 50)
        #expect(tiers?[1]?["upTo"] == .null)
        let console = try await port.call("GET", "/")
        #expect(console.status == 200)
        #expect(console.headers["content-type"] == "text/html; charset=utf-8")
        #expect(console.headers["content-security-policy"]?.contains("default-src 'none'") == true)
        #expect(
            !console.text.contains("http://") && !console.text.contains("https://") && !console.text.contains("src="))
        #expect(!console.text.contains("innerHTML"))
    }

    @Test(
        "times and spans as people type them",
        arguments: [
            ("2026-09-21T15:33:20Z", Int64(1_790_004_800_000)), ("2026-09-21T15:33:20.25Z", 1_790_004_800_250),
            ("2026-09-21T15:33:20.123456+00:00", 1_790_004_800_123),
        ])
    func moments(text: String, milliseconds: Int64) {
        #expect(RFC3339.moment(text)?.milliseconds == milliseconds)
        #expect(RFC3339.moment(RFC3339.string(Timestamp(milliseconds: milliseconds)))?.milliseconds == milliseconds)
    }

    @Test("what is neither a time nor a span is none", arguments: ["", "5", "m", "5 m", "2026-13-01T00:00:00Z", "1w"])
    func noMoments(text: String) {
        #expect(RFC3339.moment(text) == nil)
        #expect(SpanText.span(text) == nil)
    }

    @Test(
        "base 64 against RFC 4648's vectors",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }
}
