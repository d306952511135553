import PaymentModel

/// When "not found" begins to prove that the partner never had an order (the architecture, section 5; rows B01–B13,
/// C05–C08).
enum AbsenceGate {
    /// The moment on the present incarnation's clock after which an inquiry must be *sent*; nil where absence never
    /// proves, or cannot yet be timed.
    ///
    /// Own senders count from their measured end: + in flight + visibility. Senders of an earlier incarnation that had
    /// not ended: from the takeover, at full length: + send deadline + stall (where the predecessor may live) + in
    /// flight + visibility. Countdowns of an earlier incarnation start anew at the takeover: nothing compares two
    /// hosts' clocks.
    static func opening(_ attempt: Attempt, terms: RouteTerms, now: Now) -> MonotonicTime? {
        guard let flight = terms.inFlightBound, let lag = terms.visibilityLag else { return nil }
        let own = attempt.incarnation == now.incarnation.number
        if own, attempt.outstanding != 0 { return nil }
        var gate = now.incarnation.began
        if attempt.earlierSenders {
            gate = gate + terms.sendDeadline
            switch now.incarnation.predecessor {
            case .provenDead: break
            case .maybeAlive(let bound):
                guard let bound else { return nil }
                gate = gate + bound
            }
        }
        if own {
            let end = attempt.endedAt ?? now.monotonic
            gate = attempt.earlierSenders ? max(gate, end) : end
            gate = max(gate, attempt.authorisedAt)
        }
        return gate + flight + lag
    }

    /// Whether the partner's books still show a reference as old as this attempt's, at the moment when the answer is
    /// used (rows B12, B13).
    static func booksRemember(_ attempt: Attempt, terms: RouteTerms, now: Now, skew: Milliseconds) -> Bool {
        (now.wall - attempt.firstSentAt) + skew < terms.booksRetention
    }
}
