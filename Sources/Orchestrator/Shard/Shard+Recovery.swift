import EventLog
import PaymentModel

extension Shard {
    /// The log could not do what it was asked: everything in memory is void. Withdraws and awaits the senders, has the
    /// log read again, and goes on as a new incarnation.
    func fail(_ error: LogError) {
        if flying != nil {
            // One at a time: the commit that is under way ends first, and with it this is taken up again.
            poisoned = poisoned ?? error
            return
        }
        switch phase {
        case .closed, .closing, .stopped: return
        case .draining:
            forgetEverything()
            return close()
        case .idle, .starting, .running, .failing, .recovering: break
        }
        forgetEverything()
        failuresInRow += 1
        switch error.kind {
        case .closed, .misconfigured, .heldElsewhere, .corrupt, .tooLarge:
            phase = .stopped(error.description)
            raise(.degraded(detail: error.description))
        case .fenced, .aborted, .outcomeUnknown, .full, .unavailable:
            if failuresInRow > 1 || error.kind == .full || error.kind == .unavailable {
                raise(.degraded(detail: error.description))
            }
            phase = .failing(until: monotonic + pause(error), error)
        }
    }

    /// A lost race is taken up at once; a log that keeps failing is given time.
    private func pause(_ error: LogError) -> Milliseconds {
        let isQuick = failuresInRow == 1 && error.kind != .full && error.kind != .unavailable
        guard !isQuick else { return .zero }
        let doublings = min(failuresInRow - 1, 16)
        return Milliseconds(min(limits.recoveryMaximum.count, limits.recoveryPause.count << Int64(doublings)))
    }

    private func forgetEverything() {
        orphan { _ in true }
        outbox = Outbox(limits: limits)
        health = held.value.initialHealth()
        hot.removeAll()
        timers.removeAll()
        kept.removeAll()
        owned.removeAll()
        // A result of the present incarnation that was not committed yet is one of an earlier incarnation from now on.
        let number = batch.number
        batch = OpenBatch(number: number + 1, buffers: batch.commit)
        committed = number
        poisoned = nil
    }

    /// Has the log read again once no sender of ours is left and the pause is over.
    func tryToRecover(_ until: MonotonicTime, _ error: LogError) {
        guard orphans.isEmpty, until <= monotonic else { return }
        guard hasStarted else { return begin() }
        phase = .recovering(error)
        let mailbox = mailbox
        let executor = ports.executor
        ports.log.recover { error in
            if mailbox.post(.recovered(error)) { executor.requestTurn() }
        }
    }

    func recovered(_ error: LogError?) {
        guard case .recovering = phase else { return }
        if let error { return fail(error) }
        phase = .running
        logIsDry = false
        raise(.recovered)
    }

    // MARK: Drain

    func beginDrain(_ completion: @escaping @Sendable () -> Void) {
        drained.append(completion)
        switch phase {
        case .running:
            phase = .draining(until: monotonic + limits.drain, cutShort: false)
        case .idle, .stopped:
            close()
        case .starting, .failing, .recovering:
            forgetEverything()
            close()
        case .closed:
            ended()
        case .draining, .closing:
            break
        }
    }

    /// Nothing new is taken in; what is under way ends, its results are committed.
    func workOff(until: MonotonicTime, cutShort: Bool) {
        applyResults()
        expireWaiting()
        if monotonic >= until, !cutShort {
            // Whoever comes next finds these intents without a result and asks the partner.
            phase = .draining(until: monotonic + limits.recoveryMaximum, cutShort: true)
            _ = outbox.dropWaiting { _ in true }
            for id in outbox.withdraw(where: { _ in true }) { ports.transport.cancel(id) }
        }
        commit()
        if !cutShort { startExchanges() }
        let isOver = outbox.count == 0 || (cutShort && monotonic >= until)
        if isOver, results.isEmpty, flying == nil, batch.isEmpty { close() }
    }

    private func close() {
        phase = .closing
        let mailbox = mailbox
        let executor = ports.executor
        ports.log.close {
            if mailbox.post(.closed) { executor.requestTurn() }
        }
    }

    func ended() {
        phase = .closed
        publish()
        let waiting = drained
        drained = []
        for completion in waiting { completion() }
    }
}
