import CanonicalJSON
import DaemonTestSupport
import Foundation
import OpenSSLCrypto
import TestSupport
import Testing

@Suite("Partners as they are")
struct PartnerTests {
    private func signature(_ body: String, secret: String, at seconds: Int) throws -> String {
        let code = try HMAC.code(Array("\(seconds).\(body)".utf8), key: Secret(utf8: secret))
        return "t=\(seconds),v1=\(Hexadecimal.encode(code))"
    }

    @Test(
        "C11 B64: forged notifications change nothing, not even for their id; stale ones prompt an inquiry"
    )
    func notifications() async throws {
        let world = try await World()
        let daemon = try await world.start()
        // Accepted, and told by nobody: only a notification or an inquiry can settle it.
        for bank in ["bank-a", "bank-b"] {
            try await world.faults(
                bank,
                [
                    [
                        "route": "POST /v1/transfers", "fault": "timeoutAfter", "count": 2, "ratio": 1, "seed": 1,
                        "milliseconds": 3000,
                    ],
                    ["route": "POST /v1/transfers", "fault": "none", "count": 2, "ratio": 1, "seed": 1],
                ])
        }
        try await world.send([Line.payout("n-1")])
        var started: JSONValue?
        try await eventually(20, "an attempt") {
            started = try await world.records(payment: "n-1").first { World.name($0) == "attempt.started" }
            return started != nil
        }
        let partner = try #require(started?["data"]?["partner"]?.string)
        let reference = try #require(started?["data"]?["reference"]?.string)
        let body = """
            {"id":"mine-1","type":"transfer.settled","occurredAt":"2026-11-21T10:00:00Z",\
            "data":{"reference":"\(reference)","transferId":"tr-1","status":"settled",\
            "fee":{"currency":"EUR","minorUnits":3},"valueDate":"2026-11-21"}}
            """
        func post(_ signature: String?) async throws -> Int {
            try await world.call(
                "POST", "/v1/notifications/\(partner)", body: body,
                headers: signature.map { [("Partner-Signature", $0)] } ?? []
            ).status
        }
        let now = Int(Date().timeIntervalSince1970)
        let before = try await world.history("n-1")
        #expect(try await post(nil) == 401)
        #expect(try await post("t=\(now),v1=\(String(repeating: "0", count: 64))") == 401)
        #expect(try await post(try signature(body, secret: "somebody else's", at: now)) == 401)
        #expect(try await world.history("n-1").count == before.count, "forged ones change nothing")
        let kept = try await world.call("GET", "/v1/forged-notifications").json?["notifications"]?.array
        #expect(kept?.count == 3)
        let secret = "\(partner)-secret-of-the-tests"
        #expect(try await post(try signature(body, secret: secret, at: now - 4_000)) == 401, "stale")
        let metrics = try await world.call("GET", "/metrics").text
        #expect(metrics.contains("switchyard_notifications_total{partner=\"\(partner)\",result=\"forged\"} 3"))
        #expect(metrics.contains("switchyard_notifications_total{partner=\"\(partner)\",result=\"stale\"} 1"))
        #expect(try await post(try signature(body, secret: secret, at: now)) == 200)
        try await world.waits("n-1", "settled", within: 20)
        // Again: nothing happens, not even an event.
        let after = try await world.history("n-1")
        #expect(try await post(try signature(body, secret: secret, at: now)) == 200)
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await world.history("n-1") == after)
        // The silent request is counted as what it is.
        let requests = "{partner=\"\(partner)\",purpose=\"request\""
        try await eventually(20, "the end of the request in the metrics") {
            let metrics = try await world.call("GET", "/metrics").text
            return metrics.contains("switchyard_partner_exchanges_total\(requests),outcome=\"unclear\"} 1")
                && metrics.contains("switchyard_partner_exchange_seconds_count\(requests)} 1")
        }
        _ = daemon
    }

    @Test("tokens: short-lived ones are renewed, a 401 costs a repeat with the same key and nothing else")
    func oauth() async throws {
        let world = try await World(
            bankFlags: [
                "--client-id", "switchyard", "--client-secret-file", "SECRET", "--token-lifetime", "1s",
            ]
        ) { text in
            var text = text
            for port in text.matches(of: /baseURL: "(http:\/\/127\.0\.0\.1:\d+)"/).map({ String($0.output.1) }) {
                text = text.replacingOccurrences(
                    of: "baseURL: \"\(port)\"",
                    with: "baseURL: \"\(port)\", oauth: { tokenURL: \"\(port)/oauth/token\", clientId: switchyard, "
                        + "clientSecret: { file: ./client.secret } }")
            }
            return text
        }
        let daemon = try await world.start()
        for round in 1...3 {
            try await world.send((1...5).map { Line.payout("o-\(round)-\($0)") })
            try await Task.sleep(for: .milliseconds(1_200))
        }
        try await eventually(60, "all settle") { try await world.settled() == 15 }
        try await world.expectInvariants()
        #expect(!daemon.output.contains("client-secret-of-the-tests"))
    }

    @Test("banks that are down: nothing was sent, so the payout tries every route and then waits in its lane")
    func down() async throws {
        let world = try await World(banks: false)
        let daemon = try await world.start()
        try await world.send([Line.payout("w-1")])
        try await world.waits("w-1", "offloaded")
        let ready = try await world.call("GET", "/readyz")
        #expect(ready.status == 200, "a dead partner does not make the daemon unready")
        let notSent = try await world.history("w-1").count { $0 == "attempt.not-sent" }
        #expect(notSent >= 2)
        try await world.expectInvariants(books: false)
        _ = daemon
    }
}
