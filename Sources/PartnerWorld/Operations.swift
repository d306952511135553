import CanonicalJSON

// Captures, voids and refunds of an authorization, and disputes about captures.
extension PartnerWorld {
    mutating func recordOperation(
        _ kind: OperationKind, _ id: String, _ form: OrderForm, _ plan: Plan, at now: Milliseconds
    ) throws(Refusal) -> Order {
        guard let index = authorizationIndex(id) else { throw .unknown("no such authorization") }
        let reference = try form.text("reference", 64)
        let authorized = authorizations[index].amount
        var amount = authorized
        if kind == .void {
            amount.minorUnits = authorized.minorUnits - authorizations[index].used(.capture)
        } else {
            amount = try form.amount()
        }
        let visibleAt = visibleAt(plan, at: now)
        let place = appendOperation(kind, index, reference: reference, amount: amount, visibleAt: visibleAt)
        return .operation(index, place, plan)
    }

    mutating func appendOperation(
        _ kind: OperationKind, _ index: Int, reference: String, amount: Amount, visibleAt: Milliseconds
    ) -> Int {
        operationCount += 1
        authorizations[index].operations.append(
            Operation(
                kind: kind, number: operationCount, reference: reference, minorUnits: amount.minorUnits,
                isWrongCurrency: amount.currency != authorizations[index].amount.currency, visibleAt: visibleAt))
        if authorizationsByReference[reference]?.contains(index) != true {
            authorizationsByReference[reference, default: []].append(index)
        }
        return authorizations[index].operations.count - 1
    }

    mutating func executeOperation(
        _ index: Int, _ place: Int, _ plan: Plan, ticket: PartnerTicket?, at now: Milliseconds
    ) {
        if let reason = refusal(index, place) {
            rejectOperation(index, place, reason: reason, plan.strikes, ticket: ticket, at: now)
        } else if let strike = plan.strike(.lateRejection) {
            let time = now + (strike.rule.milliseconds ?? 1_000)
            agenda.add(.rejectOperation(index, place, reason: strike.rule.reason ?? "AC04", plan.strikes), at: time)
        } else {
            acceptOperation(index, place, plan.strikes, ticket: ticket, at: now)
        }
    }

    /// Why it cannot be: AG01 (not allowed in this state), AM03 (currency), AM09 (more than there is). The operation
    /// itself is counted as used already.
    private func refusal(_ index: Int, _ place: Int) -> String? {
        let authorization = authorizations[index]
        let operation = authorization.operations[place]
        if operation.isWrongCurrency { return "AM03" }
        let isWaiting = operation.kind == .void && authorization.state.status == .actionRequired
        guard authorization.state.status == .accepted || isWaiting else { return "AG01" }
        switch operation.kind {
        case .capture:
            if authorization.isVoided { return "AG01" }
            return authorization.used(.capture) > authorization.amount.minorUnits ? "AM09" : nil
        case .void:
            let others = authorization.operations.indices.contains { other in
                other != place && authorization.operations[other].kind == .void
                    && authorization.operations[other].state.status != .rejected
            }
            let isUsedUp = authorization.used(.capture) >= authorization.amount.minorUnits
            return authorization.isVoided || others || isUsedUp ? "AG01" : nil
        case .refund:
            let gone = authorization.used(.refund) + authorization.disputedMinorUnits
            return gone > authorization.capturedMinorUnits ? "AM09" : nil
        }
    }

    mutating func acceptOperation(
        _ index: Int, _ place: Int, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        guard authorizations[index].operations[place].state.status == .pending else { return }
        let operation = authorizations[index].operations[place]
        var state = OrderState(status: .accepted, executedAt: now)
        if operation.kind == .capture {
            state.fee = fee(
                on: operation.minorUnits, fixed: settings.feeFixed, basisPoints: settings.feeBasisPoints)
        }
        authorizations[index].operations[place].state = state
        switch operation.kind {
        case .capture:
            book(.capture, operation, index, minorUnits: operation.minorUnits, fee: state.fee ?? 0, at: now)
            tell(index, place, "authorization.captured", strikes, ticket: ticket, at: now)
            planDispute(index, place, strikes + authorizations[index].strikes, at: now)
        case .void:
            authorizations[index].isVoided = true
            if authorizations[index].state.status == .actionRequired {
                // Nothing was reserved yet, and the customer's page can bring nothing about any more.
                authorizations[index].state.status = .rejected
                authorizations[index].state.reason = "CUST"
            }
            let left = authorizations[index].amount.minorUnits - authorizations[index].used(.capture)
            authorizations[index].operations[place].minorUnits = left
            tell(index, place, "authorization.voided", strikes, ticket: ticket, at: now)
        case .refund:
            book(.refund, operation, index, minorUnits: operation.minorUnits, fee: 0, at: now)
            tell(index, place, "authorization.refunded", strikes, ticket: ticket, at: now)
        }
    }

