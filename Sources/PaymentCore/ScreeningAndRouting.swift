import PaymentModel

extension Step {
    // MARK: - Screening

    /// The answer to `Need.screening`: first in state screening, and again after an offload lane was left, where it
    /// counts only if the lists have changed since. An answer that was not asked for lifts nothing (row B52).
    mutating func screened(_ result: ScreeningResult) {
        let first = state.status == .screening
        let again = state.status == .routing && state.pending == .rescreen
        guard first || again else { return ignore(.notAsked) }
        if state.isFrozen, again { return ignore(.notAsked) }
        state.pending = .nothing
        out.changedState = true
        let version =
            switch result {
            case .passed(let version), .held(_, _, _, let version), .blocked(_, let version): version
            }
        if again, version == state.listVersion { return needRoute() }
        state.listVersion = version
        switch result {
        case .passed:
            emit(.screeningPassed, to: .routing)
            needRoute()
        case .held(let owner, let deadline, _, _):
            state.holds += 1
            state.hold = OpenEntry(number: state.holds, deadline: deadline)
            emit(.screeningHeld(hold: state.holds, owner: owner, deadline: deadline), to: .held)
        case .blocked:
            emit(.screeningBlocked(hold: nil, operatorName: nil, reason: nil), to: .blocked)
        }
    }

    // MARK: - Routing

    /// Asks for a route decision, or puts it off while the payment is frozen.
    mutating func needRoute() {
        state.pending = .route
        out.changedState = true
        if state.isFrozen { return }
        // After an authorization that was found late only inquiries are sent for the payment, and its void.
        if state.hasLateAuthorization { return fail(code: "late-authorization") }
        if state.attempts.count >= rules.maximumAttempts {
            return enterOffload(
                OffloadOrder(
                    lane: .manual, owner: rules.manualOwner, deadline: now.wall + rules.manualDeadline,
                    releaseRule: "operator", releaseAt: nil, manualOwner: rules.manualOwner,
                    manualDeadline: rules.manualDeadline))
        }
        let tried = self.tried
        let unreached = tried.filter { route in
            state.attempts.last { $0.route == route && ($0.operation == .payout || $0.operation == .authorize) }?.phase
                == .notSent
        }
        out.need = .route(
            RouteNeed(
                tried: tried, unreached: unreached, afterOffload: state.afterOffload,
                offloadedSince: state.queuedSince))
    }

    /// Routes that must not be tried again: those that refused it, never had it or could not be reached since the payment
    /// last left an offload lane. What a time-bound rule or a person lets go on may go where it failed before.
    private var tried: [Route] {
        var routes: [Route] = []
        for attempt in state.attempts.dropFirst(state.forgivenAttempts)
        where attempt.operation == .payout || attempt.operation == .authorize {
            if attempt.isNegative, !routes.contains(attempt.route) { routes.append(attempt.route) }
        }
        return routes
    }

    /// The answer to `Need.route`: recorded with all its reasons, then acted upon. A replay never decides again.
    mutating func routed(_ decision: RouteDecision) {
        guard state.status == .routing, state.pending == .route, !state.isFrozen, state.openMainAttempt == nil else {
            return ignore(.notAsked)
        }
        emit(.routeSelected(decision))
        switch decision.outcome {
        case .attempt:
            guard let candidate = decision.candidates.first, let initiate = state.initiate else {
                return fail(code: lastRejectionCode ?? "no-route")
            }
            state.pending = .nothing
            start(
                state.kind == .payment ? .authorize : .payout, operationID: nil, route: candidate.route,
                role: state.afterOffload ? .offload : candidate.role, amount: initiate.amount)
        case .offload(let order): enterOffload(order)
        case .noRoute: fail(code: lastRejectionCode ?? "no-route")
        }
    }

    private var lastRejectionCode: String? {
        state.attempts.last { $0.phase == .rejected && ($0.operation == .payout || $0.operation == .authorize) }?
            .knownRejection?.code
    }

    // MARK: - Offload

    mutating func enterOffload(_ order: OffloadOrder) {
        state.pending = .nothing
        state.offloads += 1
        if order.lane == .queue { state.queuedSince = state.queuedSince ?? now.wall }
        // A rule that has already come true would leave and enter again for ever within one commit.
        let releaseAt = order.releaseAt.map { max($0, now.wall + .seconds(1)) }
        state.offload = OpenOffload(
            number: state.offloads, lane: order.lane, deadline: order.deadline,
            releaseAt: order.lane == .queue ? releaseAt : nil, manualOwner: order.manualOwner,
            manualDeadline: order.manualDeadline)
        emit(
            .offloadEntered(
                entry: state.offloads, lane: order.lane, owner: order.owner, deadline: order.deadline,
                releaseRule: order.releaseRule), to: .offloaded)
        state.deadlineTold = false
    }

    /// Who leaves is screened again, where the lists have changed since.
    mutating func leaveOffload(_ entry: OpenOffload, operatorName: String?, reason: String?) {
        state.offload = nil
        state.afterOffload = true
        state.forgivenAttempts = state.attempts.count
        if operatorName != nil { state.queuedSince = nil }
        emit(.offloadLeft(entry: entry.number, operatorName: operatorName, reason: reason), to: .routing)
        state.pending = .rescreen
        if !state.isFrozen { out.need = .screening }
    }

    /// Lane queue at its deadline: a person must look.
    mutating func moveToManual(_ entry: OpenOffload) {
        enterOffload(
            OffloadOrder(
                lane: .manual, owner: entry.manualOwner, deadline: now.wall + entry.manualDeadline,
                releaseRule: "operator", releaseAt: nil, manualOwner: entry.manualOwner,
                manualDeadline: entry.manualDeadline))
    }

    /// What a freeze has put off goes on.
    mutating func goOnAfterFreeze() {
        captureIfAutomatic()
        guard !state.isFrozen, state.status == .routing, state.openMainAttempt == nil else { return }
        switch state.pending {
        case .nothing: break
        case .rescreen: out.need = .screening
        case .route: needRoute()
        }
    }

    // MARK: - Ends

    /// Nothing moved and nothing will.
    mutating func fail(code: String) {
        closeEntries()
        emit(state.kind == .payment ? .paymentFailed(code: code) : .payoutFailed(code: code), to: .failed)
        closeCancels()
    }
}
