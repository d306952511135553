import PaymentCore
import PaymentModel
import Testing

/// Every command in every state, as the contract, section 2, has it. `ok`: accepted; `dup`: accepted with
/// `duplicateOf`; `-`: illegal-state; else the code.
@Suite("Every command in every state")
struct CommandTable {
    private static let columns = [
        "same", "other", "cancel", "capture", "refund", "void", "complete", "release", "resume", "settled", "absent",
    ]

    private static let table: [String: String] = [
        "none": "ok ok ok - - - - - - - -",
        "held": "dup conflict ok - - - - ok - - -",
        "offloaded": "dup conflict ok - - - - - ok - -",
        "attempting": "dup conflict ok - - - - - - - -",
        "cancelling": "dup conflict ok - - - - - - - -",
        "inDoubt": "dup conflict in-doubt - - - - - - ok -",
        "inDoubt after the gate": "dup conflict in-doubt - - - - - - ok ok",
        "submitted": "dup conflict ok - - - - - - - -",
        "submitted, escalated": "dup conflict ok - - - - - - ok -",
        "settled": "dup conflict too-late - - - - - - - -",
        "returned": "dup conflict too-late - - - - - - - -",
        "failed": "dup conflict too-late - - - - - - - -",
        "cancelled first": "cancelled cancelled ok - - - - - - - -",
        "cancelled": "dup conflict ok - - - - - - - -",
        "blocked": "dup conflict too-late - - - - - - - -",
        "routing, a closed attempt in question": "dup conflict in-doubt - - - - - - - -",
        "payment held": "dup conflict - - - ok - ok - - -",
        "payment offloaded": "dup conflict - - - ok - - ok - -",
        "authorizing": "dup conflict - - - - - - - - -",
        "actionRequired": "dup conflict - - - ok ok - - - -",
        "payment inDoubt": "dup conflict - in-doubt in-doubt in-doubt in-doubt - - ok -",
        "authorized": "dup conflict - ok - ok - - - - -",
        "capturing": "dup conflict - ok - ok - - - - -",
        "captured 60": "dup conflict - ok ok ok - - - - -",
        "captured 100": "dup conflict - exceeds-amount ok - - - - - -",
        "partiallyRefunded": "dup conflict - exceeds-amount ok - - - - - -",
        "refunded": "dup conflict - exceeds-amount exceeds-amount - - - - - -",
        "disputed": "dup conflict - exceeds-amount exceeds-amount - - - - - -",
        "chargedBack": "dup conflict - exceeds-amount exceeds-amount - - - - - -",
        "voiding": "dup conflict - - - ok - - - - -",
        "voided": "dup conflict - - - - - - - - -",
        "expired": "dup conflict - - - - - - - - -",
        "payment failed": "dup conflict - - - - - - - - -",
    ]

    private func body(_ column: String, _ payment: Driver) -> CommandBody {
        let click = DeskDecision(entry: 1, operatorName: "ann", reason: nil)
        let kind = payment.state.kind ?? .payout
        func initiate(_ units: Int64) -> CommandBody {
            .initiate(
                Initiation(
                    kind: kind, instructedAmount: Money(units, World.euro),
                    captureMode: kind == .payment ? .manual : nil),
                dataDigest: Digest(high: 1, low: UInt64(units)), seed: Digest(high: 0, low: 0))
        }
        return switch column {
        case "same": initiate(100)
        case "other": initiate(101)
        case "cancel": .cancel(reason: nil)
        case "capture": .capture(States.request("c-next", 10))
        case "refund": .refund(States.request("r-next", 10))
        case "void": .void(reason: nil)
        case "complete": .completeAction
        case "release": .releaseHold(click)
        case "resume": .resumeOffload(click)
        case "settled": .resolveAttempt(States.resolution(1, .settled))
        default: .resolveAttempt(States.resolution(1, .absent, at: payment.now.wall))
        }
    }

    private func outcome(_ payment: Driver, since: Int) -> String {
        for event in payment.events[since...] {
            switch event.body {
            case .commandAccepted(_, _, _, let duplicateOf): return duplicateOf == nil ? "ok" : "dup"
            case .commandRejected(_, _, _, let refusal):
                return refusal.code == .illegalState ? "-" : refusal.code.rawValue
            default: continue
            }
        }
        return "nothing"
    }

    @Test("has the contract's outcome, once, and a redelivery does nothing", arguments: States.all.map(\.name))
    func outcomes(name: String) throws {
        let row = try #require(CommandTable.table[name]).split(separator: " ").map(String.init)
        let make = try #require(States.all.first { $0.name == name }).make
        let start = make()
        #expect(name == "none" || start.state.status != .none)
        for (column, expected) in zip(CommandTable.columns, row) {
            var payment = start
            let before = payment.events.count
            payment.command(body(column, payment), id: "x")
            #expect(outcome(payment, since: before) == expected, "\(column) in \(name)")
            let outcomes = payment.events[before...].filter {
                ["commandAccepted", "commandRejected"].contains(TransitionNames.name($0.body))
            }
            #expect(outcomes.count == 1, "\(column) in \(name): exactly one outcome")
            if expected == "dup" || expected == "-" { #expect(payment.state.status == start.state.status) }
            let after = payment
            payment.command(body(column, payment), id: "x")
            #expect(payment.lastDisposition == .duplicate && payment.state == after.state, "\(column) in \(name) again")
            #expect(payment.events.count == after.events.count)
        }
    }

    @Test("a command that form rules out has its own code in every state", arguments: States.all.map(\.name))
    func refused(name: String) throws {
        var payment = try #require(States.all.first { $0.name == name }).make()
        payment.command(.refused(Refusal(.invalidAccount, "no", field: "creditor.account.iban")))
        #expect(payment.rejection == .invalidAccount)
        #expect(payment.events.last?.sequence == (name == "none" ? 0 : payment.state.sequence))
    }

    @Test("a wrong, old or missing entry, attempt or time")
    func entries() {
        let wrong = [nil, 0, 2, -1, Int.min, Int.max]
        for entry in wrong {
            let click = DeskDecision(entry: entry, operatorName: "ann", reason: nil)
            for body in [CommandBody.releaseHold(click), .rejectHold(click)] {
                var payment = States.held(.payout)
                payment.command(body)
                #expect(payment.rejection == .illegalState)
            }
            for body in [CommandBody.resumeOffload(click), .rejectOffload(click)] {
                var payment = States.offloaded(.payout)
                payment.command(body)
                #expect(payment.rejection == .illegalState)
            }
            var payment = States.payout { $0.end(1, .unclear(.timeout)) }
            payment.command(.resolveAttempt(States.resolution(entry, .settled)))
            #expect(payment.rejection == .illegalState)
        }
        var payment = States.payout { $0.end(1, .unclear(.timeout)) }
        payment.command(.resolveAttempt(States.resolution(1, .settled, at: payment.now.wall + .seconds(6))))
        #expect(payment.rejection == .invalid)
        payment.command(.resolveAttempt(States.resolution(1, .absent)))
        #expect(payment.rejection == .invalid)
        for time in [Int64.min, 0, payment.now.wall.milliseconds] {
            payment.command(.resolveAttempt(States.resolution(1, .absent, at: Timestamp(milliseconds: time))))
            #expect(payment.rejection == .illegalState)
        }
    }
}
