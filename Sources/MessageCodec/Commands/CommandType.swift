/// The commands of the contract, section 2.
public enum CommandType: String, Sendable, CaseIterable {
    /// Move money out.
    case payoutInitiate = "payout.initiate"
    /// Stop a payout.
    case payoutCancel = "payout.cancel"
    /// Take money in.
    case paymentInitiate = "payment.initiate"
    /// Take reserved money.
    case paymentCapture = "payment.capture"
    /// Give taken money back.
    case paymentRefund = "payment.refund"
    /// Give up a reservation.
    case paymentVoid = "payment.void"
    /// The customer has come back.
    case paymentCompleteAction = "payment.complete-action"
    /// Let a held payment go on.
    case holdRelease = "hold.release"
    /// Confirm a hit.
    case holdReject = "hold.reject"
    /// Let an offloaded payment go on.
    case offloadResume = "offload.resume"
    /// Give an offloaded payment up.
    case offloadReject = "offload.reject"
    /// Say what a partner did.
    case attemptResolve = "attempt.resolve"

    /// The command of a `ce_type` (`io.switchyard.<name>.v1`), or nil.
    public init?(ceType: String) {
        for (literal, type) in CommandType.types where ceType == literal {
            self = type
            return
        }
        return nil
    }

    /// The `ce_type` of a command that lies in a header, where there is such a command: no string is made of it.
    static func ceType(_ text: RawSpan) -> String? {
        for index in types.indices where text.isEqual(to: types[index].0) { return types[index].0 }
        return nil
    }

    /// Every type by its `ce_type`, initiates first.
    private static let types = ([.payoutInitiate, .paymentInitiate] + allCases).map { ($0.ceType, $0) }

    /// The full `ce_type`.
    public var ceType: String { "io.switchyard.\(rawValue).v1" }

    /// Whether it is a person's, for whom a role is needed.
    public var isOfDesk: Bool {
        switch self {
        case .holdRelease, .holdReject, .offloadResume, .offloadReject, .attemptResolve: true
        case .payoutInitiate, .payoutCancel, .paymentInitiate, .paymentCapture, .paymentRefund, .paymentVoid,
            .paymentCompleteAction:
            false
        }
    }
}
