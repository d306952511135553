import CanonicalJSON

extension PartnerWorld {
    func authorizationID(_ index: Int) -> String { "\(settings.name)-a\(index + 1)" }

    func authorizationIndex(_ id: String) -> Int? {
        let prefix = settings.name + "-a"
        guard id.hasPrefix(prefix), let number = Int(id.dropFirst(prefix.count)), number >= 1,
            number <= authorizations.count, id == authorizationID(number - 1)
        else { return nil }
        return number - 1
    }

    mutating func recordAuthorization(_ form: OrderForm, _ plan: Plan, at now: Milliseconds) throws(Refusal) -> Order {
        let reference = try form.text("reference", 64)
        let amount = try form.amount()
        let mode = try form.optionalText("captureMode", 16) ?? "manual"
        guard mode == "manual" || mode == "automatic" else { throw .bad("captureMode must be manual or automatic") }
        let instrument = try form.object("instrument")
        var plan = plan
        switch form.text(instrument, "type") {
        case "card":
            guard let token = form.text(instrument, "token"), !token.isEmpty else {
                throw .bad("instrument.token must be a text")
            }
            plan.verdict = PartnerWorld.verdict(plan.verdict, token: token)
        case "openBanking":
            guard form.text(instrument, "bank") != nil else { throw .bad("instrument.bank must be a text") }
        default:
            throw .bad("instrument.type must be card or openBanking")
        }
        let index = authorizations.count
        authorizations.append(
            Authorization(
                reference: reference, amount: amount, visibleAt: visibleAt(plan, at: now),
                isAutomatic: mode == "automatic"))
        authorizationsByReference[reference, default: []].append(index)
        return .authorization(index, plan)
    }

    /// The test instruments of the contract, section 6; a trigger's verdict goes first.
    private static func verdict(_ planned: Trigger.Consequence?, token: String) -> Trigger.Consequence? {
        switch planned {
        case .settle, .reject, .challenge: return planned
        case .fault, nil: break
        }
        switch token {
        case "tok_decline_soft": return .reject(reason: "AB05")
        case "tok_decline_hard": return .reject(reason: "AC04")
        case "tok_challenge": return .challenge
        default: return planned
        }
    }

    mutating func executeAuthorization(_ index: Int, _ plan: Plan, ticket: PartnerTicket?, at now: Milliseconds) {
        authorizations[index].strikes = plan.strikes
        switch plan.verdict {
        case .reject(let reason): rejectAuthorization(index, reason: reason, plan.strikes, ticket: ticket, at: now)
        case .challenge: authorizations[index].state.status = .actionRequired
        case .settle(let after) where after > 0:
            agenda.add(.acceptAuthorization(index, plan.strikes), at: now + after)
        default:
            if let strike = plan.strike(.lateRejection) {
                let reason = strike.rule.reason ?? "AC04"
                let time = now + (strike.rule.milliseconds ?? 1_000)
                agenda.add(.rejectAuthorization(index, reason: reason, plan.strikes), at: time)
            } else {
                acceptAuthorization(index, plan.strikes, ticket: ticket, at: now)
            }
        }
    }

    mutating func acceptAuthorization(_ index: Int, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds) {
        guard [.pending, .actionRequired].contains(authorizations[index].state.status) else { return }
        authorizations[index].state.status = .accepted
        tell(index, "authorization.accepted", strikes, ticket: ticket, at: now)
        guard authorizations[index].isAutomatic else { return }
        let place = appendOperation(
            .capture, index, reference: authorizations[index].reference,
            amount: authorizations[index].amount, visibleAt: authorizations[index].visibleAt)
        executeOperation(index, place, Plan(), ticket: ticket, at: now)
    }

    mutating func rejectAuthorization(
        _ index: Int, reason: String, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        guard [.pending, .actionRequired].contains(authorizations[index].state.status) else { return }
        authorizations[index].state.status = .rejected
        authorizations[index].state.reason = reason
        tell(index, "authorization.rejected", strikes, ticket: ticket, at: now)
    }

    /// The customer's page: a GET completes the challenge (`?outcome=declined` declines it) and answers the parameters
    /// that the redirect brings back. Again: the same answer.
    mutating func completeChallenge(
        _ id: String, _ request: PartnerRequest, _ ticket: PartnerTicket, at now: Milliseconds
    ) {
        guard let index = authorizationIndex(id), authorizations[index].state.status != .pending else {
            answer(ticket, Refusal.unknown("no such challenge").response)
            return
        }
        if authorizations[index].state.status == .actionRequired {
            let strikes = authorizations[index].strikes
            if request.queryValue("outcome") == "declined" {
                rejectAuthorization(index, reason: "CUST", strikes, ticket: nil, at: now)
            } else {
                acceptAuthorization(index, strikes, ticket: nil, at: now)
            }
        }
        let authorization = authorizations[index]
        let body = JSONWriter.write { writer in
            writer.beginObject()
            writer.member("authorizationId", id)
            writer.member("reference", authorization.reference)
            writer.member("result", authorization.state.status == .accepted ? "completed" : "declined")
            writer.endObject()
        }
        answer(ticket, PartnerResponse(200, body))
    }

