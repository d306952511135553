import CanonicalJSON

// `/_control`: what testers steer and read. Never struck by faults, never asked for a token, never logged.
extension PartnerWorld {
    mutating func control(_ route: Route, _ request: PartnerRequest, _ ticket: PartnerTicket, at now: Milliseconds) {
        switch route {
        case .faults: setFaults(request, ticket, at: now)
        case .showFaults: answer(ticket, PartnerResponse(200, rulesBody))
        case .books:
            let body = books.write(partner: settings.name, droppedNotifications: outbox.dropped)
            answer(ticket, PartnerResponse(200, body))
        case .requests:
            guard let after = number(request, "after", 0), let limit = number(request, "limit", Int.max) else {
                answer(ticket, Refusal.bad("after and limit must be integers of 0 and more").response)
                return
            }
            answer(ticket, PartnerResponse(200, log.write(partner: settings.name, after: after, limit: limit)))
        case .heal:
            heal(at: now)
            answer(ticket, PartnerResponse(200, rulesBody))
        default:
            answer(ticket, Refusal.unknown("no such resource").response)
        }
    }

    private func number(_ request: PartnerRequest, _ name: String, _ absent: Int) -> Int? {
        guard let text = request.queryValue(name) else { return absent }
        guard let value = Int(text), value >= 0 else { return nil }
        return value
    }

    /// All rules are taken, or none.
    private mutating func setFaults(_ request: PartnerRequest, _ ticket: PartnerTicket, at now: Milliseconds) {
        do throws(PartnerSettingsError) {
            guard let document = request.document else { throw PartnerSettingsError("", "the body must be JSON") }
            let reader = try StrictReader(JSONValue(document), "", known: ["rules", "replace"])
            guard reader.members["rules"] != nil else { throw PartnerSettingsError("rules", "is missing") }
            var rules: [FaultRule] = []
            for (index, element) in try reader.array("rules").enumerated() {
                rules.append(try FaultRule(element, "rules.\(index)"))
            }
            if try reader.bool("replace") ?? false { faults.removeAll() }
            guard faults.rules.count + rules.count <= 1_000 else {
                throw PartnerSettingsError("rules", "more than 1000 rules are in force")
            }
            for rule in rules { addRule(rule, at: now) }
            answer(ticket, PartnerResponse(200, rulesBody))
        } catch {
            answer(ticket, .problem(400, "Bad Request", error.description))
        }
    }

    private var rulesBody: [UInt8] {
        JSONWriter.write { writer in
            writer.beginObject()
            writer.beginArray("rules")
            for var rule in faults.rules {
                rule = seeded(rule)
                rule.write(to: &writer)
            }
            writer.endArray()
            writer.endObject()
        }
    }

    /// Ends all rules and brown-outs, sends what was postponed. What was decided about an order when it was read stays
    /// decided; answers on their way stay as slow as they are.
    private mutating func heal(at now: Milliseconds) {
        faults.removeAll()
        effects.append(.refuseConnections(milliseconds: 0))
        for held in outbox.postponed { outbox.makeReady(held) }
    }
}
