import PaymentModel

extension Step {
    /// Commits an intent: route, amount, reference, key and send deadline are durable before any byte leaves (rows C01,
    /// C02). The request goes out by the effect, after the commit.
    mutating func start(
        _ operation: Operation, operationID: String?, route: Route, role: RouteRole, amount: Money, about: Int = 0,
        restarts: Int = 0
    ) {
        guard let initiate = state.initiate else { return }
        let number = state.attempts.count + 1
        let terms = terms(route) ?? .unknown
        let reference = Reference(
            partitionHash: PartitionHash.hash(state.id.text.utf8), seed: initiate.seed, attempt: number)
        var attempt = Attempt(
            operation: operation, operationID: operationID, route: route, role: role, reference: reference,
            amount: amount, now: now)
        attempt.restarts = restarts
        attempt.about = about
        state.attempts.append(consume attempt)
        planOverdue(number, terms)
        let target: PaymentStatus? =
            switch operation {
            case .payout: .attempting
            case .authorize: .authorizing
            case .capture, .refund, .void: displayed
            case .cancel: nil
            }
        emit(
            .attemptStarted(
                AttemptStart(
                    attempt: number, operation: operation, operationID: operationID, route: route, role: role,
                    reference: reference, amount: amount, idempotencyKey: reference.text,
                    sendDeadline: now.wall + terms.sendDeadline)), to: target)
        submit(number, terms)
    }

    private mutating func submit(_ number: Int, _ terms: RouteTerms) {
        let index = number - 1
        let about = state.attempts[index].about
        out.effects.append(
            .submit(
                SendOrder(
                    attempt: number, request: state.attempts[index].requests,
                    operation: state.attempts[index].operation, route: state.attempts[index].route,
                    reference: state.attempts[index].reference,
                    idempotencyKey: state.attempts[index].reference.text, amount: state.attempts[index].amount,
                    target: about == 0 ? nil : state.attempts[about - 1].partnerReference,
                    sendDeadline: now.monotonic + terms.sendDeadline, timeout: terms.requestTimeout)))
    }

    /// The partner's reference of what an operation is about.
    func target(of attempt: Attempt) -> String? {
        attempt.about == 0 ? nil : state.attempts[attempt.about - 1].partnerReference
    }

    /// The same attempt, key and body again, committed like an intent (row C09).
    mutating func resend(_ number: Int) {
        let terms = terms(of: state.attempts[number - 1])
        state.attempts[number - 1].requestCount += 1
        let request = state.attempts[number - 1].requests
        state.attempts[number - 1].outstanding |= 1 << UInt32(request - 1)
        if state.attempts[number - 1].incarnation != now.incarnation.number {
            state.attempts[number - 1].endedAt = nil
            state.attempts[number - 1].incarnation = now.incarnation.number
        }
        state.attempts[number - 1].authorisedAt = now.monotonic
        planOverdue(number, terms)
        emit(
            .attemptRetried(
                attempt: number, request: request, sendDeadline: now.wall + terms.sendDeadline))
        submit(number, terms)
    }

    /// Whether the key may be used once more: with a margin before its end of life, counted from the first send, with
    /// the skew of two clocks; not while the first request may still be in process, unless the partner records the key
    /// on receipt (rows B20–B22, C10). At most 30 requests an attempt.
    func mayRepeat(_ attempt: Attempt) -> Bool {
        let terms = terms(of: attempt)
        guard isKeyAlive(attempt) else { return false }
        if terms.key.recordedOnReceipt { return true }
        guard let gate = AbsenceGate.opening(attempt, terms: terms, now: now) else { return false }
        return now.monotonic >= gate
    }

    /// Whether the key lives, and a repeat without an inquiry is safe (S16). A cancel moves nothing: it is always safe.
    func isKeyAlive(_ attempt: Attempt) -> Bool {
        let terms = terms(of: attempt)
        guard terms.key.safeWithoutInquiry || attempt.operation == .cancel, attempt.requests < 30,
            let lifetime = terms.key.lifetime
        else { return false }
        let age = now.wall - attempt.firstSentAt
        let needed = age + terms.sendDeadline + (terms.inFlightBound ?? .zero) + terms.key.margin + rules.clockSkew
        return needed < lifetime
    }

    /// Whether no request of this attempt may go out now: late evidence, or the wish that it should not. An
    /// authorization that was found late is given up all the same.
    func isStopped(_ attempt: Attempt, _ number: Int) -> Bool {
        switch attempt.operation {
        case .payout: state.isFrozen || state.cancelRequested
        case .authorize: state.isFrozen || state.voidUnderWay(number) != nil
        case .void: false
        case .capture, .refund:
            state.isFrozen || state.attempts.contains { $0.contradicted && $0.isSameOperation(as: attempt) }
        case .cancel: state.isFrozen
        }
    }

    private mutating func planOverdue(_ number: Int, _ terms: RouteTerms) {
        state.attempts[number - 1].plan = .overdue
        state.attempts[number - 1].due = now.wall + terms.sendDeadline + terms.requestTimeout + .seconds(2)
    }

    /// Ends an attempt's part in the machine: no timer, no inquiry.
    mutating func close(_ number: Int, _ phase: Attempt.Phase) {
        state.attempts[number - 1].phase = phase
        state.attempts[number - 1].plan = .nothing
        state.attempts[number - 1].due = nil
        state.attempts[number - 1].escalated = false
        state.attempts[number - 1].owesRestart = false
        out.changedState = true
    }
}
