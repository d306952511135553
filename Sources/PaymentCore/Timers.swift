import PaymentModel

extension Step {
    /// The timer for `due` has fired: all that is due at or before then is due, whatever the wall clock says by now.
    mutating func timerFired(_ due: Timestamp) {
        let before = out.changedState
        for index in state.attempts.indices {
            if let moment = state.attempts[index].due, moment <= due { planIsDue(index + 1) }
        }
        offloadIsDue(due)
        if let hold = state.hold, hold.deadline <= due, !state.deadlineTold {
            state.deadlineTold = true
            out.changedState = true
            alarm(.deadlinePassed)
        }
        if let end = state.authorizationEnd, end <= due { authorizationIsDue() }
        if let retention = state.retention, retention <= due { retentionIsOver() }
        if !out.changedState, !before { ignore(.notDue) }
    }

    private mutating func offloadIsDue(_ due: Timestamp) {
        guard state.status == .offloaded, let entry = state.offload else { return }
        if let releaseAt = entry.releaseAt, releaseAt <= due, !state.isFrozen {
            leaveOffload(entry, operatorName: nil, reason: nil)
        } else if entry.deadline <= due {
            if entry.lane == .queue {
                moveToManual(entry)
            } else if !state.deadlineTold {
                state.deadlineTold = true
                out.changedState = true
                alarm(.deadlinePassed)
            }
        }
    }

    /// The customer did not act, or nothing was captured in time: expired, as the catalogue's lifetime says.
    private mutating func authorizationIsDue() {
        state.authorizationEnd = nil
        out.changedState = true
        if state.attempts.contains(where: { $0.isPending && $0.operation != .authorize }) {
            state.authorizationEnd = now.wall + .seconds(3_600)
            return
        }
        if state.status == .actionRequired, let number = state.openMainAttempt {
            // Closed as not executed: a late success is found by its notification and voided.
            close(number, .absent)
            emit(.paymentExpired, to: .expired)
        } else if state.authorization != 0, !state.authorizationVoid {
            state.authorizationVoid = true
            if state.captured == 0 { emit(.paymentExpired, to: .expired) }
        }
    }

    /// Where no money moved the entry goes; where money moved a stub stays for as long as it may come back.
    private mutating func retentionIsOver() {
        state.retention = nil
        out.changedState = true
        // Something has begun anew (a refund on a stub, say): not before that is over.
        if state.status != .none, !state.isFinished {
            if state.isStub { state.retention = now.wall + rules.retention }
            return
        }
        guard state.postings > 0, !state.isStub else {
            out.storage = .forget
            return
        }
        let window = state.attempts.map { terms(of: $0).reversalWindow }.max() ?? .zero
        state.isStub = true
        state.retention = max(state.since + window, now.wall + .seconds(1))
        out.storage = .dropBody
    }
}
