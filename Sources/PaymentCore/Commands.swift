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
            // The last few of those that are too many are remembered in turn: a redelivery is still nothing new.
            if state.seenCommands.count >= rules.maximumCommands + Step.rememberedBeyond {
                state.seenCommands.remove(at: rules.maximumCommands)
            }
            state.seenCommands.append(envelope.identity)
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

    private static let rememberedBeyond = 64

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
            return accepted.dataDigest == digest && state.kind == initiation.kind
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
}
