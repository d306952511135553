import PaymentCore
import PaymentModel
import RecordFormat

/// What must hold. The letters are those of the architecture, section 5.
extension Search {
    mutating func check(_ node: Node, _ path: [Move]) {
        func note(_ what: String, _ holds: Bool) {
            if !holds { broken.append("\(what) after: \(path.map { "\($0)" }.joined(separator: "; "))") }
        }
        let state = node.state
        note("S6 S8: the events: \(node.fold.illegal ?? "")", node.fold.isLegal && node.fold.isGapless)
        note("S8: the fold says \(node.fold.status), the state \(state.status)", node.fold.status == state.status)
        let open = state.attempts.indices.filter { state.attempts[$0].isOpen }.map { $0 + 1 }
        note("S8: by the events \(node.fold.open.sorted()) are open, by the state \(open)", node.fold.open == Set(open))
        let sums = node.fold.captured == state.captured && node.fold.refunded == state.refunded
        note("S8: sums of the fold", sums && node.fold.chargedBack == state.chargedBack)
        let authorized = state.initiate?.amount.minorUnits ?? 0
        note("S7: captured \(state.captured)", state.captured <= authorized)
        note("S7: refunded \(state.refunded)", state.refunded + state.chargedBack <= state.captured)
        checkAttempts(node, note)
        if scenario.lies == 0 { checkTruth(node, note) }
        let rests = state.isFinished || state.isParked || !node.sends.isEmpty || !node.inquiries.isEmpty
        note("L1: \(state.status) without a timer", rests || state.timer != nil)
    }

    private func checkAttempts(_ node: Node, _ note: (String, Bool) -> Void) {
        var open: Set<String> = []
        var doubt = false
        for attempt in node.state.attempts where attempt.isOpen {
            let isMain = attempt.operation == .payout || attempt.operation == .authorize
            if isMain, attempt.phase == .inDoubt { doubt = true }
            let key = isMain ? "main" : "\(attempt.operation) \(attempt.operationID ?? "")"
            if attempt.operation == .void { continue }
            note("S2: two attempts of \(key) are open", open.insert(key).inserted)
        }
        note("S3: \(node.state.status) although the main attempt is in doubt", !doubt || node.state.status == .inDoubt)
    }

    /// What a partner that tells the truth entitles us to.
    private func checkTruth(_ node: Node, _ note: (String, Bool) -> Void) {
        let state = node.state
        let orders = node.partner.orders
        let paid = orders.filter { $0.operation == .payout && ($0.status == .settled || $0.status == .returned) }
        note("S1: paid out \(paid.count) times", paid.count <= 1)
        let reserved = orders.filter { $0.operation == .authorize && ($0.status == .settled || $0.status == .voided) }
        note("S1: authorized \(reserved.count) times", reserved.count <= 1)
        for order in orders where order.operationID != nil && order.status == .settled {
            let same = orders.filter { $0.operationID == order.operationID && $0.status == .settled }
            note("S1: \(order.operation) \(order.operationID ?? "") executed twice", same.count == 1)
        }
        func executed(_ operation: PaymentModel.Operation) -> Int64 {
            orders.reduce(0) { $0 + ($1.operation == operation && $1.status == .settled ? $1.amount : 0) }
        }
        note("S9: captured, but nothing moved", state.captured <= executed(.capture))
        note("S9: refunded, but nothing moved", state.refunded <= executed(.refund))
        note("S9: settled, but nothing moved", state.status != .settled || paid.count == 1)
        for (index, attempt) in state.attempts.enumerated()
        where (attempt.phase == .absent || attempt.phase == .notSent) && attempt.partnerReference == nil {
            let order = node.partner.order(index + 1)
            note(
                "\(attempt.operation) closed as \(attempt.phase), but the partner has it",
                order?.status ?? .rejected == .rejected)
        }
        let requests =
            node.sends.map(\.attempt) + node.partner.late.filter { $0.until > node.now.monotonic }.map(\.attempt)
        let underWay = requests.contains { number in
            let operation = state.attempts[number - 1].operation
            return (operation == .payout || operation == .authorize) && node.partner.order(number) == nil
        }
        let taken = orders.contains {
            switch ($0.operation, $0.status) {
            case (.payout, .accepted), (.payout, .settled), (.payout, .returned), (.authorize, .settled): true
            case (.authorize, .actionRequired), (.authorize, .pending): true
            default: false
            }
        }
        if state.status == .failed || state.status == .cancelled {
            note("\(state.status), though money moved or may move", !underWay && !taken)
        }
        if state.status == .voided { note("voided, though money was taken", executed(.capture) == 0) }
    }

    mutating func checkStoredForm(_ node: Node, _ path: [Move]) {
        var writer = BinaryWriter()
        node.state.encode(into: &writer)
        let back = try? PaymentState(id: node.state.id, decoding: writer.bytes.span.bytes)
        if back != node.state { broken.append("the stored form does not come back after: \(path)") }
    }

    // MARK: - L1 and S15, in a healed world

    /// From here on everything arrives, is answered and told. Within the last inquiry slot and 60 s the payment must be
    /// at rest, and the clearing account must agree with the partner's books.
    mutating func checkHealed(_ start: Node, _ path: [Move]) {
        var node = start
        node.faults = 0
        let end = node.now.wall + .seconds(120)
        var turns = 0
        while turns < 200, let move = healingMove(node, until: end) {
            perform(move, &node)
            turns += 1
        }
        let story = path.map { "\($0)" }.joined(separator: "; ")
        check(node, path + [.timer])
        if !node.state.isFinished, !node.state.isParked {
            broken.append(
                "L1: \(node.state.status) in a healed world, \(node.state.attempts.map(\.phase)) after: \(story)")
        }
        // A liar's "rejected" that is told after its "settled" is a return, by its own word.
        if scenario.lies == 0, node.clearing != node.partner.balance {
            broken.append("S15: \(node.clearing) on clearing, \(node.partner.balance) in the books after: \(story)")
        }
        let paid = node.partner.orders.filter { $0.operation == .payout && $0.status == .settled }.count
        if paid > 1, !node.isDouble { broken.append("a double execution is silent after: \(story)") }
    }

    private func healingMove(_ node: Node, until end: Timestamp) -> Move? {
        if !node.partner.late.isEmpty, node.partner.late[0].until > node.now.monotonic { return .arrives(0) }
        if let send = node.sends.first {
            switch node.state.attempts[send.attempt - 1].operation {
            case .payout: return .answer(0, .taken)
            case .cancel: return .answer(0, .cancelNoted)
            default: return .answer(0, .executed)
            }
        }
        if !node.inquiries.isEmpty { return .inquiryTold(0) }
        let open = node.partner.orders.first {
            $0.status == .pending || ($0.operation == .payout && $0.status == .accepted)
        }
        if let open { return .partner(open.attempt, .settled) }
        if let fact = node.partner.facts.first(where: { !node.told.contains($0) }) { return .tells(fact) }
        if let due = node.state.timer, due <= end { return .timer }
        return nil
    }
}
