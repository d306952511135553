import PaymentModel

extension Step {
    /// What a partner says of an order, wherever it says it.
    mutating func take(_ order: OrderReport, of number: Int, _ evidence: Evidence, sentAt: MonotonicTime? = nil) {
        let knew = state.attempts[number - 1].partnerReference != nil
        if let reference = order.partnerReference { learn(number, reference) }
        if state.attempts[number - 1].phase == .executed, order.status == .settled || order.status == .returned {
            // Whoever told of the execution may not have known the fee.
            postFee(number, order)
        }
        switch order.status {
        case .accepted, .pending: taken(number, order, evidence)
        case .actionRequired: actionRequired(number, order, evidence)
        case .settled: executed(number, order, evidence)
        case .returned: returned(number, order, evidence)
        case .rejected: rejectedOrder(number, order, evidence, sentAt: sentAt)
        case .voided where state.attempts[number - 1].operation == .void: executed(number, order, evidence)
        case .voided, .expired: authorizationEnded(number, order, evidence)
        }
        if !knew, state.attempts[number - 1].partnerReference != nil { sendCancelIfKnown(number) }
    }

    // MARK: - Taken, no final answer

    /// The partner has the order. Never a step back from what is known (row C42).
    private mutating func taken(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        switch attempt.phase {
        case .sending, .inDoubt:
            acknowledge(number, evidence, as: .accepted)
            planInquiry(number)
        case .accepted: if !out.changedState { ignore(.stepsBack) }
        case .notSent, .absent: contradict(number, order.status, evidence)
        case .rejected where attempt.wasRefusedUnseen: contradict(number, order.status, evidence)
        case .executed, .rejected, .over: ignore(.stepsBack)
        }
    }

    /// Doubt, or the wait for an answer, is over: the partner has the order.
    mutating func acknowledge(_ number: Int, _ evidence: Evidence, as outcome: Resolution) {
        let operation = state.attempts[number - 1].operation
        let wasInDoubt = state.attempts[number - 1].phase == .inDoubt
        state.attempts[number - 1].phase = .accepted
        state.attempts[number - 1].everAccepted = true
        state.attempts[number - 1].escalated = false
        state.attempts[number - 1].slotsFrom = now.wall
        state.attempts[number - 1].slot = 0
        let target: PaymentStatus? =
            switch operation {
            case .authorize where state.status == .inDoubt: .authorizing
            case .capture, .refund, .void: displayed
            default: nil
            }
        if wasInDoubt, evidence != .answer {
            emit(.attemptResolved(attempt: number, outcome: outcome, code: nil, evidence: evidence), to: target)
        } else {
            emit(
                .attemptAccepted(attempt: number, partnerReference: state.attempts[number - 1].partnerReference),
                to: target)
        }
        if operation == .payout { emit(.payoutSubmitted(attempt: number), to: .submitted) }
    }

    private mutating func actionRequired(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        guard attempt.operation == .authorize else { return taken(number, order, evidence) }
        guard attempt.isOpen else { return taken(number, order, evidence) }
        if attempt.phase != .accepted {
            acknowledge(number, evidence, as: .accepted)
        } else if state.status == .actionRequired {
            return ignore(.stepsBack)
        }
        emit(
            .paymentActionRequired(attempt: number, redirectURL: order.redirectURL ?? ""), to: .actionRequired)
        let lifetime = terms(of: attempt).actionLifetime
        state.authorizationEnd = state.authorizationEnd ?? (now.wall + lifetime)
        // Only the customer, or the partner's notification, moves it on: inquiries follow `complete-action`.
        state.attempts[number - 1].escalated = false
        unplan(number)
    }

    // MARK: - Executed

    /// Money moved, an authorization was granted, or a void is proven.
    mutating func executed(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let operation = state.attempts[number - 1].operation
        let phase = state.attempts[number - 1].phase
        switch phase {
        case .sending, .inDoubt, .accepted:
            let reserved = operation == .authorize || operation == .void
            if phase != .accepted { acknowledge(number, evidence, as: reserved ? .accepted : .settled) }
            close(number, .executed)
            state.attempts[number - 1].outstanding = 0
            let endTold = phase == .inDoubt && evidence != .answer && !reserved
            applyExecution(number, order, evidence, endTold: endTold)
        case .notSent, .absent, .rejected: lateSuccess(number, order, evidence)
        case .executed, .over: ignore(.stepsBack)
        }
    }

    private mutating func applyExecution(
        _ number: Int, _ order: OrderReport, _ evidence: Evidence, endTold: Bool
    ) {
        switch state.attempts[number - 1].operation {
        case .payout:
            if state.lateExecution != 0 {
                secondExecution(number, order, evidence, endTold: endTold)
                settleLate()
            } else {
                settlePayout(number, order, evidence)
            }
        case .authorize: authorized(number, order, evidence)
        case .capture: captured(number, order, evidence, endTold: endTold)
        case .refund: refunded(number, order, evidence, endTold: endTold)
        case .void: voided(number, evidence)
        case .cancel: break
        }
    }

