import CanonicalJSON
import EventLog
import PaymentModel

/// The attempts of a payment as its events tell of them: for finished payments, of which only a stub is left, and for
/// readers without the state.
struct AttemptFold {
    /// Where the events leave the payment.
    struct Last {
        var summary: PaymentSummary
        var sequence: Int64
    }

    private(set) var attempts: [PaymentDescription.Attempt] = []
    private(set) var last: Last?

    /// Folds events in their order, as `RecordPresentation` shows them.
    init(_ events: [JSONValue]) {
        for event in events {
            guard let data = event["data"], let sequence = data["sequence"]?.integer, sequence > 0 else { continue }
            let name = RecordPresentation.shortName(event["type"]?.string ?? "")
            take(name, data)
            note(name, data, sequence)
        }
    }

    private mutating func note(_ name: String, _ data: JSONValue, _ sequence: Int64) {
        let state = data["state"]?.string.flatMap { PaymentStatus(name: $0) } ?? .none
        let at = data["occurredAt"]?.string.flatMap { RFC3339.moment($0) } ?? Timestamp(milliseconds: 0)
        let since = last?.summary.status == state.rawValue ? last?.summary.since ?? at : at
        let parked = PaymentStatus.parked.contains(state) || name == "attempt.escalated"
        last = Last(
            summary: PaymentSummary(
                status: state.rawValue, parked: parked, finished: PaymentStatus.terminal.contains(state), since: since,
                partner: attempts.last?.partner ?? ""),
            sequence: sequence)
    }

    private mutating func take(_ name: String, _ data: JSONValue) {
        if name == "attempt.started" {
            attempts.append(
                PaymentDescription.Attempt(
                    attemptID: data["attemptId"]?.string ?? "", operation: data["operation"]?.string ?? "",
                    operationID: data["operationId"]?.string, partner: data["partner"]?.string ?? "",
                    rail: data["rail"]?.string ?? "", reference: data["reference"]?.string ?? "",
                    partnerReference: nil, currency: data["amount"]?["currency"]?.string ?? "",
                    minorUnits: data["amount"]?["minorUnits"]?.integer ?? 0, status: "started", escalated: false))
            return
        }
        guard let id = data["attemptId"]?.string, let place = attempts.firstIndex(where: { $0.attemptID == id }) else {
            return
        }
        if let reference = data["partnerReference"]?.string { attempts[place].partnerReference = reference }
        switch name {
        case "attempt.accepted": attempts[place].status = "accepted"
        case "attempt.rejected": attempts[place].status = "rejected"
        case "attempt.not-sent": attempts[place].status = "notSent"
        case "attempt.in-doubt": attempts[place].status = "inDoubt"
        case "attempt.resolved": attempts[place].status = data["outcome"]?.string ?? attempts[place].status
        case "payout.settled", "payment.captured", "payment.refunded": attempts[place].status = "settled"
        case "payout.returned": attempts[place].status = "returned"
        default: break
        }
        attempts[place].escalated = name == "attempt.escalated"
    }
}

extension PaymentStatus {
    /// Nothing more is expected (the contract, section 3).
    public static let terminal: Set<PaymentStatus> = [
        .settled, .returned, .failed, .cancelled, .blocked, .voided, .expired, .captured, .partiallyRefunded, .refunded,
        .chargedBack,
    ]

    /// Waits for a person or the customer (the contract, section 3); escalated attempts park, too.
    public static let parked: Set<PaymentStatus> = [.held, .offloaded, .authorized, .actionRequired, .disputed]
}
