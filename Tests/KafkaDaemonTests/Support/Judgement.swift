import CanonicalJSON
import DaemonTestSupport
import InvariantChecker
import Testing

extension Fleet {
    /// A delay of every transfer's answer.
    static func delay(_ milliseconds: Int64) -> JSONValue {
        [
            "route": "POST /v1/transfers", "fault": "delay", "count": 100_000, "ratio": 1, "seed": 1,
            "milliseconds": .integer(milliseconds),
        ]
    }

    /// Waits until attempts are under way: started, and not yet answered.
    func inFlight(atLeast count: Int = 3) async throws {
        try await eventually(60, "\(count) attempts are under way") {
            var open: Set<String> = []
            for event in try await self.world.records() {
                let attempt = event["data"]?["attemptId"]?.string ?? ""
                switch World.name(event) {
                case "attempt.started": open.insert(attempt)
                case "attempt.accepted", "attempt.rejected", "attempt.not-sent", "attempt.resolved":
                    open.remove(attempt)
                default: break
                }
            }
            return open.count >= count
        }
    }

    /// Everything that the checker may look at.
    func checked(_ commands: [CommandFact] = []) async throws -> CheckedWorld {
        try await world.checked(commands: commands)
    }

    /// Checks every promise on the committed records, the banks' books and what the banks received; with L3, that
    /// nothing is left over and nothing hangs.
    func expectInvariants(
        _ commands: [CommandFact], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var world = try await checked(commands)
        let now = Fleet.now
        var liveness = LivenessFacts(
            healedAt: now, calmFrom: now, lastInquirySlot: 58_000, outcomeBound: 10_000, transactionTimeout: 6_000)
        liveness.lags = try await lags()
        world.liveness = liveness
        #expect(!world.events.isEmpty, "nothing was published", sourceLocation: sourceLocation)
        let violations = InvariantChecker(world).violations
        let text = violations.prefix(20).map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(prefix)\n\(text)", sourceLocation: sourceLocation)
    }
}
