import Partners
import PaymentModel
import Testing

/// Which operation's reference a notification names (the contract, section 6: "`reference` is the operation's"). The
/// machine believes none that names an attempt of another kind: a void by the authorization's own reference would read as
/// the authorization's success.
@Suite("What a notification is about")
struct NotifiedOperationTests {
    @Test(
        arguments: [
            ("transfer.settled", .payout), ("transfer.rejected", .payout), ("transfer.returned", .payout),
            ("authorization.accepted", .authorize), ("authorization.captured", .capture),
            ("authorization.voided", .void), ("authorization.refunded", .refund),
            ("authorization.disputed", .capture), ("authorization.rejected", nil), ("weather.changed", nil),
        ] as [(String, PaymentModel.Operation?)])
    func operation(type: String, expected: PaymentModel.Operation?) throws {
        let body = #"{"id":"n-1","type":"\#(type)","data":{"reference":"\#(ourReference.text)","status":"opened"}}"#
        let content = try #require(ReferenceAdapter().notification(body: Array(body.utf8)))
        #expect(content.operation == expected)
    }
}
