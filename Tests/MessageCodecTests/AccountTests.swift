import CanonicalJSON
import MessageCodec
import PaymentModel
import Testing

@Suite("Accounts and card numbers by form")
struct AccountTests {
    /// Examples of the IBAN registry.
    @Test(arguments: [
        "NL91ABNA0417164300", "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606",
        "CH9300762011623852957", "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "BE68539007547034",
        "SA0380000000608010167519", "KW81CBKU0000000000001234560101", "LC55HEMM000100010012001200023015",
    ])
    func goodIBANs(_ iban: String) throws { #expect(try refusal(["iban": .string(iban)]) == nil) }

    @Test(arguments: [
        "NL91ABNA0417164301", "NL92ABNA0417164300", "NL91ABNA041716430", "NL91ABNA04171643000",
        "NL91 ABNA 0417 1643 00",
        "nl91abna0417164300", "NL91AB1A0417164300", "XX91ABNA0417164300", "NL", "US12345678901234567890",
        "NL91ABNA04171643Ö0", "DE8937040044053201300A",
    ])
    func badIBANs(_ iban: String) throws {
        let refusal = try #require(try refusal(["iban": .string(iban)]))
        #expect(refusal.code == .invalidAccount)
        #expect(refusal.field == "creditor.account.iban")
    }

    @Test(
        arguments: [
            (["accountNumber": "1002003004", "routingNumber": "021000021"], nil),
            (["accountNumber": "1002003004", "routingNumber": "021000022"], "routingNumber"),
            (["accountNumber": "1002003004", "routingNumber": "000000000"], "routingNumber"),
            (["accountNumber": "1002003004", "routingNumber": "02100002"], "routingNumber"),
            (["accountNumber": "123456789012345678", "routingNumber": "021000021"], "accountNumber"),
            (["accountNumber": "31926819", "sortCode": "601613"], nil),
            (["accountNumber": "31926819", "sortCode": "60-16-13"], nil),
            (["accountNumber": "31926819", "sortCode": "6016-13"], "sortCode"),
            (["accountNumber": "3192681", "sortCode": "601613"], "accountNumber"),
            (["accountNumber": "0947717", "institutionNumber": "010", "transitNumber": "77881"], nil),
            (["accountNumber": "0947717", "institutionNumber": "10", "transitNumber": "77881"], "institutionNumber"),
            (["accountNumber": "0947717", "institutionNumber": "010", "transitNumber": "7788"], "transitNumber"),
            (["accountNumber": "094", "institutionNumber": "010", "transitNumber": "77881"], "accountNumber"),
            (["accountNumber": "7532746", "bankCode": "0005", "branchCode": "478"], nil),
            (["accountNumber": "7532746", "bankCode": "005", "branchCode": "478"], "bankCode"),
            (["accountNumber": "7532746", "bankCode": "0005", "branchCode": "4780"], "branchCode"),
            (["accountNumber": "753274", "bankCode": "0005", "branchCode": "478"], "accountNumber"),
            (["accountNumber": "ABC-1"], "accountNumber"),
            (["alias": ["type": "email", "value": "jane@example.com"]], nil),
            (["alias": ["type": "email", "value": "jane@example"]], "alias.value"),
            (["alias": ["type": "phone", "value": "+14155550123"]], nil),
            (["alias": ["type": "phone", "value": "4155550123"]], "alias.value"),
            (["alias": ["type": "pix", "value": "12345678909"]], nil),
            (["alias": ["type": "pix", "value": "123e4567-e89b-12d3-a456-426614174000"]], nil),
            (["alias": ["type": "pix", "value": "12345"]], "alias.value"),
        ] as [(JSONValue, String?)])
    func domesticAccountsAndAliases(_ account: JSONValue, _ wrong: String?) throws {
        let refusal = try refusal(account)
        #expect(refusal?.code == (wrong == nil ? nil : .invalidAccount))
        #expect(refusal?.field == wrong.map { "creditor.account." + $0 })
    }

    @Test(
        arguments: [
            (["accountNumber": "0947717", "institutionNumber": "010"], "creditor.account.transitNumber"),
            (["accountNumber": "7532746", "branchCode": "478"], "creditor.account.bankCode"),
            (["accountNumber": "1", "routingNumber": "021000021", "sortCode": "601613"], "creditor.account"),
            (["iban": "NL91ABNA0417164300", "alias": ["type": "phone", "value": "+14155550123"]], "creditor.account"),
            (["alias": ["type": "fax", "value": "x"]], "creditor.account.alias.type"),
            (["alias": ["type": "email"]], "creditor.account.alias.value"),
        ] as [(JSONValue, String)])
    func incompleteAndAmbiguousAccounts(_ account: JSONValue, _ field: String) throws {
        let refusal = try refusal(account)
        #expect(refusal?.code == .invalid)
        #expect(refusal?.field == field)
    }

    @Test func anAccountNumberAloneNeedsTheAgent() throws {
        let bare = payoutData(("creditor.account", ["accountNumber": "0012345678"]))
        guard case .initiate(let initiation, _, _) = try RecordUnderTest("payout.initiate", bare).command().body else {
            throw Undecodable(.notJSON, "")
        }
        #expect(initiation.creditor?.account?.form == .bare)
        let alone = payoutData(("creditor.account", ["accountNumber": "0012345678"]), ("creditor.agent", nil))
        let refusal = try RecordUnderTest("payout.initiate", alone).refusal()
        #expect(refusal?.code == .invalidAccount && refusal?.field == "creditor.account")
    }

    @Test(arguments: [
        ("4111111111111111", true), ("4111 1111 1111 1111", true), ("4111-1111-1111-1111", true),
        ("5555555555554444", true), ("378282246310005", true), ("6011111111111117", true),
        ("2223003122003222", true), ("4222222222222", true), ("6304000000000000000", true),
        ("4111111111111112", false), ("x4111111111111111", false), ("4111111111111111.", false),
        ("1111111111111117", false), ("9111111111111111", false), ("411111111111", false),
        ("41111111111111111116", false), ("", false), ("----", false),
    ])
    func cardNumbers(_ text: String, _ isCard: Bool) throws {
        let refusal = try RecordUnderTest(
            "payout.initiate", payoutData(("metadata.list", ["x", ["deep": .string(text)]]))
        ).refusal()
        #expect(refusal?.code == (isCard ? .cardNumberInClear : nil))
        #expect(refusal?.field == (isCard ? "metadata.list.1.deep" : nil))
        if isCard { #expect(refusal?.message.contains("1111") == false) }
    }

    @Test func cardNumbersWhereTheyMayBe() throws {
        let number: JSONValue = "4111111111111111"
        let account: JSONValue = ["accountNumber": number, "routingNumber": "021000021"]
        #expect(try refusal(account) == nil)
        #expect(try RecordUnderTest("payout.initiate", payoutData(("endToEndId", number))).refusal() == nil)
        let capture = #"{"operationId":"4111111111111111"}"#
        #expect(try RecordUnderTest("payment.capture", capture).refusal() == nil)
    }

    @Test(arguments: [
        ("payout.initiate", payoutData(("metadata.endToEndId", "4111111111111111")), "metadata.endToEndId"),
        ("payout.initiate", payoutData(("creditor.account.card", "4111111111111111")), "creditor.account.card"),
        ("payout.initiate", payoutData(("creditor.name", "4111 1111 1111 1111")), "creditor.name"),
        ("payout.initiate", payoutData(("4111111111111111", 1)), "*"),
        ("payout.initiate", payoutData(("metadata.4111111111111111", ["a": "4111111111111111"])), "metadata.*"),
        ("payment.initiate", paymentData(("instrument.token", "4111111111111111")), "instrument.token"),
        ("payout.cancel", #"{"reason":"4111111111111111"}"#, "reason"),
        ("payment.complete-action", #"{"parameters":{"pan":"4111111111111111"}}"#, "parameters.pan"),
        ("payment.capture", #"{"operationId":"c","reason":"4111111111111111"}"#, "reason"),
    ])
    func cardNumbersWhereTheyMayNotBe(_ type: String, _ data: String, _ field: String) throws {
        let refusal = try RecordUnderTest(type, data).refusal()
        #expect(refusal?.code == .cardNumberInClear)
        #expect(refusal?.field == field)
    }

    private func refusal(_ account: JSONValue) throws -> Refusal? {
        try RecordUnderTest("payout.initiate", payoutData(("creditor.account", account))).refusal()
    }
}
