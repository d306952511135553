/// One attempt as the events tell of it.
struct AttemptHistory {
    var id: String
    var operation: String
    var operationID: String
    var partner: String
    var reference: String
    var key: String
    var startedAt: String
    var open = true
    var inDoubt = false
    var retried = false
    var executedByOperator = false

    /// What at most one open attempt may stand for: the operation, and for captures and refunds which one.
    var slot: String { "\(operation) \(operationID)" }
}

/// Reads one payment's events in order and notes what they break: S2, S3, S6, S7, S9, S13.
struct PaymentHistory {
    let id: String
    var kind = "payout"
    var state = "none"
    var attempts: [String: AttemptHistory] = [:]
    var escalated: Set<String> = []
    var holdOpen = false
    var currency: String?
    var authorized: Int64 = 0
    var captured: Int64 = 0
    var refunded: Int64 = 0
    var chargedBack: Int64 = 0
    var lateSuccess = false
    private var displayed = DisplayedState()
    var violations: [Violation] = []
    /// Since when it rests; nil while it does not. Milliseconds since 1970.
    var restedAt: Int64?
    /// When a command, an attempt or a repeat last gave it something to do.
    var stirredAt: Int64?

    init(id: String, events: [RecordFact]) {
        self.id = id
        kind = events.contains { $0.name == "payment.received" } ? "payment" : "payout"
        var expected: Int64 = 1
        for event in events {
            let sequence = event.data["sequence"]?.integer ?? -1
            if sequence == 0 { continue }
            if sequence != expected { note("S6", "sequence \(sequence) where \(expected) is due") }
            expected = sequence + 1
            take(event)
            clock(event)
        }
    }

    private mutating func clock(_ event: RecordFact) {
        let at = FactTime.milliseconds(event.data["occurredAt"]?.text ?? "")
        if ["command.accepted", "attempt.started", "attempt.retried"].contains(event.name) { stirredAt = at }
        restedAt = isAtRest ? restedAt ?? at : nil
    }

    /// Whether nothing more will come of it without a person.
    var isAtRest: Bool {
        LegalTransitions.terminal.contains(state) || LegalTransitions.parked.contains(state) || state == "none"
            || attempts.values.contains { escalated.contains($0.id) }
    }

    /// Whether no attempt is open, so that the books must agree with the postings.
    var nothingInFlight: Bool { !attempts.values.contains { $0.open } }

    private mutating func note(_ invariant: String, _ detail: String) {
        violations.append(Violation(invariant, id, detail))
    }

    private mutating func take(_ event: RecordFact) {
        let name = event.name
        let next = event.data["state"]?.text ?? "?"
        if let offence = LegalTransitions.offence(name, kind: kind, from: state, to: next) { note("S6", offence) }
        if LegalTransitions.terminal.contains(state), next != state, !leavesTerminal(name) {
            note("S6", "\(name) leaves the terminal state \(state)")
        }
        if let amountCurrency = (event.data["amount"] ?? event.data["settledAmount"])?["currency"]?.text {
            if let currency, currency != amountCurrency {
                note("S7", "\(name) is in \(amountCurrency), not \(currency)")
            }
            currency = currency ?? amountCurrency
        }
        screening(name)
        if name.hasPrefix("attempt.") { attempt(name, event) } else { money(name, event) }
        displayed.take(event)
        if displayed.isAuthorized, !displayed.possible.contains(next) {
            let holds = displayed.possible.sorted().joined(separator: " or ")
            note("S6", "\(name) leads from \(state) to \(next), but what holds is \(holds)")
        }
        state = next
    }

    /// What may leave a terminal state (S6).
    private func leavesTerminal(_ name: String) -> Bool {
        name.hasPrefix("attempt.") || name.hasPrefix("payment.") || name == "payout.settled"
            || name == "payout.returned"
            || name == "command.accepted"
    }

    private mutating func screening(_ name: String) {
        switch name {
        case "screening.held", "screening.blocked": holdOpen = true
        case "screening.released", "screening.passed": holdOpen = false
        case "attempt.started" where holdOpen: note("S13", "an attempt is started while a screening hold is open")
        default: break
        }
    }

