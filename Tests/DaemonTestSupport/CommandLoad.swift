import CanonicalJSON
import Foundation
import InvariantChecker
import TestSupport

/// Sends payouts and payments by the command line until it is stopped. Lines that could not be sent are sent again as
/// they are: an id makes a command one, however often it is published.
package actor CommandLoad {
    private let world: World
    private let prefix: String
    private let round: Int
    private let pause: Duration
    private var stopped = false
    private var number = 0
    /// What was acknowledged, in the order in which it was sent.
    package private(set) var sent: [CommandFact] = []

    /// A load of `round` subjects at a time, with a pause after each round.
    package init(_ world: World, prefix: String, round: Int = 8, pause: Duration = .zero) {
        self.world = world
        self.prefix = prefix
        self.round = round
        self.pause = pause
    }

    /// Ends `run` after the round at hand.
    package func stop() { stopped = true }

    /// Sends until `stop`; `patience` is how long one round may take to be acknowledged before it is sent again.
    package func run(patience: Int = 30) async throws {
        while !stopped {
            try await sendRound(patience: patience)
            try await Task.sleep(for: pause)
        }
    }

    private func sendRound(patience: Int) async throws {
        var lines: [JSONValue] = []
        for _ in 0..<round {
            number += 1
            lines += CommandLoad.lines("\(prefix)-\(number)", number)
        }
        let input = lines.map { "\($0)\n" }.joined()
        // A broker or daemon that is away costs patience, not commands.
        for attempt in 1... {
            let sent = try await world.run(
                ["send", "-", "--timeout", "\(patience)"], input: input, timeout: Double(patience) + 60)
            if sent.status == 0 { break }
            guard attempt < 20 else { throw Unexpected("send: \(sent)") }
        }
        sent += lines.map {
            CommandFact(subject: $0["subject"]?.string ?? "", source: "urn:switchyard:send", id: $0["id"]?.string ?? "")
        }
    }

    /// The commands of one subject: mostly payouts, a few payments, held names and cancels.
    private static func lines(_ subject: String, _ number: Int) -> [JSONValue] {
        var lines: [JSONValue] = []
        if number % 4 == 0 {
            lines.append(Line.payment(subject, minorUnits: Int64(100 + number)))
        } else if number % 13 == 0 {
            lines.append(Line.payout(subject, creditor: "Casimir Testholder"))
        } else {
            lines.append(Line.payout(subject, minorUnits: Int64(1_000 + number)))
        }
        if number % 11 == 0 { lines.append(Line.command("payout.cancel", subject, id: "c2", ["reason": "crash"])) }
        return lines
    }
}

extension World {
    /// Orders faults of every kind that a bank may have and still keep its promises.
    package func lie(_ random: inout SeededGenerator, timeout milliseconds: Int64 = 4_000) async throws {
        let faults = [
            "timeoutAfter", "timeoutBefore", "resetBefore", "resetAfter", "error5xxBefore", "error5xxAfter", "garbage",
        ]
        let routes = ["POST /v1/transfers", "POST /v1/authorizations", "POST /v1/authorizations/{id}/captures"]
        for bank in bankPorts.keys.sorted() {
            var rules: [JSONValue] = []
            for fault in faults {
                rules.append([
                    "route": .string(routes.randomElement(using: &random) ?? routes[0]), "fault": .string(fault),
                    "count": 4, "ratio": 0.15, "seed": .integer(Int64.random(in: 0...1_000_000, using: &random)),
                    "milliseconds": .integer(milliseconds),
                ])
            }
            rules.append([
                "route": "POST /v1/transfers", "fault": "duplicate", "count": 10, "ratio": 0.3,
                "seed": .integer(Int64.random(in: 0...1_000_000, using: &random)),
            ])
            try await self.faults(bank, rules)
        }
    }

    /// How many payouts have settled.
    package func settled() async throws -> Int { try await records().count { World.name($0) == "payout.settled" } }
}
