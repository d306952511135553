import CanonicalJSON
import InvariantChecker
import Testing

extension World {
    /// Everything that the checker may look at, from outside.
    package func checked(commands: [CommandFact] = [], atRest: Bool = true, books: Bool = true) async throws
        -> CheckedWorld
    {
        var world = CheckedWorld()
        world.commands = commands
        let before = await shown()
        world.events = try await records("events").map { RecordFact($0) }
        let after = before.isEmpty ? [:] : await shown()
        world.shown = before.filter { after[$0.key] == $0.value }.mapValues(\.state)
        world.settlements = try await records("settlements").map { RecordFact($0) }
        world.atRest = atRest
        for name in bankPorts.keys.sorted() where books {
            let books = try await bank(name, "GET", "/_control/books").json
            for movement in books?["movements"]?.array ?? [] {
                world.movements.append(MovementFact(partner: name, movement))
            }
            let requests = try await bank(name, "GET", "/_control/requests").json
            for request in requests?["requests"]?.array ?? [] {
                world.requests.append(RequestFact(partner: name, request))
            }
        }
        return world
    }

    /// A payment as the list shows it.
    private struct Shown: Equatable {
        var state: String
        var since: String
    }

    /// All payments in all states, by the daemon's list; none where no daemon answers.
    private func shown() async -> [String: Shown] {
        var found: [String: Shown] = [:]
        let states = World.states.map { "state=\($0)" }.joined(separator: "&")
        var next: String?
        repeat {
            let page = next.map { "&after=\($0)" } ?? ""
            guard let answer = try? await call("GET", "/v1/payments?limit=1000&\(states)\(page)"),
                answer.status == 200, let body = answer.json
            else { return [:] }
            for payment in body["payments"]?.array ?? [] {
                found[payment["paymentId"]?.string ?? "?"] = Shown(
                    state: payment["state"]?.string ?? "?", since: payment["since"]?.string ?? "?")
            }
            next = body["next"]?.string
        } while next != nil
        return found
    }

    /// The states of payouts and payments (the contract, section 3).
    private static let states = [
        "received", "screening", "held", "routing", "offloaded", "attempting", "inDoubt", "submitted", "settled",
        "returned", "failed", "cancelled", "blocked", "authorizing", "actionRequired", "authorized", "capturing",
        "captured", "voided", "expired", "partiallyRefunded", "refunded", "disputed", "chargedBack",
    ]

    /// Checks every promise, and that there was something to check.
    package func expectInvariants(
        commands: [CommandFact] = [], books: Bool = true, _ comment: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let world = try await checked(commands: commands, books: books)
        #expect(!world.events.isEmpty, "nothing was published", sourceLocation: sourceLocation)
        let violations = InvariantChecker(world).violations
        let text = violations.prefix(20).map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(comment)\n\(text)", sourceLocation: sourceLocation)
    }
}

extension FactValue {
    package init(_ value: JSONValue) {
        switch value {
        case .null, .number: self = .null
        case .bool(let bool): self = .bool(bool)
        case .integer(let integer): self = .integer(integer)
        case .string(let text): self = .text(text)
        case .array(let list): self = .list(list.map { FactValue($0) })
        case .object(let members): self = .object(members.mapValues { FactValue($0) })
        }
    }
}

extension RecordFact {
    package init(_ record: JSONValue) {
        self.init(
            topic: (record["topic"]?.string ?? "").split(separator: ".").last.map(String.init) ?? "",
            partition: record["partition"]?.integer ?? -1, offset: record["offset"]?.integer ?? -1,
            type: record["type"]?.string ?? "", id: record["id"]?.string ?? "",
            source: record["headers"]?["ce_source"]?.string ?? "", subject: record["subject"]?.string ?? "",
            data: FactValue(record["data"] ?? .null))
    }
}

extension MovementFact {
    package init(partner: String, _ movement: JSONValue) {
        let amount = movement["amount"]
        self.init(
            partner: partner, operation: movement["op"]?.string ?? "?", reference: movement["reference"]?.string ?? "?",
            currency: amount?["currency"]?.string ?? movement["currency"]?.string ?? "?",
            minorUnits: amount?["minorUnits"]?.integer ?? 0,
            fee: movement["fee"]?["minorUnits"]?.integer ?? movement["fee"]?.integer ?? 0)
    }
}

extension RequestFact {
    package init(partner: String, _ request: JSONValue) {
        self.init(
            partner: partner, at: request["at"]?.integer ?? FactMoment.milliseconds(request["at"]?.string ?? "") ?? 0,
            method: request["method"]?.string ?? "", path: request["path"]?.string ?? "", key: request["key"]?.string,
            bodyHash: request["bodyHash"]?.string, reference: request["reference"]?.string,
            status: request["status"]?.integer)
    }
}

/// RFC 3339 in UTC with milliseconds, without the daemon's own code for it.
package enum FactMoment {
    package static func milliseconds(_ text: String) -> Int64? {
        let parts = text.split { !$0.isNumber }.compactMap { Int64($0) }
        guard parts.count >= 6 else { return nil }
        let (year, month) = parts[1] <= 2 ? (parts[0] - 1, parts[1] + 9) : (parts[0], parts[1] - 3)
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + parts[2] - 1 - 719_468
        return ((days * 24 + parts[3]) * 60 + parts[4]) * 60_000 + parts[5] * 1_000 + (parts.count > 6 ? parts[6] : 0)
    }
}
