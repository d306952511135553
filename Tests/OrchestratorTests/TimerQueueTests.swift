import EventLog
import PaymentModel
import Testing

@testable import Orchestrator

@Suite struct TimerQueueTests {
    private func node(_ at: Int64, _ key: String = "k", partition: Int32 = 0) -> TimerNode {
        TimerNode(
            at: MonotonicTime(milliseconds: at), due: Timestamp(milliseconds: at), partition: partition,
            space: .payment,
            key: key)
    }

    @Test func popsInOrderOfTimeAndNotBefore() {
        var queue = TimerQueue()
        for at in [50, 10, 30, 20, 40] as [Int64] { _ = queue.insert(node(at)) }
        #expect(queue.next == MonotonicTime(milliseconds: 10))
        #expect(queue.popDue(at: MonotonicTime(milliseconds: 9)) == nil)
        var popped: [Int64] = []
        while let (_, node) = queue.popDue(at: MonotonicTime(milliseconds: 45)) { popped.append(node.at.milliseconds) }
        #expect(popped == [10, 20, 30, 40])
        #expect(queue.count == 1)
    }

    /// Against a sorted array, over random inserts, removals and pops.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func agreesWithASortedArray(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var queue = TimerQueue()
        var model: [(handle: TimerQueue.Handle, at: Int64)] = []
        for _ in 0..<4_000 {
            switch random.next() % 3 {
            case 0:
                let at = Int64(random.next() % 1_000)
                model.append((queue.insert(node(at)), at))
            case 1:
                guard !model.isEmpty else { continue }
                let victim = model.remove(at: Int(random.next() % UInt64(model.count)))
                queue.remove(victim.handle)
            default:
                let now = Int64(random.next() % 1_000)
                let expected = model.map(\.at).min().flatMap { $0 <= now ? $0 : nil }
                let popped = queue.popDue(at: MonotonicTime(milliseconds: now))
                #expect(popped?.node.at.milliseconds == expected, "seed \(seed)")
                if let popped { model.removeAll { $0.handle == popped.handle } }
            }
            #expect(queue.count == model.count)
        }
    }

    @Test func shedsTheLatestAndTellsFromWhere() {
        var queue = TimerQueue()
        for at in 0..<100 as Range<Int64> { _ = queue.insert(node(at, "p\(at)", partition: Int32(at % 2))) }
        let lost = queue.shed(keeping: 10) { $0.key == "p99" }
        #expect(queue.count == 11)
        #expect(lost == [0: Timestamp(milliseconds: 10), 1: Timestamp(milliseconds: 11)])
        #expect(queue.popDue(at: MonotonicTime(milliseconds: 0))?.node.key == "p0")
    }
}

/// A small generator with a seed, for tests that must repeat.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
