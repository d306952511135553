import PaymentCore
import PaymentModel
import Testing

@Suite("A payment from authorization to refund")
struct PaymentTests {
    private func authorized(_ capture: CaptureMode) -> Driver {
        var payment = Driver()
        payment.initiate(.payment, amount: 1_000, capture: capture)
        payment.end(1, .order(OrderReport(status: .settled, partnerReference: "a-1")))
        return payment
    }

    private func request(_ id: String, _ units: Int64?) -> OperationRequest {
        OperationRequest(
            operationID: id, amount: units.map { Money($0, World.euro) },
            dataDigest: Digest(high: UInt64(units ?? 0), low: UInt64(id.utf8.count)))
    }

    @Test("automatic capture follows the authorization by itself")
    func automatic() {
        var payment = authorized(.automatic)
        #expect(payment.state.status == .capturing)
        #expect(payment.submits.last?.target == "a-1")
        payment.end(2, .order(OrderReport(status: .settled, partnerReference: "c-1", fee: Money(9, World.euro))))
        #expect(payment.state.status == .captured)
        #expect(payment.postings.map(\.kind) == [.settlement, .fee])
        #expect(payment.state.isFinished)
    }

    @Test("captures and refunds never exceed what is left, in flight or in doubt counted")
    func amounts() {
        var payment = authorized(.manual)
        #expect(payment.state.status == .authorized)
        #expect(payment.state.isParked)
        payment.command(.refund(request("r0", 1)))
        #expect(payment.rejection == .illegalState)
        payment.command(.capture(request("c1", 600)))
        payment.command(.capture(request("c2", 500)))
        #expect(payment.rejection == .exceedsAmount)
        payment.end(2, .unclear(.timeout))
        payment.command(.capture(request("c3", 401)))
        #expect(payment.rejection == .exceedsAmount)
        payment.command(.capture(request("c4", nil)))
        payment.command(.void(reason: nil))
        #expect(payment.rejection == .illegalState, "all of it is captured, or on its way")
        #expect(payment.state.attempts.last?.amount.minorUnits == 400)
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .capturing)
        payment.wait(.seconds(3))
        payment.answer(.found(OrderReport(status: .settled)), of: 2)
        #expect(payment.state.status == .captured)
        payment.command(.refund(request("r1", 1_001)))
        #expect(payment.rejection == .exceedsAmount)
        payment.command(.refund(request("r2", 300)))
        payment.command(.refund(request("r2b", 701)))
        #expect(payment.rejection == .exceedsAmount, "what is on its way back counts")
        payment.end(4, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .partiallyRefunded)
        payment.command(.refund(request("r3", nil)))
        payment.end(5, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .refunded)
        #expect(payment.state.refunded == 1_000)
    }

    @Test("a challenge: the customer acts, the daemon asks")
    func challenge() {
        var payment = Driver()
        payment.initiate(.payment, capture: .manual)
        payment.end(1, .order(OrderReport(status: .actionRequired, partnerReference: "a", redirectURL: "http://x")))
        #expect(payment.state.status == .actionRequired)
        #expect(payment.state.isParked)
        payment.command(.completeAction)
        #expect(payment.state.status == .authorizing)
        payment.answer(.found(OrderReport(status: .settled)))
        #expect(payment.state.status == .authorized)
    }

    @Test("void: before anything, of an authorization, after a partial capture")
    func voids() {
        var payment = authorized(.manual)
        payment.command(.void(reason: nil))
        payment.end(2, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .voided)
        payment = authorized(.manual)
        payment.command(.capture(request("c1", 400)))
        payment.end(2, .order(OrderReport(status: .settled)))
        payment.command(.void(reason: nil))
        #expect(payment.submits.last?.amount.minorUnits == 600)
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.status == .captured)
        payment.command(.capture(request("c2", 1)))
        #expect(payment.rejection == .illegalState)
        payment.command(.refund(request("r1", 400)))
        #expect(payment.state.attempts.count == 4)
    }

    @Test("a dispute is a chargeback when it opens and a reversal when it is won")
    func dispute() {
        var payment = authorized(.automatic)
        payment.end(2, .order(OrderReport(status: .settled)))
        func dispute(_ status: PartnerNotification.DisputeStatus, _ id: UInt64) -> PaymentInput {
            let capture = payment.state.attempts[1]
            return .notified(
                PartnerNotification(
                    partner: capture.route.partner, id: "d\(id)", identity: Digest(high: id, low: 9),
                    reference: capture.reference, subject: .dispute(status, amount: nil, valueDate: nil), fresh: true,
                    receivedAt: payment.now.wall))
        }
        payment.step(dispute(.opened, 1))
        #expect(payment.state.status == .disputed)
        payment.step(dispute(.won, 2))
        #expect(payment.state.status == .captured)
        #expect(payment.postings.map(\.kind) == [.settlement, .chargeback, .reversal])
        #expect(payment.postings.last?.reverses == 2)
        payment.step(dispute(.opened, 3))
        payment.step(dispute(.lost, 4))
        #expect(payment.state.status == .chargedBack)
    }
}
