import CanonicalJSON
import PartnerWorld
import Testing

@Suite("Transfers")
struct TransferTests {
    @Test("A transfer settles in the answer, with fee and value date, and is told and booked once")
    func settled() {
        let driver = WorldDriver {
            $0.feeFixed = 25
            $0.feeBasisPoints = 10
        }
        let ticket = driver.transfer("R1", 12_345)
        #expect(driver.response(ticket)?.status == 201)
        #expect(
            driver.json(ticket).description
                == #"{"amount":{"currency":"EUR","minorUnits":12345},"fee":{"currency":"EUR","minorUnits":37},"#
                + #""id":"bank-a-t1","reason":null,"reference":"R1","status":"settled","valueDate":"2025-11-13"}"#)
        #expect(driver.find("R1") == [driver.json(ticket)])
        #expect(driver.json(driver.send("GET", "/v1/transfers/bank-a-t1")) == driver.json(ticket))
        #expect(driver.find("R2").isEmpty)
        let books = driver.books()
        #expect(books["partner"] == "bank-a")
        #expect(books["movements"]?.array?.count == 1)
        #expect(books["movements"]?[0]?["op"] == "transfer")
        #expect(books["movements"]?[0]?["reference"] == "R1")
        #expect(books["movements"]?[0]?["amount"] == ["currency": "EUR", "minorUnits": 12_345])
        #expect(books["movements"]?[0]?["fee"] == ["currency": "EUR", "minorUnits": 37])
        #expect(books["totals"]?["transfer"] == ["EUR": 12_345])
        #expect(driver.newsTypes == ["transfer.settled"])
        let data = driver.news[0]["data"]
        #expect(data?["reference"] == "R1")
        #expect(data?["transferId"] == "bank-a-t1")
        #expect(data?["status"] == "settled")
        #expect(data?["fee"] == ["currency": "EUR", "minorUnits": 37])
        #expect(data?["valueDate"] == "2025-11-13")
        #expect(data?["reason"] == .null)
    }

    @Test(
        "Fees: fixed plus basis points, rounded half up",
        arguments: [
            (0, 0, 10_000, 0), (25, 0, 10_000, 25), (0, 10, 12_345, 12), (0, 10, 12_500, 13), (0, 10, 12_499, 12),
            (7, 1, 4_999, 7), (7, 1, 5_000, 8), (0, 10_000, 9_007_199_254_740_991, 9_007_199_254_740_991),
        ] as [(Int64, Int64, Int64, Int64)])
    func fees(fixed: Int64, basisPoints: Int64, amount: Int64, expected: Int64) {
        let driver = WorldDriver {
            $0.feeFixed = fixed
            $0.feeBasisPoints = basisPoints
        }
        let ticket = driver.transfer("R", amount)
        #expect(driver.json(ticket)["fee"]?["minorUnits"] == .integer(expected))
        #expect(driver.books()["movements"]?[0]?["fee"]?["minorUnits"] == .integer(expected))
    }

    @Test("With a settlement time it is accepted first, and can be cancelled until it settles")
    func cancelled() {
        let driver = WorldDriver { $0.settlementMilliseconds = 1_000 }
        let first = driver.transfer("R1")
        #expect(driver.json(first)["status"] == "accepted")
        #expect(driver.json(first)["fee"] == .null)
        driver.transfer("R2")
        driver.wait(500)
        let cancel = driver.send("POST", "/v1/transfers/bank-a-t1/cancel", body: "{}", key: "c1")
        #expect(driver.response(cancel)?.status == 200)
        #expect(driver.json(cancel)["status"] == "rejected")
        #expect(driver.json(cancel)["reason"] == "CUST")
        driver.wait(1_000)
        #expect(driver.find("R1")[0]["status"] == "rejected")
        #expect(driver.find("R2")[0]["status"] == "settled")
        #expect(driver.books()["totals"]?["transfer"] == ["EUR": 10_000])
        let late = driver.send("POST", "/v1/transfers/bank-a-t2/cancel", body: "{}", key: "c2")
        #expect(driver.response(late)?.status == 409)
        #expect(driver.response(late)?.contentType == "application/problem+json")
        let again = driver.send("POST", "/v1/transfers/bank-a-t1/cancel", body: "{}", key: "c3")
        #expect(driver.response(again)?.status == 200)
        #expect(driver.response(driver.send("POST", "/v1/transfers/x/cancel", body: "{}", key: "c4"))?.status == 404)
        #expect(driver.newsTypes == ["transfer.rejected", "transfer.settled"])
    }

