import PaymentModel

extension OrderStatus {
    /// The name in events.
    public var name: StaticString {
        switch self {
        case .accepted: "accepted"
        case .pending: "pending"
        case .settled: "settled"
        case .rejected: "rejected"
        case .returned: "returned"
        case .actionRequired: "actionRequired"
        case .voided: "voided"
        case .expired: "expired"
        }
    }
}
