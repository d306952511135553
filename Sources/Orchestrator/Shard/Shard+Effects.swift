import EventLog
import Partners
import PaymentCore
import PaymentModel
import Routing

extension Shard {
    /// Does what a batch ordered, now that it is durable. Submits exist only here, and only in memory: a restore brings
    /// none back, an intent without a result is in doubt.
    func run(_ effects: consuming [PendingEffect]) {
        effects.reverse()
        while let pending = effects.popLast() {
            switch pending.effect {
            case .withdraw:
                continue  // done at once, with the step
            case .alarm(let alarm):
                raise(.payment(pending.payment, alarm))
            case .submit(let order):
                send(.submit(order), pending, deadline: order.sendDeadline)
            case .inquire(let order):
                // While draining nobody waits for an answer; the payment's timer asks again after the restart.
                if case .draining = phase { continue }
                send(
                    .inquire(order, urgent: pending.urgent), pending, deadline: monotonic + limits.inquiryTimeout)
            }
        }
    }

    private func send(_ order: OutboxOrder, _ pending: PendingEffect, deadline: MonotonicTime) {
        // Only the incarnation that committed the order may carry it out.
        guard owned.incarnation(of: pending.partition)?.number == pending.incarnation else { return }
        nextExchange += 1
        let job = OutboxJob(
            id: nextExchange, payment: pending.payment, slot: pending.slot, partition: pending.partition,
            incarnation: pending.incarnation,
            order: order, permit: SendPermit(deadline: deadline),
            initiation: order.isSubmit ? pending.initiation : nil, traceparent: pending.traceparent,
            orderedAt: monotonic)
        if let slot = hot.find(pending.payment, lastAt: pending.slot) { hot[slot].underWay += 1 }
        let refusal = pending.isWithdrawn ? .notAuthorized : outbox.accept(job, now: monotonic)
        if let cause = refusal {
            job.permit.withdraw()
            results.append(OutboxResult(job: job, end: ExchangeEnd(.notSent(cause))))
        }
    }

    /// Hands to the transport what the partners' shares allow.
    func startExchanges() {
        while let job = outbox.next() { start(job) }
    }

    private func start(_ job: OutboxJob) {
        if job.order.isSubmit, job.permit.isWithdrawn { return refuse(job, .notAuthorized) }
        if job.order.isSubmit, job.permit.deadline < monotonic { return refuse(job, .deadline) }
        guard let call = call(of: job) else { return refuse(job, .unrepresentable) }
        let timeout: Milliseconds
        switch job.order {
        case .submit(let order):
            timeout = order.timeout
            status.requests += 1
            if order.request > 1 { status.repeats += 1 }
        case .inquire:
            timeout = limits.inquiryTimeout
            status.inquiries += 1
        }
        let exchange = PartnerExchange(
            id: job.id, partner: job.order.route.partner, call: call, permit: job.permit, timeout: timeout,
            traceparent: job.traceparent)
        let id = job.id
        let mailbox = mailbox
        let executor = ports.executor
        ports.transport.begin(exchange) { end in
            if mailbox.post(.exchangeEnded(id: id, end)) { executor.requestTurn() }
        }
    }

    /// The same order gives the same call, byte for byte: it is made of the order and of the stored initiate only.
    private func call(of job: OutboxJob) -> PartnerHTTPRequest? {
        let held = held
        switch job.order {
        case .inquire(let order, _):
            return held.value.call(for: order)
        case .submit(let order):
            switch order.operation {
            case .capture, .refund, .void, .cancel:
                return held.value.call(for: order, initiation: job.initiation)
            case .payout, .authorize:
                if let initiation = job.initiation { return held.value.call(for: order, initiation: initiation) }
                let kind: PaymentKind = order.operation == .payout ? .payout : .payment
                let stored = storedInitiation(job.payment, partition: job.partition, kind: kind)
                guard let stored else { return nil }
                return held.value.call(for: order, initiation: stored)
            }
        }
    }

    private func refuse(_ job: OutboxJob, _ cause: NotSentCause) {
        job.permit.withdraw()
        guard let job = outbox.end(job.id, answered: false, now: monotonic) else { return }
        results.append(OutboxResult(job: job, end: ExchangeEnd(.notSent(cause))))
    }

    /// What waits and may not leave any more is told at once, not when its turn would have come.
    func expireWaiting() {
        guard outbox.waiting > 0 else { return }
        for job in outbox.expired(now: monotonic) {
            let cause: NotSentCause = job.permit.isWithdrawn ? .notAuthorized : .deadline
            job.permit.withdraw()
            results.append(OutboxResult(job: job, end: ExchangeEnd(.notSent(cause))))
        }
    }

    // MARK: Results

