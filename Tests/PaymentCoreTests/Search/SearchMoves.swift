import PaymentCore
import PaymentModel

extension Search {
    // MARK: - What may happen

    func moves(_ node: Node) -> [Move] {
        var moves: [Move] = []
        for (index, send) in node.sends.enumerated() {
            moves += answers(node.state.attempts[send.attempt - 1], node).map { .answer(index, $0) }
        }
        for (index, late) in node.partner.late.enumerated() where node.now.monotonic < late.until {
            moves.append(.arrives(index))
        }
        for (index, inquiry) in node.inquiries.enumerated() {
            if node.faults > 0 { moves.append(.inquiryLost(index)) }
            moves.append(.inquiryTold(index))
            if let order = node.partner.order(inquiry.attempt), inquiry.at < order.recordedAt + SmallPartner.lag {
                moves.append(.inquiryHidden(index))
            }
        }
        moves += partnerMoves(node)
        moves += node.partner.facts.filter { !node.told.contains($0) }.map { .tells($0) }
        if node.state.timer != nil { moves.append(.timer) }
        for index in scenario.commands.indices where node.given & (1 << UInt16(index)) == 0 {
            moves.append(.command(index))
        }
        if node.takeovers > 0 { moves.append(.takeover) }
        if scenario.hasOperator { moves += operatorMoves(node) }
        return moves
    }

    private func answers(_ attempt: Attempt, _ node: Node) -> [Move.Answer] {
        var answers: [Move.Answer] =
            switch attempt.operation {
            case .payout: [.taken, .rejectedElsewhere, .rejected]
            case .authorize:
                [.executed, .rejectedElsewhere, .rejected] + (scenario.hasChallenge ? [.actionRequired] : [])
            case .capture, .refund, .void: [.executed, .rejected] + (scenario.hasPending ? [.pending] : [])
            case .cancel: [.cancelNoted, .cancelTooLate]
            }
        if node.faults > 0 {
            answers += attempt.operation == .cancel ? [.lost] : [.notSent, .busy, .lost, .answerLost, .inFlight]
        }
        return answers
    }

    private func partnerMoves(_ node: Node) -> [Move] {
        var moves: [Move] = []
        for order in node.partner.orders {
            switch (order.operation, order.status) {
            case (.payout, .accepted), (_, .pending):
                moves += [.partner(order.attempt, .settled), .partner(order.attempt, .rejected)]
            case (.authorize, .actionRequired):
                moves += [.partner(order.attempt, .settled), .partner(order.attempt, .rejected)]
            case (.payout, .settled) where scenario.hasReturns: moves.append(.partner(order.attempt, .returned))
            case (.capture, .settled) where scenario.hasDisputes: moves += disputeMoves(order.attempt, node)
            case (_, .rejected) where node.lies > 0: moves.append(.lies(order.attempt))
            default: break
            }
        }
        return moves
    }

    private func disputeMoves(_ attempt: Int, _ node: Node) -> [Move] {
        switch node.partner.disputes.first(where: { $0.attempt == attempt })?.status {
        case nil: [.dispute(attempt, .opened)]
        case .opened: [.dispute(attempt, .won), .dispute(attempt, .lost)]
        case .won, .lost: []
        }
    }

    /// A person who looks into the partner's books and tells the truth, as far as it is shown.
    private func operatorMoves(_ node: Node) -> [Move] {
        node.state.attempts.indices.compactMap { index in
            let attempt = node.state.attempts[index]
            guard attempt.operation != .cancel, attempt.phase == .inDoubt || attempt.escalated else { return nil }
            guard let order = node.partner.order(index + 1) else { return .resolve(index + 1, .absent) }
            switch order.status {
            case .settled: return .resolve(index + 1, .settled)
            case .rejected: return .resolve(index + 1, .rejected)
            default: return nil
            }
        }
    }

    // MARK: - What comes of it

    mutating func perform(_ move: Move, _ node: inout Node) {
        switch move {
        case .answer(let index, let answer): end(node.sends.remove(at: index), answer, &node)
        case .arrives(let index):
            let late = node.partner.late.remove(at: index)
            arrive(late.attempt, &node)
        case .inquiryLost(let index):
            node.faults -= 1
            answered(node.inquiries.remove(at: index), .unanswered, &node)
        case .inquiryTold(let index):
            let inquiry = node.inquiries.remove(at: index)
            let order = node.partner.order(inquiry.attempt)
            answered(inquiry, order.map { .found(node.partner.report($0)) } ?? .notFound, &node)
        case .inquiryHidden(let index): answered(node.inquiries.remove(at: index), .notFound, &node)
        case .partner(let attempt, let status): node.partner.change(attempt, to: status)
        case .lies(let attempt):
            node.lies -= 1
            node.partner.change(attempt, to: .settled, isLie: true)
        case .dispute(let attempt, let status): node.partner.dispute(attempt, status)
        case .tells(let fact): tell(fact, &node)
        case .timer: fire(&node)
        case .command(let index):
            node.given |= 1 << UInt16(index)
            apply(command(scenario.commands[index], Scenario.commandIDs[index], node.state.id), &node)
        case .takeover: takeOver(&node)
        case .resolve(let attempt, let outcome): resolve(attempt, outcome, &node)
        }
    }

