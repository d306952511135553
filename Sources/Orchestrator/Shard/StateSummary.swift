import EventLog
import PaymentCore
import PaymentModel

extension PaymentState {
    /// What the operators' index tells of the payment; nil where no payment exists.
    var summary: PaymentSummary? {
        guard status != .none else { return nil }
        return PaymentSummary(
            status: status.rawValue, parked: isParked, finished: isFinished, since: since,
            partner: currentPartner?.text ?? "")
    }
}
