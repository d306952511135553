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
            lines += LoadSubject(prefix: prefix, number: number).beginning
            // What follows comes rounds later, when the authorization, the hold or the capture is likely to be there;
            // where it is not, the command is refused, which is an outcome, too.
            for stage in 1...LoadSubject.stages where number > stage * 2 * round {
                lines += LoadSubject(prefix: prefix, number: number - stage * 2 * round).following(stage)
            }
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
}

/// What one subject of a load asks for, decided by its number alone: mostly payouts, and payments with what may follow
/// them.
private struct LoadSubject {
    private enum Kind { case payout, held, dated, automatic, captured, partlyCaptured, voided }

    /// How many groups of commands follow the first one.
    static let stages = 3
    private let name: String
    private let number: Int
    private let units: Int64

    init(prefix: String, number: Int) {
        name = "\(prefix)-\(number)"
        self.number = number
        units = Int64((number % 4 == 0 ? 100 : 1_000) + number)
    }

    private var kind: Kind {
        if number % 4 == 0 { return [.automatic, .captured, .partlyCaptured, .voided][number / 4 % 4] }
        if number % 13 == 0 { return .held }
        return number % 17 == 0 ? .dated : .payout
    }

    /// The initiate, and a cancel for some.
    var beginning: [JSONValue] {
        let first =
            switch kind {
            case .payout: Line.payout(name, minorUnits: units)
            case .held: Line.payout(name, creditor: "Casimir Testholder")
            // It waits in its lane for a day that does not come.
            case .dated: Line.payout(name, minorUnits: units, extra: ["requestedExecutionDate": "2099-01-05"])
            case .automatic: Line.payment(name, minorUnits: units)
            case .captured, .partlyCaptured, .voided: Line.payment(name, capture: "manual", minorUnits: units)
            }
        return number % 11 == 0 ? [first, Line.command("payout.cancel", name, id: "c2", ["reason": "crash"])] : [first]
    }

    /// The commands of a later stage.
    func following(_ stage: Int) -> [JSONValue] {
        let odd = number / 4 % 8 >= 4
        switch (kind, stage) {
        case (.held, 1): return [desk(number % 2 == 0 ? "hold.reject" : "hold.release", "holdId", "hold-1")]
        case (.dated, 1): return [desk(number % 2 == 0 ? "offload.reject" : "offload.resume", "offloadId", "offload-1")]
        // A page that has grown old.
        case (.held, 2): return [desk("hold.release", "holdId", "hold-1")]
        case (.captured, 1): return [operation("payment.capture", "k1", nil)]
        case (.partlyCaptured, 1): return [operation("payment.capture", "k1", units / 2)]
        case (.voided, 1), (.partlyCaptured, 2):
            return [Line.command("payment.void", name, id: "v\(stage)", ["reason": "crash"])]
        case (.automatic, 1), (.captured, 2): return [operation("payment.refund", "r1", odd ? nil : units / 3)]
        case (.partlyCaptured, 3): return [operation("payment.refund", "r1", 10)]
        // The rest, and the first refund asked for once more under another command id.
        case (.automatic, 2), (.captured, 3):
            return [
                operation("payment.refund", "r2", nil),
                operation("payment.refund", "r1", odd ? nil : units / 3, id: "again"),
            ]
        default: return []
        }
    }

    private func operation(
        _ type: String, _ operation: String, _ units: Int64?, id: String? = nil
    ) -> JSONValue {
        var data: [String: JSONValue] = ["operationId": .string(operation)]
        if let units { data["amount"] = ["currency": "EUR", "minorUnits": .integer(units)] }
        return Line.command(type, name, id: id ?? operation, .object(data))
    }

    private func desk(_ type: String, _ field: String, _ entry: String) -> JSONValue {
        Line.command(
            type, name, id: type,
            .object([
                field: .string("\(name)-\(entry)"), "operator": "ann", "reason": "looked at",
            ]))
    }
}

extension World {
    /// Orders faults of every kind that a bank may have and still keep its promises: requests, outcomes that change
    /// later, notifications. None that loses a notification for good: nobody could know of a return then.
    package func lie(_ random: inout SeededGenerator, timeout milliseconds: Int64 = 4_000) async throws {
        let requests = [
            "timeoutAfter", "timeoutBefore", "resetBefore", "resetAfter", "error5xxBefore", "error5xxAfter", "garbage",
        ]
        let operations = ["captures", "voids", "refunds"].map { "POST /v1/authorizations/{id}/\($0)" }
        let money = ["POST /v1/transfers", "POST /v1/authorizations"] + operations
        for bank in bankPorts.keys.sorted() {
            var rules: [JSONValue] = []
            func order(_ fault: String, _ route: String, _ count: Int64, _ perCent: Int64, _ milliseconds: Int64?) {
                var rule: [String: JSONValue] = [
                    "route": .string(route), "fault": .string(fault), "count": .integer(count),
                    "ratio": .number(Double(perCent) / 100),
                    "seed": .integer(Int64.random(in: 0...1_000_000, using: &random)),
                ]
                if let milliseconds { rule["milliseconds"] = .integer(milliseconds) }
                rules.append(.object(rule))
            }
            for fault in requests {
                order(fault, money.randomElement(using: &random) ?? money[0], 4, 15, milliseconds)
            }
            order(requests.randomElement(using: &random) ?? requests[0], operations[2], 2, 50, milliseconds)
            order("return", "POST /v1/transfers", 6, 10, 600)
            order("dispute", operations[0], 6, 40, 500)
            order("lateRejection", money.randomElement(using: &random) ?? money[0], 4, 15, 700)
            order("unknownThenKnown", "*", 6, 15, nil)
            order("duplicate", "*", 10, 30, 300)
            order("late", "*", 6, 10, 1_500)
            order("reordered", "*", 6, 10, nil)
            order("forged", "*", 6, 10, nil)
            order("stale", "*", 6, 10, nil)
            order("beforeResponse", "*", 6, 10, nil)
            try await self.faults(bank, rules)
        }
    }

    /// How many payouts have settled.
    package func settled() async throws -> Int { try await records().count { World.name($0) == "payout.settled" } }
}