    private func arrive(_ attempt: Int, _ node: inout Node) {
        let intent = node.state.attempts[attempt - 1]
        node.partner.take(
            intent, number: attempt, wish: intent.operation == .payout ? .accepted : .settled, mayGoElsewhere: false,
            at: node.now.monotonic)
    }

    private mutating func end(_ send: Node.Request, _ answer: Move.Answer, _ node: inout Node) {
        let intent = node.state.attempts[send.attempt - 1]
        func process(_ wish: OrderStatus, elsewhere: Bool = false) -> SendOutcome {
            node.partner.take(
                intent, number: send.attempt, wish: wish, mayGoElsewhere: elsewhere, at: node.now.monotonic)
            guard let order = node.partner.order(send.attempt) else { return .unclear(.status) }
            return .order(node.partner.report(order))
        }
        let outcome: SendOutcome
        switch answer {
        case .taken: outcome = process(.accepted)
        case .executed: outcome = process(.settled)
        case .actionRequired: outcome = process(.actionRequired)
        case .pending: outcome = process(.pending)
        case .rejectedElsewhere: outcome = process(.rejected, elsewhere: true)
        case .rejected: outcome = process(.rejected)
        case .notSent: outcome = .notSent(.connect)
        case .busy: outcome = .notProcessed(httpStatus: 429, retryAfter: nil)
        case .lost: outcome = .unclear(.timeout)
        case .answerLost:
            arrive(send.attempt, &node)
            outcome = .unclear(.timeout)
        case .inFlight:
            node.partner.late.append(.init(attempt: send.attempt, until: node.now.monotonic + SmallPartner.flight))
            outcome = .unclear(.timeout)
        case .cancelNoted: outcome = .order(OrderReport(status: .accepted))
        case .cancelTooLate: outcome = .tooLate
        }
        if [.notSent, .busy, .lost, .answerLost, .inFlight].contains(answer) { node.faults -= 1 }
        apply(
            .sendEnded(
                SendReport(
                    attempt: send.attempt, request: send.number, incarnation: node.now.incarnation.number,
                    outcome: outcome, endOfUpload: node.now.monotonic)), &node)
    }

    private mutating func answered(_ inquiry: Node.Request, _ outcome: InquiryOutcome, _ node: inout Node) {
        apply(
            .inquired(
                InquiryReport(
                    attempt: inquiry.attempt, inquiry: inquiry.number, incarnation: node.now.incarnation.number,
                    sentAt: inquiry.at, outcome: outcome)), &node)
    }

    /// A notification comes, and at once again: the second time it changes nothing (S8).
    private mutating func tell(_ fact: SmallPartner.Fact, _ node: inout Node) {
        node.told.append(fact)
        let target = node.state.attempts[fact.attempt - 1]
        let subject: PartnerNotification.Subject
        if let dispute = fact.dispute {
            subject = .dispute(dispute, amount: nil, valueDate: nil)
        } else {
            guard let order = node.partner.order(fact.attempt), let status = fact.status else { return }
            var report = node.partner.report(order)
            report.status = status
            subject = .order(report)
        }
        let identity = UInt64(fact.attempt * 100) + UInt64(fact.status?.rawValue ?? 50 + (fact.dispute?.rawValue ?? 0))
        let input = PaymentInput.notified(
            PartnerNotification(
                partner: target.route.partner, id: "n\(identity)", identity: Digest(high: identity, low: 1),
                reference: target.reference, subject: subject, fresh: true, receivedAt: node.now.wall))
        apply(input, &node)
        let before = node
        apply(input, &node)
        if before != node { broken.append("S8: the same notification twice: \(fact)") }
    }

    private mutating func fire(_ node: inout Node) {
        guard let due = node.state.timer else { return }
        let step = max(due - node.now.wall, .zero)
        node.now.wall = node.now.wall + step
        node.now.monotonic = node.now.monotonic + step
        apply(.timer(due: due), &node)
    }

    private mutating func resolve(_ attempt: Int, _ outcome: AttemptResolution.Outcome, _ node: inout Node) {
        let identity = 1_000 + UInt64(attempt) * 10_000 + UInt64(node.now.wall.milliseconds % 100_000_000)
        apply(
            command(
                .resolveAttempt(
                    AttemptResolution(
                        attempt: attempt, outcome: outcome, operatorName: "ann", observedAt: node.now.wall, note: nil)),
                identity, node.state.id), &node)
    }

    /// A crash: senders are gone, their bytes may arrive until deadline and flight are over; the next owner's clock is
    /// another one.
    private mutating func takeOver(_ node: inout Node) {
        node.takeovers -= 1
        let shift = Milliseconds.seconds(7_777)
        node.now.monotonic = node.now.monotonic + shift
        for index in node.partner.orders.indices {
            node.partner.orders[index].recordedAt = node.partner.orders[index].recordedAt + shift
        }
        for index in node.partner.late.indices {
            node.partner.late[index].until = node.partner.late[index].until + shift
        }
        for send in node.sends where node.state.attempts[send.attempt - 1].operation != .cancel {
            let until = node.now.monotonic + scenario.terms.sendDeadline + SmallPartner.flight
            node.partner.late.append(.init(attempt: send.attempt, until: until))
        }
        node.sends = []
        node.inquiries = []
        node.now.incarnation = Incarnation(
            number: node.now.incarnation.number + 1, began: node.now.monotonic, predecessor: .provenDead)
    }
}
