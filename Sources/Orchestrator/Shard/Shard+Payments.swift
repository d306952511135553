import EventLog
import PaymentCore
import PaymentModel
import RecordFormat

/// The initiate that is being taken in, decoded and as the store will have it.
struct NewInitiate {
    var box: InitiationBox
    var body: [UInt8]
}

extension Shard {
    /// The payment in memory; else from the store; else, where `creating`, a new one. Nil where there is none, or where
    /// the stored state cannot be read (which raises an alarm).
    func activate(_ id: PaymentID, partition: Int32, creating: Bool) -> HotPayments.Slot? {
        if let slot = hot.find(id) {
            hot.touch(slot, at: monotonic)
            return slot
        }
        let stored: PaymentState?
        do {
            stored = try ports.log.entry(partition: partition, space: .payment, key: Array(id.text.utf8)) { entry in
                try PaymentState(id: id, decoding: entry.state)
            }
        } catch {
            raise(.unreadableState(id, detail: "\(error)"))
            return nil
        }
        if stored != nil { status.activated += 1 }
        guard let state = stored ?? (creating ? PaymentState(id: id) : nil) else { return nil }
        return hot.insert(
            HotPayment(
                actor: PaymentActor(state, on: unownedExecutor), id: id, partition: partition,
                storedTimer: stored?.timer, storedSummary: stored?.summary, lastUse: monotonic))
    }

    /// Takes an input in: steps the payment, answers what it asks for, and puts what came of it into the open batch.
    @discardableResult
    func apply(
        _ input: PaymentInput, to slot: HotPayments.Slot, cause: EventCause, initiate: NewInitiate? = nil
    ) -> Disposition {
        guard let incarnation = owned[hot[slot].partition]?.incarnation else { return .ignored(.unknownPayment) }
        let now = now(incarnation: incarnation)
        var (transition, summary) = step(input, slot, now, cause)
        let disposition = transition.disposition
        take(transition, summary, slot, now, cause, initiate)
        var decisions = 0
        while let need = transition.need {
            decisions += 1
            let answer = answer(need, slot, now, initiate: initiate, isRunaway: decisions > limits.decisionsPerStep)
            guard let answer else { break }
            (transition, summary) = step(answer, slot, now, cause)
            take(transition, summary, slot, now, cause, initiate)
        }
        return disposition
    }

    /// What the shard must know of a payment's state after a step.
    struct StepSummary: Sendable {
        var status: PaymentStatus
        /// The initiate's, where it had one.
        var traceparent: String?
    }

    private func step(
        _ input: PaymentInput, _ slot: HotPayments.Slot, _ now: Now, _ cause: EventCause
    ) -> (Transition, StepSummary) {
        // The batch leaves the shard for the time of the call, so that the payment's isolation can fill it.
        var batch = OpenBatch(number: 0)
        swap(&batch, &self.batch)
        defer { swap(&batch, &self.batch) }
        let held = held
        let partition = hot[slot].partition
        return hot[slot].actor.assumeIsolated { payment in
            let transition = payment.step(input, now: now, rules: held.value.rules)
            batch.append(transition, of: payment.state, partition: partition, cause: cause, at: now.wall, held.value)
            return (
                transition, StepSummary(status: payment.state.status, traceparent: payment.state.initiate?.traceparent)
            )
        }
    }

    /// Books what a transition brought: which state changed, which body and references are new, which effects wait.
    private func take(
        _ transition: Transition, _ summary: StepSummary, _ slot: HotPayments.Slot, _ now: Now, _ cause: EventCause,
        _ initiate: NewInitiate?
    ) {
        guard transition.changedState || !transition.events.isEmpty || !transition.effects.isEmpty else { return }
        touch(slot)
        status.events += transition.events.count
        for event in transition.events {
            switch event.body {
            case .received:
                guard let initiate else { continue }
                hot[slot].body = batch.place(initiate.body)
                hot[slot].initiation = initiate.box
            case .attemptStarted(let start):
                hot[slot].references.append(batch.place(start.reference.text.utf8))
                batch.references[start.reference.text] = hot[slot].id
            default:
                continue
            }
        }
        for effect in transition.effects {
            if case .withdraw(let attempt) = effect {
                stopSending(slot, attempt: attempt)
                continue
            }
            if case .submit(let order) = effect { domain.started(order.route, health: &health, now: now) }
            batch.effects.append(
                PendingEffect(
                    payment: hot[slot].id, partition: hot[slot].partition, incarnation: now.incarnation.number,
                    effect: effect, urgent: summary.status == .inDoubt, initiation: hot[slot].initiation,
                    traceparent: cause.traceparent ?? summary.traceparent))
        }
        switch transition.storage {
        case .keep: break
        case .dropBody: hot[slot].storage = .dropBody
        case .forget: hot[slot].storage = .forget
        }
        for event in transition.events {
            if case .attemptStarted(let start) = event.body { applyKept(start.reference, to: slot) }
        }
    }

