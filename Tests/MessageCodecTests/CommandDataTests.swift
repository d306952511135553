import CanonicalJSON
import MessageCodec
import PaymentModel
import Testing

/// Data and what it is refused for.
struct RefusedData: Sendable, CustomTestStringConvertible {
    var type: String
    var data: String
    var code: RejectionCode
    var field: String?

    init(_ type: String, _ data: String, _ field: String?, _ code: RejectionCode = .invalid) {
        self.type = type
        self.data = data
        self.code = code
        self.field = field
    }

    /// Of a payout's initiate.
    init(_ data: String, _ field: String) { self.init("payout.initiate", data, field) }

    var testDescription: String { "\(type) \(code) \(field ?? "")" }
}

@Suite("The data of commands")
struct CommandDataTests {
    @Test func theContractsExample() throws {
        let record = RecordUnderTest("payout.initiate", payoutData(("unknown", ["b": 1, "a": [1.50, "é"]])))
        guard case .command(let command, let canonical) = record.decode(),
            case .initiate(let initiation, _, _) = command.body
        else { throw Undecodable(.notJSON, "") }
        #expect(initiation.kind == .payout)
        #expect(initiation.instructedAmount == Money(125_000, try #require(Currency("EUR"))))
        #expect(initiation.endToEndID == "INV-2026-0001")
        #expect(initiation.creditor?.name.reveal() == "Example GmbH")
        #expect(initiation.creditor?.account?.form == .iban)
        #expect(initiation.creditor?.account?.number.reveal() == "DE89370400440532013000")
        #expect(initiation.creditor?.agentBIC == "COBADEFFXXX")
        #expect(initiation.creditor?.country == "DE")
        #expect(initiation.debtor?.country == "NL")
        #expect(initiation.requestedExecutionDate == CalendarDate(year: 2026, month: 11, day: 20))
        #expect(initiation.deliverBy == RFC3339.moment("2026-11-23T16:00:00.000Z"))
        #expect(initiation.purpose == "SUPP")
        #expect(initiation.remittanceInformation?.reveal() == "Invoice 2026-0001")
        #expect(initiation.routing.objective == .cost)
        #expect(initiation.routing.maximumCost?.minorUnits == 500)
        #expect(initiation.routing.excludePartners == [PartnerName("bank-z")])
        let body = try #require(canonical)
        #expect(try JSONDocument(body).canonical() == body)
        #expect(String(decoding: body, as: UTF8.self).hasSuffix(#""unknown":{"a":[1.5,"é"],"b":1}}"#))
        let again = CommandDecoder(hash: testHash).initiation(body: body.span.bytes, kind: .payout)
        #expect(again == initiation)
    }

    @Test func paymentsByCardAndByRedirect() throws {
        guard case .initiate(let card, _, _) = try RecordUnderTest("payment.initiate", paymentData()).command().body,
            case .initiate(let bank, _, _) = try RecordUnderTest(
                "payment.initiate",
                paymentData(("instrument", ["type": "openBanking", "bank": "bank-x"]), ("captureMode", "automatic"))
            ).command().body
        else { throw Undecodable(.notJSON, "") }
        #expect(card.kind == .payment)
        #expect(card.instrument == .card(token: Personal("tok_ok"), network: "visa"))
        #expect(card.captureMode == .manual)
        #expect(card.returnURL == "https://shop.example/return")
        #expect(card.instructedAmount.currency.exponent == 3)
        #expect(bank.instrument == .openBanking(bank: "bank-x"))
        #expect(bank.captureMode == .automatic)
    }

    /// Spelling and order of members do not matter for what is the same data; types and values do.
    @Test func equalDataHasTheSameDigest() throws {
        func digest(_ data: String, _ type: String = "payout.initiate") throws -> Digest? {
            guard case .initiate(_, let digest, _) = try RecordUnderTest(type, data).command().body else { return nil }
            return digest
        }
        let text = payoutData()
        let spaced = text.replacing(":", with: " :\n ").replacing("T16 :\n 00 :\n 00Z", with: "T16:00:00Z")
        #expect(try digest(text) != nil)
        #expect(try digest(text) == digest(spaced))
        #expect(try digest(text) == digest(text.replacing("Invoice", with: "\\u0049nvoice")))
        #expect(try digest(text) != digest(payoutData(("metadata.tenant", "t-8"))))
    }

