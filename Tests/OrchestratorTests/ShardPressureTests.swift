import EventLog
import Orchestrator
import PaymentModel
import RecordFormat
import SwitchyardSimulation
import Synchronization
import Testing

/// Limits: memory stays bounded, one bad neighbour stalls nobody, idle payments cost nothing.
@Suite struct ShardPressureTests {
    /// L6: ten times more commands than partners can take. What is under way stays within its limit, the rest stays in
    /// the log, and everything is done in the end.
    @Test func overloadStaysInTheLog() {
        var limits = ShardLimits()
        limits.pollRecords = 16
        limits.partnerActive = 4
        limits.partnerWaiting = 64
        limits.partnerHighWater = 16
        let bench = ShardBench(domain: TestDomain(partners: ["bank-a"]), limits: limits)
        let scheduler = bench.scheduler
        let transport = bench.transport
        transport.script { exchange in
            let id = exchange.id
            scheduler.after(10) {
                transport.end(id, ExchangeEnd(.answered(PartnerAnswer(status: 201, body: Array("settled".utf8)))))
            }
            return .wait
        }
        bench.start()
        for number in 0..<1_000 { bench.send("payout", "p\(number)", "100") }
        var most = 0
        while scheduler.step(before: scheduler.time + 20_000) {
            let status = bench.shard.currentStatus
            most = max(most, status.waiting + status.underWay)
            if status.events == 8_000 { break }
        }
        #expect(bench.records(.settlements).count == 1_000)
        #expect(transport.mostOpen == 4)
        // High water plus one poll.
        #expect(most <= 16 + 4 + 16 * 2)
        #expect(bench.shard.currentStatus.heldBack > 0)
    }

    /// A slow log under overload: what is decided while a commit is under way waits for the partner soon, so it is no
    /// more than the partner's queue takes, and every request leaves at its first attempt, in time.
    @Test func slowCommitsLetInNoMoreThanPartnersTake() {
        var limits = ShardLimits()
        limits.pollRecords = 16
        limits.partnerActive = 4
        limits.partnerWaiting = 64
        limits.partnerHighWater = 16
        let bench = ShardBench(domain: TestDomain(partners: ["bank-a"]), limits: limits)
        bench.logDelay.store(200)
        bench.start()
        for number in 0..<300 { bench.send("payout", "p\(number)", "100") }
        var most = 0
        while bench.scheduler.step(before: bench.scheduler.time + 60_000) {
            let status = bench.shard.currentStatus
            most = max(most, status.waiting + status.underWay)
            if status.events == 2_400 { break }
        }
        bench.run(1_000)
        #expect(bench.records(.settlements).count == 300)
        #expect(bench.shard.currentStatus.requests == 300, "none was refused or came too late")
        #expect(most <= 16 + 16)
    }

