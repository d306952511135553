import PaymentModel

extension Step {
    /// Nobody knows what became of a request: every other route is closed until there is evidence (S3; rows C03, C04).
    mutating func fallIntoDoubt(_ number: Int, _ cause: DoubtCause) {
        let operation = state.attempts[number - 1].operation
        state.attempts[number - 1].phase = .inDoubt
        state.attempts[number - 1].slotsFrom = now.wall
        state.attempts[number - 1].slot = 0
        state.attempts[number - 1].gateInquiries = 0
        let main = operation == .payout || operation == .authorize
        let target: PaymentStatus? = main ? .inDoubt : operation == .cancel ? nil : displayed
        emit(.attemptInDoubt(attempt: number, cause: cause), to: target)
        planInquiry(number)
    }

    // MARK: - Planning

    /// Whether the partner is asked about this attempt.
    private func isAskedAbout(_ attempt: Attempt) -> Bool {
        attempt.phase == .inDoubt || attempt.phase == .accepted || attempt.contradicted || attempt.watched
    }

    /// Decides what happens next about an attempt whose end is not known: an inquiry at its next slot; one more after
    /// the gate, where all slots lay before it; where the partner cannot be asked, the same key while it lives; else a
    /// person.
    mutating func planInquiry(_ number: Int) {
        let attempt = state.attempts[number - 1]
        guard isAskedAbout(attempt), attempt.outstanding == 0 || attempt.phase == .accepted else { return }
        if attempt.escalated { return }
        // Only the customer, or the partner's notification, moves it on: inquiries follow `complete-action`.
        if attempt.operation == .authorize, attempt.isOpen, state.status == .actionRequired { return unplan(number) }
        let terms = terms(of: attempt)
        out.changedState = true
        if attempt.operation == .cancel { return planCancelRepeat(number, terms) }
        guard terms.inquiry else { return planRepeat(number, terms) }
        let slots = attempt.phase == .accepted ? terms.acceptedInquirySlots : terms.inquirySlots
        if attempt.slot < slots.count {
            plan(number, .inquire, at: attempt.slotsFrom + slots[attempt.slot])
        } else if attempt.phase == .inDoubt, attempt.gateInquiries < 3,
            let gate = AbsenceGate.opening(attempt, terms: terms, now: now)
        {
            let wait = max(gate - now.monotonic + Milliseconds(20), attempt.gateInquiries > 0 ? .seconds(2) : .zero)
            plan(number, .inquire, at: now.wall + wait)
        } else {
            escalate(number)
        }
    }

    private mutating func plan(_ number: Int, _ plan: Attempt.Plan, at due: Timestamp) {
        state.attempts[number - 1].plan = plan
        state.attempts[number - 1].due = max(due, now.wall)
    }

    mutating func unplan(_ number: Int) {
        state.attempts[number - 1].plan = .nothing
        state.attempts[number - 1].due = nil
    }

    /// The same key to the same partner while the key lives, on the slots; then a person. What a partner has taken that
    /// cannot be asked is left to its notifications for as long as others are asked.
    private mutating func planRepeat(_ number: Int, _ terms: RouteTerms) {
        let attempt = state.attempts[number - 1]
        if attempt.phase == .accepted, let last = terms.acceptedInquirySlots.last,
            now.wall < attempt.slotsFrom + last
        {
            return plan(number, .escalate, at: attempt.slotsFrom + last)
        }
        guard attempt.phase == .inDoubt, attempt.slot < terms.inquirySlots.count, isKeyAlive(attempt),
            !isStopped(attempt, number)
        else { return escalate(number) }
        plan(number, .resend, at: attempt.slotsFrom + terms.inquirySlots[attempt.slot])
    }

    /// A cancel in doubt is repeated until it is answered or the payout has ended; doubt about it changes no state.
    private mutating func planCancelRepeat(_ number: Int, _ terms: RouteTerms) {
        let attempt = state.attempts[number - 1]
        guard attempt.phase == .inDoubt else { return }
        guard isKeyAlive(attempt) else { return unplan(number) }
        let slot = terms.inquirySlots.indices.contains(attempt.slot) ? terms.inquirySlots[attempt.slot] : nil
        plan(number, .resend, at: slot.map { attempt.slotsFrom + $0 } ?? (now.wall + .seconds(10)))
    }

    // MARK: - What is due

    /// The attempt's timer has fired.
    mutating func planIsDue(_ number: Int) {
        let attempt = state.attempts[number - 1]
        unplan(number)
        out.changedState = true
        switch attempt.plan {
        case .nothing: break
        case .overdue: overdue(number)
        case .resend: resendIsDue(number)
        case .inquire: ask(number, usesSlot: true)
        case .escalate: inquiriesMayBeOver(number)
        case .restart: restart(number)
        }
    }

    /// Our own sender owes its report: nothing is concluded from a timer (row B07); it is waited for.
    private mutating func overdue(_ number: Int) {
        guard state.attempts[number - 1].outstanding != 0 else { return planInquiry(number) }
        plan(number, .overdue, at: now.wall + .seconds(10))
    }

    private mutating func resendIsDue(_ number: Int) {
        let attempt = state.attempts[number - 1]
        let stopped = isStopped(attempt, number)
        switch attempt.phase {
        case .sending:
            // Every earlier request was answered as not processed.
            if stopped || attempt.requests >= 30 { return endUnsent(number) }
            resend(number)
        case .inDoubt:
            if attempt.operation == .cancel {
                guard state.openMainAttempt != nil else { return close(number, .over) }
                state.attempts[number - 1].slot += 1
                return mayRepeat(attempt) && !stopped ? resend(number) : planCancelRepeat(number, terms(of: attempt))
            }
            if stopped { return escalate(number) }
            state.attempts[number - 1].slot += 1
            if mayRepeat(attempt) { resend(number) } else { planInquiry(number) }
        default: break
        }
    }

