import CanonicalJSON
import EventLog
import CurlHTTP
import HTTPServer
import Operations
import Testing

@Suite("What a web page must not do")
struct SiteGuardTests {
    private func request(_ method: String, _ headers: [(String, String)]) throws -> HTTPRequest {
        HTTPRequest(
            method: method, target: try #require(RequestTarget("/v1/commands")), headers: HTTPHeaders(headers))
    }

    struct Row: Sendable {
        var method = "POST"
        var host: String? = "127.0.0.1:8080"
        var headers: [(String, String)] = []
        var status: Int?
    }

    static let rows = [
        // Programs: curl, partners, services.
        Row(), Row(host: nil), Row(host: "localhost"), Row(host: "LOCALHOST.:8080"), Row(host: "[::1]:8080"),
        Row(host: "192.0.2.7"), Row(host: "desk.example:443"),
        // Our own pages.
        Row(headers: [("Origin", "http://127.0.0.1:8080"), ("Sec-Fetch-Site", "same-origin")]),
        Row(host: "desk.example", headers: [("Origin", "https://Desk.example:443")]),
        Row(headers: [("Sec-Fetch-Site", "none")]),
        // Pages of others, also those on another port of this host.
        Row(headers: [("Origin", "https://evil.example")], status: 403),
        Row(headers: [("Origin", "http://127.0.0.1:3000")], status: 403),
        Row(headers: [("Origin", "http://127.0.0.1")], status: 403),
        Row(headers: [("Origin", "http://127.0.0.1:8080.evil.example")], status: 403),
        Row(headers: [("Origin", "null")], status: 403),
        Row(headers: [("Origin", "")], status: 403),
        Row(host: nil, headers: [("Origin", "http://127.0.0.1:8080")], status: 403),
        Row(headers: [("Origin", "http://127.0.0.1:8080"), ("Origin", "https://evil.example")], status: 403),
        Row(headers: [("Sec-Fetch-Site", "cross-site")], status: 403),
        Row(headers: [("Sec-Fetch-Site", "same-site")], status: 403),
        Row(method: "DELETE", headers: [("Origin", "https://evil.example")], status: 403),
        // Reading is left to the browser, which gives a page of others no answer.
        Row(method: "GET", headers: [("Origin", "https://evil.example")]),
        // A name that was rebound to this host.
        Row(host: "evil.example", status: 421), Row(method: "GET", host: "evil.example:8080", status: 421),
        Row(method: "GET", host: "127.0.0.1.evil.example", status: 421),
        Row(method: "GET", host: "localhost.evil.example", status: 421),
        Row(method: "GET", host: "1.2.3", status: 421), Row(method: "GET", host: "", status: 421),
        Row(headers: [("Host", "127.0.0.1")], status: 400),
    ]

    @Test("told from programs by what browsers always send", arguments: rows)
    func rules(_ row: Row) throws {
        let site = SiteGuard(names: ["Desk.example"])
        let host = row.host.map { [("Host", $0)] } ?? []
        let problem = site.refusal(try request(row.method, host + row.headers))
        #expect(problem?.status == row.status, "\(row)")
    }

    @Test("a port that is not loopback has names that nobody here knows")
    func beyond() throws {
        let site = SiteGuard(names: nil)
        #expect(site.refusal(try request("GET", [("Host", "pay.example")])) == nil)
        let origin = [("Host", "pay.example"), ("Origin", "https://evil.example")]
        #expect(site.refusal(try request("POST", origin))?.status == 403)
    }

    @Test("over the port: nothing of a page's command is stored, a partner's notification is")
    func overThePort() async throws {
        let webhook = PartnerWebhook(verify: { _, _, _ in .fresh }, claim: { _ in nil })
        let port = try PortUnderTest(webhooks: ["bank-a": webhook])
        let line = #"{"type":"payout.cancel","id":"c","subject":"p","data":{"reason":"x"}}"#
        for path in ["/v1/commands", "/v1/records", "/v1/notifications/bank-a", "/nowhere"] {
            let refused = try await port.call(
                "POST", path, body: line, headers: [("Origin", "https://evil.example"), ("Content-Type", "text/plain")])
            #expect(refused.status == 403 && refused.headers["content-type"] == "application/problem+json")
        }
        #expect(try await port.call("GET", "/v1/payments", headers: [("Host", "evil.example")]).status == 421)
        #expect(try port.records(.commands).isEmpty && port.records(.notifications).isEmpty)
        #expect(try await port.call("POST", "/v1/notifications/bank-a", body: "{}").status == 200)
        #expect(try await port.call("POST", "/v1/commands", body: line).status == 202)
    }
}
