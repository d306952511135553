import PaymentCore
import PaymentModel
import Testing

/// Runs that a hostile reading of the contract found, and in which an earlier state of the machines lost time or money.
@Suite("Stories of the audit: payouts")
struct PayoutAudit {
    @Test("a return that is told before the late settlement it belongs to is posted with it")
    func returnBeforeLateSettlement() {
        var payout = States.payout()
        payout.end(1, .notSent(.connect))
        payout.notify(OrderReport(status: .settled), id: 1)
        payout.notify(OrderReport(status: .returned, code: "AC06"), id: 2)
        #expect(payout.state.status == .attempting)
        payout.end(2, .notSent(.notAuthorized))
        #expect(payout.state.status == .returned)
        #expect(payout.postings.map(\.kind) == [.settlement, .return])
        #expect(payout.clearing == 0)
    }

    @Test("a double execution that comes back is reversed once, and the payout stays settled")
    func returnOfDoubleExecution() {
        var payout = States.payout()
        payout.end(1, .notSent(.connect))
        payout.end(2, States.settled)
        payout.notify(OrderReport(status: .settled), id: 1)
        #expect(payout.postings.map(\.kind) == [.settlement, .suspense])
        payout.notify(OrderReport(status: .returned, code: "AC06"), id: 2)
        payout.notify(OrderReport(status: .returned, code: "AC06"), id: 3)
        #expect(payout.postings.map(\.kind) == [.settlement, .suspense, .reversal])
        #expect(payout.postings.last?.reverses == 2)
        #expect(payout.state.status == .settled)
        #expect(payout.clearing == -100)
    }

    @Test("a notified return proves the execution, whatever is said after it", arguments: [0, 1, 2])
    func returnOutweighs(which: Int) {
        var payout = States.payout { $0.end(1, .unclear(.timeout)) }
        payout.notify(OrderReport(status: .returned, code: "AC06"))
        #expect(payout.state.status == .inDoubt)
        if which == 0 { payout.answer(.found(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true))) }
        if which == 1 { payout.answer(.notFound) }
        if which == 2 {
            payout.wait(.seconds(120), answering: .notFound)
            #expect(payout.state.isParked && payout.submits.count == 1)
            payout.command(.resolveAttempt(States.resolution(1, .rejected)))
        }
        if which == 1 {
            #expect(payout.state.status == .inDoubt)
        } else {
            #expect(payout.state.status == .returned)
        }
        #expect(payout.submits.count == 1)
    }

    @Test("where requests may have become two orders, \"rejected\" after \"settled\" is no return by itself")
    func rejectedOfAnotherOrder() {
        var payout = Driver(
            terms: World.terms {
                $0.inquiry = false
                $0.key.safeWithoutInquiry = true
                $0.key.bindsAllRequests = false
            })
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        payout.wait(.seconds(2))
        #expect(payout.state.attempts[0].requests == 2)
        payout.notify(OrderReport(status: .settled), id: 1)
        payout.notify(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true), id: 2)
        #expect(payout.state.status == .settled)
        #expect(payout.postings.map(\.kind) == [.settlement])
    }

    @Test("a fee that is told after the execution is posted, once")
    func lateFee() {
        var payout = States.payout { $0.end(1, .unclear(.timeout)) }
        payout.command(.resolveAttempt(States.resolution(1, .settled)))
        #expect(payout.postings.map(\.kind) == [.settlement])
        payout.notify(OrderReport(status: .settled, fee: Money(7, World.euro)), id: 1)
        payout.notify(OrderReport(status: .settled, fee: Money(7, World.euro)), id: 2)
        #expect(payout.postings.map(\.kind) == [.settlement, .fee])
    }

    @Test("S16: without an inquiry a repeat goes out only where the catalogue says that the key makes it safe")
    func noBlindRepeat() {
        var payout = Driver(terms: World.terms { $0.inquiry = false })
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        #expect(payout.state.isParked)
        payout.wait(.seconds(300))
        #expect(payout.submits.count == 1)
    }

    @Test("what a partner has taken that cannot be asked waits for its notification before a person is called")
    func acceptedWithoutInquiry() {
        var payout = Driver(terms: World.terms { $0.inquiry = false })
        payout.initiate()
        payout.end(1, States.accepted)
        #expect(!payout.state.isParked)
        payout.wait(.seconds(39))
        #expect(!payout.state.isParked)
        payout.wait(.seconds(2))
        #expect(payout.state.isParked)
    }

    @Test("what an earlier incarnation's sender saw executed is not dropped where nobody can be asked")
    func earlierIncarnationExecuted() {
        var payout = Driver(terms: World.terms { $0.inquiry = false })
        payout.initiate()
        payout.takeOver()
        payout.end(1, States.settled, incarnation: 1)
        #expect(payout.state.status == .settled)
    }

    @Test(
        "a person ends what nobody clears: a closed attempt that the partner shows as taken", arguments: [true, false])
    func resolveContradiction(settled: Bool) {
        var payout = States.payout()
        payout.end(1, .notSent(.connect))
        payout.end(2, States.rejected)
        #expect(payout.state.status == .failed)
        payout.notify(OrderReport(status: .accepted))
        #expect(!payout.state.isFinished)
        payout.wait(.seconds(300), answering: .unanswered)
        #expect(payout.state.isParked)
        payout.command(.resolveAttempt(States.resolution(1, settled ? .settled : .rejected)))
        #expect(payout.state.isFinished)
        #expect(payout.state.status == (settled ? .settled : .failed))
    }

    @Test("a second cancel while one is requested is accepted, whatever has become unclear meanwhile")
    func secondCancel() {
        var payout = States.payout { $0.command(.cancel(reason: nil)) }
        payout.end(1, .unclear(.timeout))
        let before = payout.events.count
        payout.command(.cancel(reason: nil))
        #expect(payout.events.count == before + 1)
        #expect(payout.rejection == nil)
    }

    @Test("a cancel whose key is dead is not repeated for ever")
    func deadKey() {
        var payout = Driver(terms: World.terms { $0.key.lifetime = .seconds(90) })
        payout.initiate()
        payout.end(1, States.accepted)
        payout.command(.cancel(reason: nil))
        for _ in 0..<20 {
            payout.end(2, .unclear(.timeout))
            payout.wait(.seconds(30), answering: .unanswered)
        }
        #expect(payout.submits.count > 2)
        #expect(payout.state.isParked)
        #expect(payout.state.timer == nil)
    }

    @Test("an initiate of the other kind under the same id is a conflict")
    func otherKind() {
        var payout = States.payout()
        payout.command(
            .initiate(
                Initiation(kind: .payment, instructedAmount: Money(100, World.euro), captureMode: .manual),
                dataDigest: Digest(high: 1, low: 100), seed: Digest(high: 1, low: 1)))
        #expect(payout.rejection == .conflict)
    }
}

