import EventLog
import Orchestrator
import PaymentModel
import Synchronization
import Testing

/// Degraded mode, ownership and the end.
@Suite struct ShardLifeTests {
    /// The log is full for a while: nothing is lost, the state says so, and it goes on by itself.
    @Test func aFullLogIsSurvived() {
        let bench = ShardBench(delayed: true)
        bench.start()
        let isFull = Mutex(true)
        bench.log.injectFaults { _ in isFull.withLock { $0 } ? .full : nil }
        isFull.withLock { $0 = false }
        for number in 0..<10 { bench.send("payout", "p\(number)", "100") }
        isFull.withLock { $0 = true }
        bench.run(30_000)
        guard case .degraded = bench.shard.currentStatus.phase else {
            Issue.record("not degraded: \(bench.shard.currentStatus.phase)")
            return
        }
        #expect(!bench.shard.currentStatus.isReady)
        #expect(bench.transport.begun.isEmpty)
        isFull.withLock { $0 = false }
        bench.run(30_000)
        #expect(bench.shard.currentStatus.isReady)
        #expect(bench.records(.settlements).count == 10)
        #expect(bench.transport.posts.count == 10)
    }

    /// S14: another owner has the partitions; what the old one still does becomes visible nowhere, and it sends nothing.
    @Test func aFencedOwnerDoesNothingMore() {
        let bench = ShardBench(partitions: 1, delayed: true)
        bench.start()
        bench.transport.script { _ in .wait }
        bench.send("payout", "p1", "100")
        bench.run(20)
        let other = bench.log.shard(partitions: [])
        other.start(wake: {}, completion: { _ in })
        bench.run(5)
        bench.send("payout", "p2", "100")
        bench.log.move(partition: 0, to: other)
        bench.run(5_000)
        #expect(bench.events("p2").isEmpty)
        #expect(bench.transport.posts.count == 1)
        #expect(bench.transport.open.isEmpty)
        #expect(bench.shard.currentStatus.partitions.isEmpty)
    }

    /// A drain ends what is under way, takes nothing new, and commits the results: no doubt is left behind.
    @Test func aDrainLeavesNoDoubt() {
        let bench = ShardBench(partitions: 1)
        bench.start()
        bench.transport.script { _ in .wait }
        bench.send("payout", "p1", "100")
        bench.run(20)
        let done = Mutex(false)
        bench.shard.drain { done.withLock { $0 = true } }
        bench.run(20)
        bench.send("payout", "p2", "100")
        bench.run(500)
        #expect(!done.withLock { $0 })
        bench.transport.answer("/payout", 201, "settled")
        bench.run(500)
        #expect(done.withLock { $0 })
        #expect(bench.state("p1") == "settled")
        #expect(bench.events("p2").isEmpty)
        #expect(bench.shard.currentStatus.phase == .closed)
    }

    /// A partner that never answers: the drain ends in time all the same, and the next owner asks.
    @Test func aDrainEndsInTime() {
        var limits = ShardLimits()
        limits.drain = Milliseconds(1_000)
        let bench = ShardBench(partitions: 1, limits: limits)
        bench.start()
        bench.transport.script { _ in .wait }
        bench.send("payout", "p1", "100")
        bench.run(20)
        let done = Mutex(false)
        bench.shard.drain { done.withLock { $0 = true } }
        bench.run(8_000)
        #expect(done.withLock { $0 })
        #expect(bench.state("p1") == "inDoubt")
    }

    /// A new policy is in force from the next turn on, whole.
    @Test func aReplacedDomainIsUsedFromTheNextTurn() {
        let bench = ShardBench()
        bench.start()
        bench.send("payout", "p1", "100")
        bench.run(50)
        #expect(bench.transport.posts.last?.exchange.partner.text == "bank-a")
        var other = bench.domain.domain
        other.routes.reverse()
        bench.domain.replace(with: other)
        bench.send("payout", "p2", "100")
        bench.run(50)
        #expect(bench.transport.posts.last?.exchange.partner.text == "bank-b")
    }

    /// The whole on real threads: several shards, every payment done once.
    @Test func severalShardsOnThreads() async {
        typealias Real = Ports<
            ShardThread, MemoryShardLog, ScriptedTransport, SystemClock, TestDomain, RecordedAlarms
        >
        let log = MemoryLog(partitionCount: 4)
        let transport = ScriptedTransport(clock: { SystemClock().monotonic() })
        let alarms = RecordedAlarms()
        let domain = DomainBox(TestDomain())
        let orchestrator = Orchestrator<Real>(count: 2) { index in
            Ports(
                executor: ShardThread(), log: log.shard(partitions: index == 0 ? [0, 1] : [2, 3]),
                transport: transport, clock: SystemClock(), domain: domain, alarms: alarms)
        }
        orchestrator.start()
        let bench = ShardBench(partitions: 4)
        for number in 0..<500 {
            var batch = RecordBatch()
            let payment = "p\(number)"
            batch.append(
                topic: .commands, partition: PartitionHash.partition(of: payment.utf8, count: 4), offset: 0,
                frame: bench.frame(key: payment, value: "payout|\(payment)|c\(number)|100"))
            log.append(batch) { _ in }
        }
        var left = 20_000
        while orchestrator.status.reduce(0, { $0 + $1.events }) < 500 * 8, left > 0 {
            left -= 1
            try? await Task.sleep(for: .milliseconds(1))
        }
        await orchestrator.drain()
        #expect(transport.posts.count == 500)
        #expect(orchestrator.status.reduce(0) { $0 + $1.events } == 500 * 8)
        #expect(orchestrator.status.allSatisfy { $0.phase == .closed })
    }
}