    private mutating func attempt(_ name: String, _ event: RecordFact) {
        let attemptID = event.data["attemptId"]?.text ?? "?"
        if name != "attempt.escalated" { escalated.remove(attemptID) }
        if name == "attempt.started" { return start(attemptID, event) }
        guard var attempt = attempts[attemptID] else { return note("S6", "\(name) for unknown \(attemptID)") }
        switch name {
        case "attempt.in-doubt":
            attempt.inDoubt = true
        case "attempt.retried":
            attempt.retried = true
        case "attempt.rejected", "attempt.not-sent":
            if attempt.inDoubt, !attempt.retried { note("S3", "\(attemptID) leaves doubt by \(name)") }
            attempt.open = false
            attempt.inDoubt = false
        case "attempt.accepted":
            if attempt.inDoubt, !attempt.retried { note("S3", "\(attemptID) leaves doubt by \(name)") }
            attempt.inDoubt = false
            if attempt.operation == "cancel" || attempt.operation == "void" { attempt.open = false }
        case "attempt.resolved":
            resolve(&attempt, event)
        case "attempt.escalated": escalated.insert(attemptID)
        case "attempt.late-success":
            lateSuccess = true
        default: break
        }
        attempts[attemptID] = attempt
    }

    private mutating func resolve(_ attempt: inout AttemptHistory, _ event: RecordFact) {
        let kind = event.data["evidence"]?["kind"]?.text ?? "none"
        // Not in doubt, it tells how something ended that its answer has settled: the void of an authorization that was
        // found late.
        if attempt.inDoubt, !["inquiry", "notification", "report", "operator"].contains(kind), !attempt.retried {
            note("S3", "\(attempt.id) is resolved without evidence (\(kind))")
        }
        attempt.inDoubt = false
        attempt.executedByOperator = kind == "operator"
        switch event.data["outcome"]?.text ?? "?" {
        case "absent", "rejected", "settled": attempt.open = false
        case "accepted": break
        case let other: note("S3", "\(attempt.id) is resolved as \(other)")
        }
    }

    private mutating func start(_ attemptID: String, _ event: RecordFact) {
        let data = event.data
        let new = AttemptHistory(
            id: attemptID, operation: data["operation"]?.text ?? "?", operationID: data["operationId"]?.text ?? "",
            partner: data["partner"]?.text ?? "?", reference: data["reference"]?.text ?? "?",
            key: data["idempotencyKey"]?.text ?? "?", startedAt: data["occurredAt"]?.text ?? "")
        if attempts[attemptID] != nil { note("S6", "\(attemptID) is started twice") }
        for other in attempts.values where other.open && other.slot == new.slot {
            note(other.inDoubt ? "S3" : "S2", "\(attemptID) is started while \(other.id) is open")
        }
        attempts[attemptID] = new
    }

    private mutating func money(_ name: String, _ event: RecordFact) {
        let data = event.data
        let amount = (data["amount"] ?? data["settledAmount"])?["minorUnits"]?.integer ?? 0
        switch name {
        case "payment.authorized": authorized = max(authorized, amount)
        case "payment.captured": captured += amount
        case "payment.refunded": refunded += amount
        case "payment.disputed": chargedBack += amount
        case "payment.dispute-won": chargedBack -= amount
        default: break
        }
        if kind == "payment", !lateSuccess {
            if captured > authorized { note("S7", "captured \(captured) of \(authorized) authorized") }
            if refunded + chargedBack > captured {
                note("S7", "refunded \(refunded) and charged back \(chargedBack) of \(captured) captured")
            }
        }
        let tells = [
            "payout.settled", "payout.returned", "payment.captured", "payment.refunded", "payment.settled",
            "payment.disputed", "payment.dispute-won", "payment.dispute-lost",
        ]
        guard tells.contains(name) else {
            if name == "payment.authorized" || name == "payment.voided" { close(data["attemptId"]?.text) }
            return
        }
        guard let attemptID = data["attemptId"]?.text, let kind = data["evidence"]?["kind"]?.text else {
            return note("S9", "\(name) carries no attempt or no evidence")
        }
        if !["answer", "inquiry", "notification", "report", "operator"].contains(kind) {
            note("S9", "\(name) carries evidence of kind \(kind)")
        }
        if kind == "operator" { attempts[attemptID]?.executedByOperator = true }
        close(attemptID)
    }

    private mutating func close(_ attemptID: String?) {
        guard let attemptID, attempts[attemptID] != nil else { return }
        attempts[attemptID]?.open = false
        attempts[attemptID]?.inDoubt = false
    }
}
