import CanonicalJSON

extension PartnerWorld {
    func transferID(_ index: Int) -> String { "\(settings.name)-t\(index + 1)" }

    func transferIndex(_ id: String) -> Int? {
        let prefix = settings.name + "-t"
        guard id.hasPrefix(prefix), let number = Int(id.dropFirst(prefix.count)), number >= 1,
            number <= transfers.count, id == transferID(number - 1)
        else { return nil }
        return number - 1
    }

    mutating func recordTransfer(_ form: OrderForm, _ plan: Plan, at now: Milliseconds) throws(Refusal) -> Order {
        let reference = try form.text("reference", 64)
        let amount = try form.amount()
        _ = try form.text("rail", 64)
        let creditor = try form.object("creditor")
        guard form.text(creditor, "name") != nil else { throw .bad("creditor.name must be a text") }
        _ = try form.optionalText("endToEndId", 256)
        _ = try form.optionalText("remittanceInformation", 4_096)
        let index = transfers.count
        let previous = transfersByReference.updateValue(Int32(index), forKey: reference) ?? -1
        transfers.append(
            Transfer(
                reference: reference, amount: amount, visibleAt: visibleAt(plan, at: now), previous: previous))
        return .transfer(index, plan)
    }

    func firstAnswer(_ index: Int) -> PartnerResponse {
        let transfer = transfers[index]
        let state = transfer.firstAnswer ?? transfer.state
        return PartnerResponse(201, JSONWriter.write { transfer.write(state, id: transferID(index), to: &$0) })
    }

    mutating func executeTransfer(_ index: Int, _ plan: Plan, ticket: PartnerTicket?, at now: Milliseconds) {
        // Cancelled before it was executed.
        guard transfers[index].state.status == .pending else { return }
        let news = plan.strikes
        if case .reject(let reason)? = plan.verdict {
            rejectTransfer(index, reason: reason, news, ticket: ticket, at: now)
        } else if let strike = plan.strike(.lateRejection) {
            transfers[index].state.status = .accepted
            let time = now + (strike.rule.milliseconds ?? 1_000)
            agenda.add(.rejectTransfer(index, reason: strike.rule.reason ?? "AC04", news), at: time)
        } else {
            var delay = settings.settlementMilliseconds
            if case .settle(let after)? = plan.verdict { delay = after }
            if delay > 0 {
                transfers[index].state.status = .accepted
                agenda.add(.settleTransfer(index, news), at: now + delay)
            } else {
                settleTransfer(index, news, ticket: ticket, at: now)
            }
        }
    }

    mutating func settleTransfer(_ index: Int, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds) {
        let status = transfers[index].state.status
        guard status == .pending || status == .accepted else { return }
        let amount = transfers[index].amount
        let cost = fee(on: amount.minorUnits, fixed: settings.feeFixed, basisPoints: settings.feeBasisPoints)
        transfers[index].state = OrderState(status: .settled, fee: cost, executedAt: now)
        books.record(
            Movement(
                kind: .transfer, at: now, id: transferID(index), reference: transfers[index].reference, amount: amount,
                fee: cost))
        tell(index, "transfer.settled", strikes, ticket: ticket, at: now)
        if let strike = strikes.first(where: { $0.rule.fault == .return }) {
            let reason = strike.rule.reason ?? "AC04"
            agenda.add(.returnTransfer(index, reason: reason, strikes), at: now + (strike.rule.milliseconds ?? 1_000))
        }
    }

    mutating func rejectTransfer(
        _ index: Int, reason: String, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        let status = transfers[index].state.status
        guard status == .pending || status == .accepted else { return }
        transfers[index].state.status = .rejected
        transfers[index].state.reason = reason
        tell(index, "transfer.rejected", strikes, ticket: ticket, at: now)
    }

    mutating func returnTransfer(_ index: Int, reason: String, _ strikes: [Strike], at now: Milliseconds) {
        guard transfers[index].state.status == .settled else { return }
        transfers[index].state.status = .returned
        transfers[index].state.reason = reason
        books.record(
            Movement(
                kind: .return, at: now, id: transferID(index), reference: transfers[index].reference,
                amount: transfers[index].amount, fee: 0))
        tell(index, "transfer.returned", strikes, ticket: nil, at: now)
    }

    mutating func cancelTransfer(_ index: Int, at now: Milliseconds) -> PartnerResponse {
        let state = transfers[index].state
        switch state.status {
        case .pending, .accepted:
            rejectTransfer(index, reason: "CUST", [], ticket: nil, at: now)
        case .rejected where state.reason == "CUST":
            break
        default:
            return .problem(409, "Conflict", "too late: the transfer is \(state.status.rawValue)")
        }
        let transfer = transfers[index]
        return PartnerResponse(200, JSONWriter.write { transfer.write(transfer.state, id: transferID(index), to: &$0) })
    }

    private mutating func tell(
        _ index: Int, _ type: String, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        let transfer = transfers[index]
        let news = News(
            type: type, reference: transfer.reference, idName: "transferId", id: transferID(index),
            status: transfer.state.status.rawValue, state: transfer.state, currency: transfer.amount.currency,
            origin: .createTransfer)
        notify(news, strikes: strikes, ticket: ticket, at: now)
    }

    // MARK: - Inquiries

    mutating func inquire(_ route: Route, _ request: PartnerRequest, at now: Milliseconds) -> PartnerResponse {
        switch route {
        case .findTransfers:
            guard let reference = request.queryValue("reference"), !reference.isEmpty else {
                return Refusal.bad("the query reference is missing").response
            }
            return PartnerResponse(200, transfersBody(reference, at: now))
        case .showTransfer(let id):
            guard let index = transferIndex(id), transfers[index].visibleAt <= now else {
                return Refusal.unknown("no such transfer").response
            }
            let transfer = transfers[index]
            return PartnerResponse(200, JSONWriter.write { transfer.write(transfer.state, id: id, to: &$0) })
        case .findAuthorizations:
            guard let reference = request.queryValue("reference"), !reference.isEmpty else {
                return Refusal.bad("the query reference is missing").response
            }
            return PartnerResponse(200, authorizationsBody(reference, at: now))
        case .showAuthorization(let id):
            guard let index = authorizationIndex(id), authorizations[index].visibleAt <= now else {
                return Refusal.unknown("no such authorization").response
            }
            return PartnerResponse(200, authorizationBody(index, at: now, full: true))
        default:
            return Refusal.unknown("no such resource").response
        }
    }

    private func transfersBody(_ reference: String, at now: Milliseconds) -> [UInt8] {
        var found: [Int] = []
        var index = transfersByReference[reference] ?? -1
        while index >= 0 {
            if transfers[Int(index)].visibleAt <= now { found.append(Int(index)) }
            index = transfers[Int(index)].previous
        }
        return JSONWriter.write { writer in
            writer.beginObject()
            writer.beginArray("transfers")
            for index in found.reversed() {
                transfers[index].write(transfers[index].state, id: transferID(index), to: &writer)
            }
            writer.endArray()
            writer.endObject()
        }
    }
}