@Suite("Stories of the audit: limits and retention")
struct LimitAudit {
    @Test("notifications that are remembered are bounded: more of them only prompt an inquiry")
    func notifications() {
        var payout = States.payout { $0.end(1, States.accepted) }
        payout.rules.maximumNotifications = 3
        for id in 1...9 as ClosedRange<UInt64> { payout.notify(OrderReport(status: .accepted), id: id) }
        payout.notify(OrderReport(status: .settled), id: 10)
        #expect(payout.state.status == .submitted)
        payout.answer(.found(OrderReport(status: .settled)))
        #expect(payout.state.status == .settled)
    }

    @Test("commands beyond the limit have one outcome each, too")
    func commands() {
        var payout = Driver()
        payout.rules.maximumCommands = 3
        payout.initiate()
        for number in 1...200 { payout.command(.void(reason: nil), id: "v-\(number)") }
        #expect(payout.rejection == .illegalState)
        let before = payout.events.count
        for number in 150...200 { payout.command(.void(reason: nil), id: "v-\(number)") }
        payout.command(.void(reason: nil), id: "v-1")
        #expect(payout.events.count == before)
    }

    @Test("ids of commands that created no payment stay 30 days from the last of them")
    func refusedOnly() {
        var payout = Driver()
        payout.command(.completeAction)
        let start = payout.now.wall
        payout.now.wall = start + .seconds(20 * 86_400)
        payout.command(.void(reason: nil))
        #expect(payout.state.timer == start + .seconds(50 * 86_400))
    }

    @Test("a finished payment becomes a stub and goes; not while a refund on the stub is under way")
    func stub() {
        var payment = States.captured(100)
        func pass() -> Transition {
            guard let due = payment.state.timer else { return Transition(.applied) }
            payment.now.wall = max(payment.now.wall, due)
            return PaymentMachine.step(&payment.state, .timer(due: due), now: payment.now, rules: payment.rules)
        }
        var storage = pass().storage
        for _ in 0..<3 where storage == .keep { storage = pass().storage }
        #expect(storage == .dropBody)
        payment.command(.refund(States.request("late", 10)))
        payment.end(3, .unclear(.timeout))
        var turns = 0
        repeat {
            storage = pass().storage
            turns += 1
        } while storage == .keep && turns < 30
        #expect(storage == .keep)
        payment.notify(OrderReport(status: .settled), attempt: 3)
        #expect(payment.state.isFinished)
        turns = 0
        repeat {
            storage = pass().storage
            turns += 1
        } while storage == .keep && turns < 30
        #expect(storage == .forget)
    }
}
