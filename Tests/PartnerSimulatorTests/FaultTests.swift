import CanonicalJSON
import PartnerWorld
import Testing

@Suite("Faults")
struct FaultTests {
    enum Seen: Equatable {
        case status(Int), reset, close, truncated, endless, garbage
    }

    private func seen(_ answer: PartnerAnswer?) -> Seen? {
        switch answer {
        case nil: nil
        case .reset: .reset
        case .close: .close
        case .truncated: .truncated
        case .endless: .endless
        case .response(let response):
            (try? JSONValue(parsing: response.body)) == nil ? .garbage : .status(response.status)
        }
    }

    @Test(
        "What the client sees, when, and whether money moved",
        arguments: [
            (#""delay","milliseconds":700"#, Seen.status(201), 700, true),
            (#""delay""#, .status(201), 1_000, true),
            (#""delayBeforeExecuting","milliseconds":700"#, .status(201), 700, true),
            (#""refuse""#, .status(403), 0, false), (#""resetBefore""#, .reset, 0, false),
            (#""resetAfter""#, .reset, 0, true), (#""timeoutBefore","milliseconds":50"#, .close, 50, false),
            (#""timeoutAfter","milliseconds":50"#, .close, 50, true), (#""timeoutAfter""#, .close, 30_000, true),
            (#""tooManyRequests""#, .status(429), 0, false), (#""garbage""#, .garbage, 0, true),
            (#""truncated""#, .truncated, 0, true), (#""endless""#, .endless, 0, true),
        ] as [(String, Seen, Milliseconds, Bool)])
    func requestFaults(rule: String, expected: Seen, after: Milliseconds, executed: Bool) {
        let driver = WorldDriver()
        driver.fault(#"{"route":"POST /v1/transfers","count":1,"fault":\#(rule)}"#)
        let start = driver.now
        let ticket = driver.transfer("R1", key: "k1")
        #expect((driver.answer(ticket) == nil) == (after > 0))
        driver.wait(max(after - 1, 0))
        #expect((driver.answer(ticket) == nil) == (after > 0))
        driver.wait(1)
        #expect(seen(driver.answer(ticket)) == expected)
        #expect(driver.answers[ticket]?.at == start + after)
        #expect(driver.find("R1").count == (executed ? 1 : 0))
        #expect(driver.books()["movements"]?.array?.count == (executed ? 1 : 0))
        // The count is used up. After an execution the key gives its answer, else it is unused.
        let again = driver.transfer("R1", key: "k1")
        #expect(driver.response(again)?.status == 201)
        #expect(driver.response(again)?.headers.isEmpty == !executed)
        #expect(driver.books()["movements"]?.array?.count == 1)
    }

    @Test("5xx before and after executing", arguments: [("error5xxBefore", false), ("error5xxAfter", true)])
    func serverErrors(fault: String, executed: Bool) {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"\#(fault)"}"#)
        var statuses: Set<Int> = []
        for number in 0..<30 { statuses.insert(driver.response(driver.transfer("R\(number)"))?.status ?? 0) }
        #expect(statuses == [500, 502, 503, 504])
        driver.send("POST", "/_control/heal")
        #expect(driver.books()["movements"]?.array?.count == (executed ? 30 : 0))
    }

    @Test("429 says how long")
    func tooMany() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"tooManyRequests","milliseconds":2500}"#)
        #expect(driver.response(driver.transfer("R1"))?.headers == [PartnerHeader(name: "Retry-After", value: "3")])
    }

    @Test("Refusing connections takes effect at once, and healing ends it")
    func refusing() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"refuse","milliseconds":800}"#)
        #expect(driver.refusals == [800])
        #expect(driver.response(driver.transfer("R1"))?.status == 201)
        driver.send("POST", "/_control/heal")
        #expect(driver.refusals == [800, 0])
    }

    @Test("Routes: a rule strikes its route only; * strikes all; inquiries too")
    func routes() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"resetBefore","route":"GET /v1/transfers"}"#)
        #expect(driver.response(driver.transfer("R1"))?.status == 201)
        #expect(driver.answer(driver.send("GET", "/v1/transfers?reference=R1")) == .reset)
        #expect(driver.response(driver.send("GET", "/v1/transfers/bank-a-t1"))?.status == 200)
        driver.fault(#"{"fault":"resetBefore"}"#)
        #expect(driver.answer(driver.send("GET", "/v1/transfers/bank-a-t1")) == .reset)
        #expect(driver.answer(driver.authorize("A1")) == .reset)
        driver.fault(#"{"fault":"resetBefore","route":"POST /v1/authorizations/{id}/captures"}"#)
        driver.authorize("A2")
        #expect(driver.answer(driver.operate("captures", "bank-a-a1", "C1", 1)) == .reset)
        driver.fault(#"{"fault":"tooManyRequests","route":"POST /oauth/token"}"#)
        #expect(
            driver.response(driver.send("POST", "/oauth/token", body: "grant_type=client_credentials"))?.status == 429)
    }

    @Test("Delays add up with what else strikes, and rules are added or replaced")
    func combined() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"delay","milliseconds":100}"#)
        driver.fault(#"{"fault":"resetAfter"},{"fault":"garbage"}"#, replace: false)
        let ticket = driver.transfer("R1")
        #expect(driver.answer(ticket) == nil)
        driver.wait(100)
        #expect(driver.answer(ticket) == .reset)
        #expect(driver.json(driver.send("GET", "/_control/faults"))["rules"]?.array?.count == 3)
        driver.fault("")
        #expect(driver.response(driver.transfer("R2"))?.status == 201)
    }

    @Test("A ratio strikes about that share, by seed, and the same seed strikes the same requests")
    func ratio() {
        func run(_ seed: Int, world: UInt64 = 0) -> [Bool] {
            let driver = WorldDriver { $0.seed = world }
            driver.fault(#"{"fault":"resetBefore","ratio":0.25,"seed":\#(seed)}"#)
            return (0..<400).map { driver.answer(driver.transfer("R\($0)")) == .reset }
        }
        #expect(run(1) == run(1))
        #expect(run(1) != run(2))
        #expect(run(1, world: 7) != run(1))
        #expect((60...140).contains(run(1).count { $0 }))
    }

    @Test(
        "Unknown faults, fields, routes and values are 400, and nothing of the request is taken",
        arguments: [
            (#"{"rules":[{"fault":"meltdown"}]}"#, "rules.0.fault"),
            (#"{"rules":[{"fault":"delay"},{"fault":"delay","color":"red"}]}"#, "rules.1.color"),
            (#"{"rules":[{"fault":"delay","route":"POST /v2/x"}]}"#, "rules.0.route"),
            (#"{"rules":[{"fault":"delay","ratio":1.5}]}"#, "rules.0.ratio"),
            (#"{"rules":[{"fault":"delay","count":-1}]}"#, "rules.0.count"),
            (#"{"rules":[{"fault":"delay","milliseconds":"5"}]}"#, "rules.0.milliseconds"),
            (#"{"rules":[{"fault":"delay"}],"extra":1}"#, "extra"), (#"{"rules":{}}"#, "rules"), ("{}", "rules"),
            ("nonsense", "the body"), ("", "the body"),
        ])
    func refusedRules(body: String, place: String) {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"garbage","milliseconds":7,"count":2,"ratio":0.125,"seed":9,"reason":"X"}"#)
        let ticket = driver.send("POST", "/_control/faults", body: body)
        #expect(driver.response(ticket)?.status == 400)
        #expect(driver.response(ticket)?.contentType == "application/problem+json")
        #expect(driver.json(ticket)["detail"]?.string?.hasPrefix(place) == true)
        #expect(
            driver.json(driver.send("GET", "/_control/faults"))["rules"] == [
                [
                    "route": "*", "fault": "garbage", "milliseconds": 7, "count": 2, "ratio": 0.125, "seed": 9,
                    "reason": "X",
                ]
            ])
    }

    // MARK: - By outcome

    @Test("Late rejection: accepted, then rejected; no money moves")
    func lateRejection() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"lateRejection","count":1,"milliseconds":500,"reason":"AC06"}"#)
        #expect(driver.json(driver.transfer("R1"))["status"] == "accepted")
        #expect(driver.newsTypes.isEmpty)
        driver.wait(500)
        #expect(driver.find("R1")[0]["status"] == "rejected")
        #expect(driver.find("R1")[0]["reason"] == "AC06")
        #expect(driver.newsTypes == ["transfer.rejected"])
        #expect(driver.books()["movements"] == [])
        driver.fault(#"{"fault":"lateRejection"}"#)
        #expect(driver.json(driver.authorize("A1"))["status"] == "pending")
        driver.wait(1_000)
        #expect(driver.findAuthorization("A1")?["reason"] == "AC04")
        driver.fault("")
        driver.authorize("A2")
        driver.fault(#"{"fault":"lateRejection"}"#)
        #expect(driver.json(driver.operate("captures", "bank-a-a2", "C1", 5))["status"] == "pending")
        driver.wait(1_000)
        #expect(driver.findAuthorization("A2")?["captures"]?[0]?["status"] == "rejected")
        #expect(driver.books()["movements"] == [])
    }

    @Test("Return: settled, then returned; both are booked")
    func returned() {
        let driver = WorldDriver { $0.feeFixed = 5 }
        driver.fault(#"{"fault":"return","milliseconds":500}"#)
        #expect(driver.json(driver.transfer("R1"))["status"] == "settled")
        driver.wait(500)
        #expect(driver.find("R1")[0]["status"] == "returned")
        #expect(driver.find("R1")[0]["reason"] == "AC04")
        #expect(driver.books()["totals"]?["transfer"] == ["EUR": 10_000])
        #expect(driver.books()["totals"]?["return"] == ["EUR": 10_000])
        #expect(driver.newsTypes == ["transfer.settled", "transfer.returned"])
        // A count is not used up by what cannot be returned.
        driver.fault(#"{"fault":"return","count":1}"#)
        driver.authorize("A1")
        driver.transfer("R2")
        driver.wait(1_000)
        #expect(driver.find("R2")[0]["status"] == "returned")
    }

    @Test("Unknown, then known: hidden for its time, but not beyond the lag", arguments: [(500, 500), (9_000, 2_000)])
    func unknownThenKnown(asked: Milliseconds, hidden: Milliseconds) {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"unknownThenKnown","milliseconds":\#(asked)}"#)
        driver.transfer("R1")
        driver.wait(hidden - 1)
        #expect(driver.find("R1").isEmpty)
        driver.wait(1)
        #expect(driver.find("R1").count == 1)
    }

    @Test("A brown-out: slow, failing and silent, for its time")
    func brownOut() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"brownOut","milliseconds":60000}"#)
        var kinds: [String: Int] = [:]
        for number in 0..<80 {
            let ticket = driver.transfer("R\(number)")
            driver.wait(100)
            if driver.answer(ticket) == nil { driver.wait(5_000) }
            switch driver.answers[ticket]?.answer {
            case .close: kinds["silent", default: 0] += 1
            case .response(let response) where response.status >= 500: kinds["failed", default: 0] += 1
            case .response: kinds["answered", default: 0] += 1
            default: kinds["other", default: 0] += 1
            }
        }
        #expect(kinds["silent", default: 0] > 0)
        #expect(kinds["failed", default: 0] > 0)
        #expect(kinds["other"] == nil)
        driver.wait(60_000)
        let ticket = driver.transfer("after")
        #expect(driver.response(ticket)?.status == 201)
    }

    // MARK: - Notifications

    @Test("Duplicate, late, none")
    func simpleNews() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"duplicate","count":1,"milliseconds":100}"#)
        driver.transfer("R1")
        #expect(driver.newsTypes.count == 1)
        driver.wait(100)
        #expect(driver.news.count == 2)
        #expect(driver.news[0] == driver.news[1])
        driver.fault(#"{"fault":"late","count":1,"milliseconds":700}"#)
        driver.transfer("R2")
        driver.wait(699)
        #expect(driver.news.count == 2)
        driver.wait(1)
        #expect(driver.news.count == 3)
        driver.fault(#"{"fault":"none","count":1}"#)
        driver.transfer("R3")
        driver.wait(60_000)
        #expect(driver.news.count == 3)
        driver.fault(#"{"fault":"late","milliseconds":70000}"#)
        driver.transfer("R4")
        driver.send("POST", "/_control/heal")
        #expect(driver.news.count == 4)
        driver.wait(100_000)
        #expect(driver.news.count == 4)
    }

    @Test("Reordered: after the next one, or after its time")
    func reordered() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"reordered","count":1}"#)
        driver.transfer("R1")
        #expect(driver.news.isEmpty)
        driver.transfer("R2")
        #expect(driver.news.map { $0["data"]?["reference"]?.string ?? "" } == ["R2", "R1"])
        driver.fault(#"{"fault":"reordered","count":1,"milliseconds":300}"#)
        driver.transfer("R3")
        driver.wait(300)
        #expect(driver.news.last?["data"]?["reference"] == "R3")
        driver.wait(10_000)
        #expect(driver.news.count == 3)
    }

    @Test("Forged: a lie without a signature comes first, and once, whatever it is answered")
    func forged() {
        let driver = WorldDriver()
        driver.accepts = false
        driver.fault(#"{"fault":"forged","count":1}"#)
        driver.transfer("R1")
        #expect(driver.newsTypes == ["transfer.rejected", "transfer.settled"])
        #expect(driver.news[0]["id"] != driver.news[1]["id"])
        driver.accepts = true
        driver.wait(5_000)
        #expect(driver.newsTypes == ["transfer.rejected", "transfer.settled", "transfer.settled"])
        #expect(!WorldSignature.verifies(driver.deliveries[0].delivery, secret: "secret"))
        #expect(WorldSignature.verifies(driver.deliveries[1].delivery, secret: "secret"))
    }

    @Test("Stale: a good signature of long ago, then a fresh one")
    func stale() {
        let driver = WorldDriver()
        driver.accepts = false
        driver.fault(#"{"fault":"stale","count":1}"#)
        driver.transfer("R1")
        driver.accepts = true
        driver.wait(1_000)
        let times = driver.deliveries.map { WorldSignature.time($0.delivery) }
        #expect(times == [driver.deliveries[0].at / 1_000 - 600, driver.deliveries[1].at / 1_000])
        #expect(driver.deliveries.allSatisfy { WorldSignature.verifies($0.delivery, secret: "secret") })
        #expect(driver.news[0] == driver.news[1])
    }

    @Test("Before the response: the answer waits for the notification's 2xx, but not for ever")
    func beforeResponse() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"beforeResponse","milliseconds":800}"#)
        let ticket = driver.transfer("R1")
        #expect(driver.newsTypes == ["transfer.settled"])
        #expect(driver.response(ticket)?.status == 201)
        driver.accepts = false
        let start = driver.now
        let slow = driver.transfer("R2")
        driver.wait(799)
        #expect(driver.answer(slow) == nil)
        driver.wait(1)
        #expect(driver.answers[slow]?.at == start + 800)
    }

    @Test("Repeated until 2xx, ever more slowly, at the latest every ten seconds")
    func repeated() {
        let driver = WorldDriver()
        driver.accepts = false
        driver.transfer("R1")
        driver.wait(60_000)
        let times = driver.deliveries.map(\.at)
        let pauses = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(pauses.prefix(7) == [200, 400, 800, 1_600, 3_200, 6_400, 10_000])
        #expect(Set(driver.news.map { $0["id"] }).count == 1)
        driver.accepts = true
        driver.wait(20_000)
        let count = driver.news.count
        driver.wait(60_000)
        #expect(driver.news.count == count)
    }

    @Test("Notifications are bounded: what does not fit is counted")
    func boundedNews() {
        let driver = WorldDriver { $0.maximumNotifications = 2 }
        driver.accepts = false
        for number in 0..<5 { driver.transfer("R\(number)") }
        #expect(driver.books()["droppedNotifications"] == 3)
    }
}
