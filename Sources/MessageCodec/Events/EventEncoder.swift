import CanonicalJSON
import PaymentModel
import RecordFormat

/// What an event carries beside itself: CloudEvents extensions, resolved by the caller.
public struct EventContext: Hashable, Sendable {
    /// The payment: key, subject, and part of every id.
    public var paymentID: PaymentID
    /// `correlationid`: the command's, else the initiate's, else the payment id.
    public var correlationID: String
    /// `causationid`: `ce_id` of the command or notification that caused the event; nil for timers.
    public var causationID: String?
    /// `traceparent`, where there is one.
    public var traceparent: String?

    /// A context. Without a correlation id the payment id stands for it.
    public init(
        paymentID: PaymentID, correlationID: String? = nil, causationID: String? = nil, traceparent: String? = nil
    ) {
        self.paymentID = paymentID
        self.correlationID = correlationID ?? paymentID.text
        self.causationID = causationID
        self.traceparent = traceparent
    }
}

/// Writes events and postings as records: CloudEvents 1.0 in binary mode, straight into the batch's bytes.
public struct EventEncoder: Sendable {
    /// `ce_source` of everything that is written.
    public let source: String
    private let sourceBytes: [UInt8]

    /// An encoder.
    public init(source: String = "urn:switchyard") {
        self.source = source
        sourceBytes = Array(source.utf8)
    }

    /// Appends an event's frame. `ce_id` is `<paymentId>-<sequence>`; of the outcome of a command that created no
    /// payment
    /// `<paymentId>-0-<commandSource>-<commandId>`.
    public func append(_ event: PaymentEvent, _ context: EventContext, to frame: inout [UInt8]) {
        var id: [UInt8] = []
        id.reserveCapacity(64)
        id.append(contentsOf: context.paymentID.text.utf8)
        id.append(UInt8(ascii: "-"))
        id.append(contentsOf: String(event.sequence).utf8)
        if event.sequence == 0 {
            switch event.body {
            case .commandAccepted(let command, let source, _, _), .commandRejected(let command, let source, _, _):
                id.append(contentsOf: "-\(source)-\(command)".utf8)
            default: break
            }
        }
        begin(id: id, type: event.body.name, at: event.occurredAt, context, to: &frame)
        JSONWriter.append(to: &frame) { writer in
            writer.beginObject()
            writer.member("paymentId", context.paymentID.text)
            writer.member("sequence", event.sequence)
            writer.member("state", literal: event.status.name)
            writer.member("occurredAt", event.occurredAt)
            EventData(payment: context.paymentID.text, day: CalendarDate(utc: event.occurredAt))
                .write(event.body, to: &writer)
            writer.endObject()
        }
    }

    /// Appends a posting's frame, `io.switchyard.ledger.posted.v1`.
    public func append(
        _ posting: Posting, at occurredAt: Timestamp, _ context: EventContext, to frame: inout [UInt8]
    ) {
        let payment = context.paymentID.text
        let id = "\(payment)-posting-\(posting.number)"
        begin(id: Array(id.utf8), type: "ledger.posted", at: occurredAt, context, to: &frame)
        JSONWriter.append(to: &frame) { writer in
            writer.beginObject()
            writer.member("postingId", id)
            writer.member("paymentId", payment)
            writer.member("attemptId") { EventData(payment: payment).attempt(posting.attempt, &$0) }
            writer.member("kind", posting.kind.rawValue)
            writer.member("valueDate", posting.valueDate)
            writer.member("partner", posting.route.partner.text)
            writer.member("rail", posting.route.rail.text)
            writer.entries(posting.entries)
            if let reverses = posting.reverses { writer.member("reverses", "\(payment)-posting-\(reverses)") }
            writer.endObject()
        }
    }

