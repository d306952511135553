/// The state that a payment must show from its authorization on, computed from the amounts and attempts that its events
/// tell of: "the highest that holds" (the contract, section 3).
struct DisplayedState {
    /// An attempt to capture.
    private struct Capture {
        enum Course {
            case open
            /// It ended without effect and may be started anew, or its money is about to be told.
            case doubtful
            case over
        }

        var operationID: String
        var course = Course.open
    }

    /// Whether the payment was authorized: before that it has one state at a time, and `LegalTransitions` says which.
    private(set) var isAuthorized = false
    private var isVoided = false
    private var isExpired = false
    private var isSettled = false
    private var captured: Int64 = 0
    private var refunded: Int64 = 0
    private var lostDisputes = 0
    /// By the capture that they are about.
    private var openDisputes: [String: Int] = [:]
    private var captures: [String: Capture] = [:]

    /// Takes the payment's next event.
    mutating func take(_ event: RecordFact) {
        let data = event.data
        let attempt = data["attemptId"]?.text ?? "?"
        let units = data["amount"]?["minorUnits"]?.integer ?? 0
        switch event.name {
        case "attempt.started" where data["operation"]?.text == "capture":
            let capture = Capture(operationID: data["operationId"]?.text ?? "")
            settleDoubts(of: capture.operationID)
            captures[attempt] = capture
        case "attempt.rejected": captures[attempt]?.course = .over
        case "attempt.not-sent": captures[attempt]?.course = .doubtful
        case "attempt.resolved":
            switch data["outcome"]?.text {
            // One that had ended without effect and was shown as open since is still owed another attempt.
            case "rejected": if captures[attempt]?.course == .open { captures[attempt]?.course = .over }
            case "absent", "settled": captures[attempt]?.course = .doubtful
            default: break
            }
        case "payment.authorized": isAuthorized = true
        case "payment.captured":
            captured += units
            captures[attempt]?.course = .over
            if let capture = captures[attempt] { settleDoubts(of: capture.operationID) }
        case "payment.refunded": refunded += units
        case "payment.voided": isVoided = isAuthorized
        case "payment.expired": isExpired = isAuthorized
        case "payment.settled": isSettled = true
        case "payment.disputed": openDisputes[attempt, default: 0] += 1
        case "payment.dispute-won": openDisputes[attempt, default: 0] -= 1
        case "payment.dispute-lost":
            openDisputes[attempt, default: 0] -= 1
            lostDisputes += 1
        default: break
        }
    }

    /// The operation is done or begun anew: no earlier attempt of it is owed another one.
    private mutating func settleDoubts(of operation: String) {
        for (attempt, capture) in captures where capture.operationID == operation && capture.course == .doubtful {
            captures[attempt]?.course = .over
        }
    }

    /// The states that the payment may show now: one, but where the events leave open whether a capture goes on.
    var possible: Set<String> {
        if openDisputes.values.contains(where: { $0 > 0 }) { return ["disputed"] }
        if lostDisputes > 0 { return ["chargedBack"] }
        if captures.values.contains(where: { $0.course == .open }) { return [highest(isCapturing: true)] }
        let states: Set<String> = [highest(isCapturing: false)]
        guard captures.values.contains(where: { $0.course == .doubtful }) else { return states }
        return states.union([highest(isCapturing: true)])
    }

    private func highest(isCapturing: Bool) -> String {
        if refunded > 0 { return refunded >= captured && !isCapturing ? "refunded" : "partiallyRefunded" }
        if isSettled { return "settled" }
        if isCapturing { return "capturing" }
        if captured > 0 { return "captured" }
        if isExpired { return "expired" }
        return isVoided ? "voided" : "authorized"
    }
}
