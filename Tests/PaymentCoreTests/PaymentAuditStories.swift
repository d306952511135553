import PaymentCore
import PaymentModel
import Testing

@Suite("Stories of the audit: payments")
struct PaymentAudit {
    private let reserved = SendOutcome.order(OrderReport(status: .settled, partnerReference: "a-1"))
    private let soft = SendOutcome.order(OrderReport(status: .rejected, code: "AB05", mayGoElsewhere: true))

    /// A closed, B granted, then A found granted after all.
    private func twoAuthorizations(_ capture: CaptureMode) -> Driver {
        var payment = States.payment(capture)
        payment.end(1, .notSent(.connect))
        payment.notify(OrderReport(status: .settled, partnerReference: "a-late"), attempt: 1)
        #expect(payment.submits.last?.operation == .void && payment.submits.last?.target == "a-late")
        payment.end(2, reserved)
        return payment
    }

    @Test("an authorization found late is voided; until that is done nothing else is sent, then the other one goes on")
    func lateAuthorizationBeside() {
        var payment = twoAuthorizations(.automatic)
        #expect(payment.state.status == .authorized)
        #expect(payment.submits.count == 3)
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .capturing)
        #expect(payment.submits.last?.target == "a-1")
    }

    @Test("its void is not the payment's: upstream's own void is another")
    func ownVoid() {
        var payment = twoAuthorizations(.manual)
        payment.command(.void(reason: nil))
        #expect(payment.submits.filter { $0.operation == .void }.map(\.target) == ["a-late", "a-1"])
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .authorized)
        payment.end(4, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .voided)
    }

    @Test("after an authorization found late no other is asked for")
    func lateAuthorizationAlone() {
        var payment = States.payment(.manual)
        payment.end(1, .notSent(.connect))
        payment.notify(OrderReport(status: .settled, partnerReference: "a-late"), attempt: 1)
        payment.end(2, soft)
        #expect(payment.state.status == .routing)
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .failed)
        #expect(payment.submits.filter { $0.operation == .authorize }.count == 2)
    }

    @Test("a void that upstream was promised is not followed by another route")
    func voidCrossesDecline() {
        var payment = States.payment {
            $0.end(1, .order(OrderReport(status: .actionRequired, partnerReference: "a-1")))
        }
        payment.command(.void(reason: nil))
        payment.notify(OrderReport(status: .rejected, code: "AB05", mayGoElsewhere: true))
        #expect(payment.state.status == .voided)
        #expect(payment.submits.map(\.operation) == [.authorize, .void])
        let start = payment.names.firstIndex(of: "attemptStarted") ?? 0
        #expect(!payment.events[start...].contains { $0.status == .routing })
        payment.end(2, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .voided)
        #expect(payment.state.isFinished)
    }

    @Test("a capture's restart is put off by doubt about it, not forgotten")
    func restartOutlivesContradiction() {
        var payment = States.authorized { $0.command(.capture(States.request("c1", 60))) }
        payment.end(2, .notSent(.connect))
        #expect(payment.state.status == .capturing)
        payment.notify(OrderReport(status: .pending), attempt: 2)
        payment.wait(.seconds(1))
        #expect(payment.submits.filter { $0.operation == .capture }.count == 1)
        payment.wait(.seconds(2))
        payment.answer(.found(OrderReport(status: .rejected)), of: 2)
        payment.wait(.seconds(2))
        #expect(payment.submits.filter { $0.operation == .capture }.count == 2)
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .captured)
    }

    @Test("a stale notification about it puts it off, too")
    func restartOutlivesWatching() {
        var payment = States.authorized { $0.command(.capture(States.request("c1", 60))) }
        payment.end(2, .notSent(.connect))
        payment.notify(OrderReport(status: .settled), attempt: 2, fresh: false)
        payment.answer(.notFound, of: 2)
        payment.wait(.seconds(2))
        #expect(payment.submits.filter { $0.operation == .capture }.count == 2)
    }

    @Test("captures and refunds without effect count as refused in the end, and the state is as before")
    func givenUp() {
        var payment = States.authorized { $0.command(.capture(States.request("c1", 60))) }
        payment.end(2, .notSent(.connect))
        payment.wait(.seconds(2))
        payment.end(3, .notSent(.connect))
        #expect(payment.state.status == .authorized)
        #expect(payment.state.isParked)
        payment.command(.capture(States.request("c2", 100)))
        #expect(payment.state.status == .capturing)
    }

    @Test("an automatic capture that is refused leaves the payment authorized, for a person or upstream")
    func automaticRefused() {
        var payment = States.payment(.automatic) { $0.end(1, reserved) }
        payment.end(2, States.rejected)
        #expect(payment.state.status == .authorized)
        #expect(payment.state.isParked)
        payment.command(.capture(States.request("mine", nil)))
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .captured)
    }

    @Test("S7: what is captured beyond the authorization goes to suspense, with an alarm")
    func beyondAuthorization() {
        var payment = States.authorized { $0.command(.capture(States.request("c1", 100))) }
        payment.end(2, States.rejected)
        payment.command(.capture(States.request("c2", 100)))
        payment.end(3, .order(OrderReport(status: .settled)))
        payment.notify(OrderReport(status: .settled), attempt: 2)
        #expect(payment.state.captured == 100)
        #expect(payment.state.status == .captured)
        #expect(payment.postings.map(\.kind) == [.settlement, .suspense])
        #expect(payment.alarms.contains(.doubleExecution(attempt: 2)))
        #expect(payment.clearing == 200)
    }

    @Test("S7: a refund that a chargeback has overtaken goes to suspense, and its end is told")
    func refundAfterChargeback() {
        var payment = States.captured(100) { $0.command(.refund(States.request("r1", nil))) }
        payment.dispute(.opened)
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .disputed)
        #expect(payment.postings.map(\.kind) == [.settlement, .chargeback, .suspense])
        #expect(payment.clearing == -100)
    }

    @Test("a dispute that is opened once more, under another notification, is posted once")
    func disputeOpenedTwice() {
        var payment = States.captured(100)
        payment.dispute(.opened, id: 1)
        payment.dispute(.opened, units: 40, id: 2)
        #expect(payment.postings.map(\.kind) == [.settlement, .chargeback])
        #expect(payment.clearing == 0)
    }

    @Test("a capture is not started anew once the authorization is void, or another attempt of it has captured")
    func restartGivenUp() {
        for captured in [true, false] {
            var payment = States.authorized { $0.command(.capture(States.request("c1", 100))) }
            payment.end(2, .notSent(.connect))
            if captured {
                payment.notify(OrderReport(status: .settled), attempt: 2)
            } else {
                payment.notify(OrderReport(status: .voided), attempt: 1)
            }
            payment.wait(.seconds(60))
            #expect(payment.submits.count == 2, "no second capture")
            #expect(payment.state.captured == (captured ? 100 : 0))
        }
    }

    @Test("a chargeback of more than is left goes to suspense, and back when it is won")
    func chargebackBeyond() {
        var payment = States.refunded(50)
        payment.dispute(.opened)
        #expect(payment.state.status == .partiallyRefunded)
        #expect(payment.state.chargedBack == 0)
        #expect(payment.clearing == -50)
        payment.dispute(.won)
        #expect(payment.postings.map(\.kind) == [.settlement, .refund, .suspense, .reversal])
        #expect(payment.postings.last?.reverses == 3)
        #expect(payment.clearing == 50)
    }

    @Test("the end of a dispute before its beginning is kept until that comes", arguments: [true, false])
    func verdictFirst(won: Bool) {
        var payment = States.captured(100)
        payment.dispute(won ? .won : .lost)
        #expect(payment.state.status == .captured)
        payment.dispute(.opened)
        #expect(payment.state.status == (won ? .captured : .chargedBack))
        #expect(payment.clearing == (won ? 100 : 0))
    }

    @Test("a dispute proves the capture that we had closed: the books are asked, and it is posted")
    func disputeOfClosedCapture() {
        var payment = States.authorized { $0.command(.capture(States.request("c1", 100))) }
        payment.end(2, States.rejected)
        payment.dispute(.opened)
        #expect(payment.alarms == [.contradiction(attempt: 2)])
        payment.wait(.seconds(3))
        payment.answer(.found(OrderReport(status: .settled)), of: 2)
        #expect(payment.state.status == .disputed)
        #expect(payment.postings.map(\.kind) == [.settlement, .chargeback])
    }

    @Test("complete-action where the partner cannot be asked waits for a notification, then for a person")
    func completeWithoutInquiry() {
        var payment = Driver(terms: World.terms { $0.inquiry = false })
        payment.initiate(.payment, capture: .manual)
        payment.end(1, .order(OrderReport(status: .actionRequired, partnerReference: "a")))
        payment.command(.completeAction)
        #expect(payment.state.status == .authorizing)
        payment.wait(.seconds(60))
        #expect(payment.state.isParked)
        payment.notify(OrderReport(status: .settled))
        #expect(payment.state.status == .authorized)
    }

    @Test("a void that is in doubt and handed to a person is parked; the person ends it")
    func voidEscalated() {
        var payment = States.authorized { $0.command(.void(reason: nil)) }
        payment.end(2, .unclear(.timeout))
        payment.wait(.seconds(120), answering: .unanswered)
        #expect(payment.state.status == .authorized)
        #expect(payment.state.isParked)
        payment.command(.resolveAttempt(States.resolution(2, .settled)))
        #expect(payment.state.status == .voided)
    }

    @Test("waiting for the customer asks nobody, and each challenge has its own time")
    func challenges() {
        var payment = States.payment { $0.end(1, .unclear(.timeout)) }
        payment.wait(.seconds(3))
        payment.answer(.found(OrderReport(status: .actionRequired, partnerReference: "a")))
        let asked = payment.effects.count
        payment.wait(.seconds(600))
        #expect(payment.effects.count == asked)
        payment.notify(OrderReport(status: .rejected, code: "AB05", mayGoElsewhere: true))
        payment.end(2, .order(OrderReport(status: .actionRequired, partnerReference: "b")))
        payment.wait(.seconds(899))
        #expect(payment.state.status == .actionRequired)
        payment.wait(.seconds(2))
        #expect(payment.state.status == .expired)
        #expect(payment.state.isFinished)
    }
}
