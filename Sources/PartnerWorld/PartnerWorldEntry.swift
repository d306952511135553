import CanonicalJSON

// The way of a request of the partner's own API: log, token, faults, key, form, order.
extension PartnerWorld {
    mutating func enter(_ route: Route, _ request: PartnerRequest, _ ticket: PartnerTicket, at now: Milliseconds) {
        if case .token = route {
            issueToken(request, ticket, at: now)
            return
        }
        let line = log.append(
            RequestLine(
                at: now, method: request.method, path: request.path, key: request.key, bodyHash: request.bodyHash,
                reference: reference(route, request)))
        var reply = Reply(ticket: ticket, line: line)
        if let refusal = refuseWithoutToken(request, at: now) {
            conclude(reply, refusal, at: now)
            return
        }
        var strikes = faults.strikes(.request, route, at: now)
        var facts: OrderFacts?
        var plan = Plan()
        let known = request.key.flatMap { keys.find($0, at: now) }
        if known == nil, let order = orderFacts(route, request) {
            facts = order
            plan.verdict = triggers.consequence(of: order)
            if case .fault(let rule)? = plan.verdict {
                let strike = Strike(rule: rule, draw: generator.next())
                if rule.fault.stage == .request { strikes.append(strike) } else { plan.strikes.append(strike) }
            }
        }
        if let (response, manner, delay) = strikeBefore(strikes) {
            reply.manner = manner
            reply.delay = delay
            conclude(reply, response, at: now)
            return
        }
        let executeAfter = strikeAfter(strikes, &reply)
        guard route.isOrder else {
            conclude(reply, inquire(route, request, at: now), at: now)
            return
        }
        order(route, request, reply, facts: facts, plan: plan, known: known, executeAfter: executeAfter, at: now)
    }

    /// What a fault does instead of executing: nil where none strikes before.
    private func strikeBefore(_ strikes: [Strike]) -> (PartnerResponse, Reply.Manner, Milliseconds)? {
        let empty = PartnerResponse(500, [])
        for strike in strikes {
            let time = strike.rule.milliseconds
            switch strike.rule.fault {
            case .refuse: return (.problem(403, "Forbidden", "turned away, not processed"), .whole, 0)
            case .resetBefore: return (empty, .reset, 0)
            case .timeoutBefore: return (empty, .close, time ?? 30_000)
            case .error5xxBefore: return (empty, .error(status: PartnerWorld.serverError(strike.draw)), 0)
            case .tooManyRequests:
                let seconds = max(1, ((time ?? 1_000) + 999) / 1_000)
                let header = PartnerHeader(name: "Retry-After", value: String(seconds))
                return (.problem(429, "Too Many Requests", "not processed", headers: [header]), .whole, 0)
            case .brownOut where strike.draw % 4 == 1:
                return (empty, .error(status: PartnerWorld.serverError(strike.draw / 4)), 0)
            default: break
            }
        }
        return nil
    }

    /// What faults do to the answer; returns how much later it is executed.
    private func strikeAfter(_ strikes: [Strike], _ reply: inout Reply) -> Milliseconds {
        var executeAfter: Milliseconds = 0
        for strike in strikes {
            let time = strike.rule.milliseconds
            switch strike.rule.fault {
            case .delay: reply.delay += time ?? 1_000
            case .delayBeforeExecuting: executeAfter += time ?? 1_000
            case .resetAfter: reply.manner = .reset
            case .timeoutAfter:
                reply.manner = .close
                reply.delay += time ?? 30_000
            case .error5xxAfter: reply.manner = .error(status: PartnerWorld.serverError(strike.draw))
            case .garbage: reply.manner = .garbage
            case .truncated: reply.manner = .truncated
            case .endless: reply.manner = .endless(time ?? 30_000)
            case .brownOut: brownOut(strike, &reply)
            default: break
            }
        }
        return executeAfter
    }

    private func brownOut(_ strike: Strike, _ reply: inout Reply) {
        switch strike.draw % 4 {
        case 0: reply.delay += 1_000
        case 2: reply.manner = .error(status: PartnerWorld.serverError(strike.draw / 4))
        default:
            reply.manner = .close
            reply.delay += 5_000
        }
    }

    private static func serverError(_ draw: UInt64) -> Int { [500, 502, 503, 504][Int(draw % 4)] }

    /// The reference that a line of the log bears: that of the body, or of the inquiry.
    private func reference(_ route: Route, _ request: PartnerRequest) -> String? {
        switch route {
        case .findTransfers, .findAuthorizations: request.queryValue("reference")
        case .showTransfer(let id): transferIndex(id).map { transfers[$0].reference }
        case .showAuthorization(let id): authorizationIndex(id).map { authorizations[$0].reference }
        case .createTransfer, .createAuthorization, .capture, .void, .refund:
            request.document.flatMap { document in document.member(.root, "reference").flatMap { document.string($0) } }
        default: nil
        }
    }

