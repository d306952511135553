import PaymentModel

extension Step {
    /// Commands in the order of the contract, section 2: redelivery, form, then identity and state.
    mutating func take(_ command: Command) {
        let envelope = command.envelope
        if state.seenCommands.contains(envelope.identity) {
            out.disposition = .duplicate
            return
        }
        guard state.seenCommands.count < rules.maximumCommands else {
            return reject(command, Refusal(.illegalState, "too many commands for one payment"))
        }
        state.seenCommands.append(envelope.identity)
        switch command.body {
        case .refused(let refusal): reject(command, refusal)
        case .initiate(let initiation, let digest, let seed): initiate(command, initiation, digest, seed)
        case .cancel: cancel(command)
        case .capture(let request): capture(command, request)
        case .refund(let request): refund(command, request)
        case .void: void(command)
        case .completeAction: completeAction(command)
        case .releaseHold(let decision): releaseHold(command, decision)
        case .rejectHold(let decision): rejectHold(command, decision)
        case .resumeOffload(let decision): resumeOffload(command, decision)
        case .rejectOffload(let decision): rejectOffload(command, decision)
        case .resolveAttempt(let resolution): resolve(command, resolution)
        }
    }

    mutating func accept(_ command: Command, to status: PaymentStatus? = nil, duplicateOf: String? = nil) {
        emit(
            .commandAccepted(
                id: command.envelope.id, source: command.envelope.source, type: command.envelope.type,
                duplicateOf: duplicateOf), to: status)
    }

    /// Where no payment exists the outcome has sequence 0: none is created, only the command's identity is kept.
    mutating func reject(_ command: Command, _ refusal: Refusal) {
        let body = EventBody.commandRejected(
            id: command.envelope.id, source: command.envelope.source, type: command.envelope.type, refusal: refusal)
        guard state.status == .none else { return emit(body) }
        out.events.append(PaymentEvent(sequence: 0, status: .none, occurredAt: now.wall, body: body))
        out.changedState = true
    }

    mutating func reject(_ command: Command, _ code: RejectionCode, _ message: String, field: String? = nil) {
        reject(command, Refusal(code, message, field: field))
    }

    // MARK: - Initiate

    private mutating func initiate(_ command: Command, _ initiation: Initiation, _ digest: Digest, _ seed: Digest) {
        if let accepted = state.initiate {
            return accepted.dataDigest == digest
                ? accept(command, duplicateOf: accepted.commandID)
                : reject(command, .conflict, "the payment id is taken by an initiate with other data")
        }
        guard state.status == .none else {
            return reject(command, .cancelled, "the payment was cancelled before it was initiated")
        }
        state.kind = initiation.kind
        state.initiate = AcceptedInitiate(
            commandID: command.envelope.id, dataDigest: digest, seed: seed, amount: initiation.instructedAmount,
            captureMode: initiation.kind == .payment ? initiation.captureMode ?? .manual : nil,
            correlationID: command.envelope.correlationID, traceparent: command.envelope.traceparent)
        accept(command, to: .received)
        emit(
            .received(kind: initiation.kind, amount: initiation.instructedAmount, endToEndID: initiation.endToEndID),
            to: .screening)
        out.need = .screening
    }

    // MARK: - The desk

    /// A release answers the hold that it names and no other (rows B50, C30).
    private mutating func releaseHold(_ command: Command, _ decision: DeskDecision) {
        guard state.status == .held, let hold = state.hold, decision.entry == hold.number else {
            return reject(command, .illegalState, "no such hold is open")
        }
        accept(command)
        state.hold = nil
        emit(
            .screeningReleased(hold: hold.number, operatorName: decision.operatorName, reason: decision.reason),
            to: .routing)
        needRoute()
    }

    private mutating func rejectHold(_ command: Command, _ decision: DeskDecision) {
        guard state.status == .held, let hold = state.hold, decision.entry == hold.number else {
            return reject(command, .illegalState, "no such hold is open")
        }
        accept(command)
        state.hold = nil
        emit(
            .screeningBlocked(hold: hold.number, operatorName: decision.operatorName, reason: decision.reason),
            to: .blocked)
    }

    /// A resume answers the entry that it names and no other (row B51).
    private mutating func resumeOffload(_ command: Command, _ decision: DeskDecision) {
        guard state.status == .offloaded, let entry = state.offload, decision.entry == entry.number else {
            return reject(command, .illegalState, "no such offload entry is open")
        }
        accept(command)
        leaveOffload(entry, operatorName: decision.operatorName, reason: decision.reason)
    }

    private mutating func rejectOffload(_ command: Command, _ decision: DeskDecision) {
        guard state.status == .offloaded, let entry = state.offload, decision.entry == entry.number else {
            return reject(command, .illegalState, "no such offload entry is open")
        }
        accept(command)
        state.offload = nil
        fail(code: "offload-rejected")
    }

    // MARK: - Resolve

    /// What a person found out. "Absent" obeys the same gate as an inquiry, counted from when the person looked (rows B26,
    /// B27).
    private mutating func resolve(_ command: Command, _ resolution: AttemptResolution) {
        guard state.status != .none, let number = resolution.attempt, state.attempts.indices.contains(number - 1) else {
            return reject(command, .illegalState, "no such attempt")
        }
        if let observedAt = resolution.observedAt, observedAt > now.wall + rules.clockSkew {
            return reject(command, .invalid, "observed in the future", field: "evidence.observedAt")
        }
        let attempt = state.attempts[number - 1]
        let open = attempt.phase == .inDoubt || (attempt.phase == .accepted && attempt.escalated)
        let evidence = Evidence.operatorDecision(
            name: resolution.operatorName, observedAt: resolution.observedAt, note: resolution.note)
        switch resolution.outcome {
        case .settled, .rejected:
            guard open else { return reject(command, .illegalState, "the attempt is neither in doubt nor escalated") }
            accept(command)
            if resolution.outcome == .settled {
                executed(number, OrderReport(status: .settled), evidence)
            } else {
                let rejection = Rejection(code: "rejected-by-operator", partnerCode: nil, mayGoElsewhere: false)
                endRejected(number, rejection, evidence)
            }
        case .absent:
            guard attempt.phase == .inDoubt, !attempt.everAccepted, let observedAt = resolution.observedAt else {
                return reject(command, .illegalState, "the attempt is not in doubt, or the partner has had it")
            }
            guard provesAbsence(attempt, seenAt: moment(of: observedAt)) else {
                return reject(command, .illegalState, "observed before absence can be proven")
            }
            accept(command)
            endAbsent(number, evidence)
        }
    }

    /// A wall-clock time of somebody else on our monotonic clock, as early as the skew allowance lets it have been.
    private func moment(of time: Timestamp) -> MonotonicTime {
        MonotonicTime(
            milliseconds: now.monotonic.milliseconds - (now.wall - time).count - rules.clockSkew.count)
    }
}
