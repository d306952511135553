import EventLog
import Orchestrator
import Partners
import PaymentModel
import SwitchyardSimulation
import Synchronization
import Testing

/// Timers survive restarts, jumps of the wall clock and storms.
@Suite struct ShardTimeTests {
    private func lost(_ bench: ShardBench) {
        bench.transport.script { exchange in
            exchange.call.method == "GET" ? .answer(200, "settled") : .unclear(.timeout)
        }
    }

    @Test func doubtIsInquiredWhenItsSlotComes() {
        let bench = ShardBench()
        bench.start()
        lost(bench)
        bench.send("payout", "p1", "100")
        bench.run(1_900)
        #expect(bench.state("p1") == "inDoubt")
        #expect(bench.transport.inquiries.isEmpty)
        bench.run(10_000)
        #expect(bench.transport.inquiries.count == 1)
        #expect(bench.state("p1") == "settled")
    }

    @Test func timersOutliveTheProcess() {
        let bench = ShardBench()
        bench.start()
        lost(bench)
        for number in 0..<50 { bench.send("payout", "p\(number)", "100") }
        bench.run(1_000)
        bench.crashAndRestart()
        #expect(bench.shard.currentStatus.hotPayments == 0)
        bench.run(60_000)
        for number in 0..<50 { #expect(bench.state("p\(number)") == "settled") }
        #expect(bench.transport.posts.count == 50)
    }

    /// A jump of the wall clock neither brings a timer forward nor puts it off.
    @Test(arguments: [Int64(3_600_000), -3_600_000]) func jumpsOfTheWallClockMoveNoTimer(jump: Int64) {
        let bench = ShardBench()
        bench.start()
        lost(bench)
        bench.send("payout", "p1", "100")
        bench.run(1_000)
        bench.scheduler.wallOffset += jump
        bench.run(500)
        #expect(bench.transport.inquiries.isEmpty)
        bench.send("payout", "p2", "100")
        bench.run(15_000)
        #expect(bench.state("p1") == "settled")
        #expect(bench.state("p2") == "settled")
    }

    /// Many open payments: a start reads a page, not all of them, and what is due is fired in bounded portions.
    @Test func aStormOfDueTimersComesInPortions() {
        var limits = ShardLimits()
        limits.timerPage = 20
        limits.timers = 100
        limits.timersPerTurn = 10
        limits.idle = Milliseconds(100)
        let bench = ShardBench(limits: limits)
        bench.start()
        lost(bench)
        for number in 0..<600 { bench.send("payout", "p\(number)", "100") }
        bench.run(1_500)
        bench.executor.stop()
        bench.run(60_000)
        bench.limits = limits
        bench.crashAndRestart()
        var mostTimers = 0
        let end = bench.scheduler.time + 120_000
        while bench.scheduler.step(before: end) {
            mostTimers = max(mostTimers, bench.shard.currentStatus.timers)
            if bench.shard.currentStatus.commits > 100, bench.records(.settlements).count == 600 { break }
        }
        #expect(bench.records(.settlements).count == 600)
        #expect(mostTimers <= 260)
    }

    /// A timer beyond what is loaded is not lost when its batch is committed after the window has moved over it.
    @Test func distantTimersComeInTime() {
        var limits = ShardLimits()
        limits.timerHorizon = Milliseconds(3_000)
        limits.idle = Milliseconds(200)
        let bench = ShardBench(limits: limits, delayed: true)
        bench.start()
        bench.transport.script { exchange in
            exchange.call.method == "GET" ? .unclear(.timeout) : .unclear(.timeout)
        }
        bench.send("payout", "p1", "100")
        bench.run(120_000)
        // Every slot was used, then a person was asked.
        #expect(bench.transport.inquiries.count == 5)
        #expect(bench.events("p1").last == "attemptEscalated")
    }
}
