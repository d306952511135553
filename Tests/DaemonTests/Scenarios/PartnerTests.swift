import Credentials
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
        #expect(try await post(nil) == 401)
        #expect(try await post("t=\(now),v1=\(String(repeating: "0", count: 64))") == 401)
        #expect(try await post(try signature(body, secret: "somebody else's", at: now)) == 401)
        // Doubt about the silent request may come meanwhile; nothing may come of what was forged.
        let caused = try await world.records(payment: "n-1").filter {
            $0["headers"]?["ce_causationid"]?.string == "mine-1"
        }
        #expect(caused.isEmpty, "forged ones change nothing")
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

    /// The catalogue of this world asks nothing by itself within two minutes: what is asked is asked because of the
    /// notification. That is stale and changes nothing; the books settle the payout.
    @Test("B62: a stale notification prompts an inquiry, and the inquiry settles")
    func staleNotification() async throws {
        let folder = TemporaryDirectory("routing")
        let routing = folder.appending("routing")
        try FileManager.default.copyItem(atPath: World.top + "/routing", toPath: routing)
        for bank in ["bank-a", "bank-b"] {
            let file = "\(routing)/partners/\(bank).yaml"
            var text = try String(contentsOfFile: file, encoding: .utf8)
            for slots in text.matches(of: /(?:inDoubt|accepted): \[[^\]]*\]/).map({ String($0.output) }) {
                let name = slots.prefix { $0 != ":" }
                text = text.replacingOccurrences(of: slots, with: "\(name): [120s, 140s]")
            }
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        }
        let world = try await World(routing: routing)
        let daemon = try await world.start()
        // Executed, answered by silence, and told by nobody.
        for bank in ["bank-a", "bank-b"] {
            try await world.faults(
                bank,
                [
                    [
                        "route": "POST /v1/transfers", "fault": "resetAfter", "count": 1, "ratio": 1, "seed": 1,
                    ],
                    ["route": "POST /v1/transfers", "fault": "none", "count": 1, "ratio": 1, "seed": 1],
                ])
        }
        try await world.send([Line.payout("st-1")])
        try await world.waits("st-1", "inDoubt", within: 20)
        let events = try await world.records(payment: "st-1")
        let started = try #require(events.first { World.name($0) == "attempt.started" })
        let partner = try #require(started["data"]?["partner"]?.string)
        let reference = try #require(started["data"]?["reference"]?.string)
        func inquiries() async throws -> Int {
            let requests = try await world.bank(partner, "GET", "/_control/requests").json?["requests"]?.array ?? []
            return requests.count { $0["method"]?.string == "GET" && $0["reference"]?.string == reference }
        }
        #expect(try await inquiries() == 0)
        let body = """
            {"id":"mine-2","type":"transfer.settled","occurredAt":"2026-11-21T10:00:00Z",\
            "data":{"reference":"\(reference)","transferId":"tr-1","status":"settled","valueDate":"2026-11-21"}}
            """
        let stale = Int(Date().timeIntervalSince1970) - 4_000
        let signed = try signature(body, secret: "\(partner)-secret-of-the-tests", at: stale)
        let answer = try await world.call(
            "POST", "/v1/notifications/\(partner)", body: body, headers: [("Partner-Signature", signed)])
        #expect(answer.status == 401)
        try await eventually(30, "an inquiry") { try await inquiries() == 1 }
        // Visible or not yet when it is asked: a second stale one asks again, and then the books are asked by then.
        if (try? await world.waits("st-1", "settled", within: 3)) == nil {
            _ = try await world.call(
                "POST", "/v1/notifications/\(partner)", body: body, headers: [("Partner-Signature", signed)])
        }
        try await world.waits("st-1", "settled", within: 30)
        let settled = try await world.records(payment: "st-1").first { World.name($0) == "payout.settled" }
        #expect(settled?["data"]?["evidence"]?["kind"]?.string == "inquiry", "what was stale proves nothing itself")
        try await world.expectInvariants()
        _ = daemon
        withExtendedLifetime(folder) {}
    }

    @Test(
        "banks that are down: nothing was sent, so the payout tries every route, waits in its lane, and goes on by itself"
    )
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
        // They come back: the lane's release rule lets the payout try again, and it is paid once.
        try await world.startBanks()
        try await world.waits("w-1", "settled", within: 90)
        let history = try await world.history("w-1")
        #expect(history.contains("offload.left") && history.count { $0 == "payout.settled" } == 1)
        try await world.expectInvariants()
        _ = daemon
    }
}
