import InvariantChecker
import Testing

/// A world in which one payout went well; each test breaks one thing in it.
struct Story {
    var world = CheckedWorld()

    init() {
        world.commands = [CommandFact(subject: "p-1", source: "urn:t", id: "c-1")]
        event("command.accepted", "received", ["commandId": .text("c-1"), "commandSource": .text("urn:t")])
        event("payout.received", "screening", [:])
        event("screening.passed", "routing", [:])
        event("route.selected", "routing", [:])
        start("p-1-attempt-1", reference: "R1", state: "attempting")
        event("attempt.accepted", "attempting", ["attemptId": .text("p-1-attempt-1")])
        event("payout.submitted", "submitted", [:])
        event("payout.settled", "settled", money("p-1-attempt-1"))
        post(1, [("payouts:payable", "debit", 100), ("partner:bank-a:clearing", "credit", 100)])
        world.movements = [movement("R1")]
        world.requests = [request("POST", "R1", at: 1_000_000)]
    }

    func money(_ attempt: String) -> [String: FactValue] {
        [
            "attemptId": .text(attempt), "evidence": .object(["kind": .text("answer")]),
            "settledAmount": .object(["currency": .text("EUR"), "minorUnits": .integer(100)]),
        ]
    }

    func movement(_ reference: String, partner: String = "bank-a") -> MovementFact {
        MovementFact(
            partner: partner, operation: "transfer", reference: reference, currency: "EUR", minorUnits: 100, fee: 0)
    }

    func request(_ method: String, _ reference: String, at: Int64, status: Int64? = 201) -> RequestFact {
        RequestFact(
            partner: "bank-a", at: at, method: method, path: "/v1/transfers", key: method == "POST" ? reference : nil,
            bodyHash: "h", reference: reference, status: status)
    }

    mutating func event(_ name: String, _ state: String, _ data: [String: FactValue]) {
        let sequence = Int64(world.events.count + 1)
        var data = data
        data["sequence"] = .integer(sequence)
        data["state"] = .text(state)
        world.events.append(
            RecordFact(
                topic: "events", partition: 0, offset: sequence, type: "io.switchyard.\(name).v1",
                id: "p-1-\(sequence)",
                source: "switchyard", subject: "p-1", data: .object(data)))
    }

    mutating func start(
        _ attempt: String, reference: String, state: String, operation: String = "payout", key: String? = nil
    ) {
        event(
            "attempt.started", state,
            [
                "attemptId": .text(attempt), "operation": .text(operation), "partner": .text("bank-a"),
                "reference": .text(reference), "idempotencyKey": .text(key ?? reference),
                "occurredAt": .text("1970-01-01T00:16:39.900Z"),
            ])
    }

    mutating func post(_ number: Int, _ lines: [(String, String, Int64)]) {
        let entries = lines.map { account, side, units in
            FactValue.object([
                "account": .text(account), "side": .text(side),
                "amount": .object(["currency": .text("EUR"), "minorUnits": .integer(units)]),
            ])
        }
        let id = "p-1-posting-\(number)"
        world.settlements.append(
            RecordFact(
                topic: "settlements", partition: 0, offset: Int64(number), type: "io.switchyard.ledger.posted.v1",
                id: id, source: "switchyard", subject: "p-1",
                data: .object(["postingId": .text(id), "paymentId": .text("p-1"), "entries": .list(entries)])))
    }

    /// Which invariants the checker finds broken.
    var broken: Set<String> { Set(InvariantChecker(world).violations.map(\.invariant)) }
}

@Suite("The checker finds what it is there to find")
struct InvariantCheckerTests {
    @Test("a payout that went well breaks nothing")
    func good() {
        #expect(InvariantChecker(Story().world).violations == [])
    }

    @Test("S1: executed at two partners")
    func doublePayout() {
        var story = Story()
        story.start("p-1-attempt-2", reference: "R2", state: "settled")
        story.world.movements.append(story.movement("R2", partner: "bank-b"))
        #expect(story.broken.contains("S1"))
    }

    @Test("S2 and S3: a second attempt while one is open or in doubt")
    func secondAttempt() {
        for doubt in [false, true] {
            var story = Story()
            story.world.events.removeLast(3)
            if doubt { story.event("attempt.in-doubt", "inDoubt", ["attemptId": .text("p-1-attempt-1")]) }
            story.start("p-1-attempt-2", reference: "R2", state: doubt ? "inDoubt" : "attempting")
            #expect(story.broken.contains(doubt ? "S3" : "S2"))
        }
    }

