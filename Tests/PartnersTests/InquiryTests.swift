import TestSupport
import CanonicalJSON
import Partners
import PaymentModel
import Testing

@Suite("Answers to inquiries")
struct InquiryTests {
    private let adapter = PartnerAdapter.reference(ReferenceAdapter())

    private func read(_ body: JSONValue, _ operation: Operation, status: Int = 200) -> Reading<InquiryOutcome> {
        adapter.outcome(of: answer(body, status: status), to: inquiry(operation, target: "a-1"))
    }

    @Test func onlyAnEmptyListSaysNotFound() {
        #expect(read(["transfers": []], .payout) == Reading(.notFound))
        #expect(read(["authorizations": []], .capture) == Reading(.notFound))
        #expect(read(["transfers": []], .payout, status: 404) == Reading(.unanswered))
        #expect(read(["transfers": []], .authorize) == Reading(.unanswered))
        #expect(read(["transfers": nil], .payout) == Reading(.unanswered))
        #expect(read([:], .payout) == Reading(.unanswered))
        #expect(read([], .payout) == Reading(.unanswered))
        for status in [201, 204, 400, 401, 404, 429, 500, 503] {
            #expect(read(["transfers": [orderObject("settled")]], .payout, status: status) == Reading(.unanswered))
        }
    }

    @Test(arguments: [
        ("accepted", OrderStatus.accepted), ("pending", .pending), ("settled", .settled), ("rejected", .rejected),
        ("returned", .returned),
    ])
    func transfers(_ status: String, _ expected: OrderStatus) {
        guard case .found(let report) = read(["transfers": [orderObject(status)]], .payout).outcome else {
            Issue.record("not found")
            return
        }
        #expect(report.status == expected && report.partnerReference == "t-1")
    }

    @Test func whatIsNotOursIsNoEvidence() {
        let foreign = orderObject("settled", ["reference": .string(foreignReference.text)])
        #expect(read(["transfers": [foreign]], .payout) == Reading(.unanswered, alarm: .referenceMismatch))
        let other = orderObject("settled", ["amount": ["currency": "EUR", "minorUnits": 1]])
        #expect(read(["transfers": [other]], .payout) == Reading(.unanswered, alarm: .amountMismatch))
        #expect(
            read(["transfers": [orderObject("rejected"), other]], .payout)
                == Reading(.unanswered, alarm: .amountMismatch))
        #expect(read(["transfers": [orderObject("odd")]], .payout) == Reading(.unanswered))
        #expect(read(["transfers": [orderObject("rejected"), orderObject("odd")]], .payout).outcome == .unanswered)
    }

    @Test func ofSeveralTheOneThatMovedMoneyCounts() {
        let reading = read(["transfers": [orderObject("rejected"), orderObject("settled", ["id": "t-2"])]], .payout)
        guard case .found(let report) = reading.outcome else {
            Issue.record("not found")
            return
        }
        #expect(report.status == .settled && report.partnerReference == "t-2")
        #expect(reading.alarm == .severalOrders)
    }

    @Test func operationsLieInTheirAuthorization() {
        let capture = orderObject("accepted", ["id": "c-1"])
        let authorization = orderObject(
            "accepted", ["id": "a-1", "reference": .string(foreignReference.text), "captures": [capture]])
        guard case .found(let report) = read(["authorizations": [authorization]], .capture).outcome else {
            Issue.record("not found")
            return
        }
        #expect(report.status == .settled && report.partnerReference == "c-1")
        // Shown, but not under the operation asked for: proves nothing.
        #expect(read(["authorizations": [authorization]], .refund).outcome == .unanswered)
        let other = orderObject("accepted", ["id": "a-9", "captures": [capture]])
        #expect(
            read(["authorizations": [other]], .capture) == Reading(.unanswered, alarm: .referenceMismatch))
    }

    @Test func anAuthorizationThatWasVoided() {
        func status(_ changes: [String: JSONValue?]) -> OrderStatus? {
            let body: JSONValue = ["authorizations": [orderObject("accepted", changes)]]
            if case .found(let report) = read(body, .authorize).outcome { return report.status }
            return nil
        }
        #expect(status([:]) == .settled)
        #expect(status(["voids": []]) == .settled)
        #expect(status(["voids": [["status": "rejected"]]]) == .settled)
        #expect(status(["voids": [["status": "accepted"]]]) == .voided)
        #expect(status(["voids": [["status": "accepted"]], "captures": [["status": "accepted"]]]) == .settled)
        #expect(status(["status": "expired"]) == .expired)
    }

    @Test func aCancelIsAskedForByItsTransfer() {
        let stopped = orderObject("rejected", ["reason": "CUST"])
        func read(_ body: JSONValue, _ target: String) -> Reading<InquiryOutcome> {
            adapter.outcome(of: answer(body, status: 200), to: inquiry(.cancel, target: target))
        }
        #expect(
            read(stopped, "t-1").outcome == .found(OrderReport(status: .accepted, partnerReference: "t-1")))
        #expect(read(stopped, "t-2") == Reading(.unanswered, alarm: .referenceMismatch))
        #expect(read(orderObject("settled"), "t-1").outcome == .unanswered)
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 0...UInt64.max)])
    func hostileBodiesNeverTrap(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bodies: [[UInt8]] = [
            JSONValue.object(["transfers": [orderObject("settled")]]).bytes,
            JSONValue.object(["authorizations": [orderObject("accepted", ["captures": [orderObject("accepted")]])]])
                .bytes,
            orderObject("actionRequired", ["redirectUrl": "https://x/"]).bytes,
        ]
        let operations = Operation.allCases
        for round in 0..<10_000 {
            var body = bodies[round % bodies.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                guard let place = body.indices.randomElement(using: &generator) else { break }
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: body[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: body.remove(at: place)
                case 2: body.insert(contentsOf: body[place...].prefix(20), at: place)
                default: body.removeLast(body.count - place)
                }
            }
            let operation = operations[round % operations.count]
            let made = PartnerHTTPAnswer(status: 200, body: body)
            let inquired = adapter.outcome(of: made, to: inquiry(operation, target: "a-1"))
            // Whatever was changed: absence is never concluded from a list that was not empty.
            #expect(
                inquired.outcome != .notFound || String(decoding: body, as: UTF8.self).contains("[]"), "seed \(seed)")
            _ = adapter.outcome(of: made, to: order(operation, target: "a-1"))
            _ = adapter.notification(body: body)
        }
    }
}
