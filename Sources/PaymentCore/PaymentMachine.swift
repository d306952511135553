import PaymentModel

/// The machine of payouts and payments. Pure: equal state, input, clocks and rules give an equal transition.
public enum PaymentMachine {
    /// Takes one input. Total: an input from outside is applied, or refused or ignored with a reason; it never traps.
    ///
    /// A `need` in the transition must be answered by another step before the commit is closed. Cost: linear in the
    /// payment's attempts and commands.
    public static func step(
        _ state: inout PaymentState, _ input: PaymentInput, now: Now, rules: CoreRules
    ) -> Transition {
        // Swapped in and out, never copied: the machine holds the only reference to the arrays, else every change would
        // copy them.
        var step = Step(state: PaymentState(id: state.id), now: now, rules: rules)
        swap(&step.state, &state)
        step.takeOver()
        step.take(input)
        step.finish()
        swap(&step.state, &state)
        var transition = Transition(.applied)
        swap(&transition, &step.out)
        return transition
    }
}

/// One step under way: the state, the clocks, the rules, and what has come of it so far.
struct Step {
    var state: PaymentState
    let now: Now
    let rules: CoreRules
    var out = Transition(.applied)

    init(state: PaymentState, now: Now, rules: CoreRules) {
        self.state = state
        self.now = now
        self.rules = rules
    }

    mutating func take(_ input: PaymentInput) {
        switch input {
        case .command(let command): take(command)
        case .screened(let result): screened(result)
        case .routed(let decision): routed(decision)
        case .sendEnded(let report): sendEnded(report)
        case .inquired(let report): inquired(report)
        case .notified(let notification): notified(notification)
        case .timer(let due): timerFired(due)
        }
    }

    /// The one choke point: numbers the event, moves the state, notes both. That every move is in `TransitionTable` is
    /// `PaymentFold`'s to check, in every test and simulation: nothing that comes from outside may ever trap.
    mutating func emit(_ body: consuming EventBody, to status: PaymentStatus? = nil) {
        let target = status ?? state.status
        if target != state.status {
            state.status = target
            state.since = now.wall
            state.deadlineTold = false
        }
        state.sequence += 1
        if out.events.isEmpty { out.events.reserveCapacity(4) }
        out.events.append(
            PaymentEvent(sequence: state.sequence, status: target, occurredAt: now.wall, body: body))
        out.changedState = true
    }

    mutating func ignore(_ reason: IgnoreReason) {
        if !out.changedState { out.disposition = .ignored(reason) }
    }

    mutating func alarm(_ alarm: Alarm) { out.effects.append(.alarm(alarm)) }

    /// After the step: how long the entry stays. Finished payments from their end; the ids of commands that created
    /// none from the last of them; stubs as they are.
    mutating func finish() {
        guard out.changedState, out.storage != .forget, !state.isStub else { return }
        if state.status == .none {
            state.retention = state.seenCommands.isEmpty ? nil : now.wall + rules.retention
        } else if !state.isFinished {
            state.retention = nil
        } else if state.retention == nil {
            state.retention = now.wall + rules.retention
        }
    }

    /// Whether the payment has an attempt with that number. Numbers come from outside, too: any integer may.
    func exists(_ number: Int) -> Bool { number >= 1 && number <= state.attempts.count }

    func terms(_ route: Route) -> RouteTerms? { rules.terms[route] }

    /// Where nobody knows the route any more, nothing is proven and nothing is repeated: the attempt goes to a person.
    func terms(of attempt: Attempt) -> RouteTerms { terms(attempt.route) ?? .unknown }
}

extension RouteTerms {
    /// The terms of a route that the catalogue does not know: no promise of any kind.
    static let unknown = RouteTerms(
        sendDeadline: .seconds(5), requestTimeout: .seconds(10), inFlightBound: nil, visibilityLag: nil,
        booksRetention: .zero, inquiry: false, inquirySlots: [], acceptedInquirySlots: [],
        key: Key(
            bindsAllRequests: false, recordedOnReceipt: false, safeWithoutInquiry: false, lifetime: nil, margin: .zero),
        canCancel: false, notProcessedRepeats: 0, operationRestarts: 0, authorizationLifetime: .seconds(7 * 86_400),
        actionLifetime: .seconds(3_600), reversalWindow: .seconds(400 * 86_400), escalationOwner: "operations")
}
