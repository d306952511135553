import PaymentCore
import PaymentModel
import RecordFormat
import TestSupport
import Testing

/// A partner that tells the truth and keeps its bounds, in the smallest form that can still lose or double money: per
/// request whether it arrived, per reference the order that came of it.
private struct SmallPartner: Hashable {
    struct Order: Hashable {
        var attempt: Int
        var status: OrderStatus
        var mayGoElsewhere: Bool
        var recordedAt: MonotonicTime
    }

    /// A request whose sender has given up or was killed, and which may still arrive until `until`.
    struct Late: Hashable {
        var attempt: Int
        var until: MonotonicTime
    }

    var orders: [Order] = []
    var late: [Late] = []

    func order(_ attempt: Int) -> Order? { orders.first { $0.attempt == attempt } }
}

/// A node of the search: the machine's state, the clocks, and the world outside of it.
private struct Node: Hashable {
    var state: PaymentState
    var now: Now
    var partner = SmallPartner()
    /// Requests whose end is not reported: attempt and number.
    var sends: [[Int]] = []
    /// Inquiries whose answer is not reported: attempt, number, sent at (ms), what it will say is decided at the answer.
    var inquiries: [[Int64]] = []
    var told: Set<String> = []
    var cancels = 1
    var takeovers = 1
    var faults = 3

    static func == (left: Node, right: Node) -> Bool {
        left.state == right.state && left.now == right.now && left.partner == right.partner && left.sends == right.sends
            && left.inquiries == right.inquiries && left.told == right.told && left.cancels == right.cancels
            && left.takeovers == right.takeovers && left.faults == right.faults
    }
}

private enum Bounds {
    static let flight = Milliseconds.seconds(5)
    static let lag = Milliseconds.seconds(2)
}

/// Depth-first search over everything that can happen to one payout, to a stated depth, each state visited once at each
/// remaining depth. After every step: S2, S3, S6, S8, S9, S15, that doubt always has a timer, that failed or cancelled
/// means that nothing moved and nothing can, and S1.
private struct Search {
    var terms = World.terms {
        $0.inquirySlots = [.seconds(2), .seconds(8)]; $0.acceptedInquirySlots = [.seconds(5)]
    }
    var visited: [Node: Int] = [:]
    var steps = 0
    var maximum: Int
    var broken: [String] = []

    var rules: CoreRules { CoreRules(terms: [World.routeA: terms, World.routeB: terms]) }

    mutating func run(depth: Int) -> Node {
        let driver = Driver(terms: terms)
        var node = Node(state: driver.state, now: driver.now)
        var fold = PaymentFold()
        apply(
            .command(
                Command(
                    envelope: CommandEnvelope(
                        subject: node.state.id, source: "s", id: "i", type: "t", identity: Digest(high: 0, low: 0)),
                    body: .initiate(
                        Initiation(kind: .payout, instructedAmount: Money(100, World.euro)),
                        dataDigest: Digest(high: 1, low: 1), seed: Digest(high: 2, low: 2)))), &node, &fold)
        explore(node, fold, depth, [])
        return node
    }

    private mutating func explore(_ node: Node, _ fold: PaymentFold, _ depth: Int, _ path: [String]) {
        guard depth > 0, broken.isEmpty, steps < maximum else { return }
        if let seen = visited[node], seen >= depth { return }
        visited[node] = depth
        for (name, change) in moves(node) {
            var next = node
            var folded = fold
            change(&next, &folded, &self)
            steps += 1
            check(next, folded, path + [name])
            explore(next, folded, depth - 1, path + [name])
        }
    }

    fileprivate mutating func apply(_ input: PaymentInput, _ node: inout Node, _ fold: inout PaymentFold) {
        var input: PaymentInput? = input
        while let given = input {
            let transition = PaymentMachine.step(&node.state, given, now: node.now, rules: rules)
            for event in transition.events { fold.take(event) }
            for posting in transition.postings where !posting.isBalanced { broken.append("S15") }
            for effect in transition.effects {
                switch effect {
                case .submit(let order): node.sends.append([order.attempt, order.request])
                case .inquire(let order):
                    node.inquiries.append([
                        Int64(order.attempt), Int64(order.inquiry), node.now.monotonic.milliseconds,
                    ])
                default: break
                }
            }
            switch transition.need {
            case .screening?: input = .screened(.passed(listVersion: 1))
            case .route(let need)?: input = .routed(Driver(terms: terms).decision(need))
            case nil: input = nil
            }
        }
    }
}

