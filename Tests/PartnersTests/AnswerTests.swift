import CanonicalJSON
import Partners
import PaymentModel
import Testing

@Suite("Answers to requests")
struct AnswerTests {
    private let adapter = PartnerAdapter.reference(ReferenceAdapter())

    @Test(
        arguments: [
            (401, nil, SendOutcome.notProcessed(httpStatus: 401, retryAfter: nil)),
            (429, "7", .notProcessed(httpStatus: 429, retryAfter: .seconds(7))),
            (429, "999999999", .notProcessed(httpStatus: 429, retryAfter: .seconds(86_400))),
            (429, "-1", .notProcessed(httpStatus: 429, retryAfter: nil)),
            (429, "Fri, 20 Nov 2026 10:00:00 GMT", .notProcessed(httpStatus: 429, retryAfter: nil)),
            (409, nil, .unclear(.status)), (402, nil, .unclear(.status)), (405, nil, .unclear(.status)),
            (408, nil, .unclear(.status)), (410, nil, .unclear(.status)), (500, nil, .unclear(.status)),
            (502, nil, .unclear(.status)), (503, nil, .unclear(.status)), (504, nil, .unclear(.status)),
            (202, nil, .unclear(.status)), (204, nil, .unclear(.status)), (301, nil, .unclear(.status)),
            (0, nil, .unclear(.status)), (999, nil, .unclear(.status)),
        ] as [(Int, String?, SendOutcome)])
    func statuses(_ status: Int, _ retryAfter: String?, _ expected: SendOutcome) {
        for operation in [Operation.payout, .authorize, .capture, .refund, .void] {
            let reading = adapter.outcome(
                of: PartnerHTTPAnswer(status: status, retryAfter: retryAfter, body: orderObject("settled").bytes),
                to: order(operation, target: "a-1"))
            #expect(reading == Reading(expected))
        }
    }