    private mutating func tell(
        _ index: Int, _ type: String, _ strikes: [Strike], ticket: PartnerTicket?, at now: Milliseconds
    ) {
        let authorization = authorizations[index]
        let news = News(
            type: type, reference: authorization.reference, idName: "authorizationId", id: authorizationID(index),
            status: authorization.state.status.rawValue, state: authorization.state,
            currency: authorization.amount.currency, origin: .createAuthorization)
        notify(news, strikes: strikes, ticket: ticket, at: now)
    }

    // MARK: - Bodies

    func authorizationBody(_ index: Int, at now: Milliseconds, full: Bool) -> [UInt8] {
        JSONWriter.write { writeAuthorization(index, at: now, full: full, to: &$0) }
    }

    func authorizationsBody(_ reference: String, at now: Milliseconds) -> [UInt8] {
        JSONWriter.write { writer in
            writer.beginObject()
            writer.beginArray("authorizations")
            for index in authorizationsByReference[reference] ?? [] where isVisible(index, reference, at: now) {
                writeAuthorization(index, at: now, full: true, to: &writer)
            }
            writer.endArray()
            writer.endObject()
        }
    }

    /// By its own reference once it is shown; by an operation's once that is shown, too.
    private func isVisible(_ index: Int, _ reference: String, at now: Milliseconds) -> Bool {
        let authorization = authorizations[index]
        guard authorization.visibleAt <= now else { return false }
        if authorization.reference == reference { return true }
        return authorization.operations.contains { $0.reference == reference && $0.visibleAt <= now }
    }

    private func writeAuthorization(_ index: Int, at now: Milliseconds, full: Bool, to writer: inout JSONWriter) {
        let authorization = authorizations[index]
        let id = authorizationID(index)
        writer.beginObject()
        writer.member("id", id)
        writer.member("reference", authorization.reference)
        writer.member("status", authorization.state.status.rawValue)
        writer.memberOrNull("reason", authorization.state.reason)
        authorization.amount.write("amount", to: &writer)
        if authorization.state.status == .actionRequired {
            writer.member("redirectUrl", "\(settings.publicURL)/challenges/\(id)")
        }
        if full {
            let shown = authorization.operations.filter { $0.visibleAt <= now }
            writeOperations("captures", .capture, shown, index, to: &writer)
            writeOperations("voids", .void, shown, index, to: &writer)
            writeOperations("refunds", .refund, shown, index, to: &writer)
            writer.beginArray("disputes")
            for dispute in authorization.disputes {
                writer.beginObject()
                writer.member("id", "\(settings.name)-d\(dispute.number)")
                writer.member("reference", dispute.captureReference)
                writer.member("authorizationId", id)
                writer.member("status", dispute.status.rawValue)
                Amount(currency: authorization.amount.currency, minorUnits: dispute.minorUnits)
                    .write("amount", to: &writer)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
    }

    private func writeOperations(
        _ name: StaticString, _ kind: OperationKind, _ operations: [Operation], _ index: Int,
        to writer: inout JSONWriter
    ) {
        writer.beginArray(name)
        for operation in operations where operation.kind == kind { writeOperation(operation, index, to: &writer) }
        writer.endArray()
    }

    func operationBody(_ index: Int, _ place: Int) -> [UInt8] {
        JSONWriter.write { writeOperation(authorizations[index].operations[place], index, to: &$0) }
    }

    private func writeOperation(_ operation: Operation, _ index: Int, to writer: inout JSONWriter) {
        let currency = authorizations[index].amount.currency
        writer.beginObject()
        writer.member("id", operationID(operation.number))
        writer.member("reference", operation.reference)
        writer.member("authorizationId", authorizationID(index))
        writer.member("status", operation.state.status.rawValue)
        writer.memberOrNull("reason", operation.state.reason)
        Amount(currency: currency, minorUnits: operation.minorUnits).write("amount", to: &writer)
        if operation.kind == .capture { writeFee(operation.state, currency: currency, to: &writer) }
        writer.endObject()
    }

    func operationID(_ number: Int) -> String { "\(settings.name)-o\(number)" }
}
