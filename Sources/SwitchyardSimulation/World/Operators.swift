import CanonicalJSON
import PaymentModel

/// People who look at a partner themselves, because an attempt is in doubt or was handed to them, and tell what they have
/// seen (`attempt.resolve`): what the partner's own API shows at that moment, and not before. Some look far too early
/// and say "absent": the gate must not believe them (rows B26, B27). Some say it twice.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Operators: @unchecked Sendable {
    private let scheduler: Scheduler
    private let upstream: Upstream
    private let partners: [String: PartnerNode]
    private var random: SimulationRandom
    /// Attempts as `attempt.started` told of them.
    private var started: [String: Started] = [:]
    /// Whether a person's "settled" may be the only news of an execution: where notifications are lost for good, nobody
    /// would ever learn of its fee.
    var mayTellOfExecutions = true

    private struct Started {
        var partner: String
        var operation: String
        var reference: String
    }

    init(scheduler: Scheduler, upstream: Upstream, partners: [PartnerNode], random: SimulationRandom) {
        self.scheduler = scheduler
        self.upstream = upstream
        self.partners = Dictionary(uniqueKeysWithValues: partners.map { ($0.name, $0) })
        self.random = random
    }

    /// An event is published.
    func follow(_ event: PublishedRecord) {
        switch event.type {
        case "io.switchyard.attempt.started.v1":
            let data = event.data()
            guard let id = data["attemptId"]?.string, let partner = data["partner"]?.string,
                let operation = data["operation"]?.string, let reference = data["reference"]?.string
            else { return }
            started[id] = Started(partner: partner, operation: operation, reference: reference)
        case "io.switchyard.attempt.in-doubt.v1":
            // At once, when nothing can be seen yet; just before the first inquiry; or when those are well under way.
            let pause = random.pick([0...600, 1_200...2_400, 1_200...2_400, 2_000...12_000] as [ClosedRange<Int64>])
            if random.happens(perMille: 500) { look(event, after: random.number(pause), tries: 2) }
        case "io.switchyard.attempt.escalated.v1":
            if random.happens(perMille: 900) { look(event, after: random.number(500...8_000), tries: 4) }
        default: break
        }
    }

    private func look(_ event: PublishedRecord, after pause: Int64, tries: Int) {
        guard let id = event.data()["attemptId"]?.string, let attempt = started[id],
            let partner = partners[attempt.partner], tries > 0
        else { return }
        scheduler.after(pause) { [self] in
            let seenAt = scheduler.wall
            partner.show(attempt.reference, isTransfer: attempt.operation == "payout") { [self] shown in
                guard let shown else { return look(event, after: 3_000, tries: tries - 1) }
                guard let outcome = outcome(shown, attempt) else { return look(event, after: 5_000, tries: tries - 1) }
                tell(event.subject, id, outcome, seenAt)
            }
        }
    }

    /// What a person reads out of the partner's answer; nil where that is no answer yet.
    private func outcome(_ shown: JSONValue, _ attempt: Started) -> String? {
        let orders = shown[attempt.operation == "payout" ? "transfers" : "authorizations"]?.array ?? []
        guard !orders.isEmpty else { return "absent" }
        let lists = ["capture": "captures", "refund": "refunds", "void": "voids"]
        let own: [JSONValue] =
            lists[attempt.operation].map { list in orders.flatMap { $0[list]?.array ?? [] } } ?? orders
        let order = own.first { $0["reference"]?.string == attempt.reference }
        let isExecuted =
            switch (attempt.operation, order?["status"]?.string) {
            case ("payout", "settled"), ("capture", "accepted"), ("refund", "accepted"), ("void", "accepted"): true
            case (_, "rejected"): false
            default: Bool?.none
            }
        guard let isExecuted else { return nil }
        return isExecuted ? (mayTellOfExecutions ? "settled" : nil) : "rejected"
    }

    private func tell(_ payment: String, _ attempt: String, _ outcome: String, _ seenAt: Timestamp) {
        let data =
            #"{"attemptId":"\#(attempt)","outcome":"\#(outcome)","operator":"eve","#
            + #""evidence":{"observedAt":"\#(RFC3339.string(seenAt))","note":"seen in the portal"}}"#
        for _ in 0..<(random.happens(perMille: 200) ? 2 : 1) {
            scheduler.after(random.number(50...(random.happens(perMille: 500) ? 400 : 4_000))) { [upstream] in
                upstream.send("attempt.resolve", payment, data)
            }
        }
    }
}