    private mutating func order(
        _ route: Route, _ request: PartnerRequest, _ reply: Reply, facts: OrderFacts?, plan: Plan, known: KeyEntry?,
        executeAfter: Milliseconds, at now: Milliseconds
    ) {
        guard let key = request.key, (1...255).contains(key.utf8.count) else {
            conclude(reply, .problem(400, "Bad Request", "Idempotency-Key of 1 to 255 characters is required"), at: now)
            return
        }
        if let known {
            replay(known, key: key, request, reply, at: now)
            return
        }
        guard transfers.count + authorizations.count + operationCount < settings.maximumOrders else {
            conclude(reply, .problem(503, "Service Unavailable", "the books are full"), at: now)
            return
        }
        let entry = KeyEntry(
            path: request.path, bodyHash: request.bodyHash, expiresAt: now + settings.keyLifetime,
            state: .inProcess([reply]))
        keys.record(key, entry, at: now)
        var plan = plan
        plan.strikes += faults.strikes(.outcome, route, at: now)
        switch record(route, request, facts, plan, at: now) {
        case .failure(let refusal): settle(key, .response(refusal.response), refusal.response, at: now)
        case .success(let order):
            if executeAfter > 0 {
                agenda.add(.execute(order, key: key), at: now + executeAfter)
            } else {
                execute(order, key: key, ticket: reply.ticket, at: now)
            }
        }
    }

    private mutating func replay(
        _ known: KeyEntry, key: String, _ request: PartnerRequest, _ reply: Reply, at now: Milliseconds
    ) {
        guard known.path == request.path, known.bodyHash == request.bodyHash else {
            conclude(reply, .problem(409, "Conflict", "the key was used for another request"), at: now)
            return
        }
        var reply = reply
        reply.isReplay = true
        switch known.state {
        case .inProcess: keys.wait(reply, for: key)
        case .response(let response): conclude(reply, response, at: now)
        case .transfer(let index): conclude(reply, firstAnswer(index), at: now)
        }
    }

    /// The first answer: remembered, and given to all who wait for it.
    mutating func settle(_ key: String, _ state: KeyEntry.State, _ response: PartnerResponse, at now: Milliseconds) {
        for reply in keys.settle(key, state) { conclude(reply, response, at: now) }
    }

    mutating func execute(_ order: Order, key: String?, ticket: PartnerTicket? = nil, at now: Milliseconds) {
        let response: PartnerResponse
        let ticket = ticket ?? key.flatMap { keys.firstWaiting(for: $0) }
        var state: KeyEntry.State?
        switch order {
        case .transfer(let index, let plan):
            executeTransfer(index, plan, ticket: ticket, at: now)
            transfers[index].firstAnswer = transfers[index].state
            state = .transfer(index)
            response = firstAnswer(index)
        case .cancel(let index):
            response = cancelTransfer(index, at: now)
        case .authorization(let index, let plan):
            executeAuthorization(index, plan, ticket: ticket, at: now)
            response = PartnerResponse(201, authorizationBody(index, at: now, full: false))
        case .operation(let index, let place, let plan):
            executeOperation(index, place, plan, ticket: ticket, at: now)
            response = PartnerResponse(201, operationBody(index, place))
        }
        if let key { settle(key, state ?? .response(response), response, at: now) }
    }

    // MARK: - Tokens

    /// 401 where a token is asked for and none that is good is there.
    private func refuseWithoutToken(_ request: PartnerRequest, at now: Milliseconds) -> PartnerResponse? {
        guard settings.client != nil else { return nil }
        let header = PartnerHeader(name: "WWW-Authenticate", value: "Bearer realm=\"\(settings.name)\"")
        let refusal = PartnerResponse.problem(401, "Unauthorized", "a bearer token is required", headers: [header])
        guard let text = request.authorization, text.lowercased().hasPrefix("bearer "),
            let expiry = tokens[String(text.dropFirst(7))], expiry > now
        else { return refusal }
        return nil
    }

    /// OAuth 2.0 client credentials (RFC 6749 section 4.4), credentials in the header or the form.
    private mutating func issueToken(_ request: PartnerRequest, _ ticket: PartnerTicket, at now: Milliseconds) {
        var reply = Reply(ticket: ticket, line: -1)
        let strikes = faults.strikes(.request, .token, at: now)
        if let (response, manner, delay) = strikeBefore(strikes) {
            reply.manner = manner
            reply.delay = delay
            conclude(reply, response, at: now)
            return
        }
        reply.delay = strikeAfter(strikes, &reply) + reply.delay
        conclude(reply, tokenResponse(request, at: now), at: now)
    }

    private mutating func tokenResponse(_ request: PartnerRequest, at now: Milliseconds) -> PartnerResponse {
        let form = FormFields(request.body)
        guard form["grant_type"] == "client_credentials" else {
            return PartnerResponse(400, Array(#"{"error":"unsupported_grant_type"}"#.utf8))
        }
        let basic = request.authorization.flatMap { BasicCredentials($0) }
        if let client = settings.client {
            guard (basic?.user ?? form["client_id"]) == client.identifier,
                (basic?.password ?? form["client_secret"]) == client.secret
            else {
                let header = PartnerHeader(name: "WWW-Authenticate", value: "Basic realm=\"\(settings.name)\"")
                return PartnerResponse(401, Array(#"{"error":"invalid_client"}"#.utf8), headers: [header])
            }
        }
        for (token, expiry) in tokens where expiry <= now { tokens[token] = nil }
        let token = "\(settings.name)-" + String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
        tokens[token] = now + settings.tokenLifetime
        let body = JSONWriter.write { writer in
            writer.beginObject()
            writer.member("access_token", token)
            writer.member("token_type", "Bearer")
            writer.member("expires_in", settings.tokenLifetime / 1_000)
            writer.endObject()
        }
        return PartnerResponse(200, body, headers: [PartnerHeader(name: "Cache-Control", value: "no-store")])
    }
}
