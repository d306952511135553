import CanonicalJSON
import MessageCodec
import PaymentModel
import RecordFormat
import Testing

/// A frame taken apart.
struct ReadRecord {
    var key: String
    var headers: [String: String]
    var headerCount: Int
    var timestamp: Int64
    var data: JSONValue

    init(_ frame: [UInt8]) throws {
        let layout = try RecordLayout(frame.span.bytes)
        func text(_ range: Range<Int>) -> String { String(decoding: frame[range], as: UTF8.self) }
        key = text(try #require(layout.key))
        headers = [:]
        for header in layout.headers { headers[text(header.name)] = text(header.value) }
        headerCount = layout.headers.count
        timestamp = layout.timestamp
        data = try JSONValue(parsing: frame[try #require(layout.value)])
    }
}

@Suite("Events and postings as records")
struct EventTests {
    private let encoder = EventEncoder()

    private func record(
        _ body: EventBody, sequence: Int64 = 3, status: PaymentStatus = .attempting, _ context: EventContext? = nil
    ) throws -> ReadRecord {
        var frame: [UInt8] = []
        let event = PaymentEvent(sequence: sequence, status: status, occurredAt: EventSamples.at, body: body)
        encoder.append(event, context ?? EventContext(paymentID: EventSamples.payment), to: &frame)
        return try ReadRecord(frame)
    }

    /// Every event fits its published schema, and says nothing that the schema does not describe.
    @Test func everyEventFitsItsSchema() throws {
        let checker = try SchemaChecker()
        var names: Set<String> = []
        for body in EventSamples.bodies {
            let name = body.name.description
            names.insert(name)
            let status = checker.states(name)?.first.flatMap { PaymentStatus(name: $0) }
            let record = try record(body, status: status ?? .attempting)
            #expect(record.headers["ce_type"] == "io.switchyard.\(name).v1")
            #expect(try checker.faults(record.data, name) == [])
        }
        // Every schema is of an event that is emitted, of a command, or of a posting.
        let commands = Set(CommandType.allCases.map(\.rawValue))
        let described = Set(checker.schemas.keys.map { String($0.dropLast(5)) })
        #expect(described.subtracting(commands).subtracting(["common", "ledger.posted"]) == names)
        #expect(commands.isSubset(of: described))
    }

    @Test func everyStatusHasItsName() throws {
        let checker = try SchemaChecker()
        for status in PaymentStatus.allCases {
            let record = try record(.attemptAccepted(attempt: 1, partnerReference: nil), status: status)
            #expect(record.data["state"]?.string == status.name.description)
            #expect(try checker.faults(record.data, "attempt.accepted") == [])
        }
    }

    @Test func theEnvelope() throws {
        let context = EventContext(
            paymentID: EventSamples.payment, correlationID: "corr", causationID: "cmd-1", traceparent: "00-a-b-01")
        let record = try record(.screeningPassed, context)
        #expect(record.key == "p \"1\"")
        #expect(record.timestamp == EventSamples.at.milliseconds)
        let expected = [
            "ce_specversion": "1.0", "ce_id": "p \"1\"-3", "ce_source": "urn:switchyard",
            "ce_type": "io.switchyard.screening.passed.v1", "ce_time": "2026-11-18T11:06:40.123Z",
            "ce_subject": "p \"1\"", "content-type": "application/json", "ce_correlationid": "corr",
            "ce_causationid": "cmd-1", "ce_traceparent": "00-a-b-01",
        ]
        #expect(record.headers == expected)
        #expect(record.headerCount == expected.count)
        let data: JSONValue = [
            "paymentId": "p \"1\"", "sequence": 3, "state": "attempting", "occurredAt": "2026-11-18T11:06:40.123Z",
        ]
        #expect(record.data == data)
        let plain = try self.record(.screeningPassed)
        #expect(plain.headers["ce_correlationid"] == "p \"1\"")
        #expect(plain.headers["ce_causationid"] == nil && plain.headers["ce_traceparent"] == nil)
        #expect(plain.headerCount == 8)
    }

    @Test func anOutcomeWithoutPayment() throws {
        let record = try record(
            .commandRejected(id: "c-1", source: "urn:a", type: "x.y", refusal: EventSamples.refusals[0]), sequence: 0,
            status: .none)
        #expect(record.headers["ce_id"] == "p \"1\"-0-urn:a-c-1")
        #expect(record.data["sequence"] == 0 && record.data["state"] == "none")
        #expect(record.data["commandId"] == "c-1" && record.data["commandSource"] == "urn:a")
        #expect(record.data["commandType"] == "x.y" && record.data["code"] == "invalid")
        #expect(record.data["field"] == "creditor.name" && record.data["message"] == "must be \"x\"")
    }

    @Test func idsAreMadeOfThePaymentsId() throws {
        #expect(try record(.payoutSubmitted(attempt: 2)).data["attemptId"] == "p \"1\"-attempt-2")
        let held = try record(.screeningHeld(hold: 4, owner: "c", deadline: EventSamples.later))
        #expect(held.data["holdId"] == "p \"1\"-hold-4")
        #expect(held.data["deadline"] == "2026-11-19T11:06:40.000Z")
        let offloaded = try record(.offloadLeft(entry: 5, operatorName: nil, reason: nil))
        #expect(offloaded.data["offloadId"] == "p \"1\"-offload-5")
    }

    @Test func moneyThatMoved() throws {
        let settled = try record(.payoutSettled(EventSamples.moved(.inquiry(number: 3))))
        #expect(settled.data["settledAmount"] == ["currency": "EUR", "minorUnits": 125_000])
        #expect(settled.data["fee"] == ["currency": "EUR", "minorUnits": 0])
        #expect(settled.data["valueDate"] == "2026-11-20")
        #expect(settled.data["evidence"] == ["kind": "inquiry", "number": 3])
        // Without a value date of the partner's it is the day of the decision.
        let bare = try record(.paymentCaptured(EventSamples.moved(bare: true)))
        #expect(bare.data["valueDate"] == "2026-11-18" && bare.data["fee"] == nil)
        #expect(bare.data["amount"] == ["currency": "EUR", "minorUnits": 125_000])
    }

    @Test func noEventCarriesACardNumber() throws {
        let body = EventBody.received(kind: .payout, amount: EventSamples.amount, endToEndID: "4111111111111111")
        #expect(try record(body).data["endToEndId"] == nil)
    }

    @Test func postings() throws {
        let checker = try SchemaChecker()
        for posting in EventSamples.postings {
            var frame: [UInt8] = []
            let context = EventContext(paymentID: EventSamples.payment, correlationID: "corr")
            encoder.append(posting, at: EventSamples.at, context, to: &frame)
            let record = try ReadRecord(frame)
            let id = "p \"1\"-posting-\(posting.number)"
            #expect(record.headers["ce_id"] == id && record.data["postingId"]?.string == id)
            #expect(record.headers["ce_type"] == "io.switchyard.ledger.posted.v1")
            #expect(record.key == "p \"1\"" && record.headers["ce_subject"] == "p \"1\"")
            #expect(record.data["attemptId"] == "p \"1\"-attempt-2" && record.data["rail"] == "sepa-instant")
            #expect(try checker.faults(record.data, "ledger.posted") == [])
            #expect(record.data["reverses"]?.string == posting.reverses.map { "p \"1\"-posting-\($0)" })
        }
    }

    @Test func unexplainedMoney() throws {
        var frame: [UInt8] = []
        let money = UnexplainedMoney(
            partner: PartnerName("bank-a"), movement: "m-7", amount: EventSamples.amount, valueDate: EventSamples.day)
        encoder.append(money, at: EventSamples.at, to: &frame)
        let record = try ReadRecord(frame)
        #expect(record.key == "bank-a" && record.headers["ce_id"] == "bank-a-posting-m-7")
        let expected: JSONValue = [
            "postingId": "bank-a-posting-m-7", "kind": "suspense", "valueDate": "2026-11-20", "partner": "bank-a",
            "entries": [
                [
                    "account": "partner:bank-a:clearing", "side": "debit",
                    "amount": ["currency": "EUR", "minorUnits": 125_000],
                ],
                [
                    "account": "suspense:bank-a", "side": "credit",
                    "amount": ["currency": "EUR", "minorUnits": 125_000],
                ],
            ],
        ]
        #expect(record.data == expected)
        #expect(try SchemaChecker().faults(record.data, "ledger.posted") == [])
    }

    /// Frames lie side by side in the batch's bytes: what is there stays.
    @Test func framesAreAppended() throws {
        var bytes: [UInt8] = []
        var ends: [Int] = [0]
        for body in EventSamples.bodies {
            let event = PaymentEvent(sequence: 1, status: .routing, occurredAt: EventSamples.at, body: body)
            encoder.append(event, EventContext(paymentID: EventSamples.payment), to: &bytes)
            ends.append(bytes.count)
        }
        for (index, body) in EventSamples.bodies.enumerated() {
            let record = try ReadRecord(Array(bytes[ends[index]..<ends[index + 1]]))
            #expect(record.headers["ce_type"] == "io.switchyard.\(body.name).v1")
        }
    }
}

@Suite("Times as text")
struct RFC3339Tests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59.999Z", -1),
            ("2026-11-23T16:00:00+01:00", 1_795_446_000_000), ("2026-11-23t15:00:00.5z", 1_795_446_000_500),
            ("2026-11-23T15:00:00.123456789Z", 1_795_446_000_123), ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("2026-11-23T16:00:00", nil), ("2026-11-23 16:00:00Z", nil), ("2026-11-23T24:00:00Z", nil),
            ("2026-02-29T00:00:00Z", nil), ("2026-11-23T16:00:00.Z", nil), ("2026-11-23T16:00:00+1:00", nil),
            ("2026-11-23T16:00:00Zx", nil), ("26-11-23T16:00:00Z", nil), ("", nil), ("2026-11-23", nil),
        ] as [(String, Int64?)])
    func moments(_ text: String, _ expected: Int64?) {
        #expect(RFC3339.moment(text)?.milliseconds == expected)
    }

    @Test func writesWhatItReads() {
        for milliseconds in [0, 1, -1, 1_795_446_000_123, 253_402_300_799_999, -62_135_596_800_000] as [Int64] {
            let moment = Timestamp(milliseconds: milliseconds)
            #expect(RFC3339.moment(RFC3339.string(moment)) == moment)
        }
        #expect(RFC3339.string(Timestamp(milliseconds: .max)) == "9999-12-31T23:59:59.999Z")
        #expect(RFC3339.day("2024-02-29") == CalendarDate(year: 2024, month: 2, day: 29))
        #expect(RFC3339.day("2023-02-29") == nil)
        #expect(RFC3339.day("2023-2-9") == nil)
    }
}