    /// The payout is out: told and posted in one commit. A return that came earlier fits now.
    mutating func settlePayout(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let amount = state.attempts[number - 1].amount
        let partner = state.attempts[number - 1].route.partner
        closeEntries()
        emit(
            .payoutSettled(
                MoneyMoved(
                    attempt: number, amount: amount, fee: order.fee,
                    valueDate: order.valueDate ?? today, evidence: evidence)), to: .settled)
        post(
            .settlement, number, order.valueDate,
            [
                LedgerEntry(.debit, .payoutsPayable, amount),
                LedgerEntry(.credit, .clearing(partner), amount),
            ])
        postFee(number, order)
        closeCancels()
        if let early = state.attempts[number - 1].release(.earlyReturn) {
            comeBack(number, early.order, early.evidence)
        }
    }

    // MARK: - Returned

    /// An inquiry that answers "returned" proves both the settlement and the return; a notification of a return that
    /// comes before the settlement is kept until it fits (row B61).
    private mutating func returned(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        guard attempt.operation == .payout else {
            alarm(.implausible(attempt: number))
            return ignore(.stepsBack)
        }
        if attempt.phase == .executed { return comeBack(number, order, evidence) }
        guard attempt.phase != .over else { return ignore(.attemptOver) }
        state.attempts[number - 1].keep(order, evidence, for: .earlyReturn)
        // Who gives it back has had it: "not found" proves nothing any more.
        state.attempts[number - 1].everAccepted = true
        out.changedState = true
        if case .notification = evidence, attempt.isOpen { return askSoon(number) }
        executed(number, order, evidence)
    }

    /// The money is back.
    mutating func comeBack(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        let returning = [
            LedgerEntry(.debit, .clearing(attempt.route.partner), attempt.amount),
            LedgerEntry(.credit, .payoutsPayable, attempt.amount),
        ]
        if attempt.isBack { return ignore(.stepsBack) }
        if state.lateExecution == number {
            // It settles the payout when the other attempt has ended, and comes back then.
            state.attempts[number - 1].keep(order, evidence, for: .earlyReturn)
            out.changedState = true
            return
        }
        if attempt.suspensePosting != 0 {
            let entries = [
                LedgerEntry(.credit, .suspense(attempt.route.partner), attempt.amount),
                LedgerEntry(.debit, .clearing(attempt.route.partner), attempt.amount),
            ]
            post(.reversal, number, order.valueDate, entries, reverses: attempt.suspensePosting)
            state.attempts[number - 1].isBack = true
            return
        }
        guard state.status == .settled else { return ignore(.stepsBack) }
        state.attempts[number - 1].isBack = true
        emit(
            .payoutReturned(
                MoneyMoved(
                    attempt: number, amount: attempt.amount, valueDate: order.valueDate ?? today, evidence: evidence),
                code: order.code ?? order.partnerCode ?? "returned"), to: .returned)
        post(.return, number, order.valueDate, returning)
    }

    // MARK: - Rejected

    /// An order of the attempt is rejected. With several requests that is the end only where no other request can have
    /// become another order (rows B15, B17, B24).
    private mutating func rejectedOrder(
        _ number: Int, _ order: OrderReport, _ evidence: Evidence, sentAt: MonotonicTime?
    ) {
        let attempt = state.attempts[number - 1]
        switch attempt.phase {
        case .sending, .inDoubt, .accepted:
            note(rejection(order), of: number)
            let terms = terms(of: attempt)
            var final = terms.key.bindsAllRequests || (attempt.unaccounted <= 1 && attempt.rejectedAnswers == 0)
            if let sentAt, attempt.outstanding == 0,
                let gate = AbsenceGate.opening(attempt, terms: terms, now: now), sentAt >= gate
            {
                final = true
            }
            guard final else { return planInquiry(number) }
            endRejected(number, state.attempts[number - 1].knownRejection ?? rejection(order), evidence)
        case .executed: rejectedAfterExecution(number, order, evidence)
        case .notSent, .absent, .rejected:
            guard attempt.contradicted else { return ignore(.attemptOver) }
            endContradiction(number)
        case .over: ignore(.attemptOver)
        }
    }

    /// "Failed" after "paid" is a return; an authorization that the partner takes back is void. Where several requests
    /// can have become several orders, it may be another one: then only the books tell.
    private mutating func rejectedAfterExecution(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        switch attempt.operation {
        case .payout:
            let isOne = attempt.requests == 1 || terms(of: attempt).key.bindsAllRequests
            if case .inquiry = evidence { return comeBack(number, order, evidence) }
            isOne ? comeBack(number, order, evidence) : askSoon(number)
        case .authorize: authorizationEnded(number, order, evidence)
        default:
            alarm(.implausible(attempt: number))
            ignore(.stepsBack)
        }
    }

    /// The day of the decision, where the partner tells no value date.
    var today: CalendarDate { CalendarDate(utc: now.wall) }
}
