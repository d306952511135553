import PaymentModel

extension Step {
    /// Whether the payment goes on to another route after this main attempt has ended without effect.
    private func goesOn(_ number: Int) -> Bool {
        !state.cancelRequested && state.lateExecution == 0 && state.voidUnderWay(number) == nil
    }

    /// A return that was notified proves that the payout was executed, whatever else is said of it. True where that has
    /// settled the matter.
    private mutating func isProvenExecuted(_ number: Int) -> Bool {
        guard let early = state.attempts[number - 1].kept(.earlyReturn) else { return false }
        executed(number, early.order, early.evidence)
        return true
    }

    /// The attempt is refused. In doubt the evidence ends it; otherwise the answer itself.
    mutating func endRejected(_ number: Int, _ rejection: Rejection, _ evidence: Evidence) {
        if isProvenExecuted(number) { return }
        let attempt = state.attempts[number - 1]
        let main = attempt.isMain
        close(number, .rejected)
        state.attempts[number - 1].knownRejection = rejection
        let target: PaymentStatus? =
            main
            ? (rejection.mayGoElsewhere && goesOn(number) ? .routing : nil)
            : attempt.operation == .cancel ? nil : displayed
        if (attempt.phase == .inDoubt && evidence != .answer) || evidence.isOfPerson {
            emit(
                .attemptResolved(attempt: number, outcome: .rejected, code: rejection.code, evidence: evidence),
                to: target)
        } else {
            emit(
                .attemptRejected(
                    attempt: number, code: rejection.code, partnerCode: rejection.partnerCode,
                    mayGoElsewhere: rejection.mayGoElsewhere), to: target)
        }
        if main {
            mainEnded(number, final: rejection.mayGoElsewhere ? nil : rejection.code, evidence)
        } else {
            operationEnded(number)
        }
    }

    /// No request can have reached the partner.
    mutating func endNotSent(_ number: Int, _ cause: NotSentCause) {
        if isProvenExecuted(number) { return }
        close(number, .notSent)
        planRestart(number)
        emit(.attemptNotSent(attempt: number, cause: cause), to: targetWithoutEffect(number))
        endedWithoutEffect(number, .answer)
    }

    /// The partner never had it. An order known rejected outweighs that (row B17).
    mutating func endAbsent(_ number: Int, _ evidence: Evidence) {
        if isProvenExecuted(number) { return }
        if let rejection = state.attempts[number - 1].knownRejection { return endRejected(number, rejection, evidence) }
        close(number, .absent)
        planRestart(number)
        emit(
            .attemptResolved(attempt: number, outcome: .absent, code: nil, evidence: evidence),
            to: targetWithoutEffect(number))
        endedWithoutEffect(number, evidence)
    }

    private func targetWithoutEffect(_ number: Int) -> PaymentStatus? {
        switch state.attempts[number - 1].operation {
        case .payout, .authorize: goesOn(number) ? .routing : nil
        case .capture, .refund, .void: displayed
        case .cancel: nil
        }
    }

    private mutating func endedWithoutEffect(_ number: Int, _ evidence: Evidence) {
        if state.attempts[number - 1].isMain {
            mainEnded(number, final: nil, evidence)
        } else {
            operationEnded(number)
        }
    }

    /// After a capture, refund, void or cancel has ended without effect.
    private mutating func operationEnded(_ number: Int) {
        let attempt = state.attempts[number - 1]
        if attempt.operation == .cancel { return withdrawCancel() }
        guard attempt.operation == .void, !attempt.owesRestart, state.isLateAuthorization(attempt.about) else { return }
        // A reservation that we cannot give up: a person must know; nothing waits for it any longer.
        alarm(.escalated(attempt: number))
        goOnAfterFreeze()
    }

    /// After the main attempt has ended without effect: a late execution settles, a requested cancel is fulfilled, else
    /// the payment fails for good or looks for another route.
    private mutating func mainEnded(_ number: Int, final code: String?, _ evidence: Evidence) {
        if state.lateExecution != 0 { return settleLate() }
        if state.attempts[number - 1].operation == .authorize { state.authorizationEnd = nil }
        if let void = state.voidUnderWay(number) {
            // Nothing is reserved any more: what the void was to bring about is so.
            close(void, .over)
            closeEntries()
            return emit(.paymentVoided(attempt: void, evidence: evidence), to: .voided)
        }
        if state.cancelRequested {
            emit(.payoutCancelled, to: .cancelled)
            closeEntries()
            return closeCancels()
        }
        if let code { return fail(code: code) }
        needRoute()
    }

    // MARK: - Captures, refunds and voids that had no effect

    /// Started anew at the same partner a stated number of times; then it counts as refused.
    private mutating func planRestart(_ number: Int) {
        let attempt = state.attempts[number - 1]
        switch attempt.operation {
        case .capture, .refund, .void: break
        case .payout, .authorize, .cancel: return
        }
        guard attempt.restarts < terms(of: attempt).operationRestarts, mayRestart(number) else { return }
        state.attempts[number - 1].owesRestart = true
        planOwedRestart(number)
    }

    /// A restart is owed until it is done or given up: what else the attempt is asked about only puts it off.
    mutating func planOwedRestart(_ number: Int) {
        let attempt = state.attempts[number - 1]
        guard attempt.owesRestart, !attempt.contradicted, !attempt.watched else { return }
        state.attempts[number - 1].plan = .restart
        state.attempts[number - 1].due = now.wall + .seconds(Int64(1) << Int64(min(attempt.restarts, 6)))
    }

    /// Whether another attempt may follow: none has been executed or is under way, there is something to capture from
    /// or to void, and there are not too many.
    private func mayRestart(_ number: Int) -> Bool {
        let attempt = state.attempts[number - 1]
        let over = attempt.operation != .refund && attempt.about == state.authorization && state.authorizationVoid
        return !over && state.attempts.count < rules.maximumAttempts + rules.maximumCommands
            && !state.attempts.indices.contains { index in
                let other = state.attempts[index]
                return index != number - 1 && other.isSameOperation(as: attempt)
                    && (other.isPending || other.phase == .executed)
            }
    }

    /// The same operation anew, as another attempt; not while sending is stopped; counted as refused where it has
    /// become pointless.
    mutating func restart(_ number: Int) {
        let attempt = state.attempts[number - 1]
        guard attempt.owesRestart else { return }
        guard mayRestart(number) else {
            state.attempts[number - 1].owesRestart = false
            emit(
                .attemptRejected(attempt: number, code: "not-restarted", partnerCode: nil, mayGoElsewhere: false),
                to: displayed)
            return operationEnded(number)
        }
        if isStopped(attempt, number) {
            state.attempts[number - 1].plan = .restart
            state.attempts[number - 1].due = now.wall + .seconds(10)
            return
        }
        state.attempts[number - 1].owesRestart = false
        start(
            attempt.operation, operationID: attempt.operationID, route: attempt.route, role: attempt.role,
            amount: attempt.amount, about: attempt.about, restarts: attempt.restarts + 1)
    }
}

extension Evidence {
    /// Whether a named person says so.
    var isOfPerson: Bool {
        if case .operatorDecision = self { true } else { false }
    }
}
