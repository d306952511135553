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
    private let heads: RecordHeads

    /// An encoder.
    public init(source: String = "urn:switchyard") {
        self.source = source
        heads = RecordHeads(source: source)
    }

    /// Appends an event's frame. `ce_id` is `<paymentId>-<sequence>`; of the outcome of a command that created no
    /// payment
    /// `<paymentId>-0-<commandSource>-<commandId>`.
    public func append(_ event: PaymentEvent, _ context: EventContext, to frame: inout [UInt8]) {
        let payment = context.paymentID.text
        let id = RecordID(
            "-", event.sequence, suffix: event.sequence == 0 ? EventEncoder.suffix(event.body) : "")
        let time = RFC3339.text(event.occurredAt)
        heads.append(heads.event(event.body.name), id, event.occurredAt, time, context, to: &frame)
        JSONWriter.append(to: &frame) { writer in
            writer.beginObject()
            writer.member("paymentId", payment)
            writer.member("sequence", event.sequence)
            writer.member("state", literal: event.status.name)
            writer.member("occurredAt", ascii: time.span)
            EventData(payment: payment, occurredAt: event.occurredAt).write(event.body, to: &writer)
            writer.endObject()
        }
    }

    private static func suffix(_ body: EventBody) -> String {
        switch body {
        case .commandAccepted(let command, let source, _, _), .commandRejected(let command, let source, _, _):
            "-\(source)-\(command)"
        default: ""
        }
    }

    /// Appends a posting's frame, `io.switchyard.ledger.posted.v1`.
    public func append(
        _ posting: Posting, at occurredAt: Timestamp, _ context: EventContext, to frame: inout [UInt8]
    ) {
        let payment = context.paymentID.text
        let number = Int64(posting.number)
        heads.append(
            heads.posting, RecordID("-posting-", number), occurredAt, RFC3339.text(occurredAt), context,
            to: &frame)
        JSONWriter.append(to: &frame) { writer in
            writer.beginObject()
            writer.member("postingId", payment, "-posting-", number)
            writer.member("paymentId", payment)
            writer.member("attemptId", payment, "-attempt-", Int64(posting.attempt))
            writer.member("kind", posting.kind.rawValue)
            writer.member("valueDate", posting.valueDate)
            writer.member("partner", posting.route.partner.text)
            writer.member("rail", posting.route.rail.text)
            writer.entries(posting.entries)
            if let reverses = posting.reverses { writer.member("reverses", payment, "-posting-", Int64(reverses)) }
            writer.endObject()
        }
    }

    /// Appends the posting of money that nothing explains: key and subject are the partner's name, `postingId` is
    /// `<partner>-posting-<movement>`, and it has no payment, attempt or rail (the contract, section 3).
    public func append(_ money: UnexplainedMoney, at occurredAt: Timestamp, to frame: inout [UInt8]) {
        let partner = money.partner.text
        let id = RecordID("-posting-", nil, suffix: money.movement)
        let context = EventContext(
            paymentID: PaymentID(invalid: partner), correlationID: money.movement, causationID: money.movement)
        heads.append(heads.posting, id, occurredAt, RFC3339.text(occurredAt), context, to: &frame)
        JSONWriter.append(to: &frame) { writer in
            writer.beginObject()
            writer.member("postingId", money.postingID)
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
