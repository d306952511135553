import PaymentCore
import PaymentModel
import Testing

/// The runs of the protocol's models in which money is lost without a rule, played against the machine. The name of
/// each test begins with the row.
@Suite("Stories of doubt")
struct DoubtStories {
    private func inDoubt(_ change: (inout RouteTerms) -> Void = { _ in }) -> Driver {
        var payout = Driver(terms: World.terms(change))
        payout.initiate()
        payout.end(1, .unclear(.timeout))
        return payout
    }

    /// Own sender: + in flight (5 s) + visibility (2 s) from its measured end.
    @Test(
        "B01 B02 B04 B06 B10 C05 C06 C07: not found proves nothing where it was asked before the gate",
        arguments: [(0, false), (2_000, false), (4_999, false), (6_999, false), (7_000, true), (9_000, true)])
    func gate(sentAfter: Int64, proves: Bool) {
        var payout = inDoubt { $0.inquirySlots = [.seconds(20)] }
        let end = payout.now.monotonic
        payout.wait(.seconds(21))
        payout.answer(.notFound, sentAt: end + Milliseconds(sentAfter))
        #expect(payout.state.attempts[0].phase == (proves ? .absent : .inDoubt))
        #expect(payout.submits.count == (proves ? 2 : 1))
    }

    @Test("A17 A18 B05: where a bound is unknown, absence never proves: it parks", arguments: [0, 1, 2])
    func unknownBounds(which: Int) {
        var payout = Driver(
            terms: World.terms {
                if which == 0 { $0.inFlightBound = nil }
                if which == 1 { $0.visibilityLag = nil }
            })
        payout.initiate()
        if which == 2 {
            payout.takeOver(.maybeAlive(stallBound: nil))
        } else {
            payout.end(1, .unclear(.timeout))
        }
        payout.wait(.seconds(600), answering: .notFound)
        #expect(payout.state.status == .inDoubt)
        #expect(payout.state.isParked)
        #expect(payout.submits.count == 1)
    }

    /// After a takeover from an owner that may live: deadline (2) + stall (15) + in flight (5) + visibility (2).
    @Test(
        "B03 B08 B09 C07 C08: after a takeover the countdown starts anew, at full length, with the stall",
        arguments: [(8_999, false), (23_999, false), (24_000, true)])
    func takeover(sentAfter: Int64, proves: Bool) {
        var payout = Driver(terms: World.terms { $0.inquirySlots = [.seconds(30)] })
        payout.initiate()
        payout.wait(.seconds(4))
        payout.takeOver(.maybeAlive(stallBound: .seconds(15)))
        let began = payout.now.incarnation.began
        payout.wait(.seconds(36))
        payout.answer(.notFound, sentAt: began + Milliseconds(sentAfter))
        #expect(payout.state.attempts[0].phase == (proves ? .absent : .inDoubt))
    }

    @Test("B08: a wall clock that jumps an hour opens no gate")
    func clockJump() {
        var payout = inDoubt { $0.inquirySlots = [.seconds(2), .seconds(40)] }
        payout.wait(.seconds(3))
        payout.now.wall = payout.now.wall + .seconds(3_600)
        payout.answer(.notFound)
        #expect(payout.state.status == .inDoubt)
    }

    @Test("B07: a timer concludes nothing while our own sender has not reported")
    func timer() {
        var payout = Driver()
        payout.initiate()
        payout.wait(.seconds(300))
        #expect(payout.state.status == .attempting)
        #expect(payout.state.attempts[0].phase == .sending)
        #expect(payout.submits.count == 1)
    }

    @Test("B11: while a partner can be asked, nothing is sent again, so no answer is older than the last send")
    func noResend() {
        var payout = inDoubt()
        payout.wait(.seconds(300), answering: .unanswered)
        #expect(payout.submits.count == 1)
    }

    @Test("B12 B13: books that have forgotten prove nothing, measured when the answer is used")
    func retention() {
        var payout = inDoubt {
            $0.booksRetention = .seconds(30)
            $0.inquirySlots = [.seconds(20)]
        }
        payout.wait(.seconds(22))
        let sent = payout.now.monotonic
        payout.now.wall = payout.now.wall + .seconds(6)
        payout.now.monotonic = payout.now.monotonic + .seconds(6)
        payout.answer(.notFound, sentAt: sent)
        #expect(payout.state.attempts[0].phase == .inDoubt)
    }

