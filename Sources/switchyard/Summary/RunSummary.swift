import CanonicalJSON
import Operations
import PaymentModel

/// What the published records tell of a run: built from events and settlements alone, as any consumer could.
struct RunSummary {
    /// One payment.
    struct Payment {
        var kind = "?"
        var state = "?"
        var escalated = false
        /// `partner/rail` that executed its payout, or captured.
        var executedBy: String?
        var attempts: [String: Attempt] = [:]

        /// Finished, or waiting for somebody.
        var rests: Bool { isFinished || isParked }
        var isFinished: Bool { PaymentStatus(name: state).map { PaymentStatus.terminal.contains($0) } ?? false }
        var isParked: Bool {
            escalated || (PaymentStatus(name: state).map { PaymentStatus.parked.contains($0) } ?? false)
        }
    }

    /// One attempt.
    struct Attempt {
        var partner: String
        var rail: String
        var reference: String
        var operation: String
        /// What ended its doubt; nil: it was never in doubt.
        var doubt: String?
    }

    private(set) var payments: [String: Payment] = [:]
    private(set) var rejectedCommands: [String: Int] = [:]
    private(set) var events = 0
    private(set) var lateSuccesses = 0
    /// Clearing balance by payment, partner and currency, debit positive.
    private(set) var clearing: [BookKey: Int64] = [:]
    /// Fees by partner and currency.
    private(set) var fees: [BookKey: Int64] = [:]
    /// What was moved, by operation and currency, from settlements.
    private(set) var moved: [String: [String: Int64]] = [:]
    /// Owner of each of our references.
    private(set) var owners: [String: String] = [:]
    private(set) var postings = 0

    var resting: Int { payments.values.count(where: \.rests) }
    var inDoubt: Int { payments.values.count { payment in payment.attempts.values.contains { $0.doubt == "open" } } }
    var parked: Int { payments.values.count { $0.isParked && !$0.isFinished } }
    var finished: Int { payments.values.count(where: \.isFinished) }

    /// Takes an event, in the order of its payment's sequence.
    mutating func take(event: JSONValue) {
        let name = RecordPresentation.shortName(event["type"]?.string ?? "")
        guard let data = event["data"], let id = data["paymentId"]?.string ?? event["subject"]?.string else { return }
        events += 1
        if name == "command.rejected" { rejectedCommands[data["code"]?.string ?? "?", default: 0] += 1 }
        guard (data["sequence"]?.integer ?? 0) > 0 else { return }
        var payment = payments[id] ?? Payment()
        payment.state = data["state"]?.string ?? payment.state
        payment.escalated = name == "attempt.escalated"
        if name == "payout.received" { payment.kind = "payout" }
        if name == "payment.received" { payment.kind = "payment" }
        if name == "attempt.late-success" { lateSuccesses += 1 }
        take(name, data, of: id, &payment)
        payments[id] = payment
    }

    private mutating func take(_ name: String, _ data: JSONValue, of id: String, _ payment: inout Payment) {
        guard let attemptID = data["attemptId"]?.string else { return }
        if name == "attempt.started" {
            let reference = data["reference"]?.string ?? "?"
            owners[reference] = id
            payment.attempts[attemptID] = Attempt(
                partner: data["partner"]?.string ?? "?", rail: data["rail"]?.string ?? "?", reference: reference,
                operation: data["operation"]?.string ?? "?")
            return
        }
        guard var attempt = payment.attempts[attemptID] else { return }
        let evidence = data["evidence"]?["kind"]?.string
        switch name {
        case "attempt.in-doubt": attempt.doubt = "open"
        case "attempt.resolved":
            attempt.doubt = "\(data["outcome"]?.string ?? "?") by \(evidence ?? "?")"
        case "attempt.accepted", "attempt.rejected", "attempt.not-sent":
            if attempt.doubt == "open" { attempt.doubt = "answered after a repeat" }
        case "attempt.escalated":
            if attempt.doubt == "open" { attempt.doubt = "left to a person" }
        case "payout.settled", "payment.captured":
            payment.executedBy = "\(attempt.partner)/\(attempt.rail)"
        default: break
        }
        payment.attempts[attemptID] = attempt
    }

    private static func words(_ kind: String, _ signed: Int64) -> String {
        kind == "settlement" ? (signed < 0 ? "paid out" : "captured") : kind
    }

    /// Takes a posting.
    mutating func take(posting: JSONValue) {
        guard let data = posting["data"] else { return }
        postings += 1
        let kind = data["kind"]?.string ?? "?"
        let payment = data["paymentId"]?.string ?? ""
        for entry in data["entries"]?.array ?? [] {
            guard let account = entry["account"]?.string, let units = entry["amount"]?["minorUnits"]?.integer,
                let currency = entry["amount"]?["currency"]?.string
            else { continue }
            let signed = entry["side"]?.string == "debit" ? units : -units
            if account.hasPrefix("partner:"), account.hasSuffix(":clearing") {
                let partner = String(account.dropFirst(8).dropLast(9))
                clearing[BookKey(payment: payment, partner: partner, currency: currency), default: 0] += signed
                if kind != "fee" { moved[RunSummary.words(kind, signed), default: [:]][currency, default: 0] += units }
            }
            if account.hasPrefix("expense:fees:") {
                fees[BookKey(payment: "", partner: String(account.dropFirst(13)), currency: currency), default: 0] +=
                    signed
            }
        }
    }
}

/// Where books are compared: a payment's money at a partner in a currency.
struct BookKey: Hashable {
    var payment: String
    var partner: String
    var currency: String
}
