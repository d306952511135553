import CanonicalJSON
import Partners
import PaymentModel
import Testing

let ourReference = Reference(partitionHash: 77, seed: Digest(high: 1, low: 2), attempt: 1)
let foreignReference = Reference(partitionHash: 77, seed: Digest(high: 9, low: 2), attempt: 1)

func money(_ units: Int64, _ code: String = "EUR") -> Money {
    Currency(code).map { Money(units, $0) } ?? Money(units, Currency.all[0])
}

func order(_ operation: Operation, target: String? = nil) -> PartnerOrder {
    var initiation = Initiation(kind: operation == .payout ? .payout : .payment, instructedAmount: money(125_000))
    initiation.creditor = Party(
        name: Personal("Example GmbH"), account: Account(form: .iban, number: Personal("DE89370400440532013000")),
        agentBIC: "COBADEFFXXX", country: "DE")
    initiation.instrument = .card(token: Personal("tok_ok"), network: "visa")
    initiation.endToEndID = "INV-\"1\""
    initiation.remittanceInformation = Personal("Köln")
    return PartnerOrder(
        operation: operation, rail: Rail("sepa-instant"), reference: ourReference, idempotencyKey: "key-1",
        amount: money(125_000), target: target, initiation: initiation)
}

func inquiry(_ operation: Operation, target: String? = nil) -> PartnerInquiry {
    PartnerInquiry(operation: operation, reference: ourReference, amount: money(125_000), target: target)
}

/// An order of the partner, with members changed or removed (nil).
func orderObject(_ status: String, _ changes: [String: JSONValue?] = [:]) -> JSONValue {
    var members: [String: JSONValue] = [
        "id": "t-1", "reference": .string(ourReference.text), "status": .string(status), "reason": nil,
        "amount": ["currency": "EUR", "minorUnits": 125_000], "fee": ["currency": "EUR", "minorUnits": 35],
        "valueDate": "2026-11-20",
    ]
    for (name, value) in changes { members[name] = value }
    return .object(members)
}

func answer(_ body: JSONValue, status: Int = 201) -> PartnerHTTPAnswer {
    PartnerHTTPAnswer(status: status, body: body.bytes)
}
