import PaymentModel

extension Step {
    /// What no command on a payment's authorization may do; nil where the payment has one to work on.
    private func obstacle(_ name: String) -> Refusal? {
        if state.kind != .payment { return Refusal(.illegalState, "no payment with that id") }
        if state.status == .inDoubt { return Refusal(.inDoubt, "the authorization is in doubt") }
        guard state.authorization != 0 else {
            return Refusal(.illegalState, "a payment in state \(state.status.name) has no authorization to \(name)")
        }
        if state.isFrozen { return Refusal(.illegalState, "an authorization that was closed is in question") }
        return nil
    }

    /// The same `operationId`, type and data again is a duplicate, anything else under it a conflict; after a rejection
    /// it is free again. True where the command is dealt with.
    private mutating func isKnown(_ command: Command, _ request: OperationRequest, _ operation: Operation) -> Bool {
        guard let known = state.operations.first(where: { $0.id == request.operationID }) else { return false }
        if known.operation == operation, known.dataDigest == request.dataDigest {
            accept(command, duplicateOf: known.commandID)
        } else {
            reject(command, .conflict, "the operation id is taken", field: "operationId")
        }
        return true
    }

    // MARK: - Capture

    mutating func capture(_ command: Command, _ request: OperationRequest) {
        if isKnown(command, request, .capture) { return }
        if let refusal = obstacle("capture") { return reject(command, refusal) }
        guard !state.authorizationVoid, state.voidUnderWay(state.authorization) == nil else {
            return reject(command, .illegalState, "the authorization is void, over, or being voided")
        }
        let authorization = state.attempts[state.authorization - 1]
        let left = authorization.amount.minorUnits - state.captured - state.inFlight(.capture)
        guard let amount = amount(command, request, left: left, what: "authorized") else { return }
        take(command, request, .capture, amount)
        start(
            .capture, operationID: request.operationID, route: authorization.route, role: authorization.role,
            amount: amount, about: state.authorization)
    }

    private mutating func amount(
        _ command: Command, _ request: OperationRequest, left: Int64, what: String
    ) -> Money? {
        guard let total = state.initiate?.amount else { return nil }
        let amount = request.amount ?? Money(left, total.currency)
        guard amount.currency == total.currency else {
            reject(command, .invalid, "the payment is in \(total.currency.code)", field: "amount.currency")
            return nil
        }
        guard amount.minorUnits > 0, amount.minorUnits <= left else {
            reject(command, .exceedsAmount, "\(left) minor units are \(what) and neither used nor in flight")
            return nil
        }
        return amount
    }

    private mutating func take(
        _ command: Command, _ request: OperationRequest, _ operation: Operation, _ amount: Money
    ) {
        state.operations.append(
            OperationRecord(
                id: request.operationID, operation: operation, dataDigest: request.dataDigest,
                commandID: command.envelope.id, amount: amount.minorUnits))
        accept(command)
    }

    /// The daemon's own capture, as soon as the payment is authorized.
    mutating func captureAutomatically(_ authorization: Int) {
        let attempt = state.attempts[authorization - 1]
        let id = automaticCaptureID
        state.operations.append(
            OperationRecord(
                id: id, operation: .capture, dataDigest: Digest(high: 0, low: 0),
                commandID: state.initiate?.commandID ?? "", amount: attempt.amount.minorUnits))
        start(
            .capture, operationID: id, route: attempt.route, role: attempt.role, amount: attempt.amount,
            about: authorization)
    }

    var automaticCaptureID: String { "\(state.id.text)-capture" }

    // MARK: - Refund

    mutating func refund(_ command: Command, _ request: OperationRequest) {
        if isKnown(command, request, .refund) { return }
        if let refusal = obstacle("refund") { return reject(command, refusal) }
        guard state.captured > 0 else { return reject(command, .illegalState, "nothing is captured") }
        let left = state.captured - state.refunded - state.chargedBack - state.inFlight(.refund)
        guard let amount = amount(command, request, left: left, what: "captured") else { return }
        take(command, request, .refund, amount)
        let authorization = state.attempts[state.authorization - 1]
        start(
            .refund, operationID: request.operationID, route: authorization.route, role: authorization.role,
            amount: amount, about: state.authorization)
    }

    // MARK: - Void

    mutating func void(_ command: Command) {
        guard state.kind == .payment else { return reject(command, .illegalState, "no payment with that id") }
        switch state.status {
        case .received, .screening, .held, .routing, .offloaded:
            guard state.openMainAttempt == nil, !state.isFrozen else { break }
            accept(command)
            closeEntries()
            return emit(.paymentVoided(attempt: nil, evidence: nil), to: .voided)
        case .inDoubt: return reject(command, .inDoubt, "the authorization is in doubt")
        case .actionRequired:
            guard let number = state.openMainAttempt else { break }
            if state.voidUnderWay(number) != nil { return accept(command) }
            accept(command)
            return startVoid(number, state.attempts[number - 1].amount)
        default:
            guard state.authorization != 0, !state.authorizationVoid else { break }
            if state.voidUnderWay(state.authorization) != nil { return accept(command) }
            var left = state.attempts[state.authorization - 1].amount
            left.minorUnits -= state.captured + state.inFlight(.capture)
            guard left.minorUnits > 0 else { break }
            accept(command)
            return startVoid(state.authorization, left)
        }
        reject(command, .illegalState, "nothing can be voided in state \(state.status.name)")
    }

    /// Voids what is left of an authorization: the partner names the same amount in its answer.
    private mutating func startVoid(_ authorization: Int, _ left: Money) {
        let attempt = state.attempts[authorization - 1]
        start(
            .void, operationID: nil, route: attempt.route, role: attempt.role, amount: left, about: authorization)
    }

    // MARK: - The customer is back

    /// The partner knows what the customer did: it is asked.
    mutating func completeAction(_ command: Command) {
        if state.kind == .payment, state.status == .inDoubt {
            return reject(command, .inDoubt, "the authorization is in doubt")
        }
        guard state.kind == .payment, state.status == .actionRequired, let number = state.openMainAttempt else {
            return reject(command, .illegalState, "no action is required")
        }
        accept(command, to: .authorizing)
        state.attempts[number - 1].slotsFrom = now.wall
        state.attempts[number - 1].slot = 0
        state.attempts[number - 1].escalated = false
        if terms(of: state.attempts[number - 1]).inquiry { askSoon(number) } else { planInquiry(number) }
    }
}
