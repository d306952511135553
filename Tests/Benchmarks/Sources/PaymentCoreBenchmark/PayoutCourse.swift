import PaymentCore
import PaymentModel
import RecordFormat

/// The ordinary course of a payout, step by step, each kind of step timed over all payouts of a round: the clock is read
/// twice for a round of steps, not for each.
struct PayoutCourse {
    private let route = Route(partner: PartnerName("bank-a"), rail: Rail("instant"))
    private let amount = Money(125_000, Currency("EUR") ?? Currency.all[0])
    private let rules: CoreRules
    private let now = Now(
        wall: Timestamp(milliseconds: 1_800_000_000_000), monotonic: MonotonicTime(milliseconds: 1_000_000),
        incarnation: Incarnation(number: 1, began: MonotonicTime(milliseconds: 0), predecessor: .provenDead))
    private let round = 1_000

    init() {
        let terms = RouteTerms(
            sendDeadline: .seconds(2), requestTimeout: .seconds(3), inFlightBound: .seconds(5),
            visibilityLag: .seconds(2), booksRetention: .seconds(86_400), inquiry: true,
            inquirySlots: [.seconds(2), .seconds(8)], acceptedInquirySlots: [.seconds(5), .seconds(20)],
            key: .init(
                bindsAllRequests: true, recordedOnReceipt: true, safeWithoutInquiry: false, lifetime: .seconds(86_400),
                margin: .seconds(60)),
            canCancel: true, notProcessedRepeats: 2, operationRestarts: 1, authorizationLifetime: .seconds(604_800),
            actionLifetime: .seconds(900), reversalWindow: .seconds(34_560_000), escalationOwner: "operations")
        rules = CoreRules(terms: [route: terms])
    }

    /// Runs `count` payouts; a line for each kind of step.
    @discardableResult
    func run(_ count: Int) -> [String] {
        var spent = [Duration](repeating: .zero, count: 7)
        let clock = ContinuousClock()
        var events = 0
        var bytes = 0
        for first in stride(from: 0, to: count, by: round) {
            var states: [PaymentState] = []
            var commands: [PaymentInput] = []
            for number in first..<first + round {
                let id = PaymentID("payout-2026-11-\(1_000_000 + number)") ?? PaymentID(invalid: "")
                states.append(PaymentState(id: id))
                commands.append(.command(initiate(id, UInt64(number))))
            }
            func time(_ kind: Int, _ input: (Int, PaymentState) -> PaymentInput) {
                let inputs = states.indices.map { input($0, states[$0]) }
                spent[kind] += clock.measure {
                    for index in states.indices {
                        events +=
                            PaymentMachine.step(&states[index], inputs[index], now: now, rules: rules).events.count
                    }
                }
            }
            time(0) { index, _ in commands[index] }
            time(1) { _, _ in .screened(.passed(listVersion: 1)) }
            time(2) { _, _ in .routed(decision) }
            time(3) { _, _ in .sendEnded(accepted) }
            time(4) { index, state in .notified(settled(state, UInt64(index))) }
            spent[5] += clock.measure {
                for state in states {
                    var writer = BinaryWriter()
                    state.encode(into: &writer)
                    bytes += writer.bytes.count
                }
            }
            let stored = states.map { state in
                var writer = BinaryWriter()
                state.encode(into: &writer)
                return writer.bytes
            }
            spent[6] += clock.measure {
                for (index, form) in stored.enumerated() {
                    let back = try? PaymentState(id: states[index].id, decoding: form.span.bytes)
                    if back?.status != .settled { fatalError("the payout is not settled") }
                }
            }
        }
        let names = ["initiate", "screened", "routed", "sent: accepted", "notified: settled", "encode", "decode"]
        let lines = zip(names, spent).map { "\($0): \(nanoseconds($1, count)) ns" }
        let whole = spent.prefix(5).reduce(Duration.zero, +)
        return lines + [
            "a payout: \(nanoseconds(whole, count)) ns in 5 steps, \(events / count) events, \(bytes / count) bytes stored"
        ]
    }

    private func nanoseconds(_ duration: Duration, _ count: Int) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return (seconds * 1_000_000_000 + attoseconds / 1_000_000_000) / Int64(count)
    }

    private func initiate(_ id: PaymentID, _ number: UInt64) -> Command {
        Command(
            envelope: CommandEnvelope(
                subject: id, source: "urn:example:treasury", id: "1f0c2b1e-77aa-4a55-9a61-\(100_000_000_000 + number)",
                type: "io.switchyard.payout.initiate.v1", identity: Digest(high: number, low: 1)),
            body: .initiate(
                Initiation(kind: .payout, instructedAmount: amount, endToEndID: "INV-2026-0001"),
                dataDigest: Digest(high: number, low: 2), seed: Digest(high: number, low: 3)))
    }

    private var decision: RouteDecision {
        let cost = RouteCost(fixed: 10, variable: 0, total: 10, currency: amount.currency)
        return RouteDecision(
            policyVersion: "v1", candidates: [RouteCandidate(route: route, role: .primary, cost: cost)], eliminated: [],
            outcome: .attempt)
    }

    private var accepted: SendReport {
        SendReport(
            attempt: 1, request: 1, incarnation: 1,
            outcome: .order(OrderReport(status: .accepted, partnerReference: "tr-0001")), endOfUpload: now.monotonic)
    }

    private func settled(_ state: PaymentState, _ number: UInt64) -> PartnerNotification {
        PartnerNotification(
            partner: route.partner, id: "n-1", identity: Digest(high: number, low: 4),
            reference: state.attempts[0].reference,
            subject: .order(OrderReport(status: .settled, fee: Money(12, amount.currency))), fresh: true,
            receivedAt: now.wall)
    }
}
