import CanonicalJSON

/// Commands as `switchyard send` takes them.
package enum Line {
    package static let iban = "DE89370400440532013000"

    package static func payout(
        _ subject: String, id: String = "c1", currency: String = "EUR", minorUnits: Int64 = 12_500,
        creditor: String = "Example GmbH", extra: [String: JSONValue] = [:]
    ) -> JSONValue {
        var data: [String: JSONValue] = [
            "instructedAmount": ["currency": .string(currency), "minorUnits": .integer(minorUnits)],
            "endToEndId": "INV-1",
            "debtor": ["name": "Acme BV", "account": ["iban": "NL91ABNA0417164300"]],
            "creditor": ["name": .string(creditor), "account": ["iban": .string(iban)]],
        ]
        for (name, value) in extra { data[name] = value }
        return command("payout.initiate", subject, id: id, .object(data))
    }

    package static func payment(
        _ subject: String, id: String = "c1", token: String = "tok_ok", capture: String = "automatic",
        currency: String = "EUR", minorUnits: Int64 = 4_200
    ) -> JSONValue {
        command(
            "payment.initiate", subject, id: id,
            [
                "instructedAmount": ["currency": .string(currency), "minorUnits": .integer(minorUnits)],
                "instrument": ["type": "card", "token": .string(token), "network": "visa"],
                "captureMode": .string(capture), "returnUrl": "https://shop.example/return",
            ])
    }

    package static func command(_ type: String, _ subject: String, id: String, _ data: JSONValue) -> JSONValue {
        ["type": .string(type), "id": .string(id), "subject": .string(subject), "data": data]
    }
}