    /// L2: a silent partner and an unreadable command; everybody else is served at once.
    @Test func oneDeadPartnerAndOnePoisonStallNobody() {
        var limits = ShardLimits()
        limits.partnerActive = 2
        limits.partnerHighWater = 4
        let bench = ShardBench(domain: TestDomain(partners: ["dead", "alive"]), limits: limits)
        bench.transport.script { $0.partner.text == "dead" ? .wait : .answer(201, "settled") }
        bench.start()
        for number in 0..<20 { bench.send("payout", "stuck\(number)", "100") }
        bench.run(100)
        bench.append(.commands, key: "x", value: "garbage", partition: 0)
        var other = bench.domain.domain
        other.routes = [other.routes[1]]
        bench.domain.replace(with: other)
        bench.shard.wake()
        bench.run(2_100)
        for number in 0..<20 { bench.send("payout", "fine\(number)", "100") }
        bench.run(100)
        for number in 0..<20 { #expect(bench.state("fine\(number)") == "settled") }
        #expect(bench.records(.deadLetters).count == 1)
    }

    /// An undecodable record: untouched, with the contract's headers, and the input goes on behind it.
    @Test func deadLettersAreUntouched() {
        let bench = ShardBench(partitions: 1)
        bench.start()
        bench.append(.commands, key: "p1", value: "garbage", partition: 0)
        bench.send("payout", "p1", "100")
        bench.run(50)
        let letters = bench.records(.deadLetters)
        #expect(letters.map(\.key) == ["p1"])
        #expect(letters.map(\.words) == [["garbage"]])
        #expect(
            letters.first?.headers == [
                "error-code": "not-json", "error-detail": "the value is no command",
                "source-topic": "switchyard.commands",
                "source-partition": "0", "source-offset": "0",
            ])
        #expect(bench.state("p1") == "settled")
        #expect(
            bench.alarms.all.contains(.deadLetter(topic: "commands", partition: 0, offset: 0, code: "not-json")))
    }

    /// A record with as many headers as a frame can hold, and one more than any limit on them would allow: its dead letter
    /// has five more, can be read, and holds the record as it came.
    @Test(arguments: [0, 59, 60, 64, 65, 70, 1_000])
    func deadLettersKeepEveryHeader(count: Int) throws {
        let bench = ShardBench(partitions: 1)
        bench.start()
        let headers = (0..<count).map { (name: Array("h\($0)".utf8), value: Array("v\($0)".utf8)) }
        var batch = RecordBatch()
        batch.append(
            topic: .commands, partition: 0, offset: 0,
            frame: RecordFrame.encode(
                key: Array("p1".utf8), timestamp: 5, headers: headers, value: Array("garbage".utf8)))
        bench.log.append(batch) { _ in }
        bench.send("payout", "p1", "100")
        bench.run(50)
        let letter = try #require(bench.records(.deadLetters).first)
        #expect(letter.key == "p1" && letter.words == ["garbage"])
        #expect(letter.headers.count == count + 5)
        #expect((0..<count).allSatisfy { letter.headers["h\($0)"] == "v\($0)" })
        #expect(letter.headers["error-code"] == "not-json")
        #expect(bench.state("p1") == "settled")
    }

    /// Row B47: a payment leaves memory only when the commit with its last state has returned.
    @Test func passivatesOnlyWhatIsDurable() {
        var limits = ShardLimits()
        limits.idle = Milliseconds(5)
        let bench = ShardBench(limits: limits)
        bench.start()
        // A commit that takes long: its payments are idle for longer than they may, and stay.
        bench.send("payout", "p1", "100")
        bench.logDelay.store(60)
        bench.run(50)
        #expect(bench.shard.currentStatus.hotPayments == 1)
        bench.run(500)
        #expect(bench.shard.currentStatus.hotPayments == 0)
        #expect(bench.shard.currentStatus.passivated == 1)
        bench.logDelay.store(0)
        // The next input brings it back with everything that it knew.
        bench.send("cancel", "p1")
        bench.run(50)
        #expect(bench.events("p1").last == "commandRejected")
        #expect(bench.shard.currentStatus.activated == 1)
    }

    @Test func memoryHoldsNoMoreThanItsLimit() {
        var limits = ShardLimits()
        limits.hotPayments = 32
        limits.pollRecords = 8
        let bench = ShardBench(limits: limits)
        bench.start()
        for number in 0..<500 { bench.send("payout", "p\(number)", "100") }
        bench.run(1_000)
        #expect(bench.records(.settlements).count == 500)
        #expect(bench.shard.currentStatus.hotPayments <= 32)
        #expect(bench.shard.currentStatus.passivated >= 468)
    }

    /// One turn for a polled batch and one for its commit, no Swift job, whatever the number of payments.
    @Test(arguments: [1, 512]) func hopsDoNotGrowWithPayments(payments: Int) {
        let bench = ShardBench(partitions: 1)
        bench.start()
        let before = bench.executor.counts
        let polls = bench.shard.currentStatus.polls
        for number in 0..<payments { bench.send("payout", "p\(number)", "100") }
        bench.run(100)
        #expect(bench.records(.settlements).count == payments)
        #expect(bench.executor.counts.jobs == 0)
        #expect(bench.shard.currentStatus.polls - polls == 1)
        // Records; first commit, sends and results; second commit; dry poll and timers.
        #expect(bench.executor.counts.turns - before.turns <= 12)
    }
}