    @Test(arguments: [400, 403, 404, 413, 415, 422])
    func refusals(_ status: Int) {
        for (body, code) in [("", nil), (#"{"reason":"FF01"}"#, "FF01"), (#"{"code":"a b"}"#, nil), ("{", nil)] {
            let reading = adapter.outcome(
                of: PartnerHTTPAnswer(status: status, body: Array(body.utf8)), to: order(.payout))
            #expect(reading.outcome == .refused(httpStatus: status, partnerCode: code))
            #expect(reading.alarm == .requestRefused)
        }
    }

    @Test(arguments: [
        (Operation.payout, "accepted", OrderStatus.accepted), (.payout, "pending", .pending),
        (.payout, "settled", .settled), (.payout, "rejected", .rejected), (.payout, "returned", .returned),
        (.authorize, "accepted", .settled), (.authorize, "pending", .pending), (.authorize, "rejected", .rejected),
        (.capture, "accepted", .settled), (.capture, "pending", .pending), (.refund, "accepted", .settled),
        (.refund, "rejected", .rejected), (.void, "accepted", .settled),
    ])
    func orders(_ operation: Operation, _ status: String, _ expected: OrderStatus) throws {
        for code in [200, 201] {
            let reading = adapter.outcome(of: answer(orderObject(status), status: code), to: order(operation))
            guard case .order(let report) = reading.outcome else {
                Issue.record("\(reading)")
                return
            }
            #expect(report.status == expected)
            #expect(report.partnerReference == "t-1")
            #expect(report.amount == money(125_000))
            #expect(report.fee == money(35))
            #expect(report.valueDate == CalendarDate(year: 2026, month: 11, day: 20))
            #expect(reading.alarm == nil)
        }
    }

    @Test(arguments: [
        ("AM02", true), ("AM13", true), ("AM14", true), ("AB05", true), ("AB06", true), ("AG09", true),
        ("ED05", true), ("TM01", true), ("AC04", false), ("AC01", false), ("CUST", false), ("XX99", false),
        ("am02", false), ("", false),
    ])
    func rejections(_ reason: String, _ elsewhere: Bool) throws {
        let body = orderObject("rejected", ["reason": .string(reason)])
        guard case .order(let report) = adapter.outcome(of: answer(body), to: order(.payout)).outcome else {
            Issue.record("no order")
            return
        }
        #expect(report.mayGoElsewhere == elsewhere)
        #expect(report.partnerCode == (reason.isEmpty ? nil : reason))
        #expect(report.code == (reason.count == 4 && reason == reason.uppercased() ? reason : "MS03"))
    }

    @Test func aRejectionWithoutReasonIsForGood() {
        guard
            case .order(let report) = adapter.outcome(
                of: answer(orderObject("rejected", ["id": .some(nil)])), to: order(.payout)
            ).outcome
        else { return }
        #expect(report.code == "MS03" && !report.mayGoElsewhere && report.partnerReference == nil)
    }

    @Test(
        arguments: [
            (orderObject("settled", ["reference": .string(foreignReference.text)]), PartnerAlarm.referenceMismatch),
            (orderObject("settled", ["amount": ["currency": "EUR", "minorUnits": 125_001]]), .amountMismatch),
            (orderObject("rejected", ["amount": ["currency": "USD", "minorUnits": 125_000]]), .amountMismatch),
            (orderObject("settled", ["amount": nil]), nil), (orderObject("settled", ["id": nil]), nil),
            (orderObject("settled", ["id": "a b"]), nil), (orderObject("executed"), nil),
            (orderObject("settled", ["status": 1]), nil), (orderObject("actionRequired"), nil), ([], nil),
            ("settled", nil),
            (orderObject("settled", ["fee": ["currency": "EUR", "minorUnits": -5]]), nil),
            (orderObject("settled", ["amount": ["currency": "EUR", "minorUnits": 125_000.5]]), nil),
        ] as [(JSONValue, PartnerAlarm?)])
    func noEvidence(_ body: JSONValue, _ alarm: PartnerAlarm?) {
        let reading = adapter.outcome(of: answer(body), to: order(.payout))
        #expect(reading.outcome == .unclear(.unreadable))
        #expect(reading.alarm == alarm)
    }

    @Test(arguments: ["", "{", "\u{0}", "<html>", #"{"status":"settled","status":"rejected"}"#])
    func garbage(_ text: String) {
        let reading = adapter.outcome(of: PartnerHTTPAnswer(status: 201, body: Array(text.utf8)), to: order(.payout))
        #expect(reading == Reading(.unclear(.unreadable)))
    }

    @Test func anEndlessAnswer() {
        let body = [UInt8](repeating: 0x20, count: 1_048_577)
        let reading = adapter.outcome(of: PartnerHTTPAnswer(status: 201, body: body), to: order(.payout))
        #expect(reading == Reading(.unclear(.oversized)))
    }

    @Test func aChallenge() {
        let good = orderObject("actionRequired", ["redirectUrl": "https://bank.example/c?x=1"])
        guard case .order(let report) = adapter.outcome(of: answer(good), to: order(.authorize)).outcome else {
            Issue.record("no order")
            return
        }
        #expect(report.status == .actionRequired && report.redirectURL == "https://bank.example/c?x=1")
        for url in ["javascript:alert(1)", "https://a b", "https://x/\"><script>", ""] {
            let bad = orderObject("actionRequired", ["redirectUrl": .string(url)])
            #expect(adapter.outcome(of: answer(bad), to: order(.authorize)).outcome == .unclear(.unreadable))
        }
        #expect(adapter.outcome(of: answer(good), to: order(.payout)).outcome == .unclear(.unreadable))
    }

    @Test func anOperationOfAnotherAuthorization() {
        let body = orderObject("accepted", ["authorizationId": "a-2"])
        let reading = adapter.outcome(of: answer(body), to: order(.capture, target: "a-1"))
        #expect(reading == Reading(.unclear(.unreadable), alarm: .referenceMismatch))
        let own = orderObject("accepted", ["authorizationId": "a-1"])
        guard case .order = adapter.outcome(of: answer(own), to: order(.capture, target: "a-1")).outcome else {
            Issue.record("no order")
            return
        }
    }

    @Test(arguments: [
        (200, "rejected", SendOutcome.order(OrderReport(status: .accepted, partnerReference: "t-1"))),
        (200, "pending", .order(OrderReport(status: .accepted, partnerReference: "t-1"))),
        (200, "settled", .tooLate), (200, "odd", .unclear(.unreadable)), (409, "settled", .tooLate),
        (500, "rejected", .unclear(.status)),
    ])
    func cancels(_ code: Int, _ status: String, _ expected: SendOutcome) {
        // The transfer's reference is the payout's, not the cancel's.
        let body = orderObject(status, ["reference": .string(foreignReference.text)])
        #expect(adapter.outcome(of: answer(body, status: code), to: order(.cancel, target: "t-1")).outcome == expected)
    }

    @Test func aCancelOfAnotherTransfer() {
        let reading = adapter.outcome(
            of: answer(orderObject("rejected"), status: 200), to: order(.cancel, target: "t-2"))
        #expect(reading == Reading(.unclear(.unreadable), alarm: .referenceMismatch))
    }
}
