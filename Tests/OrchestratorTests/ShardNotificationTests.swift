import EventLog
import Orchestrator
import Partners
import PaymentModel
import Synchronization
import Testing

/// Notifications: one commit for "seen" and effect, early ones kept, unknown ones not lost.
@Suite struct ShardNotificationTests {
    @Test func aNotificationEndsAPayout() {
        let bench = ShardBench()
        bench.start()
        bench.transport.script { _ in .answer(201, "accepted") }
        bench.send("payout", "p1", "100")
        bench.run(50)
        #expect(bench.state("p1") == "submitted")
        let reference = bench.references("p1")[0]
        bench.notify(reference, "settled", id: "n1")
        bench.run(50)
        #expect(bench.state("p1") == "settled")
        let events = bench.events("p1")
        bench.notify(reference, "settled", id: "n1")
        bench.run(50)
        #expect(bench.events("p1") == events)
    }

    /// It comes before the answer does, while the request is out.
    @Test func oneBeforeTheAnswerIsTaken() {
        let bench = ShardBench()
        bench.start()
        bench.transport.script { _ in .wait }
        bench.send("payout", "p1", "100")
        bench.run(50)
        bench.notify(bench.references("p1")[0], "settled", id: "n1")
        bench.run(50)
        #expect(bench.state("p1") == "settled")
        bench.transport.answer("/payout", 201, "settled")
        bench.run(50)
        #expect(bench.events("p1").filter { $0 == "payoutSettled" }.count == 1)
        #expect(bench.records(.settlements).count == 1)
    }

    /// Row C41: the commit that holds "seen" and effect fails; the notification is taken again, once.
    @Test func seenAndEffectAreOneCommit() {
        let bench = ShardBench(delayed: true)
        bench.start()
        bench.transport.script { $0.call.method == "GET" ? .answer(200, "accepted") : .answer(201, "accepted") }
        bench.send("payout", "p1", "100")
        bench.run(50)
        let fail = Mutex(true)
        bench.log.injectFaults { operation in
            guard case .commit = operation else { return nil }
            return fail.withLock { shouldFail in
                defer { shouldFail = false }
                return shouldFail ? .unknownLost : nil
            }
        }
        bench.notify(bench.references("p1")[0], "settled", id: "n1")
        bench.run(1_000)
        #expect(bench.state("p1") == "settled")
        #expect(bench.records(.settlements).count == 1)
    }

    /// Row B60: nobody has this reference. It is kept over a restart, and given up with an alarm in the end.
    @Test func unmatchedOnesAreKeptAndExpireLoudly() {
        var limits = ShardLimits()
        limits.keptLifetime = Milliseconds(60_000)
        let bench = ShardBench(limits: limits)
        bench.start()
        let reference = Reference(partitionHash: 7, seed: Digest(high: 9, low: 9), attempt: 1)
        bench.notify(reference.text, "settled", id: "n1")
        bench.notify(reference.text, "settled", id: "n2")
        bench.run(100)
        #expect(bench.records(.deadLetters).isEmpty)
        bench.crashAndRestart()
        bench.run(30_000)
        bench.notify(reference.text, "settled", id: "n3")
        bench.run(40_000)
        #expect(bench.alarms.all.contains(.keptExpired(reference: reference.text, count: 3)))
        #expect(bench.records(.deadLetters).map { $0.words[0] } == ["n1", "n2", "n3"])
        #expect(bench.records(.deadLetters).allSatisfy { $0.headers["error-code"] == "unmatched" })
    }

    /// More than are kept: the oldest goes, and not in silence.
    @Test func keptOnesAreBounded() {
        var limits = ShardLimits()
        limits.keptPerReference = 3
        let bench = ShardBench(limits: limits)
        bench.start()
        let reference = Reference(partitionHash: 7, seed: Digest(high: 9, low: 9), attempt: 1)
        for number in 1...5 { bench.notify(reference.text, "settled", id: "n\(number)") }
        bench.run(100)
        #expect(bench.records(.deadLetters).map { $0.words[0] } == ["n1", "n2"])
    }