// MARK: - What may happen

extension Search {
    typealias Move = (String, (inout Node, inout PaymentFold, inout Search) -> Void)

    private func moves(_ node: Node) -> [Move] {
        var moves: [Move] = []
        for send in node.sends { moves += sendMoves(node, attempt: send[0], request: send[1]) }
        for late in node.partner.late where node.now.monotonic < late.until {
            moves.append(
                (
                    "late arrival \(late.attempt)",
                    { node, _, _ in
                        node.partner.late.removeAll { $0 == late }
                        SmallPartner.take(&node, late.attempt, .accepted)
                    }
                ))
        }
        for inquiry in node.inquiries { moves += inquiryMoves(node, inquiry) }
        moves += partnerMoves(node)
        if let due = node.state.timer {
            moves.append(
                (
                    "timer",
                    { node, fold, search in
                        let step = max(due - node.now.wall, .zero)
                        node.now.wall = node.now.wall + step
                        node.now.monotonic = node.now.monotonic + step
                        search.apply(.timer(due: due), &node, &fold)
                    }
                ))
        }
        if node.cancels > 0 {
            moves.append(
                (
                    "cancel",
                    { node, fold, search in
                        node.cancels -= 1
                        let envelope = CommandEnvelope(
                            subject: node.state.id, source: "s", id: "x", type: "t", identity: Digest(high: 0, low: 9))
                        search.apply(.command(Command(envelope: envelope, body: .cancel(reason: nil))), &node, &fold)
                    }
                ))
        }
        if node.takeovers > 0 {
            moves.append(("takeover", { node, fold, search in search.takeOver(&node, &fold) }))
        }
        return moves
    }

