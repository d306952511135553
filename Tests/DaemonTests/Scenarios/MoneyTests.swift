import CanonicalJSON
import DaemonTestSupport
import InvariantChecker
import Testing

@Suite("The daemon moves money")
struct MoneyTests {
    @Test("a payout settles: events in order, balanced postings, the bank's books to the cent")
    func payout() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await world.send([Line.payout("p-1")])
        try await world.waits("p-1", "settled")
        let names = try await world.history("p-1")
        #expect(
            names.prefix(5) == [
                "command.accepted", "payout.received", "screening.passed", "route.selected", "attempt.started",
            ])
        #expect(names.last == "payout.settled")
        let settled = try #require(try await world.records(payment: "p-1").first { World.name($0) == "payout.settled" })
        #expect(settled["data"]?["settledAmount"]?["minorUnits"]?.integer == 12_500)
        #expect(settled["data"]?["evidence"]?["kind"]?.string != nil)
        let postings = try await world.records("settlements")
        #expect(Set(postings.compactMap { $0["data"]?["kind"]?.string }) == ["settlement", "fee"])
        try await world.expectInvariants(
            commands: [CommandFact(subject: "p-1", source: "urn:switchyard:send", id: "c1")])
        daemon.signal(15)
        #expect(try await daemon.exit(within: 30) == 0)
    }

    @Test("payments: captured, declined soft and hard, challenged and completed, captured by hand, refunded, voided")
    func payments() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await world.send([
            Line.payment("auto"), Line.payment("soft", token: "tok_decline_soft"),
            Line.payment("hard", token: "tok_decline_hard"), Line.payment("challenge", token: "tok_challenge"),
            Line.payment("hand", capture: "manual", minorUnits: 1_000), Line.payment("void", capture: "manual"),
        ])
        for (payment, state) in [
            ("auto", "captured"), ("soft", "failed"), ("hard", "failed"), ("challenge", "actionRequired"),
            ("hand", "authorized"), ("void", "authorized"),
        ] {
            try await world.waits(payment, state)
        }
        // A soft decline may go elsewhere, a hard one may not.
        #expect(try await world.history("soft").count { $0 == "attempt.started" } == 2)
        #expect(try await world.history("hard").count { $0 == "attempt.started" } == 1)

        func amount(_ minorUnits: Int64) -> JSONValue { ["currency": "EUR", "minorUnits": .integer(minorUnits)] }
        try await world.send([
            Line.command("payment.capture", "hand", id: "c2", ["operationId": "cap-1", "amount": amount(600)]),
            Line.command("payment.void", "void", id: "c2", ["reason": "changed their mind"]),
        ])
        try await world.waits("hand", "captured")
        try await world.waits("void", "voided")
        try await world.send([
            Line.command("payment.refund", "hand", id: "c3", ["operationId": "ref-1", "amount": amount(250)]),
            Line.command("payment.refund", "hand", id: "c4", ["operationId": "ref-2", "amount": amount(351)]),
        ])
        try await world.waits("hand", "partiallyRefunded")
        #expect(try await world.outcome("hand", "c4")["data"]?["code"]?.string == "exceeds-amount")

        let records = try await world.records(payment: "challenge")
        let redirect = records.first { World.name($0) == "payment.action-required" }
        let parameters = try await world.browse(try #require(redirect?["data"]?["redirectUrl"]?.string))
        try await world.send([
            Line.command(
                "payment.complete-action", "challenge", id: "c2", ["parameters": parameters.json ?? [:]])
        ])
        try await world.waits("challenge", "captured")
        try await world.expectInvariants()
        _ = daemon
    }

    /// Orders the same fault at both banks, so that it hits whichever is asked first.
    private func everywhere(_ world: World, _ faults: JSONValue...) async throws {
        for bank in ["bank-a", "bank-b"] { try await world.faults(bank, faults) }
    }

    @Test("an answer that gets lost after the money moved is in doubt, is inquired, and settles once")
    func lostAnswer() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await everywhere(
            world, ["route": "POST /v1/transfers", "fault": "resetAfter", "count": 1, "ratio": 1, "seed": 1],
            // Else the notification may tell before anybody is in doubt.
            ["route": "POST /v1/transfers", "fault": "none", "count": 1, "ratio": 1, "seed": 1])
        try await world.send([Line.payout("lost")])
        try await world.waits("lost", "settled", within: 60)
        let names = try await world.history("lost")
        #expect(names.contains("attempt.in-doubt"))
        #expect(names.contains("attempt.resolved"))
        #expect(names.count { $0 == "attempt.started" } == 1)
        try await world.expectInvariants()
        _ = daemon
    }

    @Test("a request that never arrived is proven absent after the gate, and goes elsewhere")
    func absent() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await everywhere(
            world, ["route": "POST /v1/transfers", "fault": "resetBefore", "count": 1, "ratio": 1, "seed": 1])
        try await world.send([Line.payout("absent")])
        try await world.waits("absent", "settled", within: 120)
        let resolved = try await world.records(payment: "absent").filter { World.name($0) == "attempt.resolved" }
        #expect(resolved.first?["data"]?["outcome"]?.string == "absent")
        #expect(try await world.history("absent").count { $0 == "attempt.started" } >= 2)
        try await world.expectInvariants()
        _ = daemon
    }

    @Test("money that comes back is posted, and the books still agree")
    func returned() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await everywhere(
            world,
            [
                "route": "POST /v1/transfers", "fault": "return", "count": 1, "ratio": 1, "seed": 1,
                "milliseconds": 300,
            ])
        try await world.send([Line.payout("back")])
        try await world.waits("back", "returned", within: 60)
        #expect(try await world.history("back").contains("payout.settled"))
        try await world.expectInvariants()
        _ = daemon
    }
}

extension World {
    /// A GET on an address of a bank, as a customer's browser does it.
    func browse(_ url: String) async throws -> Answer {
        for (name, port) in bankPorts {
            let base = "http://127.0.0.1:\(port)"
            if url.hasPrefix(base) { return try await bank(name, "GET", String(url.dropFirst(base.count))) }
        }
        throw Unexpected("\(url) is no address of a bank")
    }
}
