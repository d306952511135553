import PaymentModel

/// What the events of a payment alone say of it: computed without the machine, so that `state = fold(events)` (S8) is a
/// check and not a tautology.
public struct PaymentFold: Hashable, Sendable {
    /// The state of the last event.
    public private(set) var status = PaymentStatus.none
    /// The sequence of the last event.
    public private(set) var sequence: Int64 = 0
    /// Numbers of the attempts whose end is not told.
    public private(set) var open: Set<Int> = []
    /// Numbers of the attempts that are in doubt.
    public private(set) var inDoubt: Set<Int> = []
    /// Captured so far, in minor units.
    public private(set) var captured: Int64 = 0
    /// Refunded so far, in minor units.
    public private(set) var refunded: Int64 = 0
    /// Charged back and not won again, in minor units.
    public private(set) var chargedBack: Int64 = 0
    /// Whether the events have been in order so far.
    public private(set) var isGapless = true
    /// Whether every event so far leads, by `TransitionTable`, from the state before it to its own, and from the
    /// authorization on to the state that holds by what the events tell.
    public private(set) var isLegal = true
    /// The first event that does not, and from where; for the message of a failed check.
    public private(set) var illegal: String?
    private var kind: PaymentKind?
    private var displayed = DisplayFold()
    private var operations: [Int: Operation] = [:]

    /// The fold of no events.
    public init() {}

    /// Takes the next event.
    public mutating func take(_ event: PaymentEvent) {
        if event.sequence == 0 { return }
        if event.sequence != sequence + 1 { isGapless = false }
        if case .received(let received, _, _) = event.body { kind = received }
        let kinds = kind.map { [$0] } ?? [.payout, .payment]
        displayed.take(event.body)
        if !displayed.allows(event.status)
            || !kinds.contains(where: {
                TransitionTable.allows(event.body.name.description, kind: $0, from: status, to: event.status)
            })
        {
            isLegal = false
            illegal = illegal ?? "\(event.body.name): \(status.name) to \(event.status.name)"
        }
        sequence = event.sequence
        status = event.status
        switch event.body {
        case .attemptStarted(let start):
            open.insert(start.attempt)
            operations[start.attempt] = start.operation
        case .attemptInDoubt(let attempt, _): inDoubt.insert(attempt)
        case .attemptAccepted(let attempt, _):
            inDoubt.remove(attempt)
            if operations[attempt] == .cancel { open.remove(attempt) }
        case .attemptRejected(let attempt, _, _, _), .attemptNotSent(let attempt, _): end(attempt)
        case .attemptResolved(let attempt, let outcome, _, _):
            inDoubt.remove(attempt)
            if outcome != .accepted || operations[attempt] == .cancel { open.remove(attempt) }
        default: takeMoney(event.body)
        }
    }

    private mutating func takeMoney(_ body: EventBody) {
        switch body {
        case .payoutSettled(let moved):
            end(moved.attempt)
            endAll(.cancel)
        case .payoutFailed, .payoutCancelled: endAll(.cancel)
        case .paymentAuthorized(let attempt, _, _): end(attempt)
        case .paymentCaptured(let moved):
            captured += moved.amount.minorUnits
            end(moved.attempt)
        case .paymentRefunded(let moved):
            refunded += moved.amount.minorUnits
            end(moved.attempt)
        case .paymentVoided(let attempt, _):
            if let attempt { end(attempt) }
            endAll(.authorize)
        case .paymentExpired: endAll(.authorize)
        case .paymentDisputed(let moved): chargedBack += moved.amount.minorUnits
        case .paymentDisputeWon(let moved): chargedBack -= moved.amount.minorUnits
        default: break
        }
    }

    private mutating func endAll(_ operation: Operation) {
        for attempt in Array(open) where operations[attempt] == operation { end(attempt) }
    }

    private mutating func end(_ attempt: Int) {
        open.remove(attempt)
        inDoubt.remove(attempt)
    }
}