    /// Appends the posting of money that nothing explains: key and subject are the partner's name, `postingId` is
    /// `<partner>-posting-<movement>`, and it has no payment, attempt or rail (the contract, section 3).
    public func append(_ money: UnexplainedMoney, at occurredAt: Timestamp, to frame: inout [UInt8]) {
        let partner = money.partner.text
        let id = money.postingID
        let context = EventContext(
            paymentID: PaymentID(invalid: partner), correlationID: money.movement, causationID: money.movement)
        begin(id: Array(id.utf8), type: "ledger.posted", at: occurredAt, context, to: &frame)
        JSONWriter.append(to: &frame) { writer in
            writer.beginObject()
            writer.member("postingId", id)
            writer.member("kind", PostingKind.suspense.rawValue)
            writer.member("valueDate", money.valueDate)
            writer.member("partner", partner)
            writer.entries([
                LedgerEntry(.debit, .clearing(money.partner), money.amount),
                LedgerEntry(.credit, .suspense(money.partner), money.amount),
            ])
            writer.endObject()
        }
    }

    private func begin(
        id: [UInt8], type: StaticString, at moment: Timestamp, _ context: EventContext, to frame: inout [UInt8]
    ) {
        let subject = context.paymentID.text.utf8
        let optional = (context.causationID == nil ? 0 : 1) + (context.traceparent == nil ? 0 : 1)
        RecordFrame.begin(
            into: &frame, key: subject, timestamp: moment.milliseconds, headers: 8 + optional, hasValue: true)
        RecordFrame.appendHeader(into: &frame, name: "ce_specversion", value: "1.0".utf8)
        RecordFrame.appendHeader(into: &frame, name: "ce_id", value: id)
        RecordFrame.appendHeader(into: &frame, name: "ce_source", value: sourceBytes)
        var scratch: [UInt8] = []
        scratch.reserveCapacity(64)
        scratch.append(contentsOf: "io.switchyard.".utf8)
        type.withUTF8Buffer { scratch.append(contentsOf: $0) }
        scratch.append(contentsOf: ".v1".utf8)
        RecordFrame.appendHeader(into: &frame, name: "ce_type", value: scratch)
        scratch.removeAll(keepingCapacity: true)
        RFC3339.append(moment, to: &scratch)
        RecordFrame.appendHeader(into: &frame, name: "ce_time", value: scratch)
        RecordFrame.appendHeader(into: &frame, name: "ce_subject", value: subject)
        RecordFrame.appendHeader(into: &frame, name: "content-type", value: "application/json".utf8)
        RecordFrame.appendHeader(into: &frame, name: "ce_correlationid", value: context.correlationID.utf8)
        if let causation = context.causationID {
            RecordFrame.appendHeader(into: &frame, name: "ce_causationid", value: causation.utf8)
        }
        if let trace = context.traceparent {
            RecordFrame.appendHeader(into: &frame, name: "ce_traceparent", value: trace.utf8)
        }
    }
}

/// Money that a partner says came in and that fits no order of ours.
public struct UnexplainedMoney: Hashable, Sendable {
    /// The partner.
    public var partner: PartnerName
    /// The partner's id of the movement; part of the posting's id.
    public var movement: String
    /// How much came in.
    public var amount: Money
    /// Value date.
    public var valueDate: CalendarDate
    /// The id of the posting, and of its record.
    public var postingID: String { "\(partner.text)-posting-\(movement)" }

    /// A movement.
    public init(partner: PartnerName, movement: String, amount: Money, valueDate: CalendarDate) {
        self.partner = partner
        self.movement = movement
        self.amount = amount
        self.valueDate = valueDate
    }
}

// MARK: - Values in JSON

extension JSONWriter {
    mutating func member(_ name: StaticString, _ moment: Timestamp) {
        member(name) { $0.raw { RFC3339.append(moment, to: &$0) } }
    }

    mutating func member(_ name: StaticString, _ day: CalendarDate) {
        member(name) { $0.raw { RFC3339.append(day, to: &$0) } }
    }

    mutating func member(_ name: StaticString, _ money: Money) {
        beginObject(name)
        member("currency") { parts in
            let (first, second, third) = money.currency.bytes
            parts.raw { $0.append(first) }
            parts.raw { $0.append(second) }
            parts.raw { $0.append(third) }
        }
        member("minorUnits", money.minorUnits)
        endObject()
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