    mutating func rejectOperation(
        _ index: Int, _ place: Int, reason: String, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        guard authorizations[index].operations[place].state.status == .pending else { return }
        authorizations[index].operations[place].state.status = .rejected
        authorizations[index].operations[place].state.reason = reason
        tell(index, place, "authorization.rejected", strikes, ticket: ticket, at: now)
    }

    private mutating func book(
        _ kind: Movement.Kind, _ operation: Operation, _ index: Int, minorUnits: Int64, fee: Int64, at now: Milliseconds
    ) {
        let amount = Amount(currency: authorizations[index].amount.currency, minorUnits: minorUnits)
        books.record(
            Movement(
                kind: kind, at: now, id: operationID(operation.number), reference: operation.reference, amount: amount,
                fee: fee))
    }

    private mutating func tell(
        _ index: Int, _ place: Int, _ type: String, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        let operation = authorizations[index].operations[place]
        let id = authorizationID(index)
        let origin: Route =
            switch operation.kind {
            case .capture: .capture(id)
            case .void: .void(id)
            case .refund: .refund(id)
            }
        let news = News(
            type: type, reference: operation.reference, idName: "authorizationId", id: id,
            status: operation.state.status.rawValue, state: operation.state,
            currency: authorizations[index].amount.currency, origin: origin)
        notify(news, strikes: strikes, ticket: ticket, at: now)
    }

    // MARK: - Disputes

    private mutating func planDispute(_ index: Int, _ place: Int, _ strikes: [Strike], at now: Milliseconds) {
        guard let strike = strikes.first(where: { $0.rule.fault == .dispute }) else { return }
        let pause = strike.rule.milliseconds ?? 1_000
        let drawn: DisputeStatus = strike.draw % 2 == 0 ? .won : .lost
        let ends = strike.rule.reason.flatMap { DisputeStatus(rawValue: $0) } ?? drawn
        agenda.add(.openDispute(index, capture: place, ends: ends, after: pause, strikes), at: now + pause)
    }

    mutating func openDispute(
        _ index: Int, capture place: Int, ends: DisputeStatus, after pause: Milliseconds, _ strikes: [Strike],
        at now: Milliseconds
    ) {
        let authorization = authorizations[index]
        let capture = authorization.operations[place]
        // What was refunded cannot be charged back as well.
        let left = authorization.capturedMinorUnits - authorization.used(.refund) - authorization.disputedMinorUnits
        let minorUnits = min(capture.minorUnits, left)
        guard minorUnits > 0 else { return }
        disputeCount += 1
        let place = authorization.disputes.count
        authorizations[index].disputes.append(
            Dispute(number: disputeCount, captureReference: capture.reference, minorUnits: minorUnits))
        book(.chargeback, capture, index, minorUnits: minorUnits, fee: 0, at: now)
        tellDispute(index, place, strikes, at: now)
        if ends != .opened { agenda.add(.endDispute(index, dispute: place, ends, strikes), at: now + pause) }
    }

    mutating func endDispute(
        _ index: Int, dispute place: Int, _ status: DisputeStatus, _ strikes: [Strike], at now: Milliseconds
    ) {
        let dispute = authorizations[index].disputes[place]
        guard dispute.status == .opened else { return }
        authorizations[index].disputes[place].status = status
        let captures = authorizations[index].operations
        if status == .won,
            let capture = captures.first(where: { $0.kind == .capture && $0.reference == dispute.captureReference })
        {
            book(.chargeback, capture, index, minorUnits: -dispute.minorUnits, fee: 0, at: now)
        }
        tellDispute(index, place, strikes, at: now)
    }

    private mutating func tellDispute(_ index: Int, _ place: Int, _ strikes: [Strike], at now: Milliseconds) {
        let dispute = authorizations[index].disputes[place]
        let currency = authorizations[index].amount.currency
        let news = News(
            type: "authorization.disputed", reference: dispute.captureReference, idName: "authorizationId",
            id: authorizationID(index), status: dispute.status.rawValue,
            state: OrderState(status: .accepted, executedAt: now), currency: currency,
            amount: Amount(currency: currency, minorUnits: dispute.minorUnits), origin: .capture(""))
        notify(news, strikes: strikes, ticket: nil, at: now)
    }
}
