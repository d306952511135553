import CanonicalJSON
import PaymentModel

extension FormReader {
    /// The commands of the desk. Ids that name another payment's entry are well-formed; that they fit nothing is for
    /// the state to say.
    func desk(_ type: CommandType, _ subject: String, latest: Timestamp) throws(Refused) -> CommandBody {
        switch type {
        case .holdRelease: return .releaseHold(try decision("holdId", subject, "-hold-"))
        case .holdReject: return .rejectHold(try decision("holdId", subject, "-hold-"))
        case .offloadResume: return .resumeOffload(try decision("offloadId", subject, "-offload-"))
        case .offloadReject: return .rejectOffload(try decision("offloadId", subject, "-offload-"))
        default: return .resolveAttempt(try resolution(subject, latest))
        }
    }

    private func decision(
        _ name: StaticString, _ subject: String, _ infix: String
    ) throws(Refused) -> DeskDecision {
        let id = try requiredText(data, name, limit: 200)
        let operatorName = try requiredText(data, "operator", limit: TextLimit.name)
        let reason = try text(data, "reason", limit: TextLimit.reason)
        return DeskDecision(
            entry: FormReader.number(id, subject, infix), operatorName: operatorName, reason: reason)
    }

    private func resolution(_ subject: String, _ latest: Timestamp) throws(Refused) -> AttemptResolution {
        let id = try requiredText(data, "attemptId", limit: 200)
        let outcome = try requiredChoice(
            data, "outcome",
            ["settled": AttemptResolution.Outcome.settled, "rejected": .rejected, "absent": .absent])
        let operatorName = try requiredText(data, "operator", limit: TextLimit.name)
        var observedAt: Timestamp?
        var note: String?
        if let evidence = try object(data, "evidence") {
            observedAt = try moment(evidence, "observedAt")
            note = try text(evidence, "note", limit: TextLimit.note)
            if let observedAt, observedAt > latest, let node = document.member(evidence, "observedAt") {
                throw fail("lies in the future", at: node)
            }
        }
        if outcome == .absent, observedAt == nil {
            let message = "is missing: absence is proven only by when somebody looked"
            guard let evidence = document.member(data, "evidence") else {
                throw Refused(refusal: Refusal(.invalid, message, field: "evidence.observedAt"))
            }
            throw fail(message, at: evidence, "observedAt")
        }
        return AttemptResolution(
            attempt: FormReader.number(id, subject, "-attempt-"), outcome: outcome, operatorName: operatorName,
            observedAt: observedAt, note: note)
    }

    /// The number in `<subject><infix><n>`, or nil where the id has not this form.
    static func number(_ id: String, _ subject: String, _ infix: String) -> Int? {
        let prefix = subject + infix
        guard id.utf8.starts(with: prefix.utf8) else { return nil }
        let digits = id.utf8.dropFirst(prefix.utf8.count)
        guard (1...9).contains(digits.count), digits.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            digits.first != UInt8(ascii: "0")
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
