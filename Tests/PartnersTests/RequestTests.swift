import CanonicalJSON
import Partners
import PaymentModel
import Testing

@Suite("Requests to the reference partner")
struct RequestTests {
    private let adapter = PartnerAdapter.reference(ReferenceAdapter())

    @Test func aTransfer() throws {
        let request = try adapter.request(for: order(.payout))
        #expect(request.method == "POST" && request.target == "/v1/transfers")
        #expect(request.headers.contains(PartnerHTTPHeader("Idempotency-Key", "key-1")))
        #expect(request.headers.contains(PartnerHTTPHeader("Content-Type", "application/json")))
        let expected: JSONValue = [
            "reference": .string(ourReference.text), "amount": ["currency": "EUR", "minorUnits": 125_000],
            "rail": "sepa-instant",
            "creditor": [
                "name": "Example GmbH", "account": ["iban": "DE89370400440532013000"], "agent": ["bic": "COBADEFFXXX"],
                "address": ["country": "DE"],
            ], "endToEndId": "INV-\"1\"", "remittanceInformation": "Köln",
        ]
        #expect(try JSONValue(parsing: request.body) == expected)
        #expect(try adapter.request(for: order(.payout)) == request)
    }

    @Test func anAuthorizationIsNeverCapturedByThePartner() throws {
        var automatic = order(.authorize)
        automatic.initiation?.captureMode = .automatic
        let request = try adapter.request(for: automatic)
        #expect(request.target == "/v1/authorizations")
        let expected: JSONValue = [
            "reference": .string(ourReference.text), "amount": ["currency": "EUR", "minorUnits": 125_000],
            "instrument": ["type": "card", "token": "tok_ok", "network": "visa"], "captureMode": "manual",
        ]
        #expect(try JSONValue(parsing: request.body) == expected)
        var redirect = order(.authorize)
        redirect.initiation?.instrument = .openBanking(bank: "bank-x")
        let body = try JSONValue(parsing: try adapter.request(for: redirect).body)
        #expect(body["instrument"] == ["type": "openBanking", "bank": "bank-x"])
    }

    @Test(arguments: [
        (Operation.capture, "/v1/authorizations/a-1/captures"), (.refund, "/v1/authorizations/a-1/refunds"),
        (.void, "/v1/authorizations/a-1/voids"),
    ])
    func operations(_ operation: Operation, _ target: String) throws {
        let request = try adapter.request(for: order(operation, target: "a-1"))
        #expect(request.target == target && request.method == "POST")
        let expected: JSONValue = [
            "reference": .string(ourReference.text), "amount": ["currency": "EUR", "minorUnits": 125_000],
        ]
        #expect(try JSONValue(parsing: request.body) == expected)
    }

    @Test func aCancel() throws {
        let request = try adapter.request(for: order(.cancel, target: "t-9"))
        #expect(request.target == "/v1/transfers/t-9/cancel")
        #expect(request.body == Array("{}".utf8))
    }

    @Test(arguments: [
        ("../x?y#z", "/v1/transfers/%2E%2E%2Fx%3Fy%23z/cancel"), ("a%2f", "/v1/transfers/a%252f/cancel"),
    ])
    func anIdStaysOneSegment(_ id: String, _ target: String) throws {
        #expect(try adapter.request(for: order(.cancel, target: id)).target == target)
    }

    @Test func whatCannotBeSaidIsNotSent() {
        #expect(throws: Unrepresentable.self) { try adapter.request(for: order(.capture)) }
        #expect(throws: Unrepresentable.self) { try adapter.request(for: order(.cancel, target: "a b")) }
        #expect(throws: Unrepresentable.self) { try adapter.request(for: order(.cancel, target: "")) }
        var bare = order(.payout)
        bare.initiation = nil
        #expect(throws: Unrepresentable.self) { try adapter.request(for: bare) }
        var noInstrument = order(.authorize)
        noInstrument.initiation?.instrument = nil
        #expect(throws: Unrepresentable.self) { try adapter.request(for: noInstrument) }
    }

    @Test(
        arguments: [
            (AccountForm.us, "021000021", ["accountNumber": "123", "routingNumber": "021000021"]),
            (.uk, "601613", ["accountNumber": "123", "sortCode": "601613"]),
            (.ca, "010-77881", ["accountNumber": "123", "institutionNumber": "010", "transitNumber": "77881"]),
            (.jp, "0005-478", ["accountNumber": "123", "bankCode": "0005", "branchCode": "478"]),
            (.bare, nil, ["accountNumber": "123"]),
            (.alias, "email", ["alias": ["type": "email", "value": "123"]]),
        ] as [(AccountForm, String?, JSONValue)])
    func accountForms(_ form: AccountForm, _ clearing: String?, _ expected: JSONValue) throws {
        var payout = order(.payout)
        payout.initiation?.creditor?.account = Account(form: form, number: Personal("123"), clearingCode: clearing)
        let body = try JSONValue(parsing: try adapter.request(for: payout).body)
        #expect(body["creditor"]?["account"] == expected)
    }

    @Test func inquiries() throws {
        #expect(
            try adapter.request(for: inquiry(.payout)).target == "/v1/transfers?reference=\(ourReference.text)")
        for operation in [Operation.authorize, .capture, .refund, .void] {
            let request = try adapter.request(for: inquiry(operation, target: "a-1"))
            #expect(request.method == "GET" && request.body.isEmpty)
            #expect(request.target == "/v1/authorizations?reference=\(ourReference.text)")
        }
        #expect(try adapter.request(for: inquiry(.cancel, target: "t-1")).target == "/v1/transfers/t-1")
    }
}
