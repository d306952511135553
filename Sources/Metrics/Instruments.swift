import Synchronization

/// A number that only grows. Adding is one atomic operation.
public final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    /// A counter at 0. Registries make them; one of its own is for tests.
    public init() {}

    /// Adds `amount`.
    public func add(_ amount: UInt64 = 1) { value.wrappingAdd(amount, ordering: .relaxed) }

    /// The count so far.
    public var count: UInt64 { value.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let value = Atomic<Int64>(0)

    /// A gauge at 0. Registries make them; one of its own is for tests.
    public init() {}

    /// Sets the number.
    public func set(_ number: Int64) { value.store(number, ordering: .relaxed) }

    /// Adds to the number; negative amounts subtract.
    public func add(_ amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

    /// The number now.
    public var number: Int64 { value.load(ordering: .relaxed) }
}

/// Counts of observations below fixed bounds. Observing walks the bounds and does two atomic additions.
public final class Histogram: Sendable {
    /// Upper bounds of the buckets, ascending, in the unit that is observed.
    public let bounds: [Int64]
    /// What the observed integers are divided by in the exposition: 1 000 for milliseconds shown as seconds.
    public let scale: Int64
    private let buckets: [Counter]
    private let total = Atomic<Int64>(0)

    /// A histogram with these bounds (ascending) and one more bucket without bound.
    public init(bounds: [Int64], scale: Int64) {
        self.bounds = bounds
        self.scale = max(1, scale)
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// Bounds in milliseconds from 1 ms to 60 s that suit exchanges and commits; shown in seconds.
    public static let latencyBounds: [Int64] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000,
    ]

    /// Notes one observation.
    public func observe(_ value: Int64) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        buckets[index].add()
        total.wrappingAdd(value, ordering: .relaxed)
    }

    /// Counts per bucket (not cumulative) and the sum of all observations.
    public var snapshot: (counts: [UInt64], sum: Int64) {
        (buckets.map(\.count), total.load(ordering: .relaxed))
    }
}