    private func sendMoves(_ node: Node, attempt: Int, request: Int) -> [Move] {
        func ended(_ name: String, _ outcome: SendOutcome, _ world: @escaping (inout Node) -> Void = { _ in }) -> Move {
            (
                "\(name) \(attempt).\(request)",
                { node, fold, search in
                    node.sends.removeAll { $0 == [attempt, request] }
                    world(&node)
                    search.report(attempt, request, outcome, &node, &fold)
                }
            )
        }
        if node.state.attempts[attempt - 1].operation == .cancel {
            return [
                ended("cancel noted", .order(OrderReport(status: .accepted))),
                ended("cancel too late", .tooLate), ended("cancel lost", .unclear(.timeout)),
            ]
        }
        var moves = [
            ended("accepted", .order(OrderReport(status: .accepted, partnerReference: "t\(attempt)"))) {
                SmallPartner.take(&$0, attempt, .accepted)
            },
            ended("rejected elsewhere", .order(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true))) {
                SmallPartner.take(&$0, attempt, .rejected)
            },
            ended("rejected", .order(OrderReport(status: .rejected, code: "AC04"))) {
                SmallPartner.take(&$0, attempt, .rejected)
            },
        ]
        guard node.faults > 0 else { return moves }
        moves += [
            ended("not sent", .notSent(.connect)) { $0.faults -= 1 },
            ended("429", .notProcessed(httpStatus: 429, retryAfter: nil)) { $0.faults -= 1 },
            ended("lost", .unclear(.timeout)) { $0.faults -= 1 },
            ended("answer lost", .unclear(.timeout)) {
                $0.faults -= 1
                SmallPartner.take(&$0, attempt, .accepted)
            },
            ended("in flight", .unclear(.timeout)) {
                $0.faults -= 1
                $0.partner.late.append(.init(attempt: attempt, until: $0.now.monotonic + Bounds.flight))
            },
        ]
        return moves
    }

    fileprivate mutating func report(
        _ attempt: Int, _ request: Int, _ outcome: SendOutcome, _ node: inout Node, _ fold: inout PaymentFold
    ) {
        apply(
            .sendEnded(
                SendReport(
                    attempt: attempt, request: request, incarnation: node.now.incarnation.number, outcome: outcome,
                    endOfUpload: node.now.monotonic)), &node, &fold)
    }

    private func inquiryMoves(_ node: Node, _ inquiry: [Int64]) -> [Move] {
        let attempt = Int(inquiry[0])
        let sentAt = MonotonicTime(milliseconds: inquiry[2])
        func answered(_ name: String, _ outcome: InquiryOutcome) -> Move {
            (
                "\(name) \(attempt)",
                { node, fold, search in
                    node.inquiries.removeAll { $0 == inquiry }
                    search.apply(
                        .inquired(
                            InquiryReport(
                                attempt: attempt, inquiry: Int(inquiry[1]), incarnation: node.now.incarnation.number,
                                sentAt: sentAt, outcome: outcome)), &node, &fold)
                }
            )
        }
        var moves: [Move] = []
        if node.faults > 0 { moves.append(answered("unanswered", .unanswered)) }
        guard let order = node.partner.order(attempt) else {
            return moves + [answered("not found", .notFound)]
        }
        let report = OrderReport(
            status: order.status, partnerReference: "t\(attempt)", code: order.status == .rejected ? "AM02" : nil,
            mayGoElsewhere: order.mayGoElsewhere)
        moves.append(answered("found", .found(report)))
        if sentAt < order.recordedAt + Bounds.lag { moves.append(answered("not shown yet", .notFound)) }
        return moves
    }

    /// The partner goes on with its orders and tells of them, in any order, each once.
    private func partnerMoves(_ node: Node) -> [Move] {
        var moves: [Move] = []
        for order in node.partner.orders {
            if order.status == .accepted {
                moves.append(
                    (
                        "executes \(order.attempt)",
                        { node, _, _ in
                            SmallPartner.change(&node, order.attempt, to: .settled)
                        }
                    ))
                moves.append(
                    (
                        "rejects late \(order.attempt)",
                        { node, _, _ in
                            SmallPartner.change(&node, order.attempt, to: .rejected)
                        }
                    ))
            }
            let fact = "\(order.attempt) \(order.status)"
            guard !node.told.contains(fact) else { continue }
            moves.append(
                (
                    "tells \(fact)",
                    { node, fold, search in
                        node.told.insert(fact)
                        let attempt = node.state.attempts[order.attempt - 1]
                        let report = OrderReport(
                            status: order.status, partnerReference: "t\(order.attempt)",
                            code: order.status == .rejected ? "AM02" : nil, mayGoElsewhere: order.mayGoElsewhere)
                        search.apply(
                            .notified(
                                PartnerNotification(
                                    partner: attempt.route.partner, id: fact,
                                    identity: Digest(high: UInt64(order.attempt), low: UInt64(order.status.rawValue)),
                                    reference: attempt.reference, subject: .order(report), fresh: true,
                                    receivedAt: node.now.wall)), &node, &fold)
                    }
                ))
        }
        return moves
    }

    /// A crash: senders are gone, their bytes may arrive until deadline and flight are over; the next owner's clock is
    /// another one.
    fileprivate mutating func takeOver(_ node: inout Node, _ fold: inout PaymentFold) {
        node.takeovers -= 1
        let shift = Milliseconds.seconds(7_777)
        let old = node.now.monotonic
        node.now.monotonic = old + shift
        for index in node.partner.orders.indices {
            node.partner.orders[index].recordedAt = node.partner.orders[index].recordedAt + shift
        }
        for index in node.partner.late.indices {
            node.partner.late[index].until = node.partner.late[index].until + shift
        }
        for send in node.sends where node.state.attempts[send[0] - 1].operation == .payout {
            node.partner.late.append(
                .init(attempt: send[0], until: node.now.monotonic + terms.sendDeadline + Bounds.flight))
        }
        node.sends = []
        node.inquiries = []
        node.now.incarnation = Incarnation(
            number: node.now.incarnation.number + 1, began: node.now.monotonic, predecessor: .provenDead)
    }
}

