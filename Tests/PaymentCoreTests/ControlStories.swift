import PaymentCore
import PaymentModel
import Testing

/// Stories about commands, clicks, notifications and evidence that comes late. The name of each test begins with the
/// row.
@Suite("Stories of control and notification")
struct ControlStories {
    private let later = Timestamp(milliseconds: 1_900_000_000_000)

    private func click(_ entry: Int?) -> DeskDecision { DeskDecision(entry: entry, operatorName: "ann", reason: nil) }

    private func held() -> Driver {
        var payout = Driver()
        payout.screening = [.held(owner: "o", deadline: later, entry: "e", listVersion: 1)]
        payout.initiate()
        return payout
    }

    @Test("B50 C30: a release answers its hold, once, and in no other state")
    func releases() {
        var payout = held()
        payout.command(.releaseHold(click(2)))
        #expect(payout.rejection == .illegalState)
        payout.command(.releaseHold(click(1)))
        #expect(payout.state.status == .attempting)
        payout.command(.releaseHold(click(1)))
        #expect(payout.rejection == .illegalState)
        #expect(payout.submits.count == 1)
    }

    private func offloaded(_ screening: [ScreeningResult] = []) -> Driver {
        var payout = Driver()
        payout.screening = [.passed(listVersion: 1)] + screening
        let later = later
        payout.initiate()
        payout = Driver()
        payout.screening = [.passed(listVersion: 1)] + screening
        let order = OffloadOrder(
            lane: .manual, owner: "o", deadline: later, releaseRule: "operator", releaseAt: nil, manualOwner: "o",
            manualDeadline: .seconds(60))
        payout.step(
            .command(
                Command(
                    envelope: CommandEnvelope(
                        subject: payout.state.id, source: "s", id: "i", type: "t", identity: Digest(high: 5, low: 5)),
                    body: .initiate(
                        Initiation(kind: .payout, instructedAmount: Money(5, World.euro)),
                        dataDigest: Digest(high: 0, low: 0), seed: Digest(high: 0, low: 0))))
        ) { need, _ in
            guard case .route = need else { return nil }
            return .routed(
                RouteDecision(policyVersion: "v", candidates: [], eliminated: [], outcome: .offload(order)))
        }
        if payout.state.status == .routing {
            payout.step(
                .routed(RouteDecision(policyVersion: "v", candidates: [], eliminated: [], outcome: .offload(order))))
        }
        return payout
    }

    @Test("B51: a resume answers its entry, once; who leaves is screened again where the lists have changed")
    func resumes() {
        var payout = offloaded([.held(owner: "o", deadline: later, entry: "e", listVersion: 2)])
        #expect(payout.state.status == .offloaded)
        payout.command(.resumeOffload(click(1)))
        #expect(payout.state.status == .held)
        payout.command(.resumeOffload(click(1)))
        #expect(payout.rejection == .illegalState)
        payout = offloaded([.held(owner: "o", deadline: later, entry: "e", listVersion: 1)])
        payout.command(.resumeOffload(click(1)))
        #expect(payout.state.status == .attempting)
        #expect(payout.state.attempts[0].role == .offload)
    }

    @Test("a payment that circles in lane queue is known to; a person's resume lets it begin anew")
    func queue() {
        var payout = Driver()
        var needs: [RouteNeed] = []
        func answer(_ need: Need, _ driver: Driver) -> PaymentInput? {
            guard case .route(let need) = need else { return nil }
            needs.append(need)
            let order = OffloadOrder(
                lane: .queue, owner: "o", deadline: driver.now.wall + .seconds(50), releaseRule: "r",
                releaseAt: driver.now.wall + .seconds(20), manualOwner: "o", manualDeadline: .seconds(60))
            return .routed(
                RouteDecision(policyVersion: "v", candidates: [], eliminated: [], outcome: .offload(order)))
        }
        let entered = payout.now.wall
        payout.initiate(answer: answer)
        for _ in 0..<2 {
            let due = payout.state.timer ?? payout.now.wall
            payout.now.wall = due
            payout.step(.timer(due: due), answer: answer)
        }
        #expect(needs.map(\.offloadedSince) == [nil, entered, entered])
        payout.command(.resumeOffload(click(3)), answer: answer)
        #expect(needs.last?.offloadedSince == nil)
        #expect(payout.state.status == .offloaded)
    }

    @Test("C31: a decision is a command like any other: a second click after an accepted cancel moves nothing")
    func clickAfterCancel() {
        var payout = offloaded([.held(owner: "o", deadline: later, entry: "e", listVersion: 2)])
        payout.command(.resumeOffload(click(1)))
        #expect(payout.state.status == .held)
        payout.command(.cancel(reason: nil))
        #expect(payout.state.status == .cancelled)
        payout.command(.resumeOffload(click(1)))
        #expect(payout.rejection == .illegalState)
        #expect(payout.state.status == .cancelled)
        #expect(payout.submits.isEmpty)
    }

