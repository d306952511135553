import CanonicalJSON
import PaymentModel

// Values of the model as events and postings write them.

extension JSONWriter {
    mutating func member(_ name: StaticString, _ moment: Timestamp) {
        member(name, ascii: RFC3339.text(moment).span)
    }

    mutating func member(_ name: StaticString, _ day: CalendarDate) {
        member(name, ascii: RFC3339.text(day).span)
    }

    mutating func member(_ name: StaticString, _ currency: Currency) {
        let (first, second, third) = currency.bytes
        let code: InlineArray<3, UInt8> = [first, second, third]
        member(name, ascii: code.span)
    }

    mutating func member(_ name: StaticString, _ money: Money) {
        beginObject(name)
        member("currency", money.currency)
        member("minorUnits", money.minorUnits)
        endObject()
    }

    /// The account's name, without making a string of it.
    private mutating func member(_ name: StaticString, _ account: LedgerAccount) {
        switch account {
        case .clearing(let partner): member(name, "partner:", partner.text, ":clearing")
        case .payoutsPayable: member(name, literal: "payouts:payable")
        case .paymentsReceived: member(name, literal: "payments:received")
        case .feeExpense(let partner): member(name, "expense:fees:", partner.text, "")
        case .suspense(let partner): member(name, "suspense:", partner.text, "")
        case .foreignExchange(let partner): member(name, "fx:", partner.text, "")
        }
    }

    mutating func entries(_ entries: [LedgerEntry]) {
        beginArray("entries")
        for entry in entries {
            beginObject()
            member("account", entry.account)
            member("side", literal: entry.side == .debit ? "debit" : "credit")
            member("amount", entry.amount)
            endObject()
        }
        endArray()
    }
}
