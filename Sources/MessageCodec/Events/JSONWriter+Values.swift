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

    mutating func member(_ name: StaticString, _ money: Money) {
        member(name, capacity: 64) { output in
            let (first, second, third) = money.currency.bytes
            output.append(literal: #"{"currency":""#)
            output.append(first)
            output.append(second)
            output.append(third)
            output.append(literal: #"","minorUnits":"#)
            output.append(decimal: money.minorUnits)
            output.append(UInt8(ascii: "}"))
        }
    }

    mutating func entries(_ entries: [LedgerEntry]) {
        beginArray("entries")
        for entry in entries {
            beginObject()
            member("account", entry.account.name)
            member("side", literal: entry.side == .debit ? "debit" : "credit")
            member("amount", entry.amount)
            endObject()
        }
        endArray()
    }
}
