import Glibc
import PaymentModel

/// Virtual time and everything that is going to happen in it, in one thread: what is due at the same millisecond happens
/// in an order that the seed decides.
///
/// `@unchecked Sendable`: shared by everything that takes part in a run, but only ever used by the thread that runs it
/// (`isRunningHere` checks; a call from elsewhere traps).
public final class Scheduler: @unchecked Sendable {
    private struct Entry {
        var at: Int64
        var tie: UInt64
        var number: UInt64
        var work: @Sendable () -> Void

        static func isEarlier(_ left: Entry, _ right: Entry) -> Bool {
            (left.at, left.tie, left.number) < (right.at, right.tie, right.number)
        }
    }

    private var heap: [Entry] = []
    private var number: UInt64 = 0
    private var random: SimulationRandom
    private let thread = pthread_self()
    /// How far virtual time is, in milliseconds on the monotonic clock.
    public private(set) var time: Int64
    /// What the wall clock shows at monotonic time 0; changing it is a jump of the wall clock.
    public var wallOffset: Int64
    /// How many pieces of work have run.
    public private(set) var steps = 0

    /// A scheduler for the calling thread.
    ///
    /// - Parameters:
    ///   - seed: decides the order of what is due at the same time.
    ///   - wall: what the wall clock shows at the beginning.
    public init(seed: UInt64, wall: Timestamp) {
        random = SimulationRandom(seed: seed)
        time = 1_000_000
        wallOffset = wall.milliseconds - 1_000_000
    }

    /// Whether the caller is the thread of the run.
    public var isRunningHere: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// The present moment on the monotonic clock.
    public var monotonic: MonotonicTime { MonotonicTime(milliseconds: time) }
    /// The present moment on the wall clock.
    public var wall: Timestamp { Timestamp(milliseconds: time + wallOffset) }

    /// Does `work` so many milliseconds from now.
    public func after(_ milliseconds: Int64, _ work: @escaping @Sendable () -> Void) {
        at(time + max(0, milliseconds), work)
    }

    /// Does `work` at that moment, or now where it is over.
    public func at(_ moment: Int64, _ work: @escaping @Sendable () -> Void) {
        precondition(isRunningHere, "a simulation has one thread")
        number += 1
        heap.append(Entry(at: max(time, moment), tie: random.next(), number: number, work: work))
        rise()
    }

    /// Does the next piece of work, if there is one before `limit` (exclusive); time moves to it.
    @discardableResult
    public func step(before limit: Int64 = .max) -> Bool {
        guard let first = heap.first, first.at < limit else { return false }
        removeFirst()
        time = first.at
        steps += 1
        first.work()
        return true
    }

    /// Does everything up to that moment, which time then shows.
    public func run(until moment: Int64) {
        while step(before: moment + 1) {}
        time = max(time, moment)
    }

    /// Does everything for so many milliseconds.
    public func run(for milliseconds: Int64) { run(until: time + milliseconds) }

    private func rise() {
        var place = heap.count - 1
        while place > 0, Entry.isEarlier(heap[place], heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && Entry.isEarlier(heap[child], heap[least]) { least = child }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }
}
