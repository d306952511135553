/// A value as it stands in a record, a partner's book or a command: JSON without fractions, which money never has.
public indirect enum FactValue: Hashable, Sendable {
    /// `null`, or a number that is no integer.
    case null
    /// `true`, `false`.
    case bool(Bool)
    /// An integer.
    case integer(Int64)
    /// A text.
    case text(String)
    /// An array.
    case list([FactValue])
    /// An object.
    case object([String: FactValue])

    /// The member with that name, where this is an object that has it.
    public subscript(_ name: String) -> FactValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The text, where this is one.
    public var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// The integer, where this is one.
    public var integer: Int64? {
        guard case .integer(let integer) = self else { return nil }
        return integer
    }

    /// The elements, where this is an array.
    public var list: [FactValue]? {
        guard case .list(let list) = self else { return nil }
        return list
    }
}

/// A record as any consumer sees it: what `switchyard events --output json` prints.
public struct RecordFact: Hashable, Sendable {
    /// `commands`, `events`, `settlements` or `dead-letters`.
    public var topic: String
    /// The partition.
    public var partition: Int64
    /// The offset.
    public var offset: Int64
    /// `ce_type` with prefix and version, `io.switchyard.payout.settled.v1`.
    public let type: String
    /// The type without prefix and version: `payout.settled`.
    public let name: String
    /// `ce_id`.
    public var id: String
    /// `ce_source`.
    public var source: String
    /// `ce_subject`.
    public var subject: String
    /// The data.
    public var data: FactValue

    /// A record.
    public init(
        topic: String, partition: Int64, offset: Int64, type: String, id: String, source: String, subject: String,
        data: FactValue
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.type = type
        name = RecordFact.name(type)
        self.id = id
        self.source = source
        self.subject = subject
        self.data = data
    }

    private static func name(_ type: String) -> String {
        var name = type[...]
        if name.hasPrefix("io.switchyard.") { name = name.dropFirst(14) }
        if name.hasSuffix(".v1") { name = name.dropLast(3) }
        return String(name)
    }
}

/// A command that was published, once for each distinct (subject, source, id).
public struct CommandFact: Hashable, Sendable {
    /// The payment.
    public var subject: String
    /// `ce_source`.
    public var source: String
    /// `ce_id`.
    public var id: String

    /// A command.
    public init(subject: String, source: String, id: String) {
        self.subject = subject
        self.source = source
        self.id = id
    }
}

/// Money that a partner really moved, from `GET /_control/books`.
public struct MovementFact: Hashable, Sendable {
    /// The partner.
    public var partner: String
    /// `transfer`, `capture`, `refund`, `return`, `chargeback`.
    public var operation: String
    /// Our reference.
    public var reference: String
    /// The currency.
    public var currency: String
    /// Minor units; a won dispute is a chargeback with a negative amount.
    public var minorUnits: Int64
    /// What the partner took, in the same currency.
    public var fee: Int64

    /// A movement.
    public init(
        partner: String, operation: String, reference: String, currency: String, minorUnits: Int64, fee: Int64
    ) {
        self.partner = partner
        self.operation = operation
        self.reference = reference
        self.currency = currency
        self.minorUnits = minorUnits
        self.fee = fee
    }
}

/// A request that a partner received, from `GET /_control/requests`, in the order of receipt.
public struct RequestFact: Hashable, Sendable {
    /// The partner.
    public var partner: String
    /// Milliseconds since 1970, on the partner's clock.
    public var at: Int64
    /// The method.
    public var method: String
    /// The path, without the query.
    public var path: String
    /// The idempotency key.
    public var key: String?
    /// Hash of the body.
    public var bodyHash: String?
    /// Our reference that it names.
    public var reference: String?
    /// The status that was answered; nil where none was.
    public var status: Int64?

    /// A request.
    public init(
        partner: String, at: Int64, method: String, path: String, key: String?, bodyHash: String?,
        reference: String?, status: Int64?
    ) {
        self.partner = partner
        self.at = at
        self.method = method
        self.path = path
        self.key = key
        self.bodyHash = bodyHash
        self.reference = reference
        self.status = status
    }
}

/// Everything that the checker may look at: nothing of the daemon's inside.
public struct CheckedWorld: Sendable {
    /// Every command that was published and acknowledged.
    public var commands: [CommandFact] = []
    /// Domain events, in any order.
    public var events: [RecordFact] = []
    /// Postings.
    public var settlements: [RecordFact] = []
    /// Partners' books.
    public var movements: [MovementFact] = []
    /// What partners received.
    public var requests: [RequestFact] = []
    /// The state in which the daemon shows payments: those that it showed alike before and after the events were read.
    public var shown: [String: String] = [:]
    /// Whether everything has come to rest: then every payment must be finished or parked (L1), every command answered
    /// (S5), and the books must agree (S15).
    public var atRest = true
    /// Whether partners answered truthfully and kept their bounds. A partner that executes what it has rejected causes
    /// double executions that nobody can prevent; then S1 asks only that they are not silent.
    public var partnersTruthful = true
    /// How far the partners' clocks may be off ours, in milliseconds.
    public var clockTolerance: Int64 = 50
    /// What L1 in time, and L2 to L4, are judged by; nil: nobody looked.
    public var liveness: LivenessFacts?

    /// An empty world.
    public init() {}
}

/// A broken promise.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// `S1` … `S16`, `L1`.
    public var invariant: String
    /// The payment, reference or command that it is about.
    public var subject: String
    /// What is wrong.
    public var detail: String

    /// A broken promise.
    public init(_ invariant: String, _ subject: String, _ detail: String) {
        self.invariant = invariant
        self.subject = subject
        self.detail = detail
    }

    /// One line.
    public var description: String { "\(invariant) \(subject): \(detail)" }
}
