import CanonicalJSON
import DaemonTestSupport
import Foundation
import Glibc
import InvariantChecker
import TestSupport
import Testing

/// What goes to the wrong instance, and what each of them can answer.
@Suite("Sharing partitions on Kafka", .enabled(if: TestKafka.isAvailable), .serialized)
struct SharingTests {
    @Test("a webhook to an instance that does not own the payment reaches the owner through the notifications topic")
    func webhooks() async throws {
        // Both banks know the first instance only.
        let fleet = try await Fleet()
        let first = try await fleet.start("a")
        let second = try await fleet.start("b")
        try await fleet.settle("a", "b")
        let others = Set(try await fleet.partitions(of: "b") ?? [])
        // The money comes back later: after "settled" nobody inquires, only a notification can tell.
        for bank in ["bank-a", "bank-b"] {
            try await fleet.world.faults(
                bank,
                [
                    [
                        "route": "POST /v1/transfers", "fault": "return", "count": 1_000, "ratio": 1, "seed": 1,
                        "milliseconds": 300,
                    ]
                ])
        }
        let payments = (1...24).map { "w-\($0)" }
        try await fleet.world.send(payments.map { Line.payout($0) })
        try await eventually(60, "all came back") {
            try await fleet.world.records().count { World.name($0) == "payout.returned" } == payments.count
        }
        #expect(Set(try await fleet.partitions(of: "b") ?? []) == others, "the partitions moved meanwhile")
        let events = try await fleet.world.records()
        let home = Dictionary(
            events.map { ($0["subject"]?.string ?? "", $0["partition"]?.integer ?? -1) }, uniquingKeysWith: { $1 })
        let elsewhere = payments.filter { others.contains(home[$0] ?? -1) }
        #expect(elsewhere.count > 3, "no payment lies elsewhere: \(home)")
        // Every notification came in at the first instance, and lies in the partition of its payment.
        let references = Dictionary(
            events.filter { World.name($0) == "attempt.started" }.map {
                ($0["data"]?["reference"]?.string ?? "", $0["subject"]?.string ?? "")
            }, uniquingKeysWith: { $1 })
        var told: Set<String> = []
        for record in try await fleet.everything("notifications") {
            let payment = try #require(references[record.key], "a notification for \(record.key)")
            #expect(Int64(record.partition) == home[payment], "\(payment)")
            told.insert(payment)
        }
        #expect(told.isSuperset(of: elsewhere))
        try await fleet.rests(payments: payments.count)
        try await fleet.expectInvariants(
            payments.map { CommandFact(subject: $0, source: "urn:switchyard:send", id: "c1") })
        _ = (first, second)
    }

    @Test("each instance answers for its own partitions and says whose the others are; the command line finds the rest")
    func views() async throws {
        let fleet = try await Fleet()
        let payments = (1...16).map { "v-\($0)" }
        try await fleet.world.send(payments.map { Line.payout($0, creditor: "Casimir Testholder") })
        let first = try await fleet.start("a")
        let second = try await fleet.start("b")
        try await fleet.settle("a", "b")
        try await eventually(60, "all are held") {
            try await fleet.world.records().count { World.name($0) == "screening.held" } == payments.count
        }
        var listed: [String: [String]] = [:]
        for instance in ["a", "b"] {
            let answer = try await fleet.call(instance, "GET", "/v1/payments")
            #expect(answer.json?["share"]?["instance"]?.string == instance)
            #expect(answer.json?["share"]?["of"]?.integer == 6)
            listed[instance] = answer.json?["payments"]?.array?.compactMap { $0["paymentId"]?.string } ?? []
        }
        let (ofA, ofB) = (Set(listed["a"] ?? []), Set(listed["b"] ?? []))
        #expect(ofA.isDisjoint(with: ofB) && ofA.union(ofB) == Set(payments))
        let mine = try #require(ofA.first)
        let theirs = try #require(ofB.first)
        #expect(try await fleet.call("a", "GET", "/v1/payments/\(mine)").status == 200)
        let misdirected = try await fleet.call("a", "GET", "/v1/payments/\(theirs)")
        #expect(misdirected.status == 421, "\(misdirected.text)")
        #expect(misdirected.json?["owner"]?.string == "b", "\(misdirected.text)")
        #expect(misdirected.json?["partition"]?.string != nil)
        // The command line, configured as the first instance.
        let list = try await fleet.world.run(["payments", "list"])
        #expect(list.status == 0 && list.out.contains(mine) && !list.out.contains(theirs), "\(list)")
        #expect(list.err.contains("instance a alone"), "a part is not shown as the whole: \(list)")
        let shown = try await fleet.world.run(["payments", "show", theirs])
        #expect(shown.status == 0 && shown.out.contains("\(theirs): held"), "\(shown)")
        #expect(shown.out.contains("screening.held") && shown.err.contains("instance b"), "\(shown)")
        let unknown = try await fleet.world.run(["payments", "show", "nobody-knows-this"])
        #expect(unknown.status == 1, "\(unknown)")
        // The desk's decision reaches the owner, whoever it is.
        let released = try await fleet.world.run([
            "payments", "release", theirs, "--entry", "\(theirs)-hold-1", "--operator", "ann", "--reason", "checked",
        ])
        #expect(released.status == 0, "\(released)")
        // Without a daemon a list would say that there are no payments: it says that nobody answers.
        for program in [first, second] {
            program.signal(SIGTERM)
            #expect(try await program.exit(within: 30) == 0)
        }
        let alone = try await fleet.world.run(["payments", "list", "--timeout", "1"])
        #expect(alone.status == 3 && alone.err.contains("daemon"), "\(alone)")
        let told = try await fleet.world.run(["payments", "show", mine])
        #expect(told.status == 0 && told.out.contains("\(mine): held"), "\(told)")
    }

    @Test("outcomes come in the order of the commands of a partition, whoever owned it meanwhile")
    func order() async throws {
        let fleet = try await Fleet()
        let first = try await fleet.start("a")
        var second = try await fleet.start("b")
        try await fleet.settle("a", "b")
        for round in 0..<4 {
            try await fleet.world.send((1...40).map { Line.payout("o-\(round)-\($0)") })
            if round == 1 {
                second.crash()
                second = try await fleet.start("b", ready: false)
            }
        }
        try await fleet.rests(payments: 160)
        let published = try await fleet.everything("commands")
        let outcomes = try await fleet.everything("events").filter {
            $0.headers["ce_type"] == "io.switchyard.command.accepted.v1"
        }
        for partition in 0..<Int32(fleet.options.partitions) {
            let wanted = published.filter { $0.partition == partition }.map(\.key)
            let got = outcomes.filter { $0.partition == partition }.map(\.key)
            #expect(!wanted.isEmpty && got == wanted, "partition \(partition)")
        }
        try await fleet.expectInvariants(
            (0..<4).flatMap { round in
                (1...40).map { CommandFact(subject: "o-\(round)-\($0)", source: "urn:switchyard:send", id: "c1") }
            })
        _ = (first, second)
    }
}
