import PaymentModel

extension Step {
    /// What a person found out. "Absent" obeys the same gate as an inquiry, counted from when the person looked (rows
    /// B26, B27).
    mutating func resolve(_ command: Command, _ resolution: AttemptResolution) {
        if let observedAt = resolution.observedAt, observedAt > now.wall + rules.clockSkew {
            return reject(command, .invalid, "observed in the future", field: "evidence.observedAt")
        }
        if resolution.outcome == .absent, resolution.observedAt == nil {
            return reject(command, .invalid, "when was it looked for?", field: "evidence.observedAt")
        }
        guard state.status != .none, let number = resolution.attempt, exists(number) else {
            return reject(command, .illegalState, "no such attempt")
        }
        let evidence = Evidence.operatorDecision(
            name: resolution.operatorName, observedAt: resolution.observedAt, note: resolution.note)
        switch resolution.outcome {
        case .settled, .rejected:
            guard mayBeResolved(state.attempts[number - 1]) else {
                return reject(command, .illegalState, "the attempt is neither in doubt nor escalated")
            }
            accept(command)
            if resolution.outcome == .settled {
                resolveSettled(number, evidence)
            } else {
                resolveRejected(number, evidence)
            }
        case .absent: resolveAbsent(command, number, resolution, evidence)
        }
    }

    /// In doubt; or taken by the partner and handed to a person, which is also how a closed attempt ends that the
    /// partner has shown as taken (row B32: only a person leaves that).
    private func mayBeResolved(_ attempt: Attempt) -> Bool {
        attempt.phase == .inDoubt || (attempt.escalated && (attempt.phase == .accepted || attempt.contradicted))
    }

    private mutating func resolveSettled(_ number: Int, _ evidence: Evidence) {
        guard state.attempts[number - 1].operation == .cancel else {
            return executed(number, OrderReport(status: .settled), evidence)
        }
        // The partner has the cancel: what becomes of the payout is another question.
        emit(.attemptResolved(attempt: number, outcome: .accepted, code: nil, evidence: evidence))
        close(number, .over)
        if let payout = state.openMainAttempt { askSoon(payout) }
    }

    private mutating func resolveRejected(_ number: Int, _ evidence: Evidence) {
        let code = "rejected-by-operator"
        if state.attempts[number - 1].contradicted {
            emit(.attemptResolved(attempt: number, outcome: .rejected, code: code, evidence: evidence))
            return endContradiction(number)
        }
        endRejected(number, Rejection(code: code, partnerCode: nil, mayGoElsewhere: false), evidence)
    }

    private mutating func resolveAbsent(
        _ command: Command, _ number: Int, _ resolution: AttemptResolution, _ evidence: Evidence
    ) {
        let attempt = state.attempts[number - 1]
        guard attempt.phase == .inDoubt, !attempt.everAccepted, let observedAt = resolution.observedAt else {
            return reject(command, .illegalState, "the attempt is not in doubt, or the partner has had it")
        }
        guard provesAbsence(attempt, seenAt: moment(of: observedAt)) else {
            return reject(command, .illegalState, "observed before absence can be proven")
        }
        accept(command)
        endAbsent(number, evidence)
    }

    /// A wall-clock time of somebody else on our monotonic clock, as early as the skew allowance lets it have been. A
    /// time that is out of all bounds is before everything.
    private func moment(of time: Timestamp) -> MonotonicTime {
        let (age, tooOld) = now.wall.milliseconds.subtractingReportingOverflow(time.milliseconds)
        let (moment, tooEarly) = now.monotonic.milliseconds.subtractingReportingOverflow(age)
        let (earliest, wraps) = moment.subtractingReportingOverflow(rules.clockSkew.count)
        return MonotonicTime(milliseconds: tooOld || tooEarly || wraps ? .min : earliest)
    }
}