    @Test(
        "A wrong form is 400 and makes no order",
        arguments: [
            "", "[]", "{", #"{"reference":"R"}"#,
            #"{"reference":"","amount":{"currency":"EUR","minorUnits":1},"rail":"x","creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"EUR","minorUnits":0},"rail":"x","creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"EUR","minorUnits":1.5},"rail":"x","creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"EUR","minorUnits":9007199254740992},"rail":"x","creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"EUR","minorUnits":"1"},"rail":"x","creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"eur","minorUnits":1},"rail":"x","creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"EUR","minorUnits":1},"creditor":{"name":"n"}}"#,
            #"{"reference":"R","amount":{"currency":"EUR","minorUnits":1},"rail":"x","creditor":{}}"#,
        ])
    func badForm(body: String) {
        let driver = WorldDriver()
        let ticket = driver.send("POST", "/v1/transfers", body: body, key: "k")
        #expect(driver.response(ticket)?.status == 400)
        #expect(driver.json(ticket)["status"] == 400)
        #expect(driver.find("R").isEmpty)
        #expect(driver.books()["movements"] == [])
    }

    @Test(
        "Unknown resources and methods",
        arguments: [
            ("GET", "/v1/nothing", 404), ("PUT", "/v1/transfers", 405), ("GET", "/v1/transfers/bank-a-t9", 404),
            ("GET", "/v1/transfers/bank-a-t01", 404), ("GET", "/v1/transfers/bank-b-t1", 404),
            ("GET", "/v1/transfers", 400), ("GET", "/v1/authorizations/x", 404), ("DELETE", "/v1/authorizations", 405),
            ("GET", "/_control/nothing", 404), ("GET", "/_control/heal", 405), ("GET", "/challenges/x", 404),
        ])
    func unknown(method: String, path: String, status: Int) {
        let driver = WorldDriver()
        #expect(driver.response(driver.send(method, path))?.status == status)
    }

    // MARK: - Idempotency

    @Test("The same key and body give the first answer again; another body is 409; no key is 400")
    func idempotency() {
        let driver = WorldDriver { $0.settlementMilliseconds = 1_000 }
        let first = driver.transfer("R1", key: "k1")
        driver.wait(5_000)
        let replay = driver.transfer("R1", key: "k1")
        #expect(driver.response(replay)?.body == driver.response(first)?.body)
        #expect(driver.response(replay)?.status == 201)
        #expect(driver.response(first)?.headers == [])
        #expect(driver.response(replay)?.headers == [PartnerHeader(name: "Idempotent-Replayed", value: "true")])
        let other = driver.transfer("R1", 10_001, key: "k1")
        #expect(driver.response(other)?.status == 409)
        let elsewhere = driver.send(
            "POST", "/v1/authorizations", body: WorldDriver.transferBody("R1"), key: "k1")
        #expect(driver.response(elsewhere)?.status == 409)
        let none = driver.send("POST", "/v1/transfers", body: WorldDriver.transferBody("R2"))
        #expect(driver.response(none)?.status == 400)
        #expect(driver.books()["totals"]?["transfer"] == ["EUR": 10_000])
        #expect(driver.newsTypes == ["transfer.settled"])
    }

    @Test("Another key with the same reference is another order: this partner pays twice")
    func doublePayment() {
        let driver = WorldDriver()
        driver.transfer("R1", key: "k1")
        driver.transfer("R1", key: "k2")
        #expect(driver.find("R1").count == 2)
        #expect(driver.books()["totals"]?["transfer"] == ["EUR": 20_000])
    }

    @Test("A key is forgotten at the end of its life, and not before")
    func keyLifetime() {
        let driver = WorldDriver { $0.keyLifetime = 1_000 }
        driver.transfer("R1", key: "k1")
        driver.wait(999)
        driver.transfer("R1", key: "k1")
        #expect(driver.find("R1").count == 1)
        driver.wait(1)
        let ticket = driver.transfer("R1", key: "k1")
        #expect(driver.response(ticket)?.headers == [])
        #expect(driver.find("R1").count == 2)
    }

