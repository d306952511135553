import PaymentModel

extension Step {
    /// The state that a payment shows from its authorization on: the highest that holds (the contract, section 3).
    var displayed: PaymentStatus {
        guard state.authorization != 0 else { return state.status }
        if state.disputes.contains(where: { $0.course == .opened }) { return .disputed }
        if state.disputes.contains(where: { $0.course == .lost }) { return .chargedBack }
        let capturing = state.inFlight(.capture) > 0
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
        if state.initiate?.captureMode == .automatic, !isVoidUnderWay { captureAutomatically(number) }
    }

    private var isVoidUnderWay: Bool { state.attempts.contains { $0.operation == .void && $0.isOpen } }

    /// The partner has given the authorization up: voided, expired, or taken back after it was granted.
    mutating func authorizationEnded(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        guard attempt.operation == .authorize else { return ignore(.stepsBack) }
        if attempt.isOpen {
            if order.status == .expired || isVoidUnderWay { return authorizationOver(number, order, evidence) }
            let rejection = Rejection(
                code: order.code ?? "voided", partnerCode: order.partnerCode, mayGoElsewhere: false)
            return endRejected(number, rejection, evidence)
        }
        if attempt.contradicted { return endContradiction(number) }
        guard state.authorization == number, !state.authorizationVoid else { return ignore(.stepsBack) }
        if let void = state.attempts.lastIndex(where: { $0.operation == .void && $0.isOpen }) {
            return executed(void + 1, OrderReport(status: .settled), evidence)
        }
        giveUp(number, order, evidence)
    }

    /// An authorization that was still waiting for its customer.
    private mutating func authorizationOver(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        if let void = state.attempts.lastIndex(where: { $0.operation == .void && $0.isOpen }) {
            close(number, .over)
            return executed(void + 1, OrderReport(status: .settled), evidence)
        }
        close(number, .absent)
        closeEntries()
        state.authorizationEnd = nil
        guard state.status == .actionRequired else { return fail(code: order.code ?? "expired") }
        emit(.paymentExpired, to: .expired)
    }

    private mutating func giveUp(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        state.authorizationVoid = true
        state.authorizationEnd = nil
        if order.status == .expired, state.captured == 0, state.inFlight(.capture) == 0 {
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

    mutating func captured(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        if isSecond(number) { return secondExecution(number, order) }
        let attempt = state.attempts[number - 1]
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

    mutating func refunded(_ number: Int, _ order: OrderReport, _ evidence: Evidence) {
        if isSecond(number) { return secondExecution(number, order) }
        let attempt = state.attempts[number - 1]
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
        guard about == state.authorization || state.authorization == 0 else { return }
        if state.authorization == 0 {
            guard let open = state.openMainAttempt, open == about else { return goOnAfterFreeze() }
            close(open, .over)
            state.authorizationEnd = nil
            return emit(.paymentVoided(attempt: number, evidence: evidence), to: .voided)
        }
        state.authorizationVoid = true
        state.authorizationEnd = nil
        emit(.paymentVoided(attempt: number, evidence: evidence), to: displayed)
    }
}
