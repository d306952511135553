import CanonicalJSON
import DaemonTestSupport
import Foundation
import Glibc
import InvariantChecker
import TestSupport
import Testing

/// Instances that join, leave, die and stall on a real broker while payments are in flight.
@Suite("Instances on Kafka", .enabled(if: TestKafka.isAvailable), .serialized)
struct MembershipTests {
    @Test(
        "they join, leave in order and die with payments in flight: nothing in doubt by leaving, order kept, books agree"
    )
    func joinLeaveCrash() async throws {
        var options = Fleet.Options()
        options.instances = ["a", "b", "c"]
        let fleet = try await Fleet(options)
        for bank in ["bank-a", "bank-b"] { try await fleet.world.faults(bank, [Fleet.delay(200)]) }
        let first = try await fleet.start("a")
        let load = CommandLoad(fleet.world, prefix: "m", round: 6, pause: .milliseconds(300))
        let sending = Task { try await load.run(patience: 60) }
        // Joins.
        let second = try await fleet.start("b")
        try await fleet.settle("a", "b")
        let joined = Fleet.now
        try await Task.sleep(for: .seconds(2))
        // Leaves in order: the other has its partitions at once, and nothing of what it had sent is in doubt. (Whoever
        // stays is interrupted by every join and leave: eager assignment takes all partitions from everybody.)
        let left = Set(try await fleet.partitions(of: "a") ?? [])
        let asked = Fleet.now
        first.signal(SIGTERM)
        #expect(try await first.exit(within: 30) == 0)
        try await fleet.settle("b")
        let after = try await fleet.world.records()
        func moment(_ event: JSONValue) -> Int64 {
            FactMoment.milliseconds(event["data"]?["occurredAt"]?.string ?? "") ?? 0
        }
        // What the join has interrupted is told to be in doubt some seconds later, and is not the leaving's fault.
        let begun = Set(
            after.filter { World.name($0) == "attempt.started" && moment($0) >= joined }
                .compactMap { $0["data"]?["attemptId"]?.string })
        let doubts = after.filter { event in
            World.name(event) == "attempt.in-doubt" && left.contains(event["partition"]?.integer ?? -1)
                && moment(event) >= asked && begun.contains(event["data"]?["attemptId"]?.string ?? "")
        }
        #expect(!begun.isEmpty)
        #expect(doubts.isEmpty, "\(doubts.count) attempts in doubt by leaving: \(doubts.prefix(3))")
        let third = try await fleet.start("c")
        try await fleet.settle("b", "c")
        // Dies, and comes again beside the other.
        try await fleet.inFlight()
        second.crash()
        try await fleet.settle("c")
        let again = try await fleet.start("b")
        try await fleet.settle("b", "c")
        await load.stop()
        try await sending.value
        let commands = await load.sent
        try await fleet.world.heal()
        try await fleet.rests(payments: Set(commands.map(\.subject)).count)
        try await fleet.expectInvariants(commands)
        for program in [again, third] {
            program.signal(SIGTERM)
            #expect(try await program.exit(within: 30) == 0)
        }
    }

    @Test("SIGTERM with hundreds of calls under way: they are finished, handed over without doubt, and paid once")
    func handover() async throws {
        let fleet = try await Fleet()
        for bank in ["bank-a", "bank-b"] { try await fleet.world.faults(bank, [Fleet.delay(400)]) }
        let first = try await fleet.start("a")
        let second = try await fleet.start("b")
        try await fleet.settle("a", "b")
        let left = Set(try await fleet.partitions(of: "a") ?? [])
        #expect(!left.isEmpty)
        try await fleet.world.send((1...200).map { Line.payout("h-\($0)") })
        try await fleet.inFlight(atLeast: 20)
        first.signal(SIGTERM)
        #expect(try await first.exit(within: 30) == 0)
        try await fleet.rests(payments: 200)
        let events = try await fleet.world.records()
        // Those of whoever stays may be: eager assignment interrupts it, too, where it has calls under way just then.
        let doubts = events.filter {
            World.name($0) == "attempt.in-doubt" && left.contains($0["partition"]?.integer ?? -1)
        }
        #expect(doubts.isEmpty, "\(doubts.count) attempts in doubt after a handover: \(doubts.prefix(3))")
        #expect(events.count { World.name($0) == "payout.settled" } == 200)
        try await fleet.expectInvariants(
            (1...200).map { CommandFact(subject: "h-\($0)", source: "urn:switchyard:send", id: "c1") })
        _ = second
    }

    @Test("stalled past its session, then awake: fenced, it sends nothing of what it had in hand, and serves again")
    func stall() async throws {
        let fleet = try await Fleet()
        // Slow answers: the stall strikes with calls under way.
        for bank in ["bank-a", "bank-b"] { try await fleet.world.faults(bank, [Fleet.delay(3_500)]) }
        let first = try await fleet.start("a")
        let second = try await fleet.start("b")
        try await fleet.settle("a", "b")
        let lost = Set(try await fleet.partitions(of: "a") ?? [])
        try await fleet.world.send((1...60).map { Line.payout("s-\($0)") })
        try await fleet.inFlight(atLeast: 10)
        first.signal(SIGSTOP)
        // Its call to the group is missed; the other takes over and goes on.
        try await fleet.settle("b")
        try await fleet.world.send((61...90).map { Line.payout("s-\($0)") })
        // Longer than the send deadline of 5 s: whatever it had been allowed to send is not allowed any more.
        try await Task.sleep(for: .seconds(6))
        let before = try await fleet.world.records()
        let wokenAt = Fleet.now
        first.signal(SIGCONT)
        try await fleet.settle("a", "b")
        try await fleet.world.heal()
        try await fleet.rests(payments: 90)
        let log = fleet.log("a")
        #expect(log.contains("revoked") || log.contains("lost"), "it was never told: \(log.suffix(1_500))")
        // References whose intent it had committed: no byte of money for them after it woke, but by a repeat.
        var owned: Set<String> = []
        for event in before where World.name(event) == "attempt.started" {
            guard lost.contains(event["partition"]?.integer ?? -1) else { continue }
            owned.insert(event["data"]?["reference"]?.string ?? "")
        }
        #expect(!owned.isEmpty)
        let world = try await fleet.checked()
        let repeated = Set(
            world.events.filter { $0.name == "attempt.retried" }.compactMap { $0.data["attemptId"]?.text })
        let late = world.requests.filter {
            $0.method == "POST" && $0.at > wokenAt && owned.contains($0.reference ?? "")
        }
        let references = Dictionary(
            world.events.filter { $0.name == "attempt.started" }.map {
                ($0.data["reference"]?.text ?? "", $0.data["attemptId"]?.text ?? "")
            }, uniquingKeysWith: { first, _ in first })
        for request in late {
            #expect(repeated.contains(references[request.reference ?? ""] ?? ""), "sent after it woke: \(request)")
        }
        try await fleet.expectInvariants(
            (1...90).map { CommandFact(subject: "s-\($0)", source: "urn:switchyard:send", id: "c1") })
        _ = second
    }
}
