import CanonicalJSON
import PaymentModel

/// What an event's name implies, as members of its data: the contract, section 3.
struct EventData {
    let payment: String
    /// The moment of the decision: its day is the value date where a partner tells none, as in the posting.
    let occurredAt: Timestamp

    private func attempt(_ number: Int, _ writer: inout JSONWriter) {
        writer.member("attemptId", payment, "-attempt-", Int64(number))
    }

    private func hold(_ number: Int, _ writer: inout JSONWriter) {
        writer.member("holdId", payment, "-hold-", Int64(number))
    }

    private func offload(_ number: Int, _ writer: inout JSONWriter) {
        writer.member("offloadId", payment, "-offload-", Int64(number))
    }

    func write(_ body: EventBody, to writer: inout JSONWriter) {
        switch body {
        case .commandAccepted, .commandRejected, .received, .payoutCancelRequested, .payoutCancelled:
            writeCommand(body, to: &writer)
        case .screeningPassed, .screeningHeld, .screeningReleased, .screeningBlocked, .offloadEntered, .offloadLeft:
            writeWaiting(body, to: &writer)
        case .routeSelected(let decision): write(decision, to: &writer)
        case .attemptStarted(let start): write(start, to: &writer)
        case .attemptRetried, .attemptAccepted, .attemptRejected, .attemptNotSent, .attemptInDoubt, .attemptInquired,
            .attemptResolved, .attemptEscalated, .attemptLateSuccess:
            writeAttempt(body, to: &writer)
        case .payoutSubmitted(let number): attempt(number, &writer)
        case .payoutSettled(let moved): write(moved, amount: "settledAmount", to: &writer)
        case .payoutReturned(let moved, let code):
            writer.member("code", code)
            write(moved, amount: "amount", to: &writer)
        case .paymentCaptured(let moved), .paymentRefunded(let moved), .paymentSettled(let moved),
            .paymentDisputed(let moved), .paymentDisputeWon(let moved), .paymentDisputeLost(let moved):
            write(moved, amount: "amount", to: &writer)
        case .payoutFailed(let code), .paymentFailed(let code): writer.member("code", code)
        case .paymentExpired: break
        case .paymentActionRequired(let number, let url):
            attempt(number, &writer)
            writer.member("redirectUrl", url)
        case .paymentAuthorized(let number, let amount, let evidence):
            attempt(number, &writer)
            writer.member("amount", amount)
            write(evidence, to: &writer)
        case .paymentVoided(let number, let evidence):
            if let number { attempt(number, &writer) }
            if let evidence { write(evidence, to: &writer) }
        }
    }

    private func writeCommand(_ body: EventBody, to writer: inout JSONWriter) {
        switch body {
        case .commandAccepted(let id, let source, let type, let duplicateOf):
            command(id, source, type, &writer)
            writer.member("duplicateOf", optional: duplicateOf)
        case .commandRejected(let id, let source, let type, let refusal):
            command(id, source, type, &writer)
            writer.member("code", refusal.code.rawValue)
            writer.member("message", refusal.message)
            writer.member("field", optional: refusal.field)
        case .received(_, let amount, let endToEndID):
            writer.member("instructedAmount", amount)
            // The field may hold what looks like a card number; no event may.
            if let endToEndID, !CardNumberDetector.isCardNumber(endToEndID.utf8.span) {
                writer.member("endToEndId", endToEndID)
            }
        default: break
        }
    }

    private func command(_ id: String, _ source: String, _ type: String, _ writer: inout JSONWriter) {
        writer.member("commandId", id)
        writer.member("commandSource", source)
        writer.member("commandType", type)
    }

    private func writeWaiting(_ body: EventBody, to writer: inout JSONWriter) {
        switch body {
        case .screeningHeld(let number, let owner, let deadline):
            hold(number, &writer)
            writer.member("owner", owner)
            writer.member("deadline", deadline)
        case .screeningReleased(let number, let operatorName, let reason):
            hold(number, &writer)
            writer.member("operator", operatorName)
            writer.member("reason", optional: reason)
        case .screeningBlocked(let number, let operatorName, let reason):
            if let number { hold(number, &writer) }
            writer.member("operator", optional: operatorName)
            writer.member("reason", optional: reason)
        case .offloadEntered(let number, let lane, let owner, let deadline, let releaseRule):
            offload(number, &writer)
            writer.member("lane", literal: lane.name)
            writer.member("owner", owner)
            writer.member("deadline", deadline)
            writer.member("releaseRule", releaseRule)
        case .offloadLeft(let number, let operatorName, let reason):
            offload(number, &writer)
            writer.member("operator", optional: operatorName)
            writer.member("reason", optional: reason)
        default: break
        }
    }

