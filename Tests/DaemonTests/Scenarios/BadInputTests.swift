import CanonicalJSON
import DaemonTestSupport
import Foundation
import Testing

@Suite("Bad input")
struct BadInputTests {
    private let card = "4111 1111 1111 1111"

    @Test("refused with code and field, or to the dead letters untouched; nothing of it in any log")
    func badInput() async throws {
        let world = try await World()
        let daemon = try await world.start()
        let creditor: JSONValue = ["name": "Clara Geheim", "account": ["iban": "DE89370400440532013001"]]
        let lines: [JSONValue] = [
            Line.payout("bad-iban", extra: ["creditor": creditor]), Line.payout("bad-amount", minorUnits: 0),
            Line.payout("bad-currency", currency: "XXQ"),
            Line.payout("card", extra: ["remittanceInformation": .string(card)]),
            Line.command("payout.explode", "type", id: "c1", [:]), Line.payout("missing", extra: ["debtor": .null]),
        ]
        try await world.send(lines)
        let large = String(repeating: "x", count: 300_000)
        let sent = try await world.run(
            ["send", "-"],
            input: """
                {"id":"no-subject","type":"payout.cancel","data":{}}
                {"type":"payout.cancel","subject":"no-id","data":{}}
                {"type":"payout.initiate","id":"big","subject":"big","data":{"s":"\(large)"}}

                """)
        #expect(sent.status == 0, "\(sent)")
        func outcome(_ payment: String) async throws -> [String?] {
            let data = try await world.outcome(payment, "c1")["data"]
            return [data?["code"]?.string, data?["field"]?.string]
        }
        #expect(try await outcome("bad-iban") == ["invalid-account", "creditor.account.iban"])
        #expect(try await outcome("bad-amount") == ["invalid", "instructedAmount.minorUnits"])
        #expect(try await outcome("bad-currency") == ["invalid", "instructedAmount.currency"])
        #expect(try await outcome("card").first == "card-number-in-clear")
        #expect(try await outcome("type").first == "unknown-type")
        #expect(try await outcome("missing").first == "invalid")
        try await eventually(20, "three dead letters") { try await world.records("dead-letters").count == 3 }
        let dead = try await world.records("dead-letters")
        for header in ["error-code", "error-detail", "source-topic", "source-partition", "source-offset"] {
            #expect(dead.allSatisfy { $0["headers"]?[header]?.string != nil }, "\(header)")
        }
        #expect(dead.contains { ($0["value"]?.string?.utf8.count ?? 0) > 400_000 }, "untouched, in base64")
        var told = try await world.records().map(\.description).joined()
        told += daemon.output
        told += try await world.call("GET", "/metrics").text
        for secret in [card, "4111111111111111", "Clara Geheim", "DE89370400440532013001", "secret-of-the-tests"] {
            #expect(!told.contains(secret), "\(secret) was told")
        }
        try await world.expectInvariants()
    }

    @Test("a line that is no object ends send with 2 and its number; those before are sent, and it says how many")
    func brokenLine() async throws {
        let world = try await World()
        let daemon = try await world.start()
        let broken = try await world.run(
            ["send", "-", "--output", "json"], input: "\(Line.payout("before"))\n[1]\n\(Line.payout("after"))\n")
        #expect(broken.status == 2 && broken.err.contains("line 2: JSON, but no object"), "\(broken)")
        #expect(broken.err.contains("1 command is durable, up to line 1"), "\(broken)")
        #expect(broken.out.contains(#"{"sent":1}"#), "\(broken)")
        try await world.waits("before", "settled")
        #expect(try await world.state("after") == nil)
        _ = daemon
    }

    @Test("send refuses nothing by size or content: the daemon answers, and what comes after is sent")
    func sendsWhatItIsGiven() async throws {
        let world = try await World()
        let daemon = try await world.start()
        let huge = String(repeating: "x", count: 5 << 20)
        let deep = String(repeating: "[", count: 60_000) + String(repeating: "]", count: 60_000)
        func cancel(_ payment: String, _ data: String) -> String {
            #"{"type":"payout.cancel","id":"c1","subject":"\#(payment)","data":\#(data)}"#
        }
        let sent = try await world.run(
            ["send", "-"],
            input: [
                cancel("huge", #"{"reason":"\#(huge)"}"#), cancel("twice", #"{"reason":"a","reason":"b"}"#),
                cancel("deep", #"{"reason":\#(deep)}"#),
                #"{"type":"payout.cancel","id":"c1","id":"c2","subject":"ids","data":{}}"#, "\(Line.payout("after"))",
            ].joined(separator: "\n"))
        #expect(sent.status == 0 && sent.out.contains("5 commands are durable"), "\(sent)")
        try await world.waits("after", "settled")
        for payment in ["twice", "deep"] {
            #expect(try await world.outcome(payment, "c1")["data"]?["code"]?.string == "invalid")
        }
        // Told by the daemon: to encode so much for a reader takes a debug build long.
        for code in ["too-large", "missing-attribute"] {
            try await eventually(20, "a dead letter") { daemon.output.contains(#""code":"\#(code)""#) }
        }
    }

    @Test(
        "a record larger than a bundle reaches the dead letters untouched; one larger than the log takes is left out, told",
        arguments: [true, false])
    func largestRecords(daemonRuns: Bool) async throws {
        let world = try await World(edit: {
            $0 + "limits: { maximumBundleBytes: 1048576, maximumRecordBytes: 1572864 }\n"
        })
        var daemon: Program?
        if daemonRuns { daemon = try await world.start() }
        func cancel(_ payment: String, _ bytes: Int) -> String {
            let reason = String(repeating: "x", count: bytes)
            return #"{"type":"payout.cancel","id":"c1","subject":"\#(payment)","data":{"reason":"\#(reason)"}}"#
        }
        let lines = [
            "\(Line.payout("before"))", cancel("large", 1_300_000), cancel("too-large", 1_600_000),
            "\(Line.payout("after"))", cancel("beyond", 65 << 20), "\(Line.payout("last"))",
        ]
        let sent = try await world.run(
            ["send", "-", "--output", "json"], input: lines.joined(separator: "\n"), timeout: 120)
        #expect(sent.status == 1, "\(sent)")
        let told = try JSONValue(parsing: try #require(sent.lines.first))
        #expect(told["sent"]?.integer == 4)
        #expect(told["notSent"]?.array?.compactMap { $0["line"]?.integer } == [3, 5])
        #expect(sent.err.contains("line 3: not sent: a record of 16"), "\(sent.err)")
        #expect(sent.err.contains("limits.maximumRecordBytes"), "\(sent.err)")
        #expect(sent.err.contains("line 5: not sent: a line of 68"), "\(sent.err)")
        if daemon == nil { daemon = try await world.start() }
        for payment in ["before", "after", "last"] { try await world.waits(payment, "settled") }
        try await eventually(30, "the dead letter") { daemon?.output.contains(#""code":"too-large""#) == true }
        let dead = try await world.records("dead-letters")
        #expect(dead.map { $0["key"]?.string } == ["large"])
        #expect(dead.first?["value"]?.string.flatMap { Data(base64Encoded: $0)?.count } == 1_300_000 + 13)
    }
}