    @Test(arguments: [
        RefusedData("payout.unknown", "{}", nil, .unknownType),
        RefusedData("payout.initiate.v1.more", "{}", nil, .unknownType),
        RefusedData("[]", "data"),
        RefusedData("null", "data"),
        RefusedData("{}", "instructedAmount"),
        RefusedData(payoutData(("instructedAmount", 5)), "instructedAmount"),
        RefusedData(payoutData(("instructedAmount.currency", nil)), "instructedAmount.currency"),
        RefusedData(payoutData(("instructedAmount.currency", "XXX")), "instructedAmount.currency"),
        RefusedData(payoutData(("instructedAmount.currency", "eur")), "instructedAmount.currency"),
        RefusedData(payoutData(("instructedAmount.minorUnits", 0)), "instructedAmount.minorUnits"),
        RefusedData(payoutData(("instructedAmount.minorUnits", -1)), "instructedAmount.minorUnits"),
        RefusedData(payoutData(("instructedAmount.minorUnits", 12.5)), "instructedAmount.minorUnits"),
        RefusedData(payoutData(("instructedAmount.minorUnits", "100")), "instructedAmount.minorUnits"),
        RefusedData(payoutData().replacing("125000", with: "1.25e2"), "instructedAmount.minorUnits"),
        RefusedData(payoutData().replacing("125000", with: "125E0"), "instructedAmount.minorUnits"),
        RefusedData(payoutData().replacing("125000", with: "125.0"), "instructedAmount.minorUnits"),
        RefusedData(payoutData().replacing("125000", with: "-0"), "instructedAmount.minorUnits"),
        RefusedData(payoutData().replacing("125000", with: "1e400"), "instructedAmount.minorUnits"),
        RefusedData(
            payoutData().replacing("125000", with: "9007199254740992"), "instructedAmount.minorUnits"),
        RefusedData(payoutData(("creditor", nil)), "creditor"),
        RefusedData(payoutData(("creditor.name", nil)), "creditor.name"),
        RefusedData(payoutData(("creditor.name", "")), "creditor.name"),
        RefusedData(payoutData(("creditor.name", 7)), "creditor.name"),
        RefusedData(payoutData(("creditor.account", nil)), "creditor.account"),
        RefusedData(payoutData(("creditor.account", [:])), "creditor.account"),
        RefusedData(payoutData(("creditor.account.iban", 5)), "creditor.account.iban"),
        RefusedData(payoutData(("creditor.account.accountNumber", "123")), "creditor.account"),
        RefusedData(payoutData(("creditor.agent.bic", "COBADE")), "creditor.agent.bic"),
        RefusedData(payoutData(("creditor.agent.bic", "COBAZZFFXXX")), "creditor.agent.bic"),
        RefusedData(payoutData(("creditor.address.country", "ZZ")), "creditor.address.country"),
        RefusedData(payoutData(("debtor", nil)), "debtor"),
        RefusedData(payoutData(("debtor.account", nil)), "debtor.account"),
        RefusedData(payoutData(("debtor.name", nil)), "debtor.name"),
        RefusedData(payoutData(("endToEndId", 1)), "endToEndId"),
        RefusedData(payoutData(("endToEndId", .null)), "endToEndId"),
        RefusedData(payoutData(("requestedExecutionDate", "2026-02-30")), "requestedExecutionDate"),
        RefusedData(payoutData(("deliverBy", "2026-11-23")), "deliverBy"),
        RefusedData(payoutData(("routing.objective", "luck")), "routing.objective"),
        RefusedData(payoutData(("routing.excludePartners", "bank-a")), "routing.excludePartners"),
        RefusedData(payoutData(("routing.excludePartners", ["a", 1])), "routing.excludePartners.1"),
        RefusedData(payoutData(("routing.maximumCost.minorUnits", nil)), "routing.maximumCost.minorUnits"),
        RefusedData(payoutData(("metadata", "x")), "metadata"),
        RefusedData(payoutData().replacing(#""tenant":"t-7""#, with: #""a":1,"a":2"#), "metadata.a"),
        RefusedData(payoutData().replacing(#""t-7""#, with: #""\ud800""#), "metadata.tenant"),
        RefusedData(payoutData().replacing(#""t-7""#, with: "1e999"), "data"),
        RefusedData("payment.initiate", paymentData(("instrument", nil)), "instrument"),
        RefusedData("payment.initiate", paymentData(("instrument.type", "cash")), "instrument.type"),
        RefusedData("payment.initiate", paymentData(("instrument.token", nil)), "instrument.token"),
        RefusedData("payment.initiate", paymentData(("captureMode", nil)), "captureMode"),
        RefusedData("payment.initiate", paymentData(("captureMode", "later")), "captureMode"),
        RefusedData("payout.cancel", #"{"reason":5}"#, "reason"),
        RefusedData("payment.capture", "{}", "operationId"),
        RefusedData("payment.capture", #"{"operationId":"c","amount":5}"#, "amount"),
        RefusedData("payment.refund", #"{"operationId":"","amount":5}"#, "operationId"),
        RefusedData("payment.void", #"{"amount":{"currency":"EUR","minorUnits":1}}"#, "amount"),
        RefusedData("payment.complete-action", "{}", "parameters"),
        RefusedData("payment.complete-action", #"{"parameters":[]}"#, "parameters"),
        RefusedData("hold.release", #"{"operator":"jo"}"#, "holdId"),
        RefusedData("hold.reject", #"{"holdId":"payout-1-hold-1"}"#, "operator"),
        RefusedData("offload.resume", #"{"operator":"jo"}"#, "offloadId"),
        RefusedData("attempt.resolve", #"{"outcome":"settled","operator":"jo"}"#, "attemptId"),
        RefusedData("attempt.resolve", #"{"attemptId":"a","operator":"jo"}"#, "outcome"),
        RefusedData("attempt.resolve", #"{"attemptId":"a","outcome":"paid","operator":"jo"}"#, "outcome"),
        RefusedData(
            "attempt.resolve", #"{"attemptId":"a","outcome":"absent","operator":"jo"}"#, "evidence.observedAt"),
        RefusedData(
            "attempt.resolve", #"{"attemptId":"a","outcome":"absent","operator":"jo","evidence":{}}"#,
            "evidence.observedAt"),
        RefusedData(
            "attempt.resolve",
            #"{"attemptId":"a","outcome":"settled","operator":"jo","evidence":{"observedAt":"2099-01-01T00:00:00Z"}}"#,
            "evidence.observedAt"),
    ])
    func refusals(_ refused: RefusedData) throws {
        let refusal = try #require(try RecordUnderTest(refused.type, refused.data).refusal())
        #expect(refusal.code == refused.code)
        #expect(refusal.field == refused.field)
        #expect(!refusal.message.isEmpty)
    }

    /// Type, form, accounts and card numbers, one after the other: of two faults the earlier kind is told.
    @Test func theOrderOfChecks() throws {
        let card: JSONValue = "4111 1111 1111 1111"
        let wrongIBAN: JSONValue = "DE00370400440532013000"
        func code(_ type: String, _ data: String) throws -> RejectionCode? {
            try RecordUnderTest(type, data).refusal()?.code
        }
        let all = payoutData(
            ("metadata.note", card), ("creditor.account.iban", wrongIBAN), ("routing.objective", "luck"))
        #expect(try code("no.such", all) == .unknownType)
        #expect(try code("payout.initiate", all) == .invalid)
        let noForm = payoutData(("metadata.note", card), ("debtor.account.iban", wrongIBAN))
        #expect(try code("payout.initiate", noForm) == .invalidAccount)
        #expect(try code("payout.initiate", payoutData(("metadata.note", card))) == .cardNumberInClear)
    }

    @Test func theOtherCommands() throws {
        func body(_ type: String, _ data: String) throws -> CommandBody {
            try RecordUnderTest(type, data).command().body
        }
        #expect(try body("payout.cancel", "{}") == .cancel(reason: nil))
        #expect(try body("payment.void", #"{"reason":"r"}"#) == .void(reason: "r"))
        #expect(try body("payment.complete-action", #"{"parameters":{"code":"1"}}"#) == .completeAction)
        let amount = #"{"operationId":"c-1","amount":{"currency":"EUR","minorUnits":5}}"#
        guard case .capture(let capture) = try body("payment.capture", amount),
            case .refund(let refund) = try body("payment.refund", amount),
            case .capture(let all) = try body("payment.capture", #"{"operationId":"c-1"}"#)
        else { throw Undecodable(.notJSON, "") }
        #expect(capture.operationID == "c-1" && capture.amount?.minorUnits == 5)
        #expect(capture.dataDigest != refund.dataDigest)
        #expect(all.amount == nil && all.dataDigest != capture.dataDigest)
        #expect(
            try body("hold.release", #"{"holdId":"payout-1-hold-12","operator":"jo","reason":"ok"}"#)
                == .releaseHold(DeskDecision(entry: 12, operatorName: "jo", reason: "ok")))
        #expect(
            try body("offload.reject", #"{"offloadId":"other-offload-1","operator":"jo"}"#)
                == .rejectOffload(DeskDecision(entry: nil, operatorName: "jo", reason: nil)))
        #expect(
            try body(
                "attempt.resolve",
                #"{"attemptId":"payout-1-attempt-2","outcome":"absent","operator":"jo","evidence":"#
                    + #"{"observedAt":"2026-11-10T10:00:00+01:00","note":"n"}}"#)
                == .resolveAttempt(
                    AttemptResolution(
                        attempt: 2, outcome: .absent, operatorName: "jo",
                        observedAt: RFC3339.moment("2026-11-10T09:00:00Z"), note: "n")))
    }

    @Test(arguments: [
        "payout-1-hold-0", "payout-1-hold-01", "payout-1-hold-", "payout-1-hold-1x", "payout-1-hold-9999999999",
        "payout-1-hold--1", "x",
    ])
    func idsThatNameNothing(_ id: String) throws {
        let data = JSONValue.object(["holdId": .string(id), "operator": "jo"]).description
        guard case .releaseHold(let decision) = try RecordUnderTest("hold.release", data).command().body else {
            throw Undecodable(.notJSON, "")
        }
        #expect(decision.entry == nil)
    }

    @Test func theDeskNeedsItsRole() throws {
        let record = RecordUnderTest("hold.release", #"{"holdId":"payout-1-hold-1","operator":"jo"}"#)
        #expect(try record.refusal() == nil)
        #expect(try record.with("switchyard-roles", "read send").refusal()?.code == .notAuthorized)
        #expect(try record.with("switchyard-roles", "desk").refusal() == nil)
        let payout = RecordUnderTest("payout.initiate", payoutData())
        #expect(try payout.with("switchyard-roles", "send").refusal() == nil)
    }
}
