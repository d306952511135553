import CanonicalJSON
import DaemonTestSupport
import Foundation
import InvariantChecker
import KafkaTransport
import TestSupport
import Testing

/// Chaos on a real broker: daemons killed, stopped and ended at random moments under load, the broker paused and killed,
/// banks that lie. Afterwards the offline checker, from the topics (read_committed), the banks' books and requests.
///
/// `SWITCHYARD_CHAOS_KILLS` makes it longer (100 and more for a release: `deploy/lib/chaos`), `SWITCHYARD_CHAOS_SEED`
/// repeats a run's choices, `SWITCHYARD_CHAOS_KEEP` names a folder that gets the daemons' logs of a run that failed.
@Suite("Chaos on Kafka", .enabled(if: TestKafka.isAvailable), .serialized)
struct ChaosTests {
    private static let kills = TestSettings.integer("SWITCHYARD_CHAOS_KILLS", default: 14)
    private static let seed =
        ProcessInfo.processInfo.environment["SWITCHYARD_CHAOS_SEED"].flatMap { UInt64($0) }
        ?? UInt64.random(in: 0 ... .max)
    /// The default of the daemon, and of L4.
    private static let transaction: Int64 = 10_000

    @Test(
        "daemons, broker and banks fail at random: no command lost, no money twice, books to the cent, and it goes on")
    func chaos() async throws {
        var random = SeededGenerator(seed: ChaosTests.seed)
        let name = "SWITCHYARD_CHAOS_SEED=\(ChaosTests.seed) SWITCHYARD_CHAOS_KILLS=\(ChaosTests.kills)"
        print("chaos: \(name)")
        var options = Fleet.Options()
        options.instances = random.chance(50) ? ["a", "b"] : ["a", "b", "c"]
        options.transaction = "\(ChaosTests.transaction)ms"
        // Nobody stalls longer than 9 s here; without such a promise doubt ends with a person after a takeover.
        options.stallBound = random.chance(70) ? "15s" : "none"
        options.notified = ["bank-a": "a", "bank-b": options.instances.last ?? "a"]
        let broker = try TestKafka()
        defer { broker.stop() }
        let fleet = try await Fleet(options, on: broker)
        print("chaos: \(options.instances.count) instances, stallBound \(options.stallBound), topics \(fleet.prefix)")
        let havoc = Havoc(fleet, broker: broker)
        try await havoc.startAll()
        try await eventually(90, "the first is ready") { try await fleet.isReady("a") }
        try await fleet.world.lie(&random)
        let load = CommandLoad(fleet.world, prefix: "x", round: 8, pause: .milliseconds(700))
        let sending = Task { try await load.run(patience: 20) }

        let plan = ChaosAction.plan(kills: ChaosTests.kills, instances: options.instances.count, &random)
        for (place, action) in plan.enumerated() {
            print("chaos: \(Fleet.clock) \(place + 1) of \(plan.count): \(action)")
            try await havoc.perform(action, watch: .milliseconds(ChaosTests.transaction + 5_500))
            if place % 6 == 5 { try await fleet.world.lie(&random) }
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...4_000, using: &random)))
        }
        await load.stop()
        try await sending.value
        try await fleet.world.heal()
        let (liveness, calm) = try await calmTime(fleet, havoc)
        try await judge(fleet, havoc, liveness, sent: await load.sent + calm, name)
        try await havoc.endAll()
        let surprises = await havoc.surprises
        #expect(surprises.isEmpty, "\(name)\n\(surprises.joined(separator: "\n"))")
    }

    /// Daemons and broker are well again. Poison in every partition, a bank that never answers, and payouts among them:
    /// those must be answered at once (L2).
    private func calmTime(_ fleet: Fleet, _ havoc: Havoc) async throws -> (LivenessFacts, [CommandFact]) {
        try await havoc.startAll()
        try await eventually(120, "somebody owns every partition") {
            var all: [Int64] = []
            for instance in fleet.options.instances { all += try await fleet.partitions(of: instance) ?? [] }
            return all.sorted() == Array(0..<Int64(fleet.options.partitions))
        }
        // What waited is taken in; then it is calm.
        try await eventually(60, "inputs are taken in") {
            try await fleet.lags().allSatisfy { $0.committed ?? $0.end >= $0.end }
        }
        try await fleet.world.faults(
            "bank-b",
            [
                [
                    "route": "POST /v1/transfers", "fault": "timeoutBefore", "count": 1_000, "ratio": 1, "seed": 1,
                    "milliseconds": 4_000,
                ]
            ])
        let calmFrom = Fleet.now
        try fleet.poison()
        // Excluding one bank sends half of them to the dead one.
        let lines = (1...24).map { number in
            Line.payout(
                "calm-\(number)",
                extra: number % 2 == 0 ? ["routing": ["excludePartners": ["bank-a"]]] : [:])
        }
        try await fleet.world.send(lines)
        try await Task.sleep(for: .seconds(3))
        try await fleet.world.heal()
        var facts = LivenessFacts(
            healedAt: Fleet.now, calmFrom: calmFrom, lastInquirySlot: 58_000, outcomeBound: 10_000,
            transactionTimeout: ChaosTests.transaction)
        facts.restarts = await havoc.restarts
        facts.faults = await havoc.faults
        return (
            facts,
            (1...24).map { CommandFact(subject: "calm-\($0)", source: "urn:switchyard:send", id: "c1") }
        )
    }

    private func judge(
        _ fleet: Fleet, _ havoc: Havoc, _ known: LivenessFacts, sent: [CommandFact], _ name: String
    ) async throws {
        var (world, liveness) = (CheckedWorld(), known)
        var checked = InvariantChecker(world)
        // A parked payment may leave its queue while we look; what is broken for good is still broken when looked at again.
        for look in 1...4 {
            try await fleet.rests(payments: Set(sent.map(\.subject)).count, within: 200)
            liveness.publications = try await fleet.publications()
            liveness.lags = try await fleet.lags()
            world = try await fleet.checked(sent)
            world.liveness = liveness
            checked = InvariantChecker(world)
            if checked.violations.isEmpty { break }
            print("chaos: look \(look): \(checked.violations.prefix(5))")
            try await Task.sleep(for: .seconds(8))
        }
        let text = checked.violations.prefix(30).map(\.description).joined(separator: "\n")
        #expect(checked.violations.isEmpty, "\(name)\n\(text)")
        if !checked.violations.isEmpty, let folder = ProcessInfo.processInfo.environment["SWITCHYARD_CHAOS_KEEP"] {
            try fleet.keepLogs(in: folder)
        }
        // What was acknowledged is what lies in the topic, no more and no less.
        #expect(Set(liveness.publications.map(\.command)) == Set(sent), "\(name)")
        let dead = try await fleet.world.records("dead-letters")
        #expect(dead.count == fleet.options.partitions, "\(name): \(dead.count) dead letters")
        let kills = await havoc.kills
        #expect(kills >= ChaosTests.kills)
        #expect(sent.count > ChaosTests.kills * 2, "the load was no load: \(sent.count) commands")
        print(
            """
            chaos: \(name): \(kills) kills, \(liveness.faults.count) faults, \(sent.count) commands, \
            \(world.events.count) events, \(world.requests.count) requests, \(checked.restartsJudged) restarts judged, \
            \(checked.violations.count) violations
            chaos: states \(checked.states.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")); \
            doubts ended \(checked.doubts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
            """)
    }
}

extension Fleet {
    /// A record that cannot be decoded, in every partition of the commands topic; returns when they are durable.
    func poison() throws {
        let producer = try KafkaProducer(
            KafkaConfiguration(bootstrapServers: kafka.bootstrap), clientID: "\(group)-poison",
            topics: [prefix + "commands"]
        ) { _, _, _ in }
        let value = Array("no JSON, no CloudEvent".utf8)
        for partition in 0..<Int32(options.partitions) {
            try value.withUnsafeBytes { bytes in
                try producer.produce(
                    KafkaOutgoing(topic: 0, partition: partition, timestamp: Fleet.now, key: nil, value: bytes),
                    headers: 0, token: UInt(partition)
                ) { _ in }
            }
        }
        // Flushes.
        producer.close()
    }
}
