import PaymentCore
import PaymentModel

/// Depth-first search over everything that can happen to one payment, to a stated depth; a state of everything is
/// visited again only with more depth left. After every step the invariants are checked, and from a share of the nodes
/// the world is healed, after which the payment must come to rest and the ledger must agree with the partner's books.
struct Search {
    let scenario: Scenario
    var maximum: Int
    /// Every so many new nodes the world is healed.
    var healEvery = 8
    /// Hash of a node to the depth that was left there: 64 bits stand for a node, as in every hash-compact search.
    var visited: [Int: Int] = [:]
    var steps = 0
    var healed = 0
    var broken: [String] = []
    /// States for other tests, with the fold of their events: one for each hash, spread over the search.
    var collected: [Int: (state: PaymentState, now: Now, fold: PaymentFold)] = [:]
    var collects = 0
    var collectEvery = 13

    init(_ scenario: Scenario, maximum: Int) {
        self.scenario = scenario
        self.maximum = maximum
    }

    var rules: CoreRules { CoreRules(terms: [World.routeA: scenario.terms, World.routeB: scenario.terms]) }

    mutating func run(depth: Int? = nil) {
        let driver = Driver(terms: scenario.terms)
        var node = Node(
            state: driver.state, now: driver.now, takeovers: scenario.takeovers, faults: scenario.faults,
            lies: scenario.lies)
        apply(
            command(
                .initiate(
                    Initiation(
                        kind: scenario.kind, instructedAmount: Money(100, World.euro),
                        captureMode: scenario.kind == .payment ? scenario.captureMode : nil),
                    dataDigest: Digest(high: 1, low: 1), seed: Digest(high: 2, low: 2)), 1, node.state.id), &node)
        for move in scenario.prefix {
            guard moves(node).contains(move) else {
                broken.append("\(move) of the prefix cannot be")
                return
            }
            perform(move, &node)
            check(node, [move])
        }
        explore(node, depth ?? scenario.depth, scenario.prefix)
    }

    private mutating func explore(_ node: Node, _ depth: Int, _ path: [Move]) {
        guard depth > 0, broken.isEmpty, steps < maximum else { return }
        let hash = node.hashValue
        if let seen = visited[hash] {
            if seen >= depth { return }
        } else {
            firstVisit(node, path)
        }
        visited[hash] = depth
        for move in moves(node) {
            var next = node
            perform(move, &next)
            steps += 1
            check(next, path + [move])
            explore(next, depth - 1, path + [move])
        }
    }

    private mutating func firstVisit(_ node: Node, _ path: [Move]) {
        checkStoredForm(node, path)
        if collected.count < collects, visited.count % collectEvery == 0 {
            collected[node.state.hashValue] = (node.state, node.now, node.fold)
        }
        if visited.count % healEvery == 0 {
            healed += 1
            checkHealed(node, path)
        }
    }

    func command(_ body: CommandBody, _ identity: UInt64, _ id: PaymentID) -> PaymentInput {
        .command(
            Command(
                envelope: CommandEnvelope(
                    subject: id, source: "s", id: "c\(identity)", type: "t",
                    identity: Digest(high: identity, low: 0)), body: body))
    }

    /// One input with what it asks for, as one commit.
    mutating func apply(_ input: PaymentInput, _ node: inout Node) {
        var input: PaymentInput? = input
        while let given = input {
            let before = node.state
            let transition = PaymentMachine.step(&node.state, given, now: node.now, rules: rules)
            if !transition.changedState, before != node.state { broken.append("a change is not told of: \(given)") }
            for event in transition.events { node.fold.take(event) }
            for posting in transition.postings { take(posting, &node) }
            for effect in transition.effects { take(effect, &node) }
            input =
                switch transition.need {
                case .screening?: .screened(.passed(listVersion: 1))
                case .route(let need)?: .routed(Driver(terms: scenario.terms).decision(need))
                case nil: nil
                }
        }
    }

    private mutating func take(_ posting: Posting, _ node: inout Node) {
        if !posting.isBalanced { broken.append("S15: an unbalanced posting") }
        if posting.kind == .suspense { node.isDouble = true }
        for entry in posting.entries {
            guard case .clearing = entry.account else { continue }
            node.clearing += entry.side == .debit ? entry.amount.minorUnits : -entry.amount.minorUnits
        }
    }

    private mutating func take(_ effect: Effect, _ node: inout Node) {
        switch effect {
        case .submit(let order):
            node.sends.append(.init(attempt: order.attempt, number: order.request, at: node.now.monotonic))
            let clash = node.state.attempts.contains { $0.reference == order.reference && $0.route != order.route }
            if clash { broken.append("S4: a reference at two partners") }
        case .inquire(let order):
            node.inquiries.append(.init(attempt: order.attempt, number: order.inquiry, at: node.now.monotonic))
        case .withdraw, .alarm: break
        }
    }
}