    private func repeatable(_ change: (inout RouteTerms) -> Void = { _ in }) -> Driver {
        var payout = inDoubt {
            $0.inquiry = false
            $0.key.safeWithoutInquiry = true
            $0.key.bindsAllRequests = false
            change(&$0)
        }
        payout.wait(.seconds(2))
        return payout
    }

    @Test("B14: a repeat that was not sent says nothing about the first request")
    func repeatNotSent() {
        var payout = repeatable()
        #expect(payout.submits.count == 2)
        payout.end(1, .notSent(.connect))
        #expect(payout.state.status == .inDoubt)
        #expect(payout.state.attempts.count == 1)
    }

    @Test("B15 B24: a repeat that was rejected says nothing about the first, unless the key binds")
    func repeatRejected() {
        var payout = repeatable()
        payout.end(1, .order(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)))
        #expect(payout.state.status == .inDoubt)
        payout.notify(OrderReport(status: .settled))
        #expect(payout.state.status == .settled)
        payout = repeatable { $0.key.bindsAllRequests = true }
        payout.end(1, .order(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)))
        #expect(payout.state.attempts[0].phase == .rejected)
    }

    @Test("B15 B24: neither is the end what a notification says of one of several orders, unless the key binds")
    func rejectionToldOfOneOrder() {
        for binds in [false, true] {
            var payout = repeatable { $0.key.bindsAllRequests = binds }
            #expect(payout.submits.count == 2)
            payout.notify(OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true))
            #expect(payout.state.attempts[0].phase == (binds ? .rejected : .inDoubt))
            #expect(payout.submits.count == (binds ? 3 : 2), "no other route while the other order may be paid")
            payout.notify(OrderReport(status: .settled), id: 2)
            #expect(payout.names.contains("attemptLateSuccess") == binds)
            if !binds { #expect(payout.clearing == -1_000) }
        }
    }

    @Test("B16: the end of an earlier incarnation's sender ends nothing")
    func earlierIncarnation() {
        var payout = Driver()
        payout.initiate()
        payout.takeOver()
        payout.end(1, .notSent(.connect), incarnation: 1)
        #expect(payout.state.status == .inDoubt)
        #expect(payout.submits.count == 1)
    }

    @Test("B35: its late \"accepted\" prompts an inquiry and raises no alarm")
    func earlierAccepted() {
        var payout = Driver()
        payout.initiate()
        payout.takeOver()
        payout.wait(.seconds(60), answering: .notFound)
        #expect(payout.state.attempts[0].phase == .absent)
        let asked = payout.effects.count
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")), incarnation: 1)
        #expect(payout.alarms.isEmpty)
        guard case .inquire(let order)? = payout.effects.last, payout.effects.count > asked else {
            return #expect(Bool(false))
        }
        #expect(order.attempt == 1)
    }

    @Test("B17: rejected for good outweighs a later \"may go elsewhere\", too")
    func finalOutweighsElsewhere() {
        for finalFirst in [true, false] {
            var payout = repeatable()
            let final = OrderReport(status: .rejected, code: "AC04")
            let elsewhere = OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true)
            payout.notify(finalFirst ? final : elsewhere, id: 1)
            payout.end(1, .notSent(.connect))
            payout.notify(finalFirst ? elsewhere : final, id: 2)
            #expect(payout.state.status == .failed)
            #expect(payout.state.attempts.count == 1, "no second route")
        }
    }

    @Test("no repeat of the payout's request while a cancel is requested")
    func noRepeatWhileCancelling() {
        var payout = Driver(
            terms: World.terms {
                $0.inquiry = false
                $0.key.safeWithoutInquiry = true
            })
        payout.initiate()
        payout.command(.cancel(reason: nil))
        payout.end(1, .unclear(.timeout))
        payout.wait(.seconds(120))
        #expect(payout.state.cancelRequested)
        #expect(payout.submits.filter { $0.operation == .payout }.count == 1)
        var busy = Driver()
        busy.initiate()
        busy.command(.cancel(reason: nil))
        busy.end(1, .notProcessed(httpStatus: 429, retryAfter: .seconds(1)))
        busy.wait(.seconds(5))
        #expect(busy.submits.count == 1)
        #expect(busy.state.status == .cancelled)
    }

    @Test("B17: rejected for good outweighs a later \"not sent\": the payout fails and goes nowhere else")
    func finalOutweighs() {
        var payout = repeatable()
        payout.notify(OrderReport(status: .rejected, code: "AC04"))
        payout.end(1, .notSent(.connect))
        #expect(payout.state.attempts.count == 1)
        payout.notify(OrderReport(status: .rejected, code: "AC04"), id: 2)
        #expect(payout.state.status == .failed)
        #expect(payout.submits.allSatisfy { $0.route == World.routeA })
    }

    @Test("B18 B19: a restore never sends an intent again")
    func restore() {
        for waited in [0, 1, 30] as [Int64] {
            var payout = Driver()
            payout.initiate()
            payout.wait(.seconds(waited))
            payout.takeOver()
            payout.step(.timer(due: payout.state.timer ?? payout.now.wall))
            #expect(payout.submits.count == 1)
            #expect(payout.state.status == .inDoubt)
        }
    }

    @Test(
        "B20 B21 C10: a key is not used again within its margin, the skew and the time in flight before its end",
        arguments: [(67, false), (74, false), (75, true)])
    func keyLife(lifetime: Int64, repeats: Bool) {
        // Age 2 + deadline 2 + flight 5 + margin 60 + skew 5 = 74, and the age of the attempt so far.
        let payout = repeatable { $0.key.lifetime = .seconds(lifetime) }
        #expect((payout.submits.count == 2) == repeats)
    }

    @Test("B22: a key that is stored late is not used while the first request may be in process")
    func keyStoredLate() {
        var payout = repeatable { $0.key.recordedOnReceipt = false }
        #expect(payout.submits.count == 1)
        payout.wait(.seconds(10))
        #expect(payout.submits.count == 2)
    }

    @Test("C09 B34: a repeat keeps key and reference; another attempt has others")
    func keys() {
        var payout = repeatable()
        #expect(Set(payout.submits.map(\.idempotencyKey)).count == 1)
        payout = inDoubt()
        payout.wait(.seconds(60), answering: .notFound)
        #expect(Set(payout.submits.map(\.idempotencyKey)).count == 2)
    }

    @Test("B26 B27: a person's \"absent\" obeys the gate, from the moment of the look")
    func operatorAbsent() {
        func resolve(_ payout: Driver, lookedAgo: Int64) -> CommandBody {
            .resolveAttempt(
                AttemptResolution(
                    attempt: 1, outcome: .absent, operatorName: "ann",
                    observedAt: Timestamp(milliseconds: payout.now.wall.milliseconds - lookedAgo), note: nil))
        }
        var payout = inDoubt { $0.inquirySlots = [.seconds(300)] }
        payout.command(resolve(payout, lookedAgo: 0))
        #expect(payout.rejection == .illegalState)
        payout.wait(.seconds(30))
        payout.command(resolve(payout, lookedAgo: 29_000))
        #expect(payout.rejection == .illegalState)
        payout.command(resolve(payout, lookedAgo: -60_000))
        #expect(payout.rejection == .invalid)
        payout.command(resolve(payout, lookedAgo: 1_000))
        #expect(payout.state.attempts[0].phase == .absent)
    }

    @Test("B33: accepted without a final answer is asked about and in the end parked")
    func acceptedParks() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        payout.wait(.seconds(200), answering: .found(OrderReport(status: .pending)))
        #expect(payout.state.status == .submitted)
        #expect(payout.state.isParked)
        #expect(payout.alarms == [.escalated(attempt: 1)])
    }

    @Test("not found after accepted proves nothing")
    func notFoundAfterAccepted() {
        var payout = Driver()
        payout.initiate()
        payout.end(1, .order(OrderReport(status: .accepted, partnerReference: "t")))
        payout.wait(.seconds(200), answering: .notFound)
        #expect(payout.state.status == .submitted)
        #expect(payout.submits.count == 1)
    }

    @Test("C03 C04: while an attempt is in doubt no input but evidence opens another route")
    func noSecondRoute() {
        var payout = inDoubt()
        payout.step(.routed(payout.decision(RouteNeed(tried: [], afterOffload: false))))
        payout.step(.screened(.passed(listVersion: 9)))
        payout.command(.cancel(reason: nil))
        payout.initiate()
        #expect(payout.state.attempts.count == 1)
        #expect(payout.state.status == .inDoubt)
    }
}
