import PaymentModel

extension Step {
    /// The first step under a new ownership: what an earlier incarnation's senders did is unknown. An intent without a
    /// result is in doubt, whatever its deadline says, and never sent by the restore (rows B18, B19).
    mutating func takeOver() {
        let present = now.incarnation.number
        for index in state.attempts.indices { startCountdownAnew(index) }
        for index in state.attempts.indices where state.attempts[index].incarnation != present {
            if state.attempts[index].inquiryOut != 0, state.attempts[index].inquiryIncarnation != present {
                state.attempts[index].inquiryOut = 0
                out.changedState = true
            }
            guard state.attempts[index].outstanding != 0 else { continue }
            out.changedState = true
            state.attempts[index].outstanding = 0
            state.attempts[index].earlierSenders = true
            guard state.attempts[index].isOpen, state.attempts[index].phase != .accepted else { continue }
            state.attempts[index].slotsFrom = now.wall
            state.attempts[index].slot = 0
            if state.attempts[index].phase == .sending {
                fallIntoDoubt(index + 1, .takeover)
            } else {
                planInquiry(index + 1)
            }
        }
    }

    /// The wall clock has been set back since a countdown was written down: what is left of it would be as much too
    /// long. Where it began later than now, it begins anew, at full length; where it would take longer than any slot and
    /// gate together, the partner is asked at once. An inquiry that comes early proves nothing.
    private mutating func startCountdownAnew(_ index: Int) {
        guard let due = state.attempts[index].due else { return }
        let slotsFrom = state.attempts[index].slotsFrom
        if slotsFrom > now.wall + rules.clockSkew {
            state.attempts[index].due = now.wall + Milliseconds(max(0, (due - slotsFrom).count))
            state.attempts[index].slotsFrom = now.wall
        } else if state.attempts[index].plan != .resend, due - now.wall > Step.shortestCountdown,
            due - now.wall > longestCountdown(index)
        {
            // A repeat may be that far off: the partner said when.
            state.attempts[index].due = now.wall
        } else {
            return
        }
        out.changedState = true
    }

    /// No route's longest countdown is shorter: what is within it needs no look at the route's terms.
    private static var shortestCountdown: Milliseconds { .seconds(60) }

    private func longestCountdown(_ index: Int) -> Milliseconds {
        let terms = terms(state.attempts[index].route) ?? .unknown
        let slots = max(terms.inquirySlots.last ?? .zero, terms.acceptedInquirySlots.last ?? .zero)
        let gate = terms.sendDeadline + (terms.inFlightBound ?? .zero) + (terms.visibilityLag ?? .zero)
        return slots + gate + terms.requestTimeout + Step.shortestCountdown
    }
}
