import PaymentModel

extension Step {
    /// A partner shows as open what we had closed as never received: from now on only inquiries are sent, until it is
    /// clear (rows B31, B32, C12).
    mutating func contradict(_ number: Int, _ status: OrderStatus, _ evidence: Evidence) {
        guard !state.attempts[number - 1].contradicted else { return ignore(.stepsBack) }
        state.attempts[number - 1].contradicted = true
        state.attempts[number - 1].everAccepted = true
        state.attempts[number - 1].watched = false
        state.attempts[number - 1].slotsFrom = now.wall
        state.attempts[number - 1].slot = 0
        unplan(number)
        out.need = nil
        emit(.attemptInquired(attempt: number, status: status, evidence: evidence))
        alarm(.contradiction(attempt: number))
        withdraw(beside: number)
        planInquiry(number)
    }

    /// The contradiction came to nothing: the stop on sending ends.
    mutating func endContradiction(_ number: Int) {
        state.attempts[number - 1].contradicted = false
        unplan(number)
        state.attempts[number - 1].escalated = false
        out.changedState = true
        planOwedRestart(number)
        goOnAfterFreeze()
    }

    /// A partner executed what we had closed. Never dropped: told, alarmed, and settled or put to suspense.
    mutating func lateSuccess(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        close(number, .executed)
        state.attempts[number - 1].contradicted = false
        state.attempts[number - 1].watched = false
        state.attempts[number - 1].everAccepted = true
        out.need = nil
        emit(.attemptLateSuccess(attempt: number, evidence: evidence))
        alarm(.lateSuccess(attempt: number))
        withdraw(beside: number)
        switch attempt.operation {
        case .payout: latePayout(number, order, evidence)
        case .authorize: giveUpLate(number)
        case .capture: captured(number, order, evidence, endTold: true)
        case .refund: refunded(number, order, evidence, endTold: true)
        case .void: voided(number, evidence)
        case .cancel: break
        }
    }

    private mutating func latePayout(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        if let other = state.openMainAttempt {
            // The other is inquired to its end; however it ends, `payout.settled` is in that commit.
            if state.lateExecution == 0 {
                state.lateExecution = number
                state.attempts[number - 1].keep(order, evidence, for: .lateSuccess)
            } else {
                secondExecution(number, order, evidence, endTold: true)
            }
            return askSoon(other)
        }
        if state.status == .settled || state.status == .returned {
            return secondExecution(number, order, evidence, endTold: true)
        }
        settlePayout(number, order, evidence)
    }

    /// The other attempt has ended: what was found late settles the payout.
    mutating func settleLate() {
        let number = state.lateExecution
        state.lateExecution = 0
        let late = state.attempts[number - 1].release(.lateSuccess)
        settlePayout(number, late?.order ?? OrderReport(status: .settled), late?.evidence ?? .answer)
    }

    /// Money moved twice, or more of it than may: the execution goes to suspense, for a person. Its end is told, where
    /// no other event does. A return that came earlier fits now.
    mutating func secondExecution(_ number: Int, _ order: OrderReport, _ evidence: Evidence, endTold: Bool) {
        if !endTold || state.status != displayed {
            emit(.attemptResolved(attempt: number, outcome: .settled, code: nil, evidence: evidence), to: displayed)
        }
        let attempt = state.attempts[number - 1]
        let partner = attempt.route.partner
        let entries: [LedgerEntry] =
            attempt.operation == .capture
            ? [
                LedgerEntry(.debit, .clearing(partner), attempt.amount),
                LedgerEntry(.credit, .suspense(partner), attempt.amount),
            ]
            : [
                LedgerEntry(.debit, .suspense(partner), attempt.amount),
                LedgerEntry(.credit, .clearing(partner), attempt.amount),
            ]
        post(.suspense, number, order.valueDate, entries)
        state.attempts[number - 1].suspensePosting = state.postings
        postFee(number, order)
        alarm(.doubleExecution(attempt: number))
        if let early = state.attempts[number - 1].release(.earlyReturn) {
            comeBack(number, early.order, early.evidence)
        }
    }

    /// An authorization that was found late is voided: the one other thing that may be sent. Everything else waits
    /// until that is done.
    private mutating func giveUpLate(_ number: Int) {
        let attempt = state.attempts[number - 1]
        start(
            .void, operationID: nil, route: attempt.route, role: attempt.role, amount: attempt.amount, about: number)
    }

    /// Takes back what has not left yet: for the payment's main attempts all of it, for a capture or refund that
    /// operation's.
    private mutating func withdraw(beside number: Int) {
        let late = state.attempts[number - 1]
        for (index, attempt) in state.attempts.enumerated() where index != number - 1 && attempt.outstanding != 0 {
            if late.isMain ? attempt.operation != .void : attempt.isSameOperation(as: late) {
                out.effects.append(.withdraw(attempt: index + 1))
            }
        }
    }
}
