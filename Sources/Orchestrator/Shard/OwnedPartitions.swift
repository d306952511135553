import EventLog
import PaymentModel

/// A partition that the shard owns.
struct Ownership {
    var assignment: Assignment
    var incarnation: Incarnation
    /// Next offsets, once something was polled.
    var commands: Int64?
    var notifications: Int64?
    var window = TimerWindow()

    var partition: Int32 { assignment.partition }
}

/// The partitions of a shard, in their order: few, and looked up for every record, so a list is quicker than a table.
struct OwnedPartitions {
    private(set) var list: [Ownership] = []

    var isEmpty: Bool { list.isEmpty }
    /// Ascending.
    var partitions: [Int32] { list.map(\.partition) }

    func contains(_ partition: Int32) -> Bool { place(partition) != nil }

    /// The incarnation under which the partition is worked on; nil where it is not ours.
    func incarnation(of partition: Int32) -> Incarnation? { place(partition).map { list[$0].incarnation } }

    /// Timers due up to here are in memory, or follow at once.
    func loadedThrough(_ partition: Int32) -> Timestamp {
        place(partition).map { list[$0].window.through } ?? Timestamp(milliseconds: .min)
    }

    func window(of partition: Int32) -> TimerWindow? { place(partition).map { list[$0].window } }

    func ownership(of partition: Int32) -> Ownership? { place(partition).map { list[$0] } }

    /// Adds the partition, or begins it anew.
    mutating func insert(_ ownership: Ownership) {
        if let place = place(ownership.partition) {
            list[place] = ownership
        } else {
            list.insert(ownership, at: list.firstIndex { $0.partition > ownership.partition } ?? list.count)
        }
    }

    /// Takes the partition away; false where it was not ours.
    mutating func remove(_ partition: Int32) -> Bool {
        guard let place = place(partition) else { return false }
        list.remove(at: place)
        return true
    }

    mutating func removeAll() { list.removeAll() }

    /// The input up to here, exclusively, is taken in.
    mutating func advance(_ topic: Topic, _ partition: Int32, to next: Int64) {
        guard let place = place(partition) else { return }
        if topic == .commands { list[place].commands = next } else { list[place].notifications = next }
    }

    mutating func setWindow(_ window: TimerWindow, of partition: Int32) {
        guard let place = place(partition) else { return }
        list[place].window = window
    }

    private func place(_ partition: Int32) -> Int? {
        for place in list.indices where list[place].assignment.partition == partition { return place }
        return nil
    }
}
