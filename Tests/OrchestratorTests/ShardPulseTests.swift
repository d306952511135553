import EventLog
import Orchestrator
import SwitchyardSimulation
import Testing

/// What the watchdog is told: the process lives only where every shard's thread does.
@Suite struct ShardPulseTests {
    @Test func anIdleShardThatIsWokenBeats() {
        let bench = ShardBench()
        bench.start()
        var pulse = ShardPulse()
        for _ in 0..<5 {
            let beats = pulse.beats([bench.shard.currentStatus])
            #expect(beats)
            bench.shard.wake()
            bench.run(10)
        }
    }

    @Test func aStuckShardDoesNotAndNobodyElseBeatsForIt() {
        let stuck = ShardBench()
        let well = ShardBench()
        stuck.start()
        well.start()
        var pulse = ShardPulse()
        func beat() -> Bool {
            let beats = pulse.beats([well.shard.currentStatus, stuck.shard.currentStatus])
            for bench in [well, stuck] {
                bench.shard.wake()
                bench.run(10)
            }
            return beats
        }
        var beats = [beat(), beat()]
        // Its thread does nothing any more; the turn that was made before still counts once.
        stuck.executor.stop()
        for _ in 0..<4 { beats.append(beat()) }
        #expect(beats == [true, true, true, false, false, false])
    }

    @Test func aShardThatWaitsForTheLogStillBeats() {
        let bench = ShardBench()
        bench.start()
        bench.log.injectFaults { _ in .unavailable }
        bench.send("payout", "p1", "100")
        bench.run(500)
        var pulse = ShardPulse()
        for _ in 0..<5 {
            let beats = pulse.beats([bench.shard.currentStatus])
            #expect(beats)
            bench.shard.wake()
            bench.run(10)
        }
    }
}