    @Test("S3: doubt ended without evidence")
    func noEvidence() {
        var story = Story()
        story.world.events.removeLast(3)
        story.event("attempt.in-doubt", "inDoubt", ["attemptId": .text("p-1-attempt-1")])
        story.event(
            "attempt.resolved", "routing", ["attemptId": .text("p-1-attempt-1"), "outcome": .text("absent")])
        #expect(story.broken.contains("S3"))
    }

    @Test("S3: what was never in doubt may end by its answer")
    func answered() {
        for doubt in [false, true] {
            var story = Story()
            story.world.events.removeLast(3)
            if doubt { story.event("attempt.in-doubt", "inDoubt", ["attemptId": .text("p-1-attempt-1")]) }
            story.event(
                "attempt.resolved", doubt ? "inDoubt" : "attempting",
                [
                    "attemptId": .text("p-1-attempt-1"), "outcome": .text("settled"),
                    "evidence": .object(["kind": .text("answer")]),
                ])
            #expect(story.broken.contains("S3") == doubt)
        }
    }

    @Test("S15: unexplained money is posted once")
    func unexplainedMoney() {
        func posting(_ offset: Int64) -> RecordFact {
            RecordFact(
                topic: "settlements", partition: 0, offset: offset, type: "io.switchyard.ledger.posted.v1",
                id: "bank-a-posting-m", source: "switchyard", subject: "bank-a",
                data: .object(["postingId": .text("bank-a-posting-m"), "entries": .list([])]))
        }
        var story = Story()
        story.world.settlements.append(posting(10))
        #expect(!story.broken.contains("S15"))
        story.world.settlements.append(posting(11))
        #expect(story.broken.contains("S15"))
    }

    @Test("S4: a request without intent, before it, or with another body")
    func intents() {
        var story = Story()
        story.world.requests.append(story.request("POST", "R9", at: 2_000_000))
        #expect(story.broken.contains("S4"))
        story = Story()
        story.world.requests[0].at = 900_000
        #expect(story.broken.contains("S4"))
        story = Story()
        story.world.requests[0].status = 429
        var again = story.request("POST", "R1", at: 1_000_100)
        again.bodyHash = "other"
        story.world.requests.append(again)
        #expect(story.broken == ["S4"])
    }

    @Test("S4: a cancel names no reference: it is found by its key")
    func cancels() {
        func story(_ key: String, at: Int64) -> Story {
            var story = Story()
            let settled = story.world.events.removeLast()
            story.start("p-1-attempt-2", reference: "R2", state: "submitted", operation: "cancel")
            story.event("attempt.accepted", "submitted", ["attemptId": .text("p-1-attempt-2")])
            story.event(settled.name, "settled", story.money("p-1-attempt-1"))
            var cancel = story.request("POST", key, at: at)
            cancel.path = "/v1/transfers/t-1/cancel"
            cancel.reference = nil
            story.world.requests.append(cancel)
            cancel.at += 10
            story.world.requests.append(cancel)
            return story
        }
        #expect(story("R2", at: 1_000_100).broken.isEmpty, "also when it is repeated")
        #expect(story("R7", at: 1_000_100).broken == ["S4"], "a key that nobody intended")
        #expect(story("R2", at: 900_000).broken == ["S4"], "before its intent")
        var changed = story("R2", at: 1_000_100)
        changed.world.requests[2].bodyHash = "other"
        #expect(changed.broken == ["S4"], "the same key with another body")
        var elsewhere = story("R2", at: 1_000_100)
        elsewhere.world.requests[2].partner = "bank-b"
        #expect(elsewhere.broken == ["S4"], "at another partner")
        var twice = Story()
        twice.start("p-1-attempt-2", reference: "R2", state: "settled", operation: "cancel", key: "R1")
        #expect(twice.broken == ["S4"], "one key for two attempts")
    }

    /// Each as `event state minorUnits currency`, after an authorization of EUR 1.00.
    static let amountStories: [(steps: [String], isBroken: Bool)] = [
        (["captured captured 100 EUR"], false),
        (["captured captured 101 EUR"], true),
        (["captured captured 60 EUR", "captured captured 41 EUR"], true),
        (["captured captured 80 EUR", "refunded refunded 80 EUR"], false),
        (["captured captured 80 EUR", "refunded refunded 81 EUR"], true),
        (["captured captured 80 EUR", "refunded partiallyRefunded 30 EUR", "disputed disputed 51 EUR"], true),
        (["captured captured 80 EUR", "disputed disputed 80 EUR", "dispute-won captured 80 EUR"], false),
        (["captured captured 100 USD"], true),
    ]