    @Test("B52: a late pass lifts no hold")
    func latePass() {
        var payout = held()
        payout.step(.screened(.passed(listVersion: 1)))
        #expect(payout.lastDisposition == .ignored(.notAsked))
        #expect(payout.state.status == .held)
        #expect(payout.submits.isEmpty)
    }

    @Test("B53: a cancel before its initiate outlives any initiate that may still come, for the retention")
    func tombstone() {
        var payout = Driver()
        payout.command(.cancel(reason: nil))
        #expect(payout.state.status == .cancelled)
        payout.now.wall = payout.now.wall + .seconds(29 * 86_400)
        payout.initiate()
        #expect(payout.rejection == .cancelled)
        #expect(payout.submits.isEmpty)
        let due = payout.state.timer
        #expect(due == Timestamp(milliseconds: 1_800_000_000_000) + .seconds(30 * 86_400))
    }

    @Test("B28 B29 B30: a cancel is decided on committed state, and an acknowledgement is not an end")
    func cancels() {
        var payout = Driver()
        payout.initiate()
        payout.command(.cancel(reason: nil))
        #expect(payout.state.status == .attempting)
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        payout.end(2, .order(OrderReport(status: .accepted)))
        #expect(payout.state.status == .submitted)
        payout.notify(OrderReport(status: .settled))
        #expect(payout.state.status == .settled)
    }

