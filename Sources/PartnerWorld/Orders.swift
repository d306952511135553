import CivilCalendar
import CanonicalJSON

/// Minor units of a currency.
struct Amount: Sendable, Equatable {
    var currency: String
    var minorUnits: Int64

    func write(_ name: StaticString, to writer: inout JSONWriter) {
        writer.beginObject(name)
        writer.member("currency", currency)
        writer.member("minorUnits", minorUnits)
        writer.endObject()
    }
}

enum OrderStatus: String, Sendable {
    case accepted, pending, settled, rejected, returned, actionRequired
}

/// The part of an order that changes; the first answer keeps a copy of it.
struct OrderState: Sendable, Equatable {
    var status = OrderStatus.pending
    var reason: String?
    /// Minor units; set when it was executed.
    var fee: Int64?
    /// Set when it was executed.
    var executedAt: Milliseconds?
}

struct Transfer: Sendable {
    let reference: String
    let amount: Amount
    let visibleAt: Milliseconds
    /// The one before it with the same reference (each POST with a key of its own is an order of its own), or -1.
    let previous: Int32
    var state = OrderState()
    var firstAnswer: OrderState?

    func write(_ state: OrderState, id: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("reference", reference)
        writer.member("status", state.status.rawValue)
        writer.memberOrNull("reason", state.reason)
        amount.write("amount", to: &writer)
        writeFee(state, currency: amount.currency, to: &writer)
        writer.endObject()
    }
}

/// `fee` and `valueDate`, null where nothing was executed.
func writeFee(_ state: OrderState, currency: String, to writer: inout JSONWriter) {
    if let fee = state.fee {
        Amount(currency: currency, minorUnits: fee).write("fee", to: &writer)
    } else {
        writer.memberNull("fee")
    }
    if let time = state.executedAt {
        writer.member("valueDate", CivilTime.string(day: CivilTime.day(milliseconds: time)))
    } else {
        writer.memberNull("valueDate")
    }
}

enum OperationKind: String, Sendable {
    case capture, void, refund
}

struct Operation: Sendable {
    let kind: OperationKind
    let number: Int
    let reference: String
    var minorUnits: Int64
    let isWrongCurrency: Bool
    let visibleAt: Milliseconds
    var state = OrderState()
}

enum DisputeStatus: String, Sendable {
    case opened, won, lost
}

struct Dispute: Sendable {
    let number: Int
    let captureReference: String
    let minorUnits: Int64
    var status = DisputeStatus.opened
}

struct Authorization: Sendable {
    let reference: String
    let amount: Amount
    let visibleAt: Milliseconds
    let isAutomatic: Bool
    var state = OrderState()
    var isVoided = false
    /// Faults that strike what follows: the end of a challenge, captures.
    var strikes: [Strike] = []
    var operations: [Operation] = []
    var disputes: [Dispute] = []

    /// Executed and in flight: what is used of the authorized amount.
    func used(_ kind: OperationKind) -> Int64 {
        operations.reduce(0) { sum, operation in
            operation.kind == kind && operation.state.status != .rejected ? sum + operation.minorUnits : sum
        }
    }

    var capturedMinorUnits: Int64 {
        operations.reduce(0) { sum, operation in
            operation.kind == .capture && operation.state.status == .accepted ? sum + operation.minorUnits : sum
        }
    }

    /// Charged back and not won back.
    var disputedMinorUnits: Int64 { disputes.reduce(0) { $1.status == .won ? $0 : $0 + $1.minorUnits } }
}

/// One movement of money, as `/_control/books` lists it.
struct Movement: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case transfer, capture, refund, `return`, chargeback
    }

    let kind: Kind
    let at: Milliseconds
    let id: String
    let reference: String
    let amount: Amount
    let fee: Int64
}

/// Money really moved.
struct Books: Sendable {
    private(set) var movements: [Movement] = []
    private var totals: [Movement.Kind: [String: Int64]] = [:]
    private var fees: [String: Int64] = [:]

    mutating func record(_ movement: Movement) {
        movements.append(movement)
        totals[movement.kind, default: [:]][movement.amount.currency, default: 0] += movement.amount.minorUnits
        if movement.fee != 0 { fees[movement.amount.currency, default: 0] += movement.fee }
    }

    func write(partner: String, droppedNotifications: Int64) -> [UInt8] {
        JSONWriter.write { writer in
            writer.beginObject()
            writer.member("partner", partner)
            writer.beginArray("movements")
            for movement in movements {
                writer.beginObject()
                writer.member("op", movement.kind.rawValue)
                writer.member("id", movement.id)
                writer.member("reference", movement.reference)
                movement.amount.write("amount", to: &writer)
                Amount(currency: movement.amount.currency, minorUnits: movement.fee).write("fee", to: &writer)
                writer.member("at", CivilTime.string(milliseconds: movement.at))
                writer.endObject()
            }
            writer.endArray()
            writer.beginObject("totals")
            for kind in Movement.Kind.allCases { write(kind.rawValue, totals[kind] ?? [:], to: &writer) }
            writer.endObject()
            writer.key("fees")
            writeSums(fees, to: &writer)
            writer.member("droppedNotifications", droppedNotifications)
            writer.endObject()
        }
    }

    private func write(_ name: String, _ sums: [String: Int64], to writer: inout JSONWriter) {
        writer.key(name)
        writeSums(sums, to: &writer)
    }

    private func writeSums(_ sums: [String: Int64], to writer: inout JSONWriter) {
        writer.beginObject()
        for (currency, sum) in sums.sorted(by: { $0.key < $1.key }) {
            writer.key(currency)
            writer.element(sum)
        }
        writer.endObject()
    }
}

/// fixed + amount × basis points / 10 000, rounded half up to a whole minor unit.
func fee(on minorUnits: Int64, fixed: Int64, basisPoints: Int64) -> Int64 {
    let product = minorUnits.multipliedFullWidth(by: basisPoints)
    var low = product.low
    var high = product.high
    let (sum, overflow) = low.addingReportingOverflow(5_000)
    low = sum
    if overflow { high += 1 }
    let (quotient, remainderOverflow) = fixed.addingReportingOverflow(
        Int64(10_000).dividingFullWidth((high, low)).quotient)
    return remainderOverflow ? Int64.max : quotient
}