extension SmallPartner {
    /// A request arrives: the reference has at most one order, the key binds.
    static func take(_ node: inout Node, _ attempt: Int, _ status: OrderStatus) {
        guard node.partner.order(attempt) == nil else { return }
        node.partner.orders.append(
            Order(attempt: attempt, status: status, mayGoElsewhere: false, recordedAt: node.now.monotonic))
    }

    static func change(_ node: inout Node, _ attempt: Int, to status: OrderStatus) {
        guard let index = node.partner.orders.firstIndex(where: { $0.attempt == attempt }) else { return }
        node.partner.orders[index].status = status
        node.partner.orders[index].mayGoElsewhere = true
    }
}

// MARK: - What must hold

extension Search {
    private mutating func check(_ node: Node, _ fold: PaymentFold, _ path: [String]) {
        func note(_ what: String) { broken.append("\(what) after: \(path.joined(separator: "; "))") }
        let state = node.state
        let executed = node.partner.orders.filter { $0.status == .settled }.count
        let open = state.attempts.filter { $0.isOpen && $0.operation == .payout }
        if executed > 1 { note("S1: executed \(executed) times") }
        if open.count > 1 { note("S2: \(open.count) attempts open") }
        if open.contains(where: { $0.phase == .inDoubt }), open.count > 1 { note("S3") }
        if state.status == .settled, executed == 0 { note("S9: settled, but nothing moved") }
        for (index, attempt) in state.attempts.enumerated() where attempt.phase == .absent || attempt.phase == .notSent
        {
            let order = node.partner.order(index + 1)
            if let order, order.status != .rejected { note("closed as \(attempt.phase), but the partner has it") }
        }
        if fold.status != state.status || !fold.isGapless { note("S8: the fold says \(fold.status)") }
        let mayMove =
            node.partner.orders.contains { $0.status == .accepted || $0.status == .settled }
            || node.partner.late.contains { $0.until > node.now.monotonic }
            || node.sends.contains { state.attempts[$0[0] - 1].operation == .payout }
        if state.status == .failed || state.status == .cancelled, mayMove {
            note("\(state.status) though money moved or may move")
        }
        let rests = state.isFinished || state.isParked || !node.sends.isEmpty || !node.inquiries.isEmpty
        if !rests, state.timer == nil { note("L1: \(state.status) without a timer") }
        var writer = BinaryWriter()
        state.encode(into: &writer)
        guard let back = try? PaymentState(id: state.id, decoding: writer.bytes.span.bytes), back == state else {
            return note("the stored form does not come back")
        }
    }
}

@Suite("Every interleaving, to a stated depth")
struct ModelCheck {
    @Test("a truthful partner, silence, late arrivals, cancel and takeover: money moves at most once")
    func payout() {
        // The whole breadth to depth 7; what a larger budget reaches is a matter of minutes, not of rules.
        let depth = TestSettings.integer("SWITCHYARD_MODEL_DEPTH", default: 7)
        var search = Search(maximum: depth > 7 ? 50_000_000 : 400_000)
        _ = search.run(depth: depth)
        print("model check: depth \(depth), \(search.visited.count) states, \(search.steps) steps")
        #expect(search.broken.isEmpty, "\(search.broken.first ?? "")")
        #expect(search.visited.count > 1_000)
    }

    @Test(
        "the search would see it: a catalogue that promises too much loses money within the same depth",
        arguments: ["no time in flight", "no visibility lag"])
    func mutants(name: String) {
        var search = Search(maximum: 400_000)
        search.terms.inFlightBound = name == "no time in flight" ? .zero : Bounds.flight
        search.terms.visibilityLag = name == "no visibility lag" ? .zero : Bounds.lag
        search.terms.inquirySlots = [Milliseconds(4_900), Milliseconds(5_100)]
        _ = search.run(depth: 7)
        #expect(!search.broken.isEmpty)
    }
}
