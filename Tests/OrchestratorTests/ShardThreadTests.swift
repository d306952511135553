import PaymentModel
import Synchronization
import Testing

@testable import Orchestrator

/// An actor on a shard's thread, as payments are.
private actor Resident {
    nonisolated let executor: ShardThread
    var count = 0

    init(_ executor: ShardThread) { self.executor = executor }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func add() -> Int {
        count += 1
        return count
    }
}

@Suite struct ShardThreadTests {
    @Test func aTurnIsIsolatedToEveryActorOfTheThread() async {
        let thread = ShardThread()
        let residents = (0..<100).map { _ in Resident(thread) }
        let sum = await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
            thread.install {
                // A plain call on the thread: no job, no hop, and still isolated.
                continuation.resume(returning: residents.reduce(0) { $0 + $1.assumeIsolated { $0.add() } })
            }
            thread.requestTurn()
        }
        #expect(sum == 100)
        #expect(thread.counts.jobs == 0)
        #expect(thread.counts.turns == 1)
        thread.stop()
    }

    @Test func manyRequestsAreOneTurn() async {
        let thread = ShardThread()
        let turns = Atomic<Int>(0)
        let gate = Gate()
        let done = Gate()
        thread.install {
            if turns.add(1, ordering: .relaxed).newValue == 1 { gate.waitOnThisThread() } else { done.open() }
        }
        thread.requestTurn()
        while turns.load(ordering: .relaxed) == 0 { await Task.yield() }
        for _ in 0..<1_000 { thread.requestTurn() }
        gate.open()
        await done.wait()
        #expect(turns.load(ordering: .relaxed) == 2)
        thread.stop()
    }

    @Test func jobsAndTurnsDoNotStarveEachOther() async {
        let thread = ShardThread()
        let resident = Resident(thread)
        let turns = Atomic<Int>(0)
        thread.install {
            if turns.add(1, ordering: .relaxed).newValue < 10_000 { thread.requestTurn() }
        }
        thread.requestTurn()
        // The thread is never idle while this runs, and the jobs come through.
        var last = 0
        for _ in 0..<200 { last = await resident.add() }
        #expect(last == 200)
        #expect(thread.counts.jobs >= 200)
        while turns.load(ordering: .relaxed) < 10_000 { await Task.yield() }
        thread.stop()
    }

    @Test func aRequestedMomentComes() async {
        let thread = ShardThread()
        let clock = SystemClock()
        let began = clock.monotonic()
        let first = Atomic<Bool>(true)
        let fired = Gate()
        thread.install {
            if first.exchange(false, ordering: .relaxed) {
                thread.requestTurn(at: clock.monotonic() + Milliseconds(30))
            } else {
                fired.open()
            }
        }
        thread.requestTurn()
        await fired.wait()
        #expect((clock.monotonic() - began).count >= 30)
        thread.stop()
    }
}

/// Opens once; waited for by tasks or by a thread.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func wait() async {
        while !isOpen.load(ordering: .acquiring) { await Task.yield() }
    }

    func waitOnThisThread() {
        while !isOpen.load(ordering: .acquiring) {}
    }
}
