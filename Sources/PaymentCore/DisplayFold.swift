import PaymentModel

/// The state that a payment must show from its authorization on, computed from what its events alone tell: the highest
/// that holds (the contract, section 3).
struct DisplayFold: Hashable, Sendable {
    /// An attempt to capture.
    private struct Capture: Hashable {
        enum Course {
            case open
            /// It ended without effect and may be started anew, or its money is about to be told.
            case doubtful
            case over
        }

        var operationID: String?
        var course = Course.open
    }

    private var isAuthorized = false
    private var isVoided = false
    private var isExpired = false
    private var isSettled = false
    private var hasLostDispute = false
    private var openDisputes: [Int: Int] = [:]
    private var captures: [Int: Capture] = [:]
    private var captured: Int64 = 0
    private var refunded: Int64 = 0

    /// Takes the next event.
    mutating func take(_ body: EventBody) {
        switch body {
        case .attemptStarted(let start) where start.operation == .capture:
            settleDoubts(of: start.operationID)
            captures[start.attempt] = Capture(operationID: start.operationID)
        case .attemptRejected(let attempt, _, _, _): captures[attempt]?.course = .over
        case .attemptNotSent(let attempt, _): captures[attempt]?.course = .doubtful
        case .attemptResolved(let attempt, let outcome, _, _):
            switch outcome {
            // One that had ended without effect and was shown as open since is still owed another attempt.
            case .rejected: if captures[attempt]?.course == .open { captures[attempt]?.course = .over }
            case .absent, .settled: captures[attempt]?.course = .doubtful
            case .accepted: break
            }
        case .paymentAuthorized: isAuthorized = true
        case .paymentCaptured(let moved):
            captured += moved.amount.minorUnits
            captures[moved.attempt]?.course = .over
            settleDoubts(of: moved.operationID)
        case .paymentRefunded(let moved): refunded += moved.amount.minorUnits
        case .paymentVoided: isVoided = isAuthorized
        case .paymentExpired: isExpired = isAuthorized
        case .paymentSettled: isSettled = true
        case .paymentDisputed(let moved): openDisputes[moved.attempt, default: 0] += 1
        case .paymentDisputeWon(let moved): openDisputes[moved.attempt, default: 0] -= 1
        case .paymentDisputeLost(let moved):
            openDisputes[moved.attempt, default: 0] -= 1
            hasLostDispute = true
        default: break
        }
    }

    /// The operation is done or begun anew: no earlier attempt of it is owed another one.
    private mutating func settleDoubts(of operation: String?) {
        for (attempt, capture) in captures where capture.operationID == operation && capture.course == .doubtful {
            captures[attempt]?.course = .over
        }
    }

    /// Whether the payment may show that state now: before the authorization any; then one, but where the events leave
    /// open whether a capture goes on.
    func allows(_ status: PaymentStatus) -> Bool {
        guard isAuthorized else { return true }
        if openDisputes.values.contains(where: { $0 > 0 }) { return status == .disputed }
        if hasLostDispute { return status == .chargedBack }
        if captures.values.contains(where: { $0.course == .open }) { return status == highest(isCapturing: true) }
        if status == highest(isCapturing: false) { return true }
        return captures.values.contains { $0.course == .doubtful } && status == highest(isCapturing: true)
    }

    private func highest(isCapturing: Bool) -> PaymentStatus {
        if refunded > 0 { return refunded >= captured && !isCapturing ? .refunded : .partiallyRefunded }
        if isSettled { return .settled }
        if isCapturing { return .capturing }
        if captured > 0 { return .captured }
        if isExpired { return .expired }
        return isVoided ? .voided : .authorized
    }
}