    func exchangeEnded(_ id: UInt64, _ end: ExchangeEnd) {
        var wasAnswered = false
        if case .answered = end.outcome { wasAnswered = true }
        if let job = outbox.end(id, answered: wasAnswered, now: monotonic) {
            results.append(OutboxResult(job: job, end: end))
        } else if let job = orphans.removeValue(forKey: id) {
            // Marked by its incarnation: it ends nothing, but a late "accepted" must not be lost.
            results.append(OutboxResult(job: job, end: end))
        }
    }

    /// Takes what partners answered to the payments.
    func applyResults() {
        guard !results.isEmpty else { return }
        var taken: [OutboxResult] = []
        swap(&taken, &results)
        for result in taken {
            guard owned.contains(result.job.partition) else {
                // Right after a recovery the log has not said yet which partitions are ours; later it has.
                if !logIsDry { results.append(result) }
                continue
            }
            if case .draining(_, cutShort: true) = phase, case .notSent = result.end.outcome { continue }
            let job = result.job
            guard let slot = activate(job.payment, partition: job.partition, creating: false, lastAt: job.slot) else {
                continue
            }
            let payment = hot[slot]
            payment.underWay = max(0, payment.underWay - 1)
            let cause = EventCause(traceparent: result.job.traceparent)
            switch result.job.order {
            case .submit(let order): apply(.sendEnded(report(result, order)), to: slot, cause: cause)
            case .inquire(let order, _): apply(.inquired(report(result, order)), to: slot, cause: cause)
            }
        }
    }

    private func report(_ result: OutboxResult, _ order: SendOrder) -> SendReport {
        let held = held
        let outcome: SendOutcome
        switch result.end.outcome {
        case .notSent(let cause):
            // A permit that was used and a transport that says "not sent" contradict each other: the bytes win.
            outcome = result.job.permit.isTaken && !cause.canFollowPermit ? .unclear(.aborted) : .notSent(cause)
        case .unclear(let cause): outcome = .unclear(cause)
        case .answered(let answer):
            outcome = read(held.value.outcome(of: answer, to: order), result.job, attempt: order.attempt)
        }
        note(outcome, result.job)
        return SendReport(
            attempt: order.attempt, request: order.request, incarnation: result.job.incarnation, outcome: outcome,
            endOfUpload: result.end.endOfUpload)
    }

    private func report(_ result: OutboxResult, _ order: InquiryOrder) -> InquiryReport {
        let outcome: InquiryOutcome
        switch result.end.outcome {
        case .notSent, .unclear: outcome = .unanswered
        case .answered(let answer):
            outcome = read(held.value.outcome(of: answer, to: order), result.job, attempt: order.attempt)
        }
        return InquiryReport(
            attempt: order.attempt, inquiry: order.inquiry, incarnation: result.job.incarnation,
            // Never the moment of the answer: what an inquiry proves, it proves as of its sending (row B10). Where no
            // moment was taken it was ordered no later than it was sent.
            sentAt: result.job.permit.granted ?? result.job.orderedAt, outcome: outcome)
    }

    /// What an answer means; what is strange about it is told at once, whatever becomes of the payment. A refused request
    /// is told by the payment's machine.
    private func read<Outcome>(_ reading: Reading<Outcome>, _ job: OutboxJob, attempt: Int) -> Outcome {
        if let alarm = reading.alarm, alarm != .requestRefused {
            raise(.partner(job.payment, attempt: attempt, partner: job.order.route.partner, alarm))
        }
        return reading.outcome
    }

    private func note(_ outcome: SendOutcome, _ job: OutboxJob) {
        // What an earlier incarnation ordered was taken out of the book when it ended.
        guard owned.incarnation(of: job.partition)?.number == job.incarnation else { return }
        let health: RouteOutcome
        switch outcome {
        case .order, .refused, .tooLate: health = .answered
        case .notProcessed(let status, _): health = status == 429 ? .turnedAway : .failed
        case .unclear: health = .failed
        case .notSent(let cause):
            switch cause {
            case .nameResolution, .connect, .tls, .credentials: health = .failed
            case .deadline, .notAuthorized, .queueFull, .notConfigured, .notProcessed, .unrepresentable:
                health = .neutral
            }
        }
        ended(job, health)
    }

    func ended(_ job: OutboxJob, _ outcome: RouteOutcome) {
        let held = held
        held.value.ended(
            job.order.route, outcome, startedAt: job.orderedAt, health: &health, now: now(incarnation: nil))
    }
}

extension NotSentCause {
    /// Whether the transport can say this after the permit was granted: the connection was asked for before the first
    /// byte, and none came about.
    fileprivate var canFollowPermit: Bool {
        switch self {
        case .nameResolution, .connect, .tls, .credentials: true
        case .deadline, .notAuthorized, .queueFull, .notConfigured, .notProcessed, .unrepresentable: false
        }
    }
}
