import PaymentModel

extension Step {
    /// A cancel is decided on committed state: an intent counts as sent (rows B28–B30, C34).
    mutating func cancel(_ command: Command) {
        if state.kind == .payment { return reject(command, .illegalState, "a payment is voided, not cancelled") }
        switch state.status {
        case .none:
            state.kind = .payout
            accept(command, to: .cancelled)
            emit(.payoutCancelled, to: .cancelled)
            return
        case .cancelled: return accept(command)
        case .settled, .returned, .failed, .blocked:
            return reject(command, .tooLate, "the payout is \(state.status.name)")
        default: break
        }
        if state.isFrozen { return reject(command, .inDoubt, "a closed attempt is in question") }
        guard let number = state.openMainAttempt else {
            accept(command)
            emit(.payoutCancelled, to: .cancelled)
            closeEntries()
            return
        }
        let attempt = state.attempts[number - 1]
        if state.cancelRequested { return accept(command) }
        if attempt.phase == .inDoubt { return reject(command, .inDoubt, "nobody knows yet what the partner did") }
        guard terms(of: attempt).canCancel else {
            return reject(command, .tooLate, "\(attempt.route.partner.text) cannot cancel")
        }
        accept(command)
        state.cancelRequested = true
        emit(.payoutCancelRequested)
        // A repeat that was planned after "not processed" is not sent any more; nothing of it can execute.
        if attempt.plan == .resend { return endUnsent(number) }
        sendCancelIfKnown(number)
    }

    /// The cancel goes out once the partner's reference is known.
    mutating func sendCancelIfKnown(_ number: Int) {
        guard state.cancelRequested else { return }
        let payout = state.attempts[number - 1]
        guard !state.isFrozen, payout.operation == .payout, payout.isOpen,
            payout.partnerReference != nil,
            !state.attempts.contains(where: { $0.about == number && $0.operation == .cancel && $0.isLive })
        else { return }
        start(
            .cancel, operationID: nil, route: payout.route, role: payout.role, amount: payout.amount,
            about: number)
    }

    /// A cancel that ends without effect withdraws the request: the payout goes its way.
    mutating func withdrawCancel() {
        guard state.cancelRequested else { return }
        state.cancelRequested = false
        out.changedState = true
    }

    /// The partner's 200 says only that it has the cancel; how the payout ends comes by inquiry or notification.
    mutating func cancelAcknowledged(_ number: Int) {
        if state.attempts[number - 1].phase == .inDoubt, state.attempts[number - 1].requests == 1 {
            emit(.attemptResolved(attempt: number, outcome: .accepted, code: nil, evidence: .answer))
        } else {
            emit(.attemptAccepted(attempt: number, partnerReference: nil))
        }
        close(number, .over)
        if let payout = state.openMainAttempt { askSoon(payout) }
    }

    /// The payout is over: whatever is still open about its cancel is, too.
    mutating func closeCancels() {
        for index in state.attempts.indices
        where state.attempts[index].operation == .cancel && state.attempts[index].isOpen {
            close(index + 1, .over)
        }
        state.cancelRequested = false
    }

    /// Nothing waits for an answer any more.
    mutating func closeEntries() {
        state.hold = nil
        state.offload = nil
        state.pending = .nothing
    }
}

extension Attempt {
    /// Of a cancel: under way, or acknowledged.
    fileprivate var isLive: Bool { isOpen || phase == .over }
}
