import PaymentModel

extension Step {
    /// The first step under a new ownership: what an earlier incarnation's senders did is unknown. An intent without a
    /// result is in doubt, whatever its deadline says, and never sent by the restore (rows B18, B19).
    mutating func takeOver() {
        let present = now.incarnation.number
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
}
