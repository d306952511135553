import PaymentModel

extension Step {
    /// The end of a request. Its attempt's result is the union over all its requests.
    mutating func sendEnded(_ report: SendReport) {
        guard exists(report.attempt), report.request >= 1,
            report.request <= state.attempts[report.attempt - 1].requests, report.request <= 32
        else { return ignore(.unknownAttempt) }
        guard report.incarnation == now.incarnation.number else { return earlierResult(report) }
        let bit: UInt32 = 1 << UInt32(report.request - 1)
        guard state.attempts[report.attempt - 1].outstanding & bit != 0 else { return ignore(.attemptOver) }
        noteEnd(report, bit)
        if state.attempts[report.attempt - 1].operation == .cancel, take(cancelEnd: report) { return }
        switch report.outcome {
        case .notSent(let cause):
            state.attempts[report.attempt - 1].notSentCause = cause
            requestNeverExecutes(report.attempt)
        case .notProcessed(let status, let retryAfter): notProcessed(report.attempt, status, retryAfter)
        case .refused(let status, let partnerCode):
            alarm(.requestRefused(attempt: report.attempt, httpStatus: status))
            state.attempts[report.attempt - 1].refusal = Rejection(
                code: "refused-\(status)", partnerCode: partnerCode, mayGoElsewhere: true)
            requestNeverExecutes(report.attempt)
        case .tooLate: unclear(report.attempt, .status)
        case .order(let order):
            if order.status == .rejected {
                rejectedAnswer(report.attempt, order)
            } else {
                take(order, of: report.attempt, .answer)
            }
        case .unclear(let cause): unclear(report.attempt, cause)
        }
    }

    private mutating func noteEnd(_ report: SendReport, _ bit: UInt32) {
        let index = report.attempt - 1
        state.attempts[index].outstanding &= ~bit
        let end = report.endOfUpload ?? now.monotonic
        state.attempts[index].endedAt = max(state.attempts[index].endedAt ?? end, end)
        out.changedState = true
    }

    /// A sender of an earlier incarnation: what it did not do ends nothing (row B16); what it did prompts an inquiry
    /// and is no reason for an alarm (row B35). Where nobody can be asked, what was executed is never dropped.
    private mutating func earlierResult(_ report: SendReport) {
        let attempt = state.attempts[report.attempt - 1]
        guard case .order(let order) = report.outcome, order.status != .rejected, attempt.operation != .cancel,
            attempt.isOpen || attempt.isNegative
        else { return ignore(.earlierIncarnation) }
        let moved = order.status == .settled || order.status == .returned
        if !terms(of: attempt).inquiry, moved || attempt.isOpen { return take(order, of: report.attempt, .answer) }
        if let reference = order.partnerReference {
            learn(report.attempt, reference)
            sendCancelIfKnown(report.attempt)
        }
        askSoon(report.attempt)
    }

    /// A request that was answered by a rejected order: it never executes; what the others did is another question (row
    /// B15).
    private mutating func rejectedAnswer(_ number: Int, _ order: OrderReport) {
        state.attempts[number - 1].rejectedAnswers += 1
        note(rejection(order), of: number)
        if state.attempts[number - 1].isOpen {
            let binds = terms(of: state.attempts[number - 1]).key.bindsAllRequests
            if binds, state.attempts[number - 1].phase != .accepted {
                state.attempts[number - 1].negatives += 1
                return endRejected(number, rejection(order), .answer)
            }
            requestNeverExecutes(number)
        } else if state.attempts[number - 1].phase == .executed {
            // The notification was faster and says otherwise: the books decide.
            askSoon(number)
        } else {
            ignore(.attemptOver)
        }
    }

    /// One more request that never executes. Only where that is true of every one does it end the attempt (row B14).
    private mutating func requestNeverExecutes(_ number: Int) {
        state.attempts[number - 1].negatives += 1
        let attempt = state.attempts[number - 1]
        guard attempt.isOpen else { return }
        if attempt.phase == .accepted { return planInquiry(number) }
        if attempt.unaccounted > 0 {
            // An earlier request is unanswered or unclear: the doubt about it goes on.
            if attempt.phase == .sending { fallIntoDoubt(number, .status) } else { planInquiry(number) }
            return
        }
        endUnsent(number)
    }

    /// Every request is known never to execute: the strongest reason ends the attempt (row B17).
    mutating func endUnsent(_ number: Int) {
        let attempt = state.attempts[number - 1]
        if let rejection = attempt.knownRejection ?? attempt.refusal {
            endRejected(number, rejection, .answer)
        } else {
            endNotSent(number, attempt.notSentCause ?? .notProcessed)
        }
    }

    /// 401, once, and 429, a stated number of times: each repeat by an `attempt.retried` (CONTRACT section 6). Not while a
    /// cancel is requested or the payment is frozen, and not where the partner wants to be left alone for longer than a
    /// payment should wait for one route.
    private mutating func notProcessed(_ number: Int, _ status: Int, _ retryAfter: Milliseconds?) {
        let attempt = state.attempts[number - 1]
        let terms = terms(of: attempt)
        let stopped = isStopped(attempt, number)
        state.attempts[number - 1].notSentCause = .notProcessed
        let repeats = attempt.negatives + 1
        let limit = status == 401 ? min(1, terms.notProcessedRepeats) : terms.notProcessedRepeats
        let wait = max(retryAfter ?? Milliseconds(200), Milliseconds(50))
        guard attempt.phase == .sending, !stopped, repeats <= limit, attempt.requests < 30, attempt.unaccounted == 1,
            wait <= .seconds(60)
        else { return requestNeverExecutes(number) }
        state.attempts[number - 1].negatives += 1
        state.attempts[number - 1].plan = .resend
        state.attempts[number - 1].due = now.wall + wait
    }

    private mutating func unclear(_ number: Int, _ cause: DoubtCause) {
        switch state.attempts[number - 1].phase {
        case .sending: fallIntoDoubt(number, cause)
        case .inDoubt: planInquiry(number)
        default: ignore(.attemptOver)
        }
    }

    /// The end of a cancel's request: true where it is dealt with. Doubt about a cancel goes the ordinary way.
    private mutating func take(cancelEnd report: SendReport) -> Bool {
        let number = report.attempt
        guard state.attempts[number - 1].isOpen else {
            ignore(.attemptOver)
            return true
        }
        switch report.outcome {
        case .order:
            cancelAcknowledged(number)
            return true
        case .tooLate:
            let rejection = Rejection(code: "too-late", partnerCode: nil, mayGoElsewhere: false)
            state.attempts[number - 1].knownRejection = rejection
            endRejected(number, rejection, .answer)
            return true
        default: return false
        }
    }

    func rejection(_ order: OrderReport) -> Rejection {
        Rejection(
            code: order.code ?? order.partnerCode ?? "rejected", partnerCode: order.partnerCode,
            mayGoElsewhere: order.mayGoElsewhere)
    }

    /// Final outweighs may-go-elsewhere (row B17).
    mutating func note(_ rejection: Rejection, of number: Int) {
        if let known = state.attempts[number - 1].knownRejection, !known.mayGoElsewhere { return }
        state.attempts[number - 1].knownRejection = rejection
        out.changedState = true
    }

    mutating func learn(_ number: Int, _ partnerReference: String) {
        guard state.attempts[number - 1].partnerReference == nil else { return }
        state.attempts[number - 1].partnerReference = partnerReference
        out.changedState = true
    }
}