    @Test("a cancel that was too late is withdrawn; one in doubt is repeated with its key")
    func cancelDoubt() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        payout.command(.cancel(reason: nil))
        payout.end(2, .unclear(.timeout))
        #expect(payout.state.status == .submitted)
        payout.wait(.seconds(3))
        #expect(payout.submits.filter { $0.attempt == 2 }.count == 2)
        payout.end(2, .tooLate)
        #expect(!payout.state.cancelRequested)
        payout.notify(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true))
        #expect(payout.submits.last?.route == World.routeB)
    }

    @Test("while a cancel is requested an end without effect is cancelled, never another route", arguments: [0, 1])
    func cancelStopsFailOver(which: Int) {
        var payout = Driver()
        payout.initiate()
        payout.command(.cancel(reason: nil))
        payout.end(
            1,
            which == 0
                ? .notSent(.connect) : .order(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)))
        #expect(payout.state.status == .cancelled)
        #expect(payout.submits.count == 1)
        // No event tells of routing on the way there.
        let start = payout.names.firstIndex(of: "attemptStarted") ?? 0
        #expect(!payout.events[start...].contains { $0.status == .routing })
    }

    @Test("C32 C33: the same command twice has one outcome")
    func dedupe() {
        var payout = Driver()
        payout.initiate()
        let before = payout.events.count
        payout.command(.cancel(reason: nil), id: "x")
        let after = payout.events.count
        payout.command(.cancel(reason: nil), id: "x")
        #expect(payout.lastDisposition == .duplicate)
        #expect(before < after && payout.events.count == after)
    }

    @Test("C34: a finished payout is not cancelled")
    func cancelSettled() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .settled)))
        payout.command(.cancel(reason: nil))
        #expect(payout.rejection == .tooLate)
        #expect(payout.state.status == .settled)
    }

    @Test("B60: a notification for a payment that is not known is the caller's to keep")
    func unmatched() {
        var payout = Driver()
        payout.step(
            .notified(
                PartnerNotification(
                    partner: World.routeA.partner, id: "n", identity: Digest(high: 1, low: 1),
                    reference: Reference(partitionHash: 1, seed: Digest(high: 1, low: 1), attempt: 1),
                    subject: .order(OrderReport(status: .settled)), fresh: true, receivedAt: payout.now.wall)))
        #expect(payout.lastDisposition == .unmatched)
    }

    @Test("B61: a return before the settlement is kept and applied when it fits")
    func earlyReturn() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        payout.notify(OrderReport(status: .returned, code: "AC06"), id: 1)
        #expect(payout.state.status == .submitted)
        payout.notify(OrderReport(status: .settled), id: 2)
        #expect(payout.state.status == .returned)
        #expect(payout.postings.map(\.kind) == [.settlement, .return])
    }

    @Test("an inquiry that answers \"returned\" proves both")
    func returnedByInquiry() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        payout.wait(.seconds(3))
        payout.answer(.found(OrderReport(status: .returned, code: "AC06")))
        #expect(payout.state.status == .returned)
        #expect(payout.postings.map(\.kind) == [.settlement, .return])
    }

    @Test("B62: a stale authentic notification changes nothing itself and prompts an inquiry")
    func stale() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        payout.notify(OrderReport(status: .settled), fresh: false)
        #expect(payout.state.status == .submitted)
        payout.answer(.found(OrderReport(status: .settled)))
        #expect(payout.state.status == .settled)
        payout.notify(OrderReport(status: .settled), fresh: true)
        #expect(payout.state.status == .settled)
    }

    @Test("B63: what was fresh when it was received counts however late it is processed")
    func processedLate() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        let received = payout.now.wall
        payout.now.wall = received + .seconds(86_400)
        payout.notify(OrderReport(status: .settled), fresh: true, receivedAt: received)
        #expect(payout.state.status == .settled)
    }

    @Test("C41 C42: seen and effect are one step, and nothing steps back")
    func order() {
        var payout = Driver()
        payout.initiate()
        payout.notify(OrderReport(status: .settled), id: 1)
        #expect(payout.state.status == .settled)
        payout.notify(OrderReport(status: .returned, code: "AC06"), id: 2)
        payout.notify(OrderReport(status: .settled), id: 3)
        payout.notify(OrderReport(status: .accepted), id: 4)
        #expect(payout.state.status == .returned)
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        #expect(payout.state.status == .returned)
    }

    @Test("B31 C12: positive evidence against a closed attempt stops every further send")
    func freeze() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .notSent(.connect))
        payout.notify(OrderReport(status: .accepted))
        #expect(payout.alarms == [.contradiction(attempt: 1)])
        #expect(payout.effects.contains(.withdraw(attempt: 2)))
        payout.end(2, .notSent(.notAuthorized))
        #expect(payout.submits.count == 2)
        #expect(payout.state.status == .routing)
        payout.wait(.seconds(3))
        payout.answer(.found(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)))
        #expect(payout.state.status != .routing)
    }

    /// A 4xx says that no order came of the request. An order that shows all the same contradicts it.
    @Test("B31: an order that shows after the partner had refused to process it stops every further send")
    func freezeAfterRefusal() {
        for byInquiry in [true, false] {
            var payout = Driver()
            payout.initiate()
            payout.end(1, .refused(httpStatus: 422, partnerCode: nil))
            #expect(payout.submits.count == 2)
            payout.notify(OrderReport(status: .accepted), fresh: !byInquiry)
            if byInquiry { payout.answer(.found(OrderReport(status: .pending))) }
            #expect(payout.alarms.contains(.contradiction(attempt: 1)))
            #expect(payout.names.last == "attemptInquired")
            #expect(payout.effects.contains(.withdraw(attempt: 2)))
            payout.end(2, .notSent(.notAuthorized))
            #expect(payout.submits.count == 2 && payout.state.status == .routing)
            payout.wait(.seconds(3))
            payout.answer(.found(OrderReport(status: .settled)))
            #expect(payout.state.status == .settled)
        }
    }

    @Test("C42: an order known rejected that shows as pending once more is an old picture, and stops nobody")
    func noFreezeAfterRejection() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)))
        let told = payout.events.count
        payout.notify(OrderReport(status: .accepted))
        #expect(payout.events.count == told)
        #expect(!payout.alarms.contains(.contradiction(attempt: 1)))
    }

    @Test("B32: a contradiction that nobody clears stays parked for a person")
    func sticky() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .notSent(.connect))
        payout.notify(OrderReport(status: .accepted))
        payout.end(2, .notSent(.notAuthorized))
        payout.wait(.seconds(600), answering: .unanswered)
        #expect(payout.state.isParked)
        #expect(payout.submits.count == 2)
        payout.notify(OrderReport(status: .settled), id: 2)
        #expect(payout.state.status == .settled)
        #expect(payout.postings.map(\.kind) == [.settlement])
    }

    @Test("late success settles from every state without an open attempt")
    func lateFromFailed() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .notSent(.connect))
        payout.end(2, .order(OrderReport(status: .rejected, code: "AC04")))
        #expect(payout.state.status == .failed)
        payout.notify(OrderReport(status: .settled))
        #expect(payout.state.status == .settled)
        #expect(payout.alarms == [.lateSuccess(attempt: 1)])
    }

    @Test("an authorization that is found late is voided, and nothing else is sent")
    func lateAuthorization() {
        var payment = Driver()
        payment.initiate(.payment)
        payment.end(1, .notSent(.connect))
        payment.end(2, .order(OrderReport(status: .rejected, code: "AC04")))
        #expect(payment.state.status == .failed)
        payment.notify(OrderReport(status: .settled, partnerReference: "a-1"))
        #expect(payment.state.status == .failed)
        #expect(payment.submits.last?.operation == .void)
        #expect(payment.submits.last?.target == "a-1")
        payment.end(3, .order(OrderReport(status: .settled)))
        #expect(payment.state.isFinished)
    }
}
