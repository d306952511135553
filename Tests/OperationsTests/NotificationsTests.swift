import CanonicalJSON
import CurlHTTP
import EventLog
import MessageCodec
import Operations
import PaymentModel
import Testing

@Suite("Notification ingress")
struct NotificationsTests {
    private static let reference = Reference(partitionHash: 99, seed: Digest(high: 1, low: 2), attempt: 1).text

    /// A webhook that believes what a header says; the real signature is the adapter's to test.
    private static let webhook = PartnerWebhook(
        verify: { header, _, _ in
            switch header("Partner-Signature") {
            case "good": .fresh
            case "old": .stale
            case "tomorrow": .early
            default: .forged(reason: "no signature")
            }
        },
        claim: { body in
            guard let json = try? JSONValue(parsing: body), let id = json["id"]?.string else { return nil }
            return WebhookClaim(id: id, type: "transfer.settled", reference: json["data"]?["reference"]?.string ?? "")
        })

    private static let body = #"{"id":"n1","type":"transfer.settled","data":{"reference":"\#(reference)"}}"#

    private func port(_ limits: OperationsLimits = OperationsLimits()) throws -> PortUnderTest {
        try PortUnderTest(limits: limits, webhooks: ["bank-a": NotificationsTests.webhook])
    }

    private func decoded(_ frame: [UInt8]) throws -> NotificationRecord {
        try NotificationRecord(frame: frame.span.bytes)
    }

    @Test("a fresh one is stored in its payment's partition before it is answered")
    func fresh() async throws {
        let port = try port()
        let answer = try await port.call(
            "POST", "/v1/notifications/bank-a", body: NotificationsTests.body, headers: [("partner-signature", "good")])
        #expect(answer.status == 200)
        let found = try port.records(.notifications)
        #expect(found.count == 1)
        #expect(found[0].slot.partition == 99 % 4)
        let record = try decoded(found[0].frame)
        #expect(record.fresh)
        #expect(record.id == "n1")
        #expect(record.partner == PartnerName("bank-a"))
        #expect(record.receivedAt == PortUnderTest.now)
        #expect(record.body == Array(NotificationsTests.body.utf8))
    }

    @Test(
        "a stale one is refused, but stored, so that it prompts an inquiry; one from the future is told apart",
        arguments: [("old", "too old"), ("tomorrow", "in the future")])
    func stale(signature: String, words: String) async throws {
        let port = try port()
        let answer = try await port.call(
            "POST", "/v1/notifications/bank-a", body: NotificationsTests.body,
            headers: [("partner-signature", signature)])
        #expect(answer.status == 401 && answer.headers["www-authenticate"]?.hasPrefix("Signature") == true)
        #expect(answer.json?["detail"]?.string?.contains(words) == true)
        let found = try port.records(.notifications)
        #expect(found.count == 1)
        #expect(try decoded(found[0].frame).fresh == false)
    }

    @Test("C11 C43: a forged one changes nothing, is counted, and the last ones are kept")
    func forged() async throws {
        var limits = OperationsLimits()
        limits.forgedKept = 3
        let port = try port(limits)
        for number in 1...5 {
            let answer = try await port.call("POST", "/v1/notifications/bank-a", body: "forged \(number)")
            #expect(answer.status == 401)
        }
        #expect(try port.records(.notifications).isEmpty)
        let kept = try await port.call("GET", "/v1/forged-notifications")
        #expect(kept.json?["total"]?.integer == 5, "what is not kept any more is still counted")
        #expect(kept.json?["since"]?.string == RFC3339.string(PortUnderTest.now), "a restart forgets them: it says so")
        let bodies = kept.json?["notifications"]?.array?.compactMap { $0["body"]?.string }
        #expect(bodies == ["forged 5", "forged 4", "forged 3"].map { Base64.encode(Array($0.utf8)) })
        let metrics = try await port.call("GET", "/metrics")
        #expect(metrics.text.contains(#"switchyard_notifications_total{partner="bank-a",result="forged"} 5"#))
    }

    @Test("C40: 2xx only where it is durable: a log that fails means 503, and the partner repeats")
    func notDurable() async throws {
        let port = try port()
        port.log.injectFaults { operation in
            if case .append = operation { .unavailable } else { nil }
        }
        for signature in ["good", "old"] {
            let answer = try await port.call(
                "POST", "/v1/notifications/bank-a", body: NotificationsTests.body,
                headers: [("partner-signature", signature)])
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "1")
        }
    }

    @Test("overload is answered before anything is looked at, even for an unknown partner")
    func overload() async throws {
        var limits = OperationsLimits()
        limits.notificationsWaiting = 0
        let port = try port(limits)
        let answer = try await port.call("POST", "/v1/notifications/nobody", body: "x")
        #expect(answer.status == 503)
        #expect(answer.headers["retry-after"] == "1")
    }

    @Test("unknown partners, bodies over the limit, authentic bodies that nobody can read")
    func edges() async throws {
        let port = try port()
        #expect(try await port.call("POST", "/v1/notifications/nobody", body: "{}").status == 404)
        let large = String(repeating: "x", count: 70_000)
        #expect(try await port.call("POST", "/v1/notifications/bank-a", body: large).status == 413)
        let unreadable = try await port.call(
            "POST", "/v1/notifications/bank-a", body: "not json", headers: [("partner-signature", "good")])
        #expect(unreadable.status == 200)
        let found = try port.records(.notifications)
        #expect(found.count == 1)
        #expect(found[0].slot.partition == PartitionHash.partition(of: "bank-a".utf8, count: 4))
        #expect(try decoded(found[0].frame).body == Array("not json".utf8))
    }
}
