/// Whether every shard still makes turns: what a watchdog must know. An idle shard sleeps, so it is asked for a turn at
/// each beat; one that has made none by the next is stuck, whatever the rest of the process does.
public struct ShardPulse: Sendable {
    private var asked: [Int]?

    /// A pulse that was never felt.
    public init() {}

    /// Feels it: true where every shard has made a turn since the last call that was true, and at the first call. After
    /// each call every shard must be woken (`Shard.wake`).
    public mutating func beats(_ statuses: [ShardStatus]) -> Bool {
        let turns = statuses.map(\.turns)
        guard let asked, asked.count == turns.count else {
            asked = turns
            return true
        }
        guard zip(asked, turns).allSatisfy({ $0 < $1 }) else { return false }
        self.asked = turns
        return true
    }
}
