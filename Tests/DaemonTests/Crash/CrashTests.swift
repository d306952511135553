import DaemonTestSupport
import Foundation
import InvariantChecker
import TestSupport
import Testing

/// kill -9 at random moments under load, with banks that lie in every way that they can promise to heal from. Afterwards
/// only what anybody can see is checked: commands, events, settlements, dead letters, the banks' books and requests.
@Suite("Crashes", .serialized)
struct CrashTests {
    /// `SWITCHYARD_CRASH_SEED` repeats a run's choices, `SWITCHYARD_CRASH_KILLS` makes it longer.
    private static let seed =
        ProcessInfo.processInfo.environment["SWITCHYARD_CRASH_SEED"].flatMap { UInt64($0) }
        ?? UInt64.random(in: 0 ... .max)
    private static let kills =
        ProcessInfo.processInfo.environment["SWITCHYARD_CRASH_KILLS"].flatMap { Int($0) } ?? 50

    @Test("at least 50 kill -9 under load: no command lost, no money twice, books to the cent")
    func kill9() async throws {
        var random = SeededGenerator(seed: CrashTests.seed)
        print("crash test: SWITCHYARD_CRASH_SEED=\(CrashTests.seed) SWITCHYARD_CRASH_KILLS=\(CrashTests.kills)")
        let world = try await World()
        try await world.lie(&random)
        var daemon = try await world.start()
        let sender = CommandLoad(world, prefix: "crash")
        let load = Task { try await sender.run() }
        for kill in 1...CrashTests.kills {
            // From the middle of the start to well into the work.
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...900, using: &random)))
            daemon.crash()
            if kill % 10 == 0 { try await world.lie(&random) }
            daemon = try await world.start(ready: random.chance(50))
        }
        await sender.stop()
        try await load.value
        try await world.heal()
        try await eventually(20, "ready") { (try? await world.call("GET", "/readyz"))?.status == 200 }
        let commands = await sender.sent
        try await rest(world, payments: Set(commands.map(\.subject)).count)
        #expect(commands.count > CrashTests.kills, "the load was no load: \(commands.count) commands")
        // Money may still come back, and its news be on its way.
        try? await eventually(60, "the banks' books are told") {
            InvariantChecker(try await world.checked(commands: commands)).violations.isEmpty
        }
        try await world.expectInvariants(commands: commands, "SWITCHYARD_CRASH_SEED=\(CrashTests.seed)")
        #expect(try await world.records("dead-letters").isEmpty)
        if CrashTests.kills >= 30 { try await expectVariety(world) }
        let summary = try await world.run(
            ["summary"] + world.bankPorts.flatMap { ["--books", "\($0.key)=http://127.0.0.1:\($0.value)"] })
        #expect(summary.status == 0, "\(summary)")
        print("crash test: \(commands.count) commands, \(CrashTests.kills) kills\n\(summary.out)")
    }

    /// What the kills are to meet has happened at all.
    private func expectVariety(_ world: World) async throws {
        let happened = Set(try await world.records().map { World.name($0) })
        for name in [
            "payout.settled", "payout.returned", "payment.captured", "payment.voided", "payment.refunded",
            "payment.disputed", "screening.released", "screening.blocked", "offload.entered", "offload.left",
            "attempt.in-doubt", "attempt.resolved", "command.rejected",
        ] {
            #expect(happened.contains(name), "no \(name): SWITCHYARD_CRASH_SEED=\(CrashTests.seed)")
        }
    }

    /// Waits until every payment is finished or parked.
    private func rest(_ world: World, payments: Int) async throws {
        let waited = try await world.run(
            ["summary", "--wait", "--expect", "\(payments)", "--wait-limit", "180"], timeout: 240)
        #expect(waited.status == 0, "\(waited)")
    }
}
