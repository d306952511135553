import EventLog
import MessageCodec
import PaymentCore
import PaymentModel

/// What an input comes with.
struct StepContext: Sendable {
    var now: Now
    var partition: Int32
    /// Where the payment is.
    var slot: HotPayments.Slot
    var cause: EventCause
    /// The initiate that is being taken in: its body goes into the batch where it is accepted.
    var initiate: NewInitiate?
    /// The payment's initiate, decoded, where it is in memory.
    var initiation: Initiation?
    /// Decisions that may still be asked for.
    var decisionsLeft: Int
}

/// What the shard must know of a payment after an input; the rest lies in the batch.
struct StepOutcome: Sendable {
    var disposition = Disposition.applied
    /// Whether there is anything to store.
    var isChanged = false
    var events = 0
    /// A decision that could not be made within the call.
    var need: Need?
    var decisionsLeft: Int
    /// The new body's place in the batch.
    var body: Range<Int>?
    /// The payment's initiate where it is in memory, the accepted new one included: then decisions are made within the
    /// call. One that is refused, because the payment has another, never gets here.
    var initiation: Initiation?
    /// References that were given, with their places in the batch.
    var references: [(reference: Reference, place: Range<Int>)] = []
    /// Number of the batch's effects before the first of this input.
    var firstEffect: Int
    /// Attempts that may not send any more, each with the number of the batch's effects that it is about.
    var withdrawn: [(attempt: Int, effects: Int)] = []
    var storage = Transition.Storage.keep
}

/// One payment or payout in memory: its state, isolated to the shard's thread. `take` is synchronous, so nothing can come
/// between an input and its transition; the shard calls it by `assumeIsolated`, without a hop.
actor PaymentActor {
    nonisolated let executor: UnownedSerialExecutor
    /// The state: committed, or in the batch that is being filled or committed.
    private(set) var state: PaymentState

    /// The actor of a payment on the shard's thread. The shard outlives its actors, so the reference needs no owner.
    init(_ state: PaymentState, on executor: UnownedSerialExecutor) {
        self.state = state
        self.executor = executor
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor }

    /// Takes an input: steps the machine, puts what came of it into the batch, and answers the decisions that it asks
    /// for, as long as the initiate is in memory.
    func take<Domain: PaymentDomain>(
        _ input: PaymentInput, _ context: borrowing StepContext, into batch: OpenBatch, _ domain: HeldDomain<Domain>,
        _ health: Domain.Health
    ) -> StepOutcome {
        PaymentActor.take(&state, input, context, into: batch, domain, health)
    }

    /// Encodes the state at the end of the batch's bytes.
    func store(into batch: OpenBatch) -> StoredForm { PaymentActor.store(&state, into: batch) }

    // The state is handed on in place: as a value it would be copied, with a count for each of its texts.

    private static func take<Domain: PaymentDomain>(
        _ state: inout PaymentState, _ input: PaymentInput, _ context: borrowing StepContext, into batch: OpenBatch,
        _ domain: HeldDomain<Domain>, _ health: Domain.Health
    ) -> StepOutcome {
        var outcome = StepOutcome(
            decisionsLeft: context.decisionsLeft, initiation: context.initiation, firstEffect: batch.effects.count)
        var transition = PaymentMachine.step(&state, input, now: context.now, rules: domain.rules)
        outcome.disposition = transition.disposition
        // The initiate is known after the first step, if ever: the records of all steps bear the same context.
        let cause = EventContext(
            paymentID: state.id, correlationID: context.cause.correlationID ?? state.initiate?.correlationID,
            causationID: context.cause.causationID,
            traceparent: context.cause.traceparent ?? state.initiate?.traceparent)
        while true {
            let need = transition.need
            batch.take(&transition, of: &state, context, cause, domain, &outcome)
            guard let need else { return outcome }
            outcome.decisionsLeft -= 1
            guard outcome.decisionsLeft >= 0, let initiation = outcome.initiation else {
                outcome.need = need
                return outcome
            }
            let answer = domain.answer(need, initiation, state.id, health, context.now)
            transition = PaymentMachine.step(&state, answer, now: context.now, rules: domain.rules)
        }
    }

    private static func store(_ state: inout PaymentState, into batch: OpenBatch) -> StoredForm {
        let start = batch.commit.bytes.count
        state.encode(into: &batch.commit.bytes)
        return StoredForm(
            state: start..<batch.commit.bytes.count, timer: state.timer, summary: state.summary)
    }
}

/// What a state write needs of a payment; `references` only of an entry that goes.
struct StoredForm: Sendable {
    /// The encoded state's place in the batch.
    var state: Range<Int>?
    var timer: Timestamp?
    var summary: PaymentSummary?
    var references: [Reference] = []
}

extension HeldDomain {
    /// The answer to a need of a payment with this initiate.
    func answer(
        _ need: Need, _ initiation: Initiation, _ payment: PaymentID, _ health: Domain.Health, _ now: Now
    ) -> PaymentInput {
        switch need {
        case .screening: .screened(value.screen(initiation, now: now))
        case .route(let routeNeed):
            .routed(value.route(initiation, need: routeNeed, payment: payment, health: health, now: now))
        }
    }
}
