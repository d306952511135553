import EventLog
import PaymentCore
import PaymentModel
import RecordFormat

/// The initiate that is being taken in, decoded and as the store will have it.
struct NewInitiate: Sendable {
    var initiation: Initiation
    var body: [UInt8]
}

extension Shard {
    /// The payment in memory; else from the store; else, where `creating`, a new one. Nil where there is none, or where
    /// the stored state cannot be read (which raises an alarm). `lastAt`: where it was when it was last seen.
    func activate(
        _ id: PaymentID, partition: Int32, creating: Bool, lastAt: HotPayments.Slot? = nil
    ) -> HotPayments.Slot? {
        let known = lastAt.map { hot.find(id, lastAt: $0) } ?? hot.find(id)
        if let slot = known {
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
        guard let stored else {
            guard creating else { return nil }
            return hot.insert(
                HotPayment(
                    actor: PaymentActor(PaymentState(id: id), on: unownedExecutor), id: id, partition: partition,
                    storedTimer: nil, storedSummary: nil, lastUse: monotonic))
        }
        status.activated += 1
        return hot.insert(
            HotPayment(
                actor: PaymentActor(stored, on: unownedExecutor), id: id, partition: partition,
                storedTimer: stored.timer, storedSummary: stored.summary, lastUse: monotonic))
    }

    /// Takes an input in: steps the payment, answers what it asks for, and puts what came of it into the open batch.
    @discardableResult
    func apply(
        _ input: consuming PaymentInput, to slot: HotPayments.Slot, cause: consuming EventCause,
        initiate: consuming NewInitiate? = nil
    ) -> Disposition {
        let payment = hot[slot]
        guard let incarnation = owned.incarnation(of: payment.partition) else { return .ignored(.unknownPayment) }
        var context = StepContext(
            now: now(incarnation: incarnation), partition: payment.partition, slot: slot, cause: cause,
            initiate: initiate,
            initiation: payment.initiation, decisionsLeft: limits.decisionsPerStep)
        var outcome = step(input, payment, context)
        let disposition = outcome.disposition
        take(outcome, slot, payment, context.now)
        while let need = outcome.need {
            context.decisionsLeft = outcome.decisionsLeft
            context.initiate = nil
            context.initiation = payment.initiation
            outcome = step(answer(need, slot, &context), payment, context)
            take(outcome, slot, payment, context.now)
        }
        return disposition
    }

    private func step(_ input: PaymentInput, _ payment: HotPayment, _ context: StepContext) -> StepOutcome {
        let held = held
        let batch = batch
        let health = health
        return payment.actor.assumeIsolated { $0.take(input, context, into: batch, held, health) }
    }

    /// Books what an input brought beside the batch: what is to be stored, what is ordered, what may not be sent.
    private func take(
        _ outcome: borrowing StepOutcome, _ slot: HotPayments.Slot, _ payment: HotPayment, _ now: Now
    ) {
        guard outcome.isChanged else { return }
        touch(slot, payment)
        status.events += outcome.events
        if let body = outcome.body {
            payment.body = body
            payment.initiation = outcome.initiation
        }
        for index in outcome.withdrawn.indices {
            let withdrawal = outcome.withdrawn[index]
            stopSending(payment.id, attempt: withdrawal.attempt, effects: withdrawal.effects)
        }
        let held = held
        for index in outcome.firstEffect..<batch.effects.count {
            guard let route = batch.effects[index].submitRoute else { continue }
            held.value.started(route, health: &health, now: now)
        }
        if outcome.storage != .keep { payment.storage = outcome.storage }
        for index in outcome.references.indices {
            let given = outcome.references[index]
            payment.references.append(given.place)
            applyKept(given.reference, to: slot)
        }
    }

    private func touch(_ slot: HotPayments.Slot, _ payment: HotPayment) {
        guard !payment.isTouched else { return }
        batch.touch(partition: payment.partition)
        payment.isTouched = true
        batch.touched.append(slot)
    }

    /// Positive evidence against a closed attempt has come: what was not sent yet of this payment is not sent, whatever
    /// becomes of the commit. `effects`: how many of the open batch's effects were ordered before.
    private func stopSending(_ id: PaymentID, attempt: Int, effects: Int) {
        _ = outbox.withdraw { job in
            guard job.payment == id, case .submit(let order) = job.order else { return false }
            return order.attempt == attempt
        }
        // Ordered with a batch that is not durable yet, or in this very one: not even begun.
        batch.withdraw(id, attempt: attempt, effects: effects)
        if let flying { flying.withdraw(id, attempt: attempt, effects: flying.effects.count) }
    }

    // MARK: Decisions

    /// The answer to a need that could not be answered at once: the initiate is in the store, or there is none, or the
    /// payment asks without end.
    private func answer(_ need: Need, _ slot: HotPayments.Slot, _ context: inout StepContext) -> PaymentInput {
        let payment = hot[slot]
        let isRunaway = context.decisionsLeft < 0
        guard !isRunaway, let initiation = initiation(of: slot) else {
            if isRunaway { raise(.runaway(payment.id)) }
            return handToPeople(need, context.now)
        }
        return held.answer(need, initiation, payment.id, health, context.now)
    }

    /// A decision that cannot be made: somebody must look, and nobody else waits for it.
    private func handToPeople(_ need: Need, _ now: Now) -> PaymentInput {
        let rules = held.rules
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
        let payment = hot[slot]
        if let initiation = payment.initiation { return initiation }
        let kind = payment.actor.assumeIsolated { $0.state.kind }
        guard let kind else { return nil }
        return storedInitiation(payment.id, partition: payment.partition, kind: kind)
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
