import EventLog
import PaymentCore
import PaymentModel
import RecordFormat

extension PaymentDescription {
    /// What a stored state tells; nil where the bytes cannot be read.
    public init?(id: String, state bytes: [UInt8]) {
        guard let payment = PaymentID(id), let state = try? PaymentState(id: payment, decoding: bytes.span.bytes) else {
            return nil
        }
        let summary = PaymentSummary(
            status: state.status.rawValue, parked: state.isParked, finished: state.isFinished, since: state.since,
            partner: state.currentPartner?.text ?? "")
        let attempts = state.attempts.enumerated().map { place, attempt in
            Attempt(
                attemptID: "\(id)-attempt-\(place + 1)", operation: attempt.operation.name.description,
                operationID: attempt.operationID, partner: attempt.route.partner.text, rail: attempt.route.rail.text,
                reference: attempt.reference.text, partnerReference: attempt.partnerReference,
                currency: attempt.amount.currency.code, minorUnits: attempt.amount.minorUnits,
                status: Attempt.name(attempt.phase), escalated: attempt.escalated)
        }
        self.init(summary: summary, sequence: state.sequence, attempts: attempts)
    }
}

extension PaymentDescription.Attempt {
    fileprivate static func name(_ phase: PaymentCore.Attempt.Phase) -> String {
        switch phase {
        case .sending: "started"
        case .inDoubt: "inDoubt"
        case .accepted: "accepted"
        case .executed: "settled"
        case .rejected: "rejected"
        case .notSent: "notSent"
        case .absent: "absent"
        case .over: "over"
        }
    }
}
