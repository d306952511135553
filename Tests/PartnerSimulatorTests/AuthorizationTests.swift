import CanonicalJSON
import PartnerWorld
import Testing

@Suite("Authorizations")
struct AuthorizationTests {
    @Test(
        "Test instruments",
        arguments: [
            ("tok_ok", "accepted", JSONValue.null), ("tok_decline_soft", "rejected", "AB05"),
            ("tok_decline_hard", "rejected", "AC04"), ("tok_challenge", "actionRequired", .null),
        ])
    func instruments(token: String, status: String, reason: JSONValue) {
        let driver = WorldDriver()
        let ticket = driver.authorize("A1", token: token)
        let answer = driver.json(ticket)
        #expect(driver.response(ticket)?.status == 201)
        #expect(answer["status"] == .string(status))
        #expect(answer["reason"] == reason)
        #expect(answer["id"] == "bank-a-a1")
        #expect((answer["redirectUrl"] != nil) == (status == "actionRequired"))
        #expect(driver.books()["movements"] == [])
        let types = ["accepted": ["authorization.accepted"], "rejected": ["authorization.rejected"]]
        #expect(driver.newsTypes == types[status] ?? [])
    }

    @Test(
        "The challenge's page completes it, once, and answers the redirect parameters",
        arguments: ["", "?outcome=declined"])
    func challenge(query: String) {
        let driver = WorldDriver { $0.publicURL = "http://partner:1" }
        let ticket = driver.authorize("A1", token: "tok_challenge")
        #expect(driver.json(ticket)["redirectUrl"] == "http://partner:1/challenges/bank-a-a1")
        let early = driver.operate("captures", "bank-a-a1", "C1", 1)
        #expect(driver.json(early)["reason"] == "AG01")
        let page = driver.send("GET", "/challenges/bank-a-a1\(query)")
        #expect(driver.response(page)?.status == 200)
        #expect(driver.json(page)["authorizationId"] == "bank-a-a1")
        #expect(driver.json(page)["reference"] == "A1")
        let completed = query.isEmpty
        #expect(driver.json(page)["result"] == (completed ? "completed" : "declined"))
        #expect(driver.response(driver.send("GET", "/challenges/bank-a-a1"))?.body == driver.response(page)?.body)
        #expect(driver.findAuthorization("A1")?["status"] == (completed ? "accepted" : "rejected"))
        #expect(driver.newsTypes.last == (completed ? "authorization.accepted" : "authorization.rejected"))
    }

    @Test("An authorization that waits for the customer can be voided: the page brings nothing about any more")
    func voidOfAChallenge() {
        let driver = WorldDriver()
        driver.authorize("A1", token: "tok_challenge")
        #expect(driver.json(driver.operate("voids", "bank-a-a1", "V1", 1_000))["status"] == "accepted")
        #expect(driver.newsTypes.last == "authorization.voided")
        #expect(driver.findAuthorization("A1")?["status"] == "rejected")
        #expect(driver.json(driver.send("GET", "/challenges/bank-a-a1"))["result"] == "declined")
        #expect(driver.json(driver.operate("captures", "bank-a-a1", "C1", 1))["reason"] == "AG01")
        #expect(driver.json(driver.operate("voids", "bank-a-a1", "V2", 1_000))["reason"] == "AG01")
        #expect(driver.books()["movements"] == [])
    }

