import CanonicalJSON
import DaemonTestSupport
import InvariantChecker
import Testing

@Suite("Commands and people")
struct CommandTests {
    @Test("holds, the desk, blocks: named entries, second clicks, wrong entries")
    func desk() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await world.send([
            Line.payout("held-1", creditor: "CASIMIR téstholder"),
            Line.payout("held-2", creditor: "Casimir Testholder"),
            Line.payout("blocked", creditor: "Blockworthy Trading Ltd"),
        ])
        try await world.waits("held-1", "held")
        try await world.waits("held-2", "held")
        try await world.waits("blocked", "blocked")
        for bank in ["bank-a", "bank-b"] {
            let requests = try await world.bank(bank, "GET", "/_control/requests").json?["requests"]?.array ?? []
            #expect(requests.allSatisfy { $0["method"]?.string != "POST" }, "a hold means no call (S13)")
        }
        let list = try await world.run(["payments", "list", "--state", "held"])
        #expect(list.status == 0 && list.out.contains("held-1") && list.out.contains("held-2"), "\(list)")
        let listed = try await world.run(["payments", "list", "--output", "json"])
        let rows = try JSONValue(parsing: listed.out)["payments"]?.array ?? []
        #expect(rows.count { $0["parked"]?.bool == true } == 2)

        let by = ["--operator", "ann", "--reason", "same name, other person"]
        func desk(_ verb: String, _ payment: String, _ entry: String) async throws -> Finished {
            try await world.run(["payments", verb, payment, "--entry", entry] + by)
        }
        let wrong = try await desk("release", "held-1", "held-1-hold-7")
        #expect(wrong.status == 1 && wrong.err.contains("illegal-state"), "\(wrong)")
        let released = try await desk("release", "held-1", "held-1-hold-1")
        #expect(released.status == 0, "\(released)")
        try await world.waits("held-1", "settled")
        let again = try await desk("release", "held-1", "held-1-hold-1")
        #expect(again.status == 1, "a second click: \(again)")
        let rejected = try await desk("reject", "held-2", "held-2-hold-1")
        #expect(rejected.status == 0, "\(rejected)")
        try await world.waits("held-2", "blocked")
        let shown = try await world.run(["payments", "show", "held-1"])
        #expect(shown.status == 0 && shown.out.contains("screening.released"), "\(shown)")
        #expect(try await world.run(["payments", "show", "nobody"]).status == 1)
        try await world.expectInvariants()
        _ = daemon
    }

    @Test("duplicates, conflicts, cancel before initiate, too late, wrong kinds: one outcome each")
    func identity() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await world.send([
            Line.payout("dup", id: "c1"), Line.payout("dup", id: "c1"), Line.payout("dup", id: "c2"),
            Line.payout("dup", id: "c3", minorUnits: 99),
            Line.command("payout.cancel", "early", id: "c1", ["reason": "never mind"]),
        ])
        try await world.waits("early", "cancelled")
        try await world.send([Line.payout("early", id: "c2")])
        try await world.waits("dup", "settled")
        try await world.send([
            Line.command("payout.cancel", "dup", id: "c4", ["reason": "too late"]),
            Line.command("payment.refund", "dup", id: "c5", ["operationId": "o"]),
            Line.command("payment.capture", "unknown", id: "c6", ["operationId": "o"]),
        ])
        func code(_ payment: String, _ command: String) async throws -> String? {
            try await world.outcome(payment, command)["data"]?["code"]?.string
        }
        #expect(try await world.outcome("dup", "c2")["data"]?["duplicateOf"]?.string == "c1")
        #expect(try await code("dup", "c3") == "conflict")
        #expect(try await code("early", "c2") == "cancelled")
        #expect(try await code("dup", "c4") == "too-late")
        #expect(try await code("dup", "c5") == "illegal-state")
        #expect(try await code("unknown", "c6") == "illegal-state")
        let unknown = try await world.records(payment: "unknown")
        #expect(unknown.first?["data"]?["sequence"]?.integer == 0)
        #expect(unknown.first?["id"]?.string == "unknown-0-urn:switchyard:send-c6")
        #expect(try await world.state("unknown") == nil)
        #expect(try await world.history("dup").count { $0.hasPrefix("command.") } == 5)
        let sent = [
            ("dup", "c1"), ("dup", "c2"), ("dup", "c3"), ("early", "c1"), ("early", "c2"), ("dup", "c4"), ("dup", "c5"),
            ("unknown", "c6"),
        ]
        try await world.expectInvariants(
            commands: sent.map { CommandFact(subject: $0.0, source: "urn:switchyard:send", id: $0.1) })
        _ = daemon
    }

    @Test("a future day and a closed window wait in their lanes, and a person may give one up")
    func offWindow() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await world.send([Line.payout("later", extra: ["requestedExecutionDate": "2099-01-04"])])
        try await world.waits("later", "offloaded")
        let records = try await world.records(payment: "later")
        let entered = try #require(records.first { World.name($0) == "offload.entered" })
        #expect(entered["data"]?["lane"]?.string == "queue")
        for field in ["offloadId", "owner", "deadline", "releaseRule"] {
            #expect(entered["data"]?[field]?.string != nil, "\(field)")
        }
        let given = try await world.run([
            "payments", "reject", "later", "--entry", "later-offload-1", "--operator", "ann", "--reason", "not wanted",
        ])
        #expect(given.status == 0, "\(given)")
        try await world.waits("later", "failed")
        try await world.expectInvariants()
        _ = daemon
    }
}
