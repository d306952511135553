import PaymentModel

extension OffloadPlan {
    /// The lane for a payment that no route can serve now, or nil where it fails.
    ///
    /// A person is asked at once where a reason says so. Otherwise it waits in the queue for the first route that time
    /// can heal, but never beyond the queue's deadline (counted from the first entry) or `deliverBy`: what would come
    /// too late goes to a person now, not then.
    func order(
        waits: [Selection.Wait], eliminated: [Elimination], _ query: RouteQuery, now: Timestamp
    ) -> OffloadOrder? {
        if !manual.causes.isEmpty, eliminated.contains(where: { manual.causes.contains($0.code) }) {
            return manualOrder(now: now)
        }
        guard let queue else { return nil }
        var release: (at: Timestamp, rule: String)?
        var isForAPerson = false
        for wait in waits where queue.causes.contains(wait.code) {
            if wait.isBeyondCalendar {
                isForAPerson = true
                continue
            }
            let at = max(wait.until ?? now + queue.retryAfter, now + Milliseconds(1))
            if let earliest = release, earliest.at <= at { continue }
            release = (at, OffloadPlan.releaseRule(of: wait.code))
        }
        // Only a closed window that no calendar sees open again: the calendar wants a person, the payment no failure.
        guard let release else { return isForAPerson ? manualOrder(now: now) : nil }
        var deadline = (query.offloadedSince ?? now) + queue.deadline
        if let deliverBy = query.deliverBy { deadline = min(deadline, deliverBy) }
        guard release.at < deadline else { return manualOrder(now: now) }
        return OffloadOrder(
            lane: .queue, owner: queue.owner, deadline: deadline, releaseRule: release.rule, releaseAt: release.at,
            manualOwner: manual.owner, manualDeadline: manual.deadline)
    }

    /// An entry into lane `manual`.
    func manualOrder(now: Timestamp) -> OffloadOrder {
        OffloadOrder(
            lane: .manual, owner: manual.owner, deadline: now + manual.deadline, releaseRule: "operator",
            releaseAt: nil, manualOwner: manual.owner, manualDeadline: manual.deadline)
    }

    /// What lets a payment leave the queue, in a word.
    private static func releaseRule(of code: EliminationCode) -> String {
        switch code {
        case .outsideWindow, .afterCutOff, .calendarClosed: "window-opens"
        case .circuitOpen, .unhealthy: "route-recovers"
        case .noCapacity: "capacity-frees"
        default: "retry-later"
        }
    }

    /// The codes that time can heal, and that a queue may therefore wait for.
    public static let healable: Set<EliminationCode> = [
        .outsideWindow, .afterCutOff, .calendarClosed, .circuitOpen, .unhealthy, .noCapacity, .alreadyTried,
    ]
}

extension ExecutionDates {
    /// The queue entry of a payment that is released at `release`.
    func order(release: Timestamp) -> OffloadOrder {
        OffloadOrder(
            lane: .queue, owner: owner, deadline: release + grace, releaseRule: "execution-date", releaseAt: release,
            manualOwner: manual.owner, manualDeadline: manual.deadline)
    }
}