    @Test("Captures, voids and refunds within their bounds; the books say what moved")
    func operations() {
        let driver = WorldDriver { $0.feeFixed = 10 }
        driver.authorize("A1", 10_000)
        let id = "bank-a-a1"
        let capture = driver.operate("captures", id, "C1", 6_000)
        #expect(driver.response(capture)?.status == 201)
        #expect(driver.json(capture)["status"] == "accepted")
        #expect(driver.json(capture)["authorizationId"] == .string(id))
        #expect(driver.json(capture)["amount"] == ["currency": "EUR", "minorUnits": 6_000])
        #expect(driver.json(driver.operate("captures", id, "C2", 4_001))["reason"] == "AM09")
        #expect(driver.json(driver.operate("captures", id, "C3", 1_000, currency: "USD"))["reason"] == "AM03")
        #expect(driver.json(driver.operate("refunds", id, "F1", 6_001))["reason"] == "AM09")
        #expect(driver.json(driver.operate("refunds", id, "F2", 1_500))["status"] == "accepted")
        #expect(driver.json(driver.operate("voids", id, "V1", 4_000))["status"] == "accepted")
        #expect(driver.json(driver.operate("voids", id, "V2", 4_000))["reason"] == "AG01")
        #expect(driver.json(driver.operate("captures", id, "C4", 1))["reason"] == "AG01")
        #expect(driver.json(driver.operate("refunds", id, "F3", 4_500))["status"] == "accepted")
        #expect(driver.json(driver.operate("refunds", id, "F4", 1))["reason"] == "AM09")
        let shown = driver.findAuthorization("C1")
        #expect(shown?["reference"] == "A1")
        #expect(shown?["captures"]?.array?.count == 4)
        #expect(shown?["captures"]?[0]?["fee"] == ["currency": "EUR", "minorUnits": 10])
        #expect(shown?["voids"]?[0]?["amount"]?["minorUnits"] == 4_000)
        #expect(shown?["refunds"]?.array?.count == 4)
        #expect(shown?["disputes"] == [])
        #expect(driver.findAuthorization("V1")?["id"] == .string(id))
        #expect(driver.findAuthorization("nothing") == nil)
        let books = driver.books()
        #expect(books["totals"]?["capture"] == ["EUR": 6_000])
        #expect(books["totals"]?["refund"] == ["EUR": 6_000])
        #expect(books["totals"]?["transfer"] == [:])
        #expect(books["movements"]?.array?.map { $0["reference"]?.string ?? "" } == ["C1", "F2", "F3"])
        #expect(driver.newsTypes.filter { $0 == "authorization.rejected" }.count == 6)
        #expect(
            driver.newsTypes.filter { $0 != "authorization.rejected" } == [
                "authorization.accepted", "authorization.captured", "authorization.refunded", "authorization.voided",
                "authorization.refunded",
            ])
        let captured = driver.news.first { $0["type"] == "authorization.captured" }?["data"]
        #expect(captured?["reference"] == "C1")
        #expect(captured?["authorizationId"] == .string(id))
        #expect(captured?["fee"] == ["currency": "EUR", "minorUnits": 10])
        #expect(driver.response(driver.operate("captures", "bank-a-a7", "C9", 1))?.status == 404)
    }

    @Test("A partner that captures by itself")
    func automatic() {
        let driver = WorldDriver()
        driver.send(
            "POST", "/v1/authorizations",
            body: """
                {"reference":"A1","amount":{"currency":"EUR","minorUnits":900},\
                "instrument":{"type":"openBanking","bank":"x"},"captureMode":"automatic"}
                """, key: "k")
        #expect(driver.books()["totals"]?["capture"] == ["EUR": 900])
        #expect(driver.newsTypes == ["authorization.accepted", "authorization.captured"])
    }

    @Test("Disputes: opened, then won or lost; the books follow", arguments: ["won", "lost", "opened"])
    func disputes(end: String) {
        let driver = WorldDriver()
        driver.fault(
            #"{"fault":"dispute","route":"POST /v1/authorizations/{id}/captures","milliseconds":500,"reason":"\#(end)"}"#
        )
        driver.authorize("A1")
        driver.operate("captures", "bank-a-a1", "C1", 8_000)
        driver.operate("refunds", "bank-a-a1", "F1", 1_000)
        #expect(driver.findAuthorization("A1")?["disputes"] == [])
        driver.wait(500)
        #expect(driver.books()["totals"]?["chargeback"] == ["EUR": 7_000])
        #expect(driver.findAuthorization("A1")?["disputes"]?[0]?["status"] == "opened")
        #expect(driver.json(driver.operate("refunds", "bank-a-a1", "F2", 1))["reason"] == "AM09")
        let opened = driver.news.last { $0["type"] == "authorization.disputed" }?["data"]
        #expect(opened?["reference"] == "C1")
        #expect(opened?["status"] == "opened")
        #expect(opened?["amount"] == ["currency": "EUR", "minorUnits": 7_000])
        driver.wait(500)
        #expect(driver.findAuthorization("A1")?["disputes"]?[0]?["status"] == .string(end))
        #expect(driver.books()["totals"]?["chargeback"] == ["EUR": end == "won" ? 0 : 7_000])
        #expect(driver.books()["movements"]?.array?.last?["reference"] == "C1")
        #expect(driver.newsTypes.filter { $0 == "authorization.disputed" }.count == (end == "opened" ? 1 : 2))
    }
}
