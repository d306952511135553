import PaymentCore
import PaymentModel
import Testing

/// A partner speaks under our reference of what is not our order.
@Suite("Notifications that do not fit their attempt")
struct DistrustStories {
    private static let dollar = Currency("USD") ?? World.euro

    static let wrong: [Money] = [
        Money(999, World.euro), Money(1_001, World.euro), Money(0, World.euro), Money(1_000, dollar),
    ]

    @Test(
        "settled with another amount or currency settles nothing: alarm and inquiry, and the books decide",
        arguments: wrong)
    func settledWithAnotherAmount(amount: Money) {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t-1")))
        payout.notify(OrderReport(status: .settled, amount: amount))
        #expect(payout.state.status == .submitted)
        #expect(payout.postings.isEmpty)
        #expect(payout.alarms == [.amountMismatch(attempt: 1)])
        payout.answer(.found(OrderReport(status: .settled, amount: Money(1_000, World.euro))))
        #expect(payout.state.status == .settled)
        #expect(payout.clearing == -1_000)
    }

    @Test("the same amount settles as ever")
    func sameAmount() {
        var payout = Driver()
        payout.initiate()
        payout.notify(OrderReport(status: .settled, amount: Money(1_000, World.euro)), of: .payout)
        #expect(payout.state.status == .settled)
        #expect(payout.alarms.isEmpty)
    }

    @Test(
        "another reference of the partner's than it told before proves nothing, whatever it says: alarm and inquiry",
        arguments: [OrderStatus.settled, .returned, .rejected, .pending])
    func anotherPartnerReference(status: OrderStatus) {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t-1")))
        payout.notify(OrderReport(status: status, partnerReference: "t-2"))
        #expect(payout.state.status == .submitted)
        #expect(payout.postings.isEmpty)
        #expect(payout.alarms == [.referenceMismatch(attempt: 1)])
        #expect(payout.state.attempts[0].partnerReference == "t-1")
        payout.answer(.found(OrderReport(status: .settled, partnerReference: "t-1")))
        #expect(payout.state.status == .settled)
        #expect(payout.clearing == -1_000)
        #expect(payout.alarms == [.referenceMismatch(attempt: 1)])
    }

    @Test(
        "the partner's own reference as it told it before, or told for the first time, is believed",
        arguments: [true, false])
    func samePartnerReference(isKnown: Bool) {
        var payout = Driver()
        payout.initiate()
        payout.end(1, isKnown ? .order(OrderReport(status: .accepted, partnerReference: "t-1")) : .unclear(.timeout))
        payout.notify(OrderReport(status: .settled, partnerReference: "t-1"))
        #expect(payout.state.status == .settled)
        #expect(payout.alarms.isEmpty)
        #expect(payout.state.attempts[0].partnerReference == "t-1")
    }

    @Test("a settled payout does not come back by a notification of another order")
    func returnOfAnotherOrder() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .settled, partnerReference: "t-1")))
        payout.notify(OrderReport(status: .returned, partnerReference: "t-2"))
        #expect(payout.state.status == .settled)
        #expect(payout.clearing == -1_000)
        #expect(payout.alarms == [.referenceMismatch(attempt: 1)])
        payout.notify(OrderReport(status: .returned, partnerReference: "t-1"), id: 2)
        #expect(payout.state.status == .returned)
        #expect(payout.clearing == 0)
    }

    @Test("in doubt: whoever claims to have executed it, by whatever amount, has had it: not found proves nothing")
    func notFoundProvesNothing() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        payout.notify(OrderReport(status: .settled, amount: Money(999, World.euro)))
        payout.wait(.seconds(600), answering: .notFound)
        #expect(payout.submits.count == 1)
        #expect(payout.state.status == .inDoubt)
        #expect(payout.state.isParked)
    }

    @Test("against a closed attempt it stops every send, until the books are clear")
    func closedAttempt() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .notSent(.connect))
        #expect(payout.submits.count == 2)
        payout.notify(OrderReport(status: .settled, amount: Money(999, World.euro)))
        #expect(payout.alarms.contains(.contradiction(attempt: 1)))
        payout.end(2, .notSent(.notAuthorized))
        #expect(payout.submits.count == 2)
        #expect(payout.state.status == .routing)
    }

    @Test("a rejection of another amount rejects nothing")
    func rejectedWithAnotherAmount() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t-1")))
        payout.notify(
            OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true, amount: Money(999, World.euro)))
        #expect(payout.state.status == .submitted)
        #expect(payout.submits.count == 1)
        #expect(payout.alarms == [.amountMismatch(attempt: 1)])
    }

    /// `authorization.voided` means a void's success by the void's own reference. By the authorization's it would read
    /// as the success of the authorization.
    @Test(
        "a notification about another kind of operation than its reference's is not believed",
        arguments: [PaymentModel.Operation.void, .capture, .refund])
    func anotherOperation(operation: PaymentModel.Operation) {
        var payment = Driver()
        payment.initiate(.payment, capture: .manual)
        payment.end(1, .order(OrderReport(status: .pending, partnerReference: "a-1")))
        payment.notify(OrderReport(status: .settled), of: operation)
        #expect(payment.state.status == .authorizing)
        #expect(payment.alarms == [.implausible(attempt: 1)])
        payment.answer(.found(OrderReport(status: .voided, partnerReference: "a-1")))
        #expect(payment.state.status == .failed)
        #expect(!payment.names.contains("paymentAuthorized"))
    }

    /// The machine's table and the checker's have `capturing` to `voided`: by the end of a capture's attempt.
    @Test("a void that was proven while a capture was in doubt shows when the capture has come to nothing")
    func voidedAfterCapturing() {
        var payment = Driver()
        payment.initiate(.payment, capture: .manual)
        payment.end(1, .order(OrderReport(status: .settled, partnerReference: "a-1")))
        payment.command(.capture(States.request("op-1", 400)))
        payment.end(2, .unclear(.timeout))
        payment.command(.void(reason: nil))
        payment.end(3, .order(OrderReport(status: .settled, partnerReference: "v-1")))
        #expect(payment.state.status == .capturing)
        payment.wait(.seconds(5), answering: .found(OrderReport(status: .rejected, code: "AC04")))
        #expect(payment.state.status == .voided)
        #expect(payment.clearing == 0)
    }
}
