import PaymentModel

extension Step {
    /// The state that a payment shows from its authorization on: the highest that holds (the contract, section 3).
    var displayed: PaymentStatus {
        guard state.authorization != 0 else { return state.status }
        if state.disputes.contains(where: { $0.course == .opened && !$0.isSuspense }) { return .disputed }
        if state.disputes.contains(where: { $0.course == .lost && !$0.isSuspense }) { return .chargedBack }
        let capturing = state.isPending(.capture)
        if state.refunded > 0, state.refunded >= state.captured, !capturing { return .refunded }
        if state.refunded > 0 { return .partiallyRefunded }
        if state.settledApart { return .settled }
        if capturing { return .capturing }
        if state.captured > 0 { return .captured }
        if state.status == .expired { return .expired }
        return state.authorizationVoid ? .voided : .authorized
    }

    // MARK: - Authorization

    /// The customer's money is reserved; with automatic capture the daemon captures at once.
    mutating func authorized(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        state.authorization = number
        state.authorizationEnd = now.wall + terms(of: attempt).authorizationLifetime
        closeEntries()
        emit(.paymentAuthorized(attempt: number, amount: attempt.amount, evidence: evidence), to: .authorized)
        captureIfAutomatic()
    }

    /// Captures at once where that is asked for, is not done yet, and nothing stands against it.
    mutating func captureIfAutomatic() {
        guard state.authorization != 0, state.initiate?.captureMode == .automatic, state.status == .authorized,
            !state.isFrozen, !state.authorizationVoid, state.voidUnderWay(state.authorization) == nil,
            !state.operations.contains(where: { $0.id == automaticCaptureID })
        else { return }
        captureAutomatically(state.authorization)
    }

    /// The partner has given the authorization up: voided, expired, or taken back after it was granted.
    mutating func authorizationEnded(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        guard attempt.operation == .authorize else { return ignore(.stepsBack) }
        if attempt.isOpen {
            if order.status == .expired || state.voidUnderWay(number) != nil {
                return authorizationOver(number, order, evidence)
            }
            let rejection = Rejection(
                code: order.code ?? "voided", partnerCode: order.partnerCode, mayGoElsewhere: false)
            return endRejected(number, rejection, evidence)
        }
        if attempt.contradicted { return endContradiction(number) }
        guard state.authorization == number, !state.authorizationVoid else { return ignore(.stepsBack) }
        if let void = state.voidUnderWay(number) {
            if state.attempts[void - 1].isOpen { return executed(void, OrderReport(status: .settled), evidence) }
            close(void, .over)
        }
        giveUp(number, order, evidence)
    }

    /// An authorization that was still waiting for its customer.
    private mutating func authorizationOver(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        closeEntries()
        state.authorizationEnd = nil
        if let void = state.voidUnderWay(number) {
            close(number, .over)
            close(void, .over)
            return emit(.paymentVoided(attempt: void, evidence: evidence), to: .voided)
        }
        guard state.status == .actionRequired else {
            let rejection = Rejection(
                code: order.code ?? "expired", partnerCode: order.partnerCode, mayGoElsewhere: false)
            return endRejected(number, rejection, evidence)
        }
        close(number, .absent)
        emit(.paymentExpired, to: .expired)
    }

    private mutating func giveUp(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        state.authorizationVoid = true
        state.authorizationEnd = nil
        if order.status == .expired, state.status == .authorized, state.captured == 0, !state.isPending(.capture) {
            return emit(.paymentExpired, to: .expired)
        }
        emit(.paymentVoided(attempt: number, evidence: evidence), to: displayed)
    }

    // MARK: - Capture and refund

    /// Whether another attempt of the same operation has been executed before: then this is a second execution.
    private func isSecond(_ number: Int) -> Bool {
        let attempt = state.attempts[number - 1]
        return state.attempts.enumerated().contains { index, other in
            index != number - 1 && other.operation == attempt.operation && other.operationID == attempt.operationID
                && other.phase == .executed && other.suspensePosting == 0
        }
    }

    /// Money was taken. A second execution, or more than was authorized (S7), is for a person.
    mutating func captured(_ number: Int, _ order: OrderReport, _ evidence: Evidence, endTold: Bool) {
        let attempt = state.attempts[number - 1]
        let left = (state.initiate?.amount.minorUnits ?? 0) - state.captured
        if isSecond(number) || attempt.amount.minorUnits > left {
            return secondExecution(number, order, evidence, endTold: endTold)
        }
        forgetRestarts(of: attempt)
        state.captured += attempt.amount.minorUnits
        emit(.paymentCaptured(moved(number, order, evidence)), to: displayed)
        post(
            .settlement, number, order.valueDate,
            [
                LedgerEntry(.debit, .clearing(attempt.route.partner), attempt.amount),
                LedgerEntry(.credit, .paymentsReceived, attempt.amount),
            ])
        postFee(number, order)
        applyKeptDispute(number)
    }

    /// Money was given back. A second execution, or more than is left (a chargeback was faster; S7), is for a person.
    mutating func refunded(_ number: Int, _ order: OrderReport, _ evidence: Evidence, endTold: Bool) {
        let attempt = state.attempts[number - 1]
        let left = state.captured - state.refunded - state.chargedBack
        if isSecond(number) || attempt.amount.minorUnits > left {
            return secondExecution(number, order, evidence, endTold: endTold)
        }
        forgetRestarts(of: attempt)
        state.refunded += attempt.amount.minorUnits
        emit(.paymentRefunded(moved(number, order, evidence)), to: displayed)
        post(
            .refund, number, order.valueDate,
            [
                LedgerEntry(.debit, .paymentsReceived, attempt.amount),
                LedgerEntry(.credit, .clearing(attempt.route.partner), attempt.amount),
            ])
        postFee(number, order)
    }

    /// The operation is done: no other attempt of it is owed.
    private mutating func forgetRestarts(of attempt: Attempt) {
        for index in state.attempts.indices
        where state.attempts[index].owesRestart && state.attempts[index].isSameOperation(as: attempt) {
            state.attempts[index].owesRestart = false
            if state.attempts[index].plan == .restart { unplan(index + 1) }
        }
    }

    private func moved(_ number: Int, _ order: OrderReport, _ evidence: Evidence) -> MoneyMoved {
        let attempt = state.attempts[number - 1]
        return MoneyMoved(
            attempt: number, operationID: attempt.operationID, amount: attempt.amount, fee: order.fee,
            valueDate: order.valueDate ?? today, evidence: evidence)
    }

    // MARK: - Void

    /// The void is proven. After a partial capture the payment shows `captured`: refunds go on, captures do not.
    mutating func voided(_ number: Int, _ evidence: Evidence) {
        let about = state.attempts[number - 1].about
        forgetRestarts(of: state.attempts[number - 1])
        if about == state.authorization, !state.authorizationVoid {
            state.authorizationVoid = true
            state.authorizationEnd = nil
            return emit(.paymentVoided(attempt: number, evidence: evidence), to: displayed)
        }
        if state.authorization == 0, state.openMainAttempt == about {
            close(about, .over)
            state.authorizationEnd = nil
            return emit(.paymentVoided(attempt: number, evidence: evidence), to: .voided)
        }
        // Of an authorization that is not the payment's (found late), or that is over: its end, and nothing else.
        emit(.attemptResolved(attempt: number, outcome: .settled, code: nil, evidence: evidence), to: displayed)
        goOnAfterFreeze()
    }
}
