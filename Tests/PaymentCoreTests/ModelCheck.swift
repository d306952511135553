import PaymentCore
import PaymentModel
import TestSupport
import Testing

extension Scenario {
    private static let c1 = CommandBody.capture(operation("c1", 60))
    private static let c2 = CommandBody.capture(operation("c2", 40))
    private static let r1 = CommandBody.refund(operation("r1", 50))
    private static let authorized: [Move] = [.answer(0, .executed), .tells(.init(attempt: 1, status: .settled))]

    /// Truthful partners: money moves at most once.
    static let truthful: [Scenario] = [
        Scenario(
            name: "payout, cancel, takeover, late arrivals", commands: [.cancel(reason: nil)], faults: 3, depth: 7),
        Scenario(
            name: "payout, repeated where nobody can be asked",
            terms: World.terms {
                $0.inquiry = false
                $0.key.safeWithoutInquiry = true
            }, commands: [.cancel(reason: nil)], faults: 3, depth: 6),
        Scenario(name: "payout, returns, operator", hasReturns: true, hasOperator: true, depth: 6),
        Scenario(
            name: "payout submitted, cancel crossing its end", commands: [.cancel(reason: nil)], hasReturns: true,
            prefix: [.answer(0, .taken), .command(0)], depth: 7),
        Scenario(
            name: "authorization with challenge", kind: .payment, captureMode: .automatic,
            commands: [.void(reason: nil), .completeAction], hasChallenge: true, depth: 5),
        Scenario(
            name: "challenge: void crossing the customer", kind: .payment, captureMode: .automatic,
            commands: [.void(reason: nil), .completeAction], takeovers: 0, hasChallenge: true,
            prefix: [.answer(0, .actionRequired)], depth: 7),
        Scenario(
            name: "automatic capture", kind: .payment, captureMode: .automatic, commands: [.void(reason: nil)],
            hasOperator: true, hasPending: true, prefix: authorized, depth: 6),
        Scenario(
            name: "two captures crossing a void", kind: .payment, commands: [c1, c2, .void(reason: nil)],
            prefix: authorized, depth: 5),
        Scenario(
            name: "refunds crossing disputes", kind: .payment,
            commands: [c1, r1, .refund(operation("r2", nil))], faults: 1, hasDisputes: true,
            prefix: authorized + [.command(0), .answer(0, .executed)], depth: 5),
        Scenario(
            name: "a refund in doubt over a takeover", kind: .payment, commands: [c1, r1], hasOperator: true,
            prefix: authorized + [.command(0), .answer(0, .executed), .command(1)], depth: 6),
    ]

    /// A partner that executes what it has rejected: money may move twice, but never in silence.
    static let lying: [Scenario] = [
        Scenario(name: "payout, a liar", commands: [.cancel(reason: nil)], faults: 1, takeovers: 0, lies: 1, depth: 6),
        Scenario(
            name: "authorization, a liar", kind: .payment, captureMode: .automatic, faults: 1, takeovers: 0, lies: 1,
            depth: 6),
        Scenario(
            name: "capture, a liar", kind: .payment, commands: [c1, r1], faults: 1, takeovers: 0, lies: 1,
            prefix: authorized, depth: 6),
    ]
}

@Suite("Every interleaving, to a stated depth")
struct ModelCheck {
    /// A larger depth is a matter of minutes, not of rules: `SWITCHYARD_MODEL_DEPTH` adds to each scenario's own.
    private static let deeper = TestSettings.integer("SWITCHYARD_MODEL_DEPTH", default: 0)

    private func run(_ scenario: Scenario) -> Search {
        var search = Search(scenario, maximum: ModelCheck.deeper > 0 ? 50_000_000 : 400_000)
        search.run(depth: scenario.depth + ModelCheck.deeper)
        // A search that was cut short would prove less than it states.
        #expect(search.steps < search.maximum, "the stated depth was not searched to its end")
        print(
            "model check, \(scenario.name): depth \(scenario.depth + ModelCheck.deeper), \(search.visited.count) states, "
                + "\(search.steps) steps, \(search.healed) healed")
        return search
    }

    @Test("a truthful world of silence, late arrivals, crashes and crossing commands", arguments: Scenario.truthful)
    func truthful(scenario: Scenario) {
        let search = run(scenario)
        #expect(search.broken.isEmpty, "\(search.broken.first ?? "")")
        #expect(search.visited.count > 500)
    }

    @Test("a partner that lies may pay twice, but never in silence", arguments: Scenario.lying)
    func lying(scenario: Scenario) {
        let search = run(scenario)
        #expect(search.broken.isEmpty, "\(search.broken.first ?? "")")
    }

    @Test(
        "the search would see it: a catalogue that promises too much loses money within the same depth",
        arguments: [0, 1, 2])
    func mutants(which: Int) {
        var scenario = Scenario.truthful[which == 2 ? 9 : 0]
        scenario.terms.inFlightBound = which == 1 ? SmallPartner.flight : .zero
        scenario.terms.visibilityLag = which == 1 ? .zero : SmallPartner.lag
        scenario.terms.inquirySlots = [Milliseconds(which == 1 ? 5_100 : 2_100)]
        var search = Search(scenario, maximum: 200_000)
        search.run(depth: 7)
        #expect(!search.broken.isEmpty)
    }
}
