import PaymentModel

extension Step {
    private func isMain(_ attempt: Attempt) -> Bool { attempt.operation == .payout || attempt.operation == .authorize }

    /// Whether the payment goes on to another route after its main attempt has ended without effect.
    private var goesOn: Bool { !state.cancelRequested && state.lateExecution == 0 }

    /// The attempt is refused. In doubt the evidence ends it; otherwise the answer itself.
    mutating func endRejected(_ number: Int, _ rejection: Rejection, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        let main = isMain(attempt)
        close(number, .rejected)
        state.attempts[number - 1].knownRejection = rejection
        let target: PaymentStatus? =
            main
            ? (rejection.mayGoElsewhere && goesOn ? .routing : nil) : attempt.operation == .cancel ? nil : displayed
        if attempt.phase == .inDoubt, evidence != .answer {
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
            mainEnded(final: rejection.mayGoElsewhere ? nil : rejection.code)
        } else if attempt.operation == .cancel {
            withdrawCancel()
        }
    }

    /// No request can have reached the partner.
    mutating func endNotSent(_ number: Int, _ cause: NotSentCause) {
        let attempt = state.attempts[number - 1]
        close(number, .notSent)
        planRestart(number, attempt)
        emit(.attemptNotSent(attempt: number, cause: cause), to: targetWithoutEffect(attempt))
        endedWithoutEffect(attempt)
    }

    /// The partner never had it. An order known rejected outweighs that (row B17).
    mutating func endAbsent(_ number: Int, _ evidence: Evidence) {
        let attempt = state.attempts[number - 1]
        if let rejection = attempt.knownRejection { return endRejected(number, rejection, evidence) }
        close(number, .absent)
        planRestart(number, attempt)
        emit(
            .attemptResolved(attempt: number, outcome: .absent, code: nil, evidence: evidence),
            to: targetWithoutEffect(attempt))
        endedWithoutEffect(attempt)
    }

    private func targetWithoutEffect(_ attempt: Attempt) -> PaymentStatus? {
        switch attempt.operation {
        case .payout, .authorize: goesOn ? .routing : nil
        case .capture, .refund, .void: displayed
        case .cancel: nil
        }
    }

    private mutating func endedWithoutEffect(_ attempt: Attempt) {
        if isMain(attempt) {
            mainEnded(final: nil)
        } else if attempt.operation == .cancel {
            withdrawCancel()
        }
    }

    /// After the main attempt has ended without effect: a late execution settles, a requested cancel is fulfilled, else the
    /// payment fails for good or looks for another route.
    private mutating func mainEnded(final code: String?) {
        if state.lateExecution != 0 { return settleLate() }
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
    private mutating func planRestart(_ number: Int, _ attempt: Attempt) {
        switch attempt.operation {
        case .capture, .refund, .void: break
        case .payout, .authorize, .cancel: return
        }
        guard attempt.restarts < terms(of: attempt).operationRestarts, !isAnswered(attempt) else { return }
        state.attempts[number - 1].plan = .restart
        state.attempts[number - 1].due = now.wall + .seconds(Int64(1) << Int64(min(attempt.restarts, 6)))
    }

    /// Whether another attempt of the same operation has been executed, or is under way.
    private func isAnswered(_ attempt: Attempt) -> Bool {
        state.attempts.contains {
            $0.operation == attempt.operation && $0.operationID == attempt.operationID && $0.about == attempt.about
                && ($0.isOpen || $0.phase == .executed)
        }
    }

    mutating func restart(_ number: Int) {
        let attempt = state.attempts[number - 1]
        guard !attempt.contradicted, !isAnswered(attempt), state.attempts.count < rules.maximumAttempts else { return }
        start(
            attempt.operation, operationID: attempt.operationID, route: attempt.route, role: attempt.role,
            amount: attempt.amount, about: attempt.about, restarts: attempt.restarts + 1)
    }
}
