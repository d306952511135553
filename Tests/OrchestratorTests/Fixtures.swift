import PaymentModel
import Testing

/// The euro.
let eur: Currency = {
    guard let currency = Currency("EUR") else { preconditionFailure("ISO 4217 lists EUR") }
    return currency
}()

/// A payment id that is valid by its form.
func paymentID(_ text: String) -> PaymentID {
    guard let id = PaymentID(text) else { preconditionFailure("not a payment id: \(text)") }
    return id
}
