import Foundation
import InvariantChecker
import SwitchyardSimulation
import Testing

/// A thousand worlds of liars, and the promises hold in each. More seeds: `SWITCHYARD_SIMULATION_SEEDS=100000`; one seed:
/// `SWITCHYARD_SIMULATION_SEED=4711` (both with `--filter SimulationTests`).
@Suite struct SimulationTests {
    static let chunk = 50

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    static var seeds: [Range<UInt64>] {
        if let one = number("SWITCHYARD_SIMULATION_SEED") { return [one..<(one + 1)] }
        let count = number("SWITCHYARD_SIMULATION_SEEDS") ?? 1_000
        return stride(from: 0, to: count, by: chunk).map { $0..<min(count, $0 + UInt64(chunk)) }
    }

    @Test(arguments: SimulationTests.seeds) func promisesHold(seeds: Range<UInt64>) {
        for seed in seeds {
            let report = Simulation(.init(seed: seed)).run()
            if !report.violations.isEmpty, SimulationTests.seeds.count == 1 {
                print(report.story.joined(separator: "\n"))
            }
            #expect(
                report.violations.isEmpty,
                """
                seed \(seed): \(report.violations.prefix(5)); \
                repeat with SWITCHYARD_SIMULATION_SEED=\(seed) swift test --filter SimulationTests
                """)
        }
    }

    /// L5: half of all requests are turned away, and repeats stay within a tenth of the first requests.
    @Test(arguments: [UInt64(1), 2, 3]) func aBrownOutIsNotAnsweredByAStorm(seed: UInt64) {
        let report = Simulation(BrownOut.settings(seed: seed)).run()
        #expect(report.violations.isEmpty, "\(report.violations.prefix(5))")
        #expect(report.repeats > 0 && report.posts > BrownOut.payments)
    }

    /// Determinism: nothing but the seed decides.
    @Test(arguments: [UInt64(7), 99, 1_234]) func theSameSeedPublishesTheSameBytes(seed: UInt64) {
        let first = Simulation(.init(seed: seed)).run()
        let second = Simulation(.init(seed: seed)).run()
        #expect(first.published == second.published)
        #expect(first.steps == second.steps)
        #expect(!first.published.isEmpty)
        let other = Simulation(.init(seed: seed + 1)).run()
        #expect(first.published != other.published)
    }
}

enum BrownOut {
    static let payments = 300

    static func settings(seed: UInt64) -> Simulation.Settings {
        var settings = Simulation.Settings(seed: seed)
        settings.isBrownOut = true
        settings.payments = payments
        settings.stepsBetweenJudgements = 100_000
        return settings
    }
}

/// The simulator itself is tested: what is taken out of the daemon must be noticed.
@Suite struct MutationTests {
    /// Each mutation turns red within so many seeds.
    @Test(arguments: [
        (Mutation.intentCommitRemoved, UInt64(20), ["S4"]), (.inquiryGateRemoved, 60, ["S1"]),
        (.dedupeRemoved, 20, ["S5", "S8"]),
    ])
    func aMutationIsNoticed(mutation: Mutation, within: UInt64, invariants: [String]) {
        var broken: Set<String> = []
        for seed in 0..<within {
            var settings = Simulation.Settings(seed: seed)
            settings.mutation = mutation
            broken.formUnion(Simulation(settings).run().violations.map(\.invariant))
            if !broken.isDisjoint(with: invariants) { return }
        }
        Issue.record("\(mutation): nothing of \(invariants) within \(within) seeds, only \(broken)")
    }

    @Test func aMissingRetryBudgetIsNoticed() {
        var settings = BrownOut.settings(seed: 1)
        settings.mutation = .retryBudgetRemoved
        #expect(Simulation(settings).run().violations.contains { $0.invariant == "L5" })
    }

    /// The world is as bad as it claims to be: over some seeds everything that matters has happened.
    @Test func theWorldIsRich() {
        var states: [String: Int] = [:]
        var doubts: [String: Int] = [:]
        var processes = 0
        var repeats = 0
        var judged = 0
        var people: [String: Int] = [:]
        for seed in 1_000_000..<1_000_040 as Range<UInt64> {
            let report = Simulation(.init(seed: seed)).run()
            states.merge(report.states, uniquingKeysWith: +)
            doubts.merge(report.doubts, uniquingKeysWith: +)
            processes += report.processes
            repeats += report.repeats
            judged += report.judged
            people.merge(report.people, uniquingKeysWith: +)
        }
        print("judged \(judged) times, people \(people)")
        print("states \(states), doubts \(doubts), processes \(processes), repeats \(repeats)")
        for state in ["settled", "failed", "cancelled", "returned", "held", "blocked", "captured", "refunded"] {
            #expect(states[state] ?? 0 > 0, "no payment ended \(state)")
        }
        for outcome in ["settled", "rejected", "absent", "accepted"] {
            #expect(doubts[outcome] ?? 0 > 0, "no doubt ended \(outcome)")
        }
        #expect(processes > 100)
        #expect(repeats > 0)
        #expect(judged > 200)
        for command in ["hold.release", "hold.reject", "offload.resume", "attempt.resolve"] {
            #expect(people["\(command) accepted"] ?? 0 > 0, "nobody's \(command) was accepted")
        }
        for command in ["hold.release", "offload.resume", "attempt.resolve"] {
            #expect(people["\(command) rejected"] ?? 0 > 0, "nobody's \(command) came too late")
        }
    }
}
