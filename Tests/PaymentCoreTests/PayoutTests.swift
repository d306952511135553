import PaymentCore
import PaymentModel
import Testing

@Suite("A payout from command to settlement")
struct PayoutTests {
    @Test("accepted, screened, routed and attempted in one commit; settled by a notification")
    func happy() {
        var payout = Driver()
        payout.initiate()
        #expect(payout.state.status == .attempting)
        #expect(payout.submits.count == 1)
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t-1")))
        #expect(payout.state.status == .submitted)
        payout.notify(OrderReport(status: .settled, fee: Money(3, World.euro)))
        #expect(payout.state.status == .settled)
        #expect(payout.postings.map(\.kind) == [.settlement, .fee])
        #expect(payout.state.isFinished)
        #expect(
            payout.names == [
                "commandAccepted", "received", "screeningPassed", "routeSelected", "attemptStarted", "attemptAccepted",
                "payoutSubmitted", "payoutSettled",
            ])
        payout.notify(OrderReport(status: .settled))
        #expect(payout.lastDisposition == .duplicate)
        payout.notify(OrderReport(status: .accepted), id: 2)
        #expect(payout.state.status == .settled)
    }

    @Test("silence is doubt; found after all: no second route")
    func doubtFound() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        #expect(payout.state.status == .inDoubt)
        payout.wait(.seconds(3))
        payout.answer(.notFound)
        #expect(payout.state.status == .inDoubt)
        payout.wait(.seconds(6))
        payout.answer(.found(OrderReport(status: .settled, partnerReference: "t-1")))
        #expect(payout.state.status == .settled)
        #expect(payout.submits.count == 1)
    }

    @Test("not found after the gate proves absence, then the second route; never two open")
    func absence() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        payout.wait(.seconds(9))
        payout.answer(.notFound)
        #expect(payout.state.status == .attempting)
        #expect(payout.state.attempts.map(\.phase) == [.absent, .sending])
        #expect(payout.submits.map(\.route) == [World.routeA, World.routeB])
        #expect(Set(payout.submits.map(\.reference)).count == 2)
    }

    @Test("inquiries that are used up park the payment, visibly")
    func escalation() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .unclear(.reset))
        payout.wait(.seconds(120), answering: .unanswered)
        #expect(payout.state.isParked)
        #expect(payout.state.status == .inDoubt)
        #expect(payout.alarms == [.escalated(attempt: 1)])
        #expect(payout.state.timer == nil)
    }

    @Test("a soft decline goes elsewhere, a hard one fails")
    func declines() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)))
        #expect(payout.state.status == .attempting)
        payout.end(2, .order(OrderReport(status: .rejected, code: "AC04")))
        #expect(payout.state.status == .failed)
        guard case .payoutFailed(let code)? = payout.events.last?.body else { return #expect(Bool(false)) }
        #expect(code == "AC04")
    }

    @Test(
        "401, once, and 429 are repeated with the same key, each time committed; then given up",
        arguments: [(401, 1), (429, 2)])
    func notProcessed(status: Int, repeats: Int) {
        var payout = Driver()
        payout.initiate()
        for _ in 0..<(repeats + 1) {
            payout.end(1, .notProcessed(httpStatus: status, retryAfter: .seconds(1)))
            payout.wait(.seconds(1))
        }
        #expect(payout.submits.filter { $0.attempt == 1 }.count == repeats + 1)
        #expect(Set(payout.submits.filter { $0.attempt == 1 }.map(\.idempotencyKey)).count == 1)
        #expect(payout.state.attempts[0].phase == .notSent)
        #expect(payout.submits.last?.route == World.routeB)
    }

    @Test("a partner that wants to be left alone for longer than a route is worth waiting for is not asked again")
    func retryAfterLong() {
        for (seconds, requests) in [(60, 2), (61, 1), (86_400, 1)] as [(Int64, Int)] {
            var payout = Driver()
            payout.initiate()
            payout.end(1, .notProcessed(httpStatus: 429, retryAfter: .seconds(seconds)))
            payout.wait(.seconds(60))
            #expect(payout.submits.filter { $0.attempt == 1 }.count == requests)
            #expect((payout.submits.last?.route == World.routeB) == (requests == 1))
        }
    }

    @Test("a restore never sends; the intent is in doubt and asked about after the full gate")
    func restart() {
        var payout = Driver()
        payout.initiate()
        payout.takeOver()
        payout.wait(.seconds(8))
        #expect(payout.state.status == .inDoubt)
        #expect(payout.submits.count == 1)
        payout.wait(.seconds(60), answering: .notFound)
        #expect(payout.state.attempts[0].phase == .absent)
        #expect(payout.submits.count == 2)
    }

    @Test("cancel: before an attempt at once, in doubt refused, submitted by asking the partner")
    func cancels() {
        var payout = Driver()
        payout.screening = [
            .held(owner: "o", deadline: Timestamp(milliseconds: 1_900_000_000_000), entry: "1", listVersion: 1)
        ]
        payout.initiate()
        payout.command(.cancel(reason: nil))
        #expect(payout.state.status == .cancelled)
        payout = Driver()
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        payout.command(.cancel(reason: nil))
        #expect(payout.rejection == .inDoubt)
        payout = Driver()
        payout.initiate()
        payout.command(.cancel(reason: nil))
        #expect(payout.submits.count == 1)
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t-1")))
        #expect(payout.submits.last?.operation == .cancel)
        #expect(payout.submits.last?.target == "t-1")
        payout.end(2, .order(OrderReport(status: .rejected, code: "CUST")))
        #expect(payout.state.status == .submitted)
        payout.answer(.found(OrderReport(status: .rejected, code: "CUST")))
        #expect(payout.state.status == .cancelled)
    }

    @Test("positive evidence against a closed attempt is never dropped")
    func lateSuccess() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .notSent(.connect))
        #expect(payout.state.attempts.count == 2)
        payout.notify(OrderReport(status: .settled))
        #expect(payout.state.status == .attempting)
        payout.end(2, .order(OrderReport(status: .settled, partnerReference: "t-2")))
        #expect(payout.state.status == .settled)
        #expect(payout.postings.map(\.kind).sorted { $0.rawValue < $1.rawValue } == [.settlement, .suspense])
        #expect(payout.alarms.contains(.doubleExecution(attempt: 2)))
    }
}
