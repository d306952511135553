/// Checks the invariants of the architecture, section 5, from outside: only from commands, events, settlements, partners'
/// books and what partners received. The crash tests, the chaos runs and the simulation use this same code.
public struct InvariantChecker {
    /// What was broken; empty when every promise held.
    public private(set) var violations: [Violation] = []
    /// Payments by the state of their last event.
    public private(set) var states: [String: Int] = [:]
    /// How many attempts were in doubt at some time, by how that ended.
    public private(set) var doubts: [String: Int] = [:]
    /// How many restarts L4 was judged by: those that found work waiting and met no other fault in time.
    public private(set) var restartsJudged = 0

    private var histories: [String: PaymentHistory] = [:]
    private var owners: [String: (payment: String, attempt: AttemptHistory)] = [:]
    /// By partner and idempotency key: a cancel names no reference of ours.
    private var keys: [String: (payment: String, attempt: AttemptHistory)] = [:]

    /// Checks a world. Cost: sorting of the events, otherwise linear.
    public init(_ world: CheckedWorld) {
        readEvents(world)
        shown(world)
        outcomes(world)
        executions(world)
        requests(world)
        postings(world)
        if let liveness = world.liveness {
            let checked = LivenessChecker(liveness, events: world.events, histories: histories)
            violations += checked.violations
            restartsJudged = checked.restartsJudged
        }
    }

    private mutating func note(_ invariant: String, _ subject: String, _ detail: String) {
        violations.append(Violation(invariant, subject, detail))
    }

    private mutating func readEvents(_ world: CheckedWorld) {
        var byPayment: [String: [RecordFact]] = [:]
        var ids: [String: FactValue] = [:]
        for event in world.events {
            if let other = ids[event.id] {
                note(
                    "S8", event.subject,
                    other == event.data ? "\(event.id) is published twice" : "two events \(event.id)")
                continue
            }
            ids[event.id] = event.data
            byPayment[event.subject, default: []].append(event)
        }
        for (payment, events) in byPayment {
            let ordered = events.sorted {
                ($0.data["sequence"]?.integer ?? 0, $0.offset) < ($1.data["sequence"]?.integer ?? 0, $1.offset)
            }
            for (event, next) in zip(ordered, ordered.dropFirst())
            where (event.data["sequence"]?.integer ?? 0) > 0 && event.partition == next.partition
                && event.offset >= next.offset
            {
                note("S6", payment, "\(next.id) lies before \(event.id) in the topic")
            }
            let history = PaymentHistory(id: payment, events: ordered)
            violations += history.violations
            states[history.state, default: 0] += 1
            if world.atRest, !history.isAtRest { note("L1", payment, "rests in \(history.state)") }
            for attempt in history.attempts.values {
                if let other = owners[attempt.reference] {
                    note("S4", payment, "reference \(attempt.reference) also belongs to \(other.attempt.id)")
                }
                owners[attempt.reference] = (payment, attempt)
                let key = "\(attempt.partner) \(attempt.key)"
                if let other = keys[key] {
                    note("S4", payment, "key \(attempt.key) also belongs to \(other.attempt.id)")
                }
                keys[key] = (payment, attempt)
            }
            for event in ordered where event.name == "attempt.resolved" {
                doubts[event.data["outcome"]?.text ?? "?", default: 0] += 1
            }
            histories[payment] = history
        }
    }

    /// S8: what the daemon shows of a payment is what its events say.
    private mutating func shown(_ world: CheckedWorld) {
        for (payment, state) in world.shown {
            guard let history = histories[payment] else {
                note("S8", payment, "is shown as \(state) and has no events")
                continue
            }
            if history.state != state {
                note("S8", payment, "is shown as \(state), and its events lead to \(history.state)")
            }
        }
    }

    /// S5: every distinct command gets exactly one outcome.
    private mutating func outcomes(_ world: CheckedWorld) {
        var counts: [CommandFact: Int] = [:]
        for event in world.events where event.name == "command.accepted" || event.name == "command.rejected" {
            let command = CommandFact(
                subject: event.subject, source: event.data["commandSource"]?.text ?? "?",
                id: event.data["commandId"]?.text ?? "?")
            counts[command, default: 0] += 1
        }
        let published = Set(world.commands)
        for command in published {
            let count = counts[command] ?? 0
            if count > 1 || (count == 0 && world.atRest) {
                note("S5", command.subject, "command \(command.id) of \(command.source) has \(count) outcomes")
            }
        }
        guard !published.isEmpty else { return }
        for (command, _) in counts where !published.contains(command) {
            note("S5", command.subject, "an outcome of command \(command.id), which nobody sent")
        }
    }

    /// S1, S9: what partners moved, against what we know of it.
    private mutating func executions(_ world: CheckedWorld) {
        var executed: [String: [MovementFact]] = [:]
        var moved: Set<String> = []
        for movement in world.movements where ["transfer", "capture", "refund"].contains(movement.operation) {
            moved.insert(movement.reference)
            guard let (payment, attempt) = owners[movement.reference] else {
                note("S4", movement.reference, "\(movement.partner) moved money for a reference without intent")
                continue
            }
            executed["\(payment) \(attempt.slot)", default: []].append(movement)
        }
        for (slot, movements) in executed where movements.count > 1 && world.partnersTruthful {
            let places = movements.map { "\($0.partner) \($0.reference)" }.joined(separator: ", ")
            note("S1", slot, "executed \(movements.count) times: \(places)")
        }
        let proofs = ["payout.settled", "payment.captured", "payment.refunded"]
        for event in world.events where proofs.contains(event.name) {
            guard let id = event.data["attemptId"]?.text, let attempt = histories[event.subject]?.attempts[id],
                !attempt.executedByOperator
            else { continue }
            if !moved.contains(attempt.reference) {
                note("S9", event.subject, "\(event.name) though \(attempt.partner) moved nothing for \(id)")
            }
        }
    }

