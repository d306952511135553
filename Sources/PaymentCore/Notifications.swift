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
            if state.attempts[index].operation == .cancel { return ignore(.notAsked) }
            take(order, of: number, evidence)
        }
    }
}
