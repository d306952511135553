import PaymentCore
import PaymentModel

/// One payment or payout in memory: its state, isolated to the shard's thread. `step` is synchronous, so nothing can come
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

    /// Takes an input.
    func step(_ input: PaymentInput, now: Now, rules: CoreRules) -> Transition {
        PaymentMachine.step(&state, input, now: now, rules: rules)
    }

    /// Goes back to a state from before this input, which could not be taken to its end.
    func restore(_ earlier: PaymentState) { state = earlier }
}