    /// S4, S16: what partners received, against what we had committed.
    private mutating func requests(_ world: CheckedWorld) {
        var bodies: [String: String] = [:]
        var posted: [String: Bool] = [:]  // reference → whether it may be posted again
        for request in world.requests {
            if request.method == "GET", let reference = request.reference {
                let subject = "\(request.partner) \(reference)"
                if request.status == 200, posted[subject] != nil { posted[subject] = true }
                continue
            }
            guard request.method == "POST", let key = request.key else { continue }
            let subject = "\(request.partner) \(request.reference ?? key)"
            let intent = request.reference.map { owners[$0] } ?? keys["\(request.partner) \(key)"]
            guard let owner = intent else {
                let what = request.reference == nil ? "key" : "reference"
                note("S4", subject, "\(request.path) for a \(what) without intent")
                continue
            }
            if owner.attempt.key != key { note("S4", subject, "another key than the intent's") }
            if owner.attempt.partner != request.partner { note("S4", subject, "another partner than the intent's") }
            if let bodyHash = request.bodyHash {
                let known = bodies["\(request.partner) \(key)"]
                if let known, known != bodyHash { note("S4", subject, "the same key with another body") }
                bodies["\(request.partner) \(key)"] = bodyHash
            }
            if let started = FactTime.milliseconds(owner.attempt.startedAt),
                started > request.at + world.clockTolerance
            {
                note("S4", subject, "received \(started - request.at) ms before its intent")
            }
            // A cancel moves nothing, and goes out under the same key until it is answered (the contract, section 2).
            guard request.reference != nil else { continue }
            if posted[subject] == false { note("S16", subject, "posted again without an answered inquiry") }
            posted[subject] = [401, 429].contains(request.status)
        }
    }

    /// S15: postings balance, are numbered without gaps, and their sum is what the partners' books say.
    private mutating func postings(_ world: CheckedWorld) {
        var clearing: [BookKey: Int64] = [:]
        var numbers: [String: [Int64]] = [:]
        var unexplained: Set<String> = []
        for posting in world.settlements {
            let payment = posting.data["paymentId"]?.text ?? ""
            let postingID = posting.data["postingId"]?.text ?? "?"
            if postingID != posting.id { note("S15", payment, "postingId \(postingID) in record \(posting.id)") }
            if payment.isEmpty, !unexplained.insert(postingID).inserted {
                note("S15", posting.subject, "\(postingID) is posted twice")
            }
            if let number = postingID.split(separator: "-").last.flatMap({ Int64($0) }) {
                numbers[payment, default: []].append(number)
            }
            var sums: [String: Int64] = [:]
            for entry in posting.data["entries"]?.list ?? [] {
                let currency = entry["amount"]?["currency"]?.text ?? "?"
                let units = entry["amount"]?["minorUnits"]?.integer ?? 0
                let account = entry["account"]?.text ?? "?"
                let signed = entry["side"]?.text == "debit" ? units : -units
                if units <= 0 { note("S15", payment, "\(postingID) has an entry of \(units)") }
                sums[currency, default: 0] += signed
                if account.hasPrefix("partner:"), account.hasSuffix(":clearing") {
                    let partner = account.dropFirst(8).dropLast(9)
                    let key = BookKey(payment: payment, partner: String(partner), currency: currency)
                    clearing[key, default: 0] += signed
                }
            }
            for (currency, sum) in sums where sum != 0 {
                note("S15", payment, "\(postingID) is off balance by \(sum) \(currency)")
            }
        }
        for (payment, found) in numbers where !payment.isEmpty {
            let sorted = found.sorted()
            if sorted != Array(1...Int64(sorted.count)) { note("S15", payment, "postings numbered \(sorted)") }
        }
        guard world.atRest, !world.movements.isEmpty else { return }
        compareBooks(world, clearing: clearing)
    }

    private mutating func compareBooks(_ world: CheckedWorld, clearing: [BookKey: Int64]) {
        var books: [BookKey: Int64] = [:]
        for movement in world.movements {
            guard let owner = owners[movement.reference] else { continue }
            let inFavour: Int64 =
                switch movement.operation {
                case "capture", "return": movement.minorUnits
                default: -movement.minorUnits
                }
            let key = BookKey(payment: owner.payment, partner: movement.partner, currency: movement.currency)
            books[key, default: 0] += inFavour - movement.fee
        }
        for key in Set(books.keys).union(clearing.keys) {
            guard let history = histories[key.payment], history.nothingInFlight else { continue }
            let ours = clearing[key] ?? 0
            let theirs = books[key] ?? 0
            if ours != theirs {
                note(
                    "S15", key.payment,
                    "\(key.currency) at \(key.partner): our postings say \(ours), its books \(theirs)")
            }
        }
    }
}

/// What a partner's books and our postings are compared by.
private struct BookKey: Hashable {
    var payment: String
    var partner: String
    var currency: String
}

/// RFC 3339 in UTC with milliseconds, as events carry it.
package enum FactTime {
    /// Milliseconds since 1970, or nil where the text is not of the form `2026-11-20T12:00:00.000Z`.
    package static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes[10] == UInt8(ascii: "T"), bytes[23] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let millisecond = number(20..<23)
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millisecond
    }
}
