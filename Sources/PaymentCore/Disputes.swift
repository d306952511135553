import PaymentModel

extension Step {
    /// A dispute about a capture: posted as chargeback when it opens, reversed when it is won.
    mutating func disputed(
        _ number: Int, _ course: PartnerNotification.DisputeStatus, _ amount: Money?, _ valueDate: CalendarDate?,
        _ evidence: Evidence
    ) {
        let attempt = state.attempts[number - 1]
        guard attempt.operation == .capture, attempt.phase == .executed else {
            guard attempt.operation == .capture, attempt.isOpen else {
                alarm(.implausible(attempt: number))
                return ignore(.stepsBack)
            }
            // The capture is not known to be executed yet: the dispute proves nothing by itself; the books are asked.
            state.keptDisputes.append(KeptDispute(attempt: number, course: course, amount: amount, evidence: evidence))
            return askSoon(number)
        }
        switch course {
        case .opened: open(number, amount ?? attempt.amount, valueDate, evidence)
        case .won, .lost: decide(number, won: course == .won, valueDate, evidence)
        }
    }

    private mutating func open(_ number: Int, _ amount: Money, _ valueDate: CalendarDate?, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        guard !state.disputes.contains(where: { $0.attempt == number && $0.course == .opened }) else {
            return ignore(.stepsBack)
        }
        let left = state.captured - state.refunded - state.chargedBack
        guard amount.currency == attempt.amount.currency, amount.minorUnits > 0, amount.minorUnits <= left else {
            // More than we have of it: the money is gone all the same, a person must look (S7).
            alarm(.implausible(attempt: number))
            guard amount.minorUnits > 0 else { return ignore(.stepsBack) }
            return post(
                .suspense, number, valueDate,
                [
                    LedgerEntry(.debit, .suspense(attempt.route.partner), amount),
                    LedgerEntry(.credit, .clearing(attempt.route.partner), amount),
                ])
        }
        state.chargedBack += amount.minorUnits
        state.disputes.append(
            Dispute(attempt: number, amount: amount.minorUnits, posting: state.postings + 1, course: .opened))
        emit(.paymentDisputed(moved(number, amount, valueDate, evidence)), to: displayed)
        post(
            .chargeback, number, valueDate,
            [
                LedgerEntry(.debit, .paymentsReceived, amount),
                LedgerEntry(.credit, .clearing(attempt.route.partner), amount),
            ])
    }

    private mutating func decide(_ number: Int, won: Bool, _ valueDate: CalendarDate?, _ evidence: Evidence) {
        guard let index = state.disputes.lastIndex(where: { $0.attempt == number && $0.course == .opened }) else {
            return ignore(.stepsBack)
        }
        let attempt = state.attempts[number - 1]
        let dispute = state.disputes[index]
        let amount = Money(dispute.amount, attempt.amount.currency)
        state.disputes[index].course = won ? .won : .lost
        if !won {
            return emit(.paymentDisputeLost(moved(number, amount, valueDate, evidence)), to: displayed)
        }
        state.chargedBack -= dispute.amount
        emit(.paymentDisputeWon(moved(number, amount, valueDate, evidence)), to: displayed)
        post(
            .reversal, number, valueDate,
            [
                LedgerEntry(.credit, .paymentsReceived, amount),
                LedgerEntry(.debit, .clearing(attempt.route.partner), amount),
            ], reverses: dispute.posting)
    }

    /// A dispute that came before we knew of the capture.
    mutating func applyKeptDispute(_ number: Int) {
        let kept = state.keptDisputes.filter { $0.attempt == number }
        guard !kept.isEmpty else { return }
        state.keptDisputes.removeAll { $0.attempt == number }
        for dispute in kept { disputed(number, dispute.course, dispute.amount, nil, dispute.evidence) }
    }

    private func moved(
        _ number: Int, _ amount: Money, _ valueDate: CalendarDate?, _ evidence: Evidence
    ) -> MoneyMoved {
        MoneyMoved(
            attempt: number, operationID: state.attempts[number - 1].operationID, amount: amount,
            valueDate: valueDate ?? today, evidence: evidence)
    }
}
