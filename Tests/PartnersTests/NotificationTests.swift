import CanonicalJSON
import Partners
import PaymentModel
import Testing

@Suite("Notifications of the reference partner")
struct NotificationTests {
    private let adapter = PartnerAdapter.reference(ReferenceAdapter())
    private let received = Timestamp(milliseconds: 1_795_000_000_500)

    /// A stand-in for HMAC that depends on every byte and its place.
    private static func fakeHMAC(_ message: [UInt8]) -> [UInt8] {
        (0..<32).map { index in
            message.reduce(UInt8(truncatingIfNeeded: index * 7 + 1)) {
                ($0 &* 31) ^ $1 &+ UInt8(truncatingIfNeeded: index)
            }
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.utf8.count == 1 ? "0" + text : text
        }.joined()
    }

    private func signature(_ seconds: String, _ body: String) -> String {
        "t=\(seconds),v1=\(NotificationTests.hex(NotificationTests.fakeHMAC(Array("\(seconds).\(body)".utf8))))"
    }

    private func verify(_ signature: String?, _ body: String) -> SignatureVerdict {
        adapter.verify(
            signature: signature, body: Array(body.utf8), receivedAt: received, hmac: NotificationTests.fakeHMAC)
    }

    @Test(arguments: [
        ("1795000000", SignatureVerdict.fresh), ("1794999701", .fresh), ("1795000300", .fresh),
        ("1794999700", .stale), ("1795000301", .early), ("0", .stale), ("999999999999", .early),
    ])
    func freshness(_ seconds: String, _ expected: SignatureVerdict) {
        #expect(verify(signature(seconds, "{}"), "{}") == expected)
        #expect(verify(signature(seconds, "{}").replacing("v1=", with: "v1=").uppercasedHex, "{}") == expected)
    }

    @Test func forgeries() {
        let good = signature("1795000000", "{}")
        #expect(verify(good, "{} ") == .forged(.mismatch))
        #expect(verify(good.replacing("t=1795000000", with: "t=1795000001"), "{}") == .forged(.mismatch))
        #expect(verify(nil, "{}") == .forged(.missing))
        for bad in [
            "", "t=1795000000", String(good.dropLast()), good + "0", good + ",v1=00", "v1=00,t=1",
            good.replacing("t=", with: "t= "), good.replacing(",", with: ", "), good.replacing("t=1", with: "t=x"),
            "t=,v1=" + good.suffix(64), "t=1795000000000,v1=" + good.suffix(64), good.replacing("v1", with: "v0"),
            good.dropLast(1) + "g",
        ] {
            #expect(verify(bad, "{}") == .forged(.malformed), "\(bad)")
        }
        // An hmac of the wrong length never matches.
        let verdict = adapter.verify(signature: good, body: Array("{}".utf8), receivedAt: received) { _ in [] }
        #expect(verdict == .forged(.mismatch))
    }

    private func body(_ type: String, _ data: [String: JSONValue]) -> [UInt8] {
        var members = data
        members["reference"] = members["reference"] ?? .string(ourReference.text)
        let value: JSONValue = [
            "id": "n-1", "type": .string(type), "occurredAt": "2026-11-20T10:00:00.000Z", "data": .object(members),
        ]
        return value.bytes
    }

    @Test(arguments: [
        ("transfer.settled", OrderStatus.settled, true), ("transfer.rejected", .rejected, true),
        ("transfer.returned", .returned, true), ("authorization.accepted", .settled, true),
        ("authorization.rejected", .rejected, false), ("authorization.captured", .settled, false),
        ("authorization.voided", .settled, false), ("authorization.refunded", .settled, false),
    ])
    func orders(_ type: String, _ status: OrderStatus, _ tellsId: Bool) throws {
        let data: [String: JSONValue] = [
            "transferId": "x-1", "authorizationId": "x-1", "reason": "AB05",
            "fee": ["currency": "EUR", "minorUnits": 35], "valueDate": "2026-11-20",
        ]
        let content = try #require(adapter.notification(body: body(type, data)))
        #expect(content.id == "n-1" && content.type == type && content.reference == ourReference.text)
        guard case .order(let report) = content.subject else {
            Issue.record("no order")
            return
        }
        #expect(report.status == status)
        #expect(report.partnerReference == (tellsId ? "x-1" : nil))
        #expect(report.fee == money(35))
        #expect(report.valueDate == CalendarDate(year: 2026, month: 11, day: 20))
        let hasReason = status == .rejected || status == .returned
        #expect(report.code == (hasReason ? "AB05" : nil))
        #expect(report.mayGoElsewhere == (status == .rejected))
    }

    @Test func disputes() throws {
        func subject(_ status: String, _ amount: JSONValue) -> PartnerNotification.Subject? {
            adapter.notification(body: body("authorization.disputed", ["status": .string(status), "amount": amount]))?
                .subject
        }
        let amount: JSONValue = ["currency": "EUR", "minorUnits": 900]
        #expect(subject("opened", amount) == .dispute(.opened, amount: money(900), valueDate: nil))
        #expect(subject("won", amount) == .dispute(.won, amount: money(900), valueDate: nil))
        #expect(subject("lost", amount) == .dispute(.lost, amount: money(900), valueDate: nil))
        #expect(subject("odd", amount) == nil)
        #expect(subject("opened", ["currency": "EUR", "minorUnits": -900]) == nil)
    }

    @Test func whatSaysNothing() throws {
        #expect(adapter.notification(body: Array("{".utf8)) == nil)
        #expect(adapter.notification(body: Array("[]".utf8)) == nil)
        #expect(adapter.notification(body: Array(#"{"id":"1","type":"t"}"#.utf8)) == nil)
        let unknown = try #require(adapter.notification(body: body("transfer.exploded", [:])))
        #expect(unknown.subject == nil)
        let contradiction = try #require(adapter.notification(body: body("transfer.settled", ["status": "rejected"])))
        #expect(contradiction.subject == nil)
        let foreign = try #require(adapter.notification(body: body("transfer.settled", ["reference": "THEIRS-1"])))
        #expect(foreign.reference == "THEIRS-1" && foreign.subject == nil)
        let identity = Digest(high: 1, low: 1)
        #expect(
            foreign.notification(
                partner: PartnerName("bank-a"), identity: identity, fresh: true, receivedAt: received) == nil)
    }

    @Test func becomesTheModelsNotification() throws {
        let content = try #require(adapter.notification(body: body("transfer.settled", ["transferId": "t-1"])))
        let notification = try #require(
            content.notification(
                partner: PartnerName("bank-a"), identity: Digest(high: 1, low: 1), fresh: false, receivedAt: received))
        #expect(notification.reference == ourReference && !notification.fresh && notification.id == "n-1")
        #expect(notification.partner == PartnerName("bank-a") && notification.receivedAt == received)
    }

    @Test func theReasonTable() {
        #expect(ReasonTable.codes.count > 100)
        #expect(ReasonTable.meaning("AC04")?.contains("closed") == true)
        #expect(ReasonTable.meaning("ZZZZ") == nil)
        #expect(
            ReasonTable.codes.filter(ReasonTable.mayGoElsewhere)
                == ["AB05", "AB06", "AG09", "AM02", "AM13", "AM14", "ED05", "TM01"])
        #expect(PartnerAdapter(named: "reference") != nil)
        #expect(PartnerAdapter(named: "other") == nil)
    }
}

extension String {
    /// The header with the signature's digits in upper case.
    fileprivate var uppercasedHex: String { String(dropLast(64)) + suffix(64).uppercased() }
}
