/// The data of `payout.initiate` or `payment.initiate`, decoded and verified by form.
///
/// A value in one object: some twenty texts go from the decoder by way of the command, the decisions and the order to
/// the partner's request, and each of those copies is one count, not twenty.
public struct Initiation: Hashable, Sendable {
    @usableFromInline
    struct Fields: Hashable, Sendable {
        @usableFromInline var kind: PaymentKind
        @usableFromInline var instructedAmount: Money
        @usableFromInline var endToEndID: String?
        @usableFromInline var debtor: Party?
        @usableFromInline var creditor: Party?
        @usableFromInline var instrument: Instrument?
        @usableFromInline var captureMode: CaptureMode?
        @usableFromInline var returnURL: String?
        @usableFromInline var requestedExecutionDate: CalendarDate?
        @usableFromInline var deliverBy: Timestamp?
        @usableFromInline var purpose: String?
        @usableFromInline var remittanceInformation: Personal<String>?
        @usableFromInline var routing: RoutingWishes
    }

    /// Sending it is safe (`@unchecked`): it is written only while it has one owner (`unique`).
    @usableFromInline
    final class Storage: @unchecked Sendable {
        @usableFromInline var fields: Fields

        @usableFromInline
        init(_ fields: Fields) { self.fields = fields }
    }

    @usableFromInline var storage: Storage

    /// The fields, for writing: copied before where somebody else holds them, too.
    @inlinable var unique: Fields {
        _read { yield storage.fields }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.fields) }
            yield &storage.fields
        }
    }

    /// The data of an initiate.
    public init(
        kind: PaymentKind, instructedAmount: Money, endToEndID: String? = nil, debtor: Party? = nil,
        creditor: Party? = nil, instrument: Instrument? = nil, captureMode: CaptureMode? = nil,
        returnURL: String? = nil, requestedExecutionDate: CalendarDate? = nil, deliverBy: Timestamp? = nil,
        purpose: String? = nil, remittanceInformation: Personal<String>? = nil, routing: RoutingWishes = .init()
    ) {
        storage = Storage(
            Fields(
                kind: kind, instructedAmount: instructedAmount, endToEndID: endToEndID, debtor: debtor,
                creditor: creditor, instrument: instrument, captureMode: captureMode, returnURL: returnURL,
                requestedExecutionDate: requestedExecutionDate, deliverBy: deliverBy, purpose: purpose,
                remittanceInformation: remittanceInformation, routing: routing))
    }

    /// Equal data.
    public static func == (left: Initiation, right: Initiation) -> Bool {
        left.storage === right.storage || left.storage.fields == right.storage.fields
    }

    /// Takes in all of the data.
    public func hash(into hasher: inout Hasher) { storage.fields.hash(into: &hasher) }
}

extension Initiation {
    /// Payout or payment.
    @inlinable public var kind: PaymentKind {
        _read { yield storage.fields.kind }
        _modify { yield &unique.kind }
    }

    /// What is to be moved.
    @inlinable public var instructedAmount: Money {
        _read { yield storage.fields.instructedAmount }
        _modify { yield &unique.instructedAmount }
    }

    /// The upstream's reference, carried to the creditor.
    @inlinable public var endToEndID: String? {
        _read { yield storage.fields.endToEndID }
        _modify { yield &unique.endToEndID }
    }

    /// Who pays. Payments have none.
    @inlinable public var debtor: Party? {
        _read { yield storage.fields.debtor }
        _modify { yield &unique.debtor }
    }

    /// Who is paid. Payments may have none.
    @inlinable public var creditor: Party? {
        _read { yield storage.fields.creditor }
        _modify { yield &unique.creditor }
    }

    /// What a payment is taken from.
    @inlinable public var instrument: Instrument? {
        _read { yield storage.fields.instrument }
        _modify { yield &unique.instrument }
    }

    /// When a payment is captured; nil for payouts.
    @inlinable public var captureMode: CaptureMode? {
        _read { yield storage.fields.captureMode }
        _modify { yield &unique.captureMode }
    }

    /// Where the customer comes back to after a redirect.
    @inlinable public var returnURL: String? {
        _read { yield storage.fields.returnURL }
        _modify { yield &unique.returnURL }
    }

    /// Not before this day.
    @inlinable public var requestedExecutionDate: CalendarDate? {
        _read { yield storage.fields.requestedExecutionDate }
        _modify { yield &unique.requestedExecutionDate }
    }

    /// At the creditor's by then.
    @inlinable public var deliverBy: Timestamp? {
        _read { yield storage.fields.deliverBy }
        _modify { yield &unique.deliverBy }
    }

    /// ISO 20022 purpose.
    @inlinable public var purpose: String? {
        _read { yield storage.fields.purpose }
        _modify { yield &unique.purpose }
    }

    /// For the creditor to read.
    @inlinable public var remittanceInformation: Personal<String>? {
        _read { yield storage.fields.remittanceInformation }
        _modify { yield &unique.remittanceInformation }
    }

    /// What upstream asks of routing.
    @inlinable public var routing: RoutingWishes {
        _read { yield storage.fields.routing }
        _modify { yield &unique.routing }
    }
}