    private func writeAttempt(_ body: EventBody, to writer: inout JSONWriter) {
        switch body {
        case .attemptRetried(let number, let request, let sendDeadline):
            attempt(number, &writer)
            writer.member("try", request)
            writer.member("sendDeadline", sendDeadline)
        case .attemptAccepted(let number, let partnerReference):
            attempt(number, &writer)
            writer.member("partnerReference", optional: partnerReference)
        case .attemptRejected(let number, let code, let partnerCode, let mayGoElsewhere):
            attempt(number, &writer)
            writer.member("code", code)
            writer.member("partnerCode", optional: partnerCode)
            writer.member("mayGoElsewhere", mayGoElsewhere)
        case .attemptNotSent(let number, let cause):
            attempt(number, &writer)
            writer.member("cause", cause.rawValue)
        case .attemptInDoubt(let number, let cause):
            attempt(number, &writer)
            writer.member("cause", cause.rawValue)
        case .attemptInquired(let number, let status, let evidence):
            attempt(number, &writer)
            writer.member("status", literal: status.name)
            write(evidence, to: &writer)
        case .attemptResolved(let number, let outcome, let code, let evidence):
            attempt(number, &writer)
            writer.member("outcome", literal: outcome.name)
            writer.member("code", optional: code)
            write(evidence, to: &writer)
        case .attemptEscalated(let number, let owner, let exposure):
            attempt(number, &writer)
            writer.member("owner", owner)
            writer.member("exposure", exposure)
        case .attemptLateSuccess(let number, let evidence):
            attempt(number, &writer)
            write(evidence, to: &writer)
        default: break
        }
    }
}

// MARK: - Parts

extension EventData {
    private func write(_ moved: MoneyMoved, amount: StaticString, to writer: inout JSONWriter) {
        attempt(moved.attempt, &writer)
        writer.member("operationId", optional: moved.operationID)
        writer.member(amount, moved.amount)
        if let fee = moved.fee { writer.member("fee", fee) }
        writer.member("valueDate", moved.valueDate ?? CalendarDate(utc: occurredAt))
        write(moved.evidence, to: &writer)
    }

    private func write(_ evidence: Evidence, to writer: inout JSONWriter) {
        writer.beginObject("evidence")
        writer.member("kind", literal: evidence.kind)
        switch evidence {
        case .answer: break
        case .inquiry(let number): writer.member("number", number)
        case .notification(let id), .report(let id): writer.member("id", id)
        case .operatorDecision(let name, let observedAt, let note):
            writer.member("operator", name)
            if let observedAt { writer.member("observedAt", observedAt) }
            writer.member("note", optional: note)
        }
        writer.endObject()
    }

    private func write(_ start: AttemptStart, to writer: inout JSONWriter) {
        attempt(start.attempt, &writer)
        writer.member("operation", literal: start.operation.name)
        writer.member("operationId", optional: start.operationID)
        writer.member("partner", start.route.partner.text)
        writer.member("rail", start.route.rail.text)
        writer.member("role", literal: start.role.name)
        writer.member("reference", start.reference.text)
        writer.member("amount", start.amount)
        writer.member("idempotencyKey", start.idempotencyKey)
        writer.member("sendDeadline", start.sendDeadline)
    }

    private func write(_ decision: RouteDecision, to writer: inout JSONWriter) {
        writer.member("policyVersion", decision.policyVersion)
        // By index: an element that is bound is copied, with a count for each of its strings.
        let candidates = decision.candidates.span
        writer.beginArray("candidates")
        for index in candidates.indices {
            writer.beginObject()
            writer.member("partner", candidates[index].route.partner.text)
            writer.member("rail", candidates[index].route.rail.text)
            writer.member("role", literal: candidates[index].role.name)
            let cost = candidates[index].cost
            writer.beginObject("cost")
            writer.member("fixed", cost.fixed)
            writer.member("variable", cost.variable)
            writer.member("total", cost.total)
            writer.member("currency", cost.currency)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
        let eliminated = decision.eliminated.span
        writer.beginArray("eliminated")
        for index in eliminated.indices {
            writer.beginObject()
            writer.member("partner", eliminated[index].route.partner.text)
            writer.member("rail", eliminated[index].route.rail.text)
            writer.member("code", eliminated[index].code.rawValue)
            writer.member("detail", eliminated[index].detail)
            writer.endObject()
        }
        writer.endArray()
        if !decision.health.isEmpty { write(decision.health, to: &writer) }
    }

    private func write(_ health: [RouteHealthInput], to writer: inout JSONWriter) {
        writer.beginArray("health")
        for input in health {
            writer.beginObject()
            writer.member("partner", input.route.partner.text)
            writer.member("rail", input.route.rail.text)
            writer.member("breaker", input.breaker.rawValue)
            writer.member("recentFailures", input.recentFailures)
            writer.member("recentOutcomes", input.recentOutcomes)
            writer.member("throttledPerMille", input.throttledPerMille)
            writer.member("openAttempts", input.openAttempts)
            writer.endObject()
        }
        writer.endArray()
    }
}