    @Test("The key is recorded on receipt: a repeat while the first is in process waits and executes nothing")
    func inProcess() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"delayBeforeExecuting","count":1,"milliseconds":3000}"#)
        let first = driver.transfer("R1", key: "k1")
        driver.wait(100)
        let replay = driver.transfer("R1", key: "k1")
        let conflict = driver.transfer("R1", 5, key: "k1")
        #expect(driver.response(conflict)?.status == 409)
        #expect(driver.answer(replay) == nil)
        #expect(driver.find("R1")[0]["status"] == "pending")
        driver.wait(2_900)
        #expect(driver.json(first)["status"] == "settled")
        #expect(driver.json(replay) == driver.json(first))
        #expect(driver.response(replay)?.headers.first?.name == "Idempotent-Replayed")
        #expect(driver.books()["movements"]?.array?.count == 1)
    }

    @Test("A cancel before the execution wins, and the POST's answer says so")
    func cancelledBeforeExecution() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"delayBeforeExecuting","count":1,"milliseconds":3000}"#)
        let first = driver.transfer("R1")
        driver.send("POST", "/v1/transfers/bank-a-t1/cancel", body: "{}", key: "c")
        driver.wait(3_000)
        #expect(driver.json(first)["status"] == "rejected")
        #expect(driver.books()["movements"] == [])
    }

    // MARK: - Visibility, requests, tokens

    @Test("Orders are hidden for the visibility lag and never longer, executed or not")
    func visibility() {
        let driver = WorldDriver { $0.visibilityLag = 2_000 }
        driver.fault(#"{"fault":"delayBeforeExecuting","milliseconds":60000}"#)
        driver.transfer("R1")
        driver.wait(1_999)
        #expect(driver.find("R1").isEmpty)
        #expect(driver.response(driver.send("GET", "/v1/transfers/bank-a-t1"))?.status == 404)
        driver.send("POST", "/_control/heal")
        driver.wait(1)
        #expect(driver.find("R1").first?["status"] == "pending")
    }

    @Test("Requests are listed as received, with the status that was given")
    func requestLog() {
        let driver = WorldDriver()
        driver.fault(#"{"fault":"resetAfter","route":"POST /v1/transfers","count":1}"#)
        driver.transfer("R1", key: "k1")
        driver.transfer("R1", key: "k1")
        _ = driver.find("R1")
        driver.send("POST", "/v1/transfers/bank-a-t1/cancel", body: "{}", key: "k2")
        let lines = driver.requests()
        #expect(lines.count == 4)
        #expect(lines.map { $0["status"] ?? .null } == [.null, 201, 200, 409])
        #expect(lines.map { $0["method"] } == ["POST", "POST", "GET", "POST"])
        #expect(lines.map { $0["reference"] ?? .null } == ["R1", "R1", "R1", .null])
        #expect(lines.map { $0["key"] ?? .null } == ["k1", "k1", .null, "k2"])
        #expect(lines[0]["bodyHash"] == lines[1]["bodyHash"])
        // sha256sum of "{}"
        #expect(lines[3]["bodyHash"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
        #expect(lines[0]["path"] == "/v1/transfers")
        #expect(lines[0]["at"] == "2025-11-13T02:13:20.000Z")
        let page = driver.json(driver.send("GET", "/_control/requests?after=1&limit=2"))
        #expect(page["requests"]?.array == Array(lines[1...2]))
        #expect(driver.response(driver.send("GET", "/_control/requests?after=x"))?.status == 400)
    }

    @Test("The request log is bounded: the oldest go, and are counted")
    func boundedLog() {
        let driver = WorldDriver { $0.maximumRequests = 3 }
        for number in 0..<5 { _ = driver.find("R\(number)") }
        let log = driver.json(driver.send("GET", "/_control/requests"))
        #expect(log["requests"]?.array?.map { $0["reference"]?.string ?? "" } == ["R2", "R3", "R4"])
        #expect(log["requests"]?.array?.map { $0["status"] ?? .null } == [200, 200, 200])
        #expect(log["dropped"] == 2)
    }

    @Test("Full books answer 503 and take nothing")
    func fullBooks() {
        let driver = WorldDriver { $0.maximumOrders = 1 }
        driver.transfer("R1")
        #expect(driver.response(driver.transfer("R2"))?.status == 503)
        #expect(driver.books()["movements"]?.array?.count == 1)
    }

    @Test("Tokens: 401 without, issued for the right secret, gone after their lifetime")
    func tokens() {
        let driver = WorldDriver {
            $0.client = PartnerClient(identifier: "me", secret: "s3")
            $0.tokenLifetime = 60_000
        }
        let without = driver.transfer("R1", key: "k")
        #expect(driver.response(without)?.status == 401)
        #expect(driver.response(without)?.headers.first?.name == "WWW-Authenticate")
        func grant(_ body: String, _ authorization: String? = nil) -> PartnerResponse? {
            driver.response(driver.send("POST", "/oauth/token", body: body, authorization: authorization))
        }
        #expect(grant("grant_type=client_credentials&client_id=me&client_secret=wrong")?.status == 401)
        #expect(grant("grant_type=password")?.status == 400)
        // printf 'me:s3' | base64
        #expect(grant("grant_type=client_credentials", "Basic bWU6czM=")?.status == 200)
        let answer = grant("grant_type=client_credentials&client_id=me&client_secret=s%33")
        let token = answer.flatMap { try? JSONValue(parsing: $0.body) }
        #expect(token?["token_type"] == "Bearer")
        #expect(token?["expires_in"] == 60)
        let bearer = "Bearer \(token?["access_token"]?.string ?? "")"
        func order() -> Int? {
            driver.response(
                driver.send(
                    "POST", "/v1/transfers", body: WorldDriver.transferBody("R1"), key: "k", authorization: bearer))?
                .status
        }
        #expect(order() == 201)
        driver.wait(60_000)
        #expect(order() == 401)
        #expect(driver.books()["movements"]?.array?.count == 1)
        #expect(driver.requests().map { $0["status"] ?? .null } == [401, 201, 401])
    }
}
