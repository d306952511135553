import PaymentModel

extension Step {
    /// A verified notification. Seen and effect are one step (row C41); a stale one prompts an inquiry and changes
    /// nothing itself (row B62); one for an unknown payment is the caller's to keep (row B60).
    mutating func notified(_ notification: PartnerNotification) {
        guard let index = state.attempts.firstIndex(where: { $0.reference == notification.reference }) else {
            out.disposition = .unmatched
            return
        }
        let number = index + 1
        guard state.attempts[index].route.partner == notification.partner else {
            alarm(.implausible(attempt: number))
            return ignore(.unknownAttempt)
        }
        guard !state.seenNotifications.contains(notification.identity) else {
            out.disposition = .duplicate
            return
        }
        // A stale one, or one more than is remembered: taken again and again it might not be harmless.
        guard notification.fresh, state.seenNotifications.count < rules.maximumNotifications else {
            return askSoon(number)
        }
        state.seenNotifications.append(notification.identity)
        out.changedState = true
        let evidence = Evidence.notification(id: notification.id)
        switch notification.subject {
        case .dispute(let course, let amount, let valueDate): disputed(number, course, amount, valueDate, evidence)
        case .order(let order):
            let attempt = state.attempts[index]
            if attempt.operation == .cancel { return ignore(.notAsked) }
            if let amount = order.amount, amount != attempt.amount {
                alarm(.amountMismatch(attempt: number))
                return distrust(number, order, evidence)
            }
            if let told = order.partnerReference, let known = attempt.partnerReference, told != known {
                alarm(.referenceMismatch(attempt: number))
                return distrust(number, order, evidence)
            }
            if let operation = notification.operation, operation != attempt.operation {
                alarm(.implausible(attempt: number))
                return distrust(number, order, evidence)
            }
            take(order, of: number, evidence)
        }
    }

    /// A partner speaks under our reference of what is not our order: another amount, currency or operation, or its
    /// own reference is another than it told before. Nothing of it is applied, the books are asked. What it claims to have is not dropped either: "not found" proves nothing from
    /// then on, and a closed attempt stops every send until that is clear.
    private mutating func distrust(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        switch order.status {
        case .rejected, .voided, .expired: break
        case .accepted, .pending, .settled, .returned, .actionRequired:
            if state.attempts[number - 1].isNegative { return contradict(number, order.status, evidence) }
            state.attempts[number - 1].everAccepted = true
        }
        askSoon(number)
    }
}