    func touch(_ slot: HotPayments.Slot) {
        batch.touch(partition: hot[slot].partition)
        guard !hot[slot].isTouched else { return }
        hot[slot].isTouched = true
        batch.touched.append(slot)
    }

    /// Positive evidence against a closed attempt has come: what was not sent yet of this payment is not sent, whatever
    /// becomes of the commit.
    private func stopSending(_ slot: HotPayments.Slot, attempt: Int) {
        let id = hot[slot].id
        _ = outbox.withdraw { job in
            guard job.payment == id, case .submit(let order) = job.order else { return false }
            return order.attempt == attempt
        }
        // Ordered with a batch that is not durable yet, or in this very one: not even begun.
        func isOfAttempt(_ pending: PendingEffect) -> Bool {
            guard pending.payment == id, case .submit(let order) = pending.effect else { return false }
            return order.attempt == attempt
        }
        for index in batch.effects.indices where isOfAttempt(batch.effects[index]) {
            batch.effects[index].isWithdrawn = true
        }
        for index in (flying?.effects ?? []).indices {
            guard let pending = flying?.effects[index], isOfAttempt(pending) else { continue }
            flying?.effects[index].isWithdrawn = true
        }
    }

    // MARK: Decisions

    private func answer(
        _ need: Need, _ slot: HotPayments.Slot, _ now: Now, initiate: NewInitiate?, isRunaway: Bool
    ) -> PaymentInput? {
        let initiation = initiate?.box.initiation ?? initiation(of: slot)
        guard !isRunaway, let initiation else {
            if isRunaway { raise(.runaway(hot[slot].id)) }
            return handToPeople(need, now)
        }
        switch need {
        case .screening:
            return .screened(domain.screen(initiation, now: now))
        case .route(let routeNeed):
            return .routed(
                domain.route(
                    initiation, need: routeNeed, payment: hot[slot].id, health: health, now: now))
        }
    }

    /// A decision that cannot be made: somebody must look, and nobody else waits for it.
    private func handToPeople(_ need: Need, _ now: Now) -> PaymentInput {
        let rules = domain.rules
        let deadline = now.wall + rules.manualDeadline
        switch need {
        case .screening:
            return .screened(
                .held(owner: rules.manualOwner, deadline: deadline, entry: "undecidable", listVersion: 0))
        case .route:
            let order = OffloadOrder(
                lane: .manual, owner: rules.manualOwner, deadline: deadline, releaseRule: "operator", releaseAt: nil,
                manualOwner: rules.manualOwner, manualDeadline: rules.manualDeadline)
            return .routed(
                RouteDecision(policyVersion: "none", candidates: [], eliminated: [], outcome: .offload(order)))
        }
    }

    /// The decoded initiate of a payment: from memory until its batch is durable, from then on from the store.
    func initiation(of slot: HotPayments.Slot) -> Initiation? {
        if let box = hot[slot].initiation { return box.initiation }
        let kind = hot[slot].actor.assumeIsolated { $0.state.kind }
        guard let kind else { return nil }
        return storedInitiation(hot[slot].id, partition: hot[slot].partition, kind: kind)
    }

    func storedInitiation(_ id: PaymentID, partition: Int32, kind: PaymentKind) -> Initiation? {
        let held = held
        do {
            let key = Array(id.text.utf8)
            let found = try ports.log.entry(partition: partition, space: .payment, key: key) { entry -> Initiation? in
                guard let body = entry.body else { return nil }
                return held.value.initiation(body: body, kind: kind)
            }
            if let initiation = found ?? nil { return initiation }
            raise(.unreadableState(id, detail: "the initiate's body is missing or cannot be read"))
        } catch {
            raise(.unreadableState(id, detail: "\(error)"))
        }
        return nil
    }

    func raise(_ alarm: ShardAlarm) { ports.alarms.raise(alarm, shard: index) }

    // MARK: Passivation

    /// Lets payments leave memory: only what is durable to its last state, and of which nothing is under way.
    func passivate() {
        var looked = 0
        while looked < 256, let slot = hot.leastRecent {
            let isIdle = hot[slot].lastUse + limits.idle < monotonic
            guard isIdle || hot.count > limits.hotPayments else { return }
            looked += 1
            guard hot[slot].canRest(committed: committed) else {
                hot.touch(slot, at: monotonic)
                continue
            }
            hot.remove(slot)
            status.passivated += 1
        }
    }
}