    // MARK: - Asking

    /// An inquiry now, beside the slots.
    mutating func askSoon(_ number: Int) {
        let attempt = state.attempts[number - 1]
        guard terms(of: attempt).inquiry, attempt.operation != .cancel else { return ignore(.provesNothing) }
        if !attempt.isOpen, !attempt.contradicted, !attempt.watched {
            state.attempts[number - 1].watched = true
            state.attempts[number - 1].slotsFrom = now.wall
            state.attempts[number - 1].slot = 0
        }
        out.changedState = true
        if attempt.outstanding != 0, attempt.phase != .accepted, attempt.isOpen { return }
        if attempt.inquiryOut != 0 {
            if attempt.plan == .nothing || attempt.plan == .escalate {
                plan(number, .inquire, at: now.wall + .seconds(1))
            }
            return
        }
        ask(number, usesSlot: false)
    }

    private mutating func ask(_ number: Int, usesSlot: Bool) {
        guard isAskedAbout(state.attempts[number - 1]) else { return }
        let terms = terms(of: state.attempts[number - 1])
        if usesSlot { state.attempts[number - 1].slot += 1 }
        state.attempts[number - 1].inquiries += 1
        state.attempts[number - 1].inquiryOut = state.attempts[number - 1].inquiries
        state.attempts[number - 1].inquiryIncarnation = now.incarnation.number
        let attempt = state.attempts[number - 1]
        if let gate = AbsenceGate.opening(attempt, terms: terms, now: now), now.monotonic >= gate {
            state.attempts[number - 1].gateInquiries += 1
        }
        out.effects.append(
            .inquire(
                InquiryOrder(
                    attempt: number, inquiry: attempt.inquiries, operation: attempt.operation, route: attempt.route,
                    reference: attempt.reference, amount: attempt.amount,
                    partnerReference: attempt.partnerReference, target: target(of: attempt))))
        let slots = attempt.phase == .accepted ? terms.acceptedInquirySlots : terms.inquirySlots
        if attempt.slot < slots.count {
            plan(number, .inquire, at: attempt.slotsFrom + slots[attempt.slot])
        } else {
            plan(number, .escalate, at: now.wall + terms.requestTimeout + .seconds(2))
        }
    }

    /// Slots are used up: one more inquiry after the gate where that is owed, else a person.
    private mutating func inquiriesMayBeOver(_ number: Int) {
        state.attempts[number - 1].inquiryOut = 0
        planInquiry(number)
    }

    // MARK: - Answers to inquiries

    /// The end of an inquiry. What it proves, it proves as of the moment when it was sent (rows B10, B11).
    mutating func inquired(_ report: InquiryReport) {
        guard exists(report.attempt) else { return ignore(.unknownAttempt) }
        let attempt = state.attempts[report.attempt - 1]
        guard report.incarnation == now.incarnation.number else { return ignore(.earlierIncarnation) }
        guard report.inquiry == attempt.inquiryOut, attempt.inquiryOut != 0 else { return ignore(.notAsked) }
        state.attempts[report.attempt - 1].inquiryOut = 0
        out.changedState = true
        switch report.outcome {
        case .unanswered: break
        case .notFound:
            if attempt.phase == .inDoubt, provesAbsence(attempt, seenAt: report.sentAt) {
                return endAbsent(report.attempt, .inquiry(number: report.inquiry))
            }
            if attempt.watched, !attempt.contradicted { return stopWatching(report.attempt) }
        case .found(let order):
            take(order, of: report.attempt, .inquiry(number: report.inquiry), sentAt: report.sentAt)
            if state.attempts[report.attempt - 1].watched { return stopWatching(report.attempt) }
        }
        let present = state.attempts[report.attempt - 1]
        if present.plan == .escalate || present.plan == .nothing { planInquiry(report.attempt) }
    }

    /// "Not found" proves absence: sent after the gate, never contradicted by "accepted", within the memory of the
    /// books.
    func provesAbsence(_ attempt: Attempt, seenAt: MonotonicTime) -> Bool {
        let terms = terms(of: attempt)
        guard !attempt.everAccepted, attempt.outstanding == 0,
            let gate = AbsenceGate.opening(attempt, terms: terms, now: now)
        else { return false }
        return seenAt >= gate
            && AbsenceGate.booksRemember(attempt, terms: terms, now: now, skew: rules.clockSkew)
    }

    private mutating func stopWatching(_ number: Int) {
        state.attempts[number - 1].watched = false
        guard !state.attempts[number - 1].isOpen, !state.attempts[number - 1].contradicted else { return }
        unplan(number)
        planOwedRestart(number)
    }

    // MARK: - Escalation

    /// Inquiries are used up: the attempt is parked for a person, its age and exposure visible (row B33).
    private mutating func escalate(_ number: Int) {
        let attempt = state.attempts[number - 1]
        unplan(number)
        out.changedState = true
        if attempt.watched, !attempt.isNegative, !attempt.isOpen { return stopWatching(number) }
        guard !attempt.escalated else { return }
        state.attempts[number - 1].watched = false
        emit(
            .attemptEscalated(
                attempt: number, owner: terms(of: attempt).escalationOwner, exposure: attempt.amount))
        state.attempts[number - 1].escalated = true
        alarm(.escalated(attempt: number))
        planOwedRestart(number)
    }
}