    /// A notification that came first is applied when its payment appears. References are made of payment id, initiate
    /// and moment, so a second run of the same history gives the same one.
    @Test func anEarlyOneIsAppliedWhenThePaymentAppears() {
        let rehearsal = ShardBench()
        rehearsal.start()
        rehearsal.send("payout", "p1", "100")
        rehearsal.run(50)
        let reference = rehearsal.references("p1")[0]

        let bench = ShardBench()
        bench.notify(reference, "settled", id: "n1")
        bench.transport.script { _ in .wait }
        // The same moment as in the rehearsal, so the same reference.
        bench.start()
        bench.send("payout", "p1", "100")
        bench.run(50)
        #expect(bench.references("p1") == [reference])
        #expect(bench.state("p1") == "settled")
    }

    /// What an adapter finds strange about an answer is told, to a request and to an inquiry; a refused request is the
    /// machine's to tell, once.
    @Test(arguments: [PartnerAlarm.amountMismatch, .referenceMismatch, .severalOrders])
    func strangeAnswersRaiseAnAlarm(alarm: PartnerAlarm) {
        let bench = ShardBench()
        bench.start()
        bench.transport.script { $0.call.method == "GET" ? .answer(404, alarm.rawValue) : .answer(299, alarm.rawValue) }
        bench.send("payout", "p1", "100")
        bench.run(3_000)
        let told = ShardAlarm.partner(
            PaymentID("p1").unsafelyUnwrapped, attempt: 1, partner: PartnerName("bank-a"), alarm)
        #expect(bench.state("p1") == "inDoubt")
        #expect(bench.alarms.all == [told, told])
    }

    @Test func aRefusedRequestIsToldOnce() {
        let bench = ShardBench(domain: TestDomain(partners: ["bank-a"]))
        bench.start()
        bench.transport.script { _ in .answer(422, "") }
        bench.send("payout", "p1", "100")
        bench.run(100)
        #expect(bench.alarms.all.count == 1)
    }

    /// Money came in that nothing explains: by a foreign reference at once, by one of ours when it is given up. Posted to
    /// suspense once, in the partition of its notification, however often it is told and over a restart.
    @Test func unexplainedMoneyGoesToSuspenseOnce() {
        var limits = ShardLimits()
        limits.keptLifetime = Milliseconds(60_000)
        let bench = ShardBench(limits: limits)
        bench.start()
        bench.notify("THEIRS", "returned700", id: "n1")
        bench.notify("THEIRS", "returned700", id: "n2")
        bench.run(100)
        bench.crashAndRestart()
        bench.notify("THEIRS", "returned700", id: "n3")
        let ours = Reference(partitionHash: 1, seed: Digest(high: 9, low: 9), attempt: 1).text
        bench.notify(ours, "returned30", id: "n4")
        bench.notify("OTHERS", "weather", id: "n5")
        bench.run(100)
        #expect(bench.records(.settlements).map(\.words) == [["bank-a-posting-THEIRS", "suspense", "700"]])
        bench.run(70_000)
        #expect(
            bench.records(.settlements).map(\.words) == [
                ["bank-a-posting-THEIRS", "suspense", "700"], ["bank-a-posting-\(ours)", "suspense", "30"],
            ])
        #expect(bench.records(.settlements).map(\.key) == ["bank-a", "bank-a"])
        #expect(
            bench.alarms.all.filter { $0 == .unexplainedMoney(PartnerName("bank-a"), movement: "THEIRS") }.count == 1)
        #expect(bench.records(.deadLetters).count == 5)
    }

    /// The memory of a posting is given up in silence, and its notification is in the dead letters already.
    @Test func postedMoneyIsForgottenInTheEnd() {
        var limits = ShardLimits()
        limits.unexplainedLifetime = Milliseconds(60_000)
        let bench = ShardBench(limits: limits)
        bench.start()
        bench.notify("THEIRS", "returned700", id: "n1")
        bench.run(70_000)
        #expect(bench.records(.deadLetters).count == 1)
        #expect(bench.alarms.all.count == 2)
    }
}
