import PaymentModel

extension Step {
    /// A dispute about a capture: posted as chargeback when it opens, reversed when it is won.
    mutating func disputed(
        _ number: Int, _ course: PartnerNotification.DisputeStatus, _ amount: Money?, _ valueDate: CalendarDate?,
        _ evidence: Evidence
    ) {
        let attempt = state.attempts[number - 1]
        guard attempt.operation == .capture, attempt.phase != .over else {
            alarm(.implausible(attempt: number))
            return ignore(.stepsBack)
        }
        guard attempt.phase == .executed else {
            // Who disputes it has paid: the capture is not dropped, whatever we think of it. The books are asked.
            keep(number, course, amount, evidence)
            return attempt.isNegative ? contradict(number, .settled, evidence) : askSoon(number)
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
        guard amount.minorUnits > 0 else {
            alarm(.implausible(attempt: number))
            return ignore(.stepsBack)
        }
        let left = state.captured - state.refunded - state.chargedBack
        let fits = amount.currency == attempt.amount.currency && amount.minorUnits <= left
        state.disputes.append(
            Dispute(
                attempt: number, amount: amount, posting: state.postings + 1, isSuspense: !fits, course: .opened))
        if fits {
            state.chargedBack += amount.minorUnits
            emit(.paymentDisputed(moved(number, amount, valueDate, evidence)), to: displayed)
        } else {
            // More than we have of it: the money is gone all the same, a person must look (S7).
            alarm(.implausible(attempt: number))
        }
        let account: LedgerAccount = fits ? .paymentsReceived : .suspense(attempt.route.partner)
        post(
            fits ? .chargeback : .suspense, number, valueDate,
            [LedgerEntry(.debit, account, amount), LedgerEntry(.credit, .clearing(attempt.route.partner), amount)])
        applyKeptDispute(number)
    }

    private mutating func decide(_ number: Int, won: Bool, _ valueDate: CalendarDate?, _ evidence: Evidence) {
        let course: Dispute.Course = won ? .won : .lost
        guard let index = state.disputes.lastIndex(where: { $0.attempt == number && $0.course == .opened }) else {
            guard !state.disputes.contains(where: { $0.attempt == number && $0.course == course }) else {
                return ignore(.stepsBack)
            }
            // The end before the beginning: kept until that comes.
            return keep(number, won ? .won : .lost, nil, evidence)
        }
        let dispute = state.disputes[index]
        state.disputes[index].course = course
        out.changedState = true
        if !dispute.isSuspense {
            if won { state.chargedBack -= dispute.amount.minorUnits }
            let moved = moved(number, dispute.amount, valueDate, evidence)
            emit(won ? .paymentDisputeWon(moved) : .paymentDisputeLost(moved), to: displayed)
        }
        guard won else { return }
        let partner = state.attempts[number - 1].route.partner
        let account: LedgerAccount = dispute.isSuspense ? .suspense(partner) : .paymentsReceived
        post(
            .reversal, number, valueDate,
            [LedgerEntry(.credit, account, dispute.amount), LedgerEntry(.debit, .clearing(partner), dispute.amount)],
            reverses: dispute.posting)
    }

    /// Keeps what came too early; each only once.
    private mutating func keep(
        _ number: Int, _ course: PartnerNotification.DisputeStatus, _ amount: Money?, _ evidence: Evidence
    ) {
        guard !state.keptDisputes.contains(where: { $0.attempt == number && $0.course == course }) else {
            return ignore(.stepsBack)
        }
        state.keptDisputes.append(KeptDispute(attempt: number, course: course, amount: amount, evidence: evidence))
        out.changedState = true
    }

    /// What came too early, in the order of a dispute's course.
    mutating func applyKeptDispute(_ number: Int) {
        for course in [PartnerNotification.DisputeStatus.opened, .won, .lost] {
            let kept = state.keptDisputes.firstIndex { $0.attempt == number && $0.course == course }
            guard let kept else { continue }
            let dispute = state.keptDisputes.remove(at: kept)
            disputed(number, course, dispute.amount, nil, dispute.evidence)
        }
    }

    private func moved(
        _ number: Int, _ amount: Money, _ valueDate: CalendarDate?, _ evidence: Evidence
    ) -> MoneyMoved {
        MoneyMoved(
            attempt: number, operationID: state.attempts[number - 1].operationID, amount: amount,
            valueDate: valueDate ?? today, evidence: evidence)
    }
}