    @Test(
        "S7: captured above the authorization, refunded or charged back above the captures, another currency",
        arguments: amountStories)
    func amounts(steps: [String], isBroken: Bool) {
        var story = Story()
        story.world = CheckedWorld()
        story.event("command.accepted", "received", ["commandId": .text("c-1"), "commandSource": .text("urn:t")])
        story.event("payment.received", "screening", [:])
        story.event("screening.passed", "routing", [:])
        story.start("p-1-attempt-1", reference: "R1", state: "authorizing", operation: "authorize")
        func tell(_ name: String, _ state: String, _ units: Int64, _ currency: String) {
            let amount: FactValue = .object(["currency": .text(currency), "minorUnits": .integer(units)])
            let evidence: FactValue = .object(["kind": .text("operator")])
            story.event(
                "payment.\(name)", state,
                ["attemptId": .text("p-1-attempt-1"), "evidence": evidence, "amount": amount])
        }
        tell("authorized", "authorized", 100, "EUR")
        for step in steps {
            let words = step.split(separator: " ").map(String.init)
            tell(words[0], words[1], Int64(words[2]) ?? 0, words[3])
        }
        story.world.atRest = false
        #expect(story.broken == (isBroken ? ["S7"] : []))
    }

    @Test("S8: a payment is shown in the state that its events lead to")
    func shown() {
        var story = Story()
        story.world.shown = ["p-1": "settled"]
        #expect(story.broken.isEmpty)
        story.world.shown = ["p-1": "submitted"]
        #expect(story.broken == ["S8"])
        story.world.shown = ["p-1": "settled", "p-2": "held"]
        #expect(story.broken == ["S8"], "what was never told")
    }

    @Test("S5: no outcome, two outcomes, an outcome of nothing")
    func outcomes() {
        var story = Story()
        story.world.commands.append(CommandFact(subject: "p-2", source: "urn:t", id: "c-2"))
        #expect(story.broken == ["S5"])
        story = Story()
        story.event("command.rejected", "settled", ["commandId": .text("c-1"), "commandSource": .text("urn:t")])
        #expect(story.broken == ["S5"])
        story = Story()
        story.event("command.rejected", "settled", ["commandId": .text("c-7"), "commandSource": .text("urn:t")])
        #expect(story.broken == ["S5"])
    }

    @Test("S6: a gap, an illegal step, a terminal state left")
    func order() {
        var story = Story()
        story.world.events.remove(at: 2)
        #expect(story.broken.contains("S6"))
        story = Story()
        story.event("payout.submitted", "submitted", [:])
        #expect(story.broken.contains("S6"))
    }

    @Test("S8: the same event twice")
    func twice() {
        var story = Story()
        story.world.events.append(story.world.events[3])
        #expect(story.broken == ["S8"])
    }

    @Test("S9: settled, but the partner moved nothing")
    func nothingMoved() {
        var story = Story()
        story.world.movements = []
        #expect(story.broken.contains("S9"))
    }

    @Test("S13: an attempt while a hold is open")
    func hold() {
        var story = Story()
        story.world.events.removeAll { $0.name == "screening.passed" }
        story.world.events[1].data = .object(["sequence": .integer(2), "state": .text("screening")])
        story.world.events.insert(
            RecordFact(
                topic: "events", partition: 0, offset: 3, type: "io.switchyard.screening.held.v1", id: "p-1-3",
                source: "switchyard", subject: "p-1",
                data: .object(["sequence": .integer(3), "state": .text("held")])), at: 2)
        #expect(story.broken.contains("S13"))
    }

    @Test("S15: off balance, a missing posting, books that say otherwise")
    func postings() {
        var story = Story()
        story.post(2, [("expense:fees:bank-a", "debit", 5), ("partner:bank-a:clearing", "credit", 4)])
        #expect(story.broken.contains("S15"))
        story = Story()
        story.world.settlements = []
        #expect(story.broken == ["S15"])
        story = Story()
        story.world.movements[0].fee = 3
        #expect(story.broken == ["S15"])
    }

    @Test("S16: posted again without an answered inquiry between")
    func repost() {
        var story = Story()
        story.world.requests.append(story.request("POST", "R1", at: 1_000_100))
        #expect(story.broken == ["S16"])
        story.world.requests.insert(story.request("GET", "R1", at: 1_000_050, status: 200), at: 1)
        #expect(story.broken.isEmpty)
        story.world.requests[1].status = nil
        #expect(story.broken == ["S16"])
    }

    @Test("L1: a payment that rests where it should not")
    func stuck() {
        var story = Story()
        story.world.events.removeLast()
        story.world.settlements = []
        story.world.movements = []
        #expect(story.broken == ["L1"])
        story.event("attempt.escalated", "submitted", ["attemptId": .text("p-1-attempt-1")])
        #expect(story.broken.isEmpty)
    }
}
