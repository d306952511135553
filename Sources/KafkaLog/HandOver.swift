import EventLog

/// Records between the poll thread and the shard: bounded, in order. The poll thread stops fetching at the high mark and
/// goes on below the low one: backpressure, not growth.
struct HandOver {
    private var waiting = RecordBatch()
    private var taken = 0
    private var takenBytes = 0
    /// Whether fetching should stop.
    private(set) var isFull = false

    /// Limits: records and bytes at which fetching stops; it goes on at half of them.
    static let recordLimit = 8_192
    static let byteLimit = 32 << 20

    /// Whether nothing waits.
    var isEmpty: Bool { taken == waiting.records.count }

    private var records: Int { waiting.records.count - taken }
    private var bytes: Int { waiting.bytes.count - takenBytes }

    /// Appends what the poll thread has collected.
    mutating func append(_ batch: borrowing RecordBatch) {
        let base = waiting.bytes.count
        waiting.bytes.append(contentsOf: batch.bytes)
        for slot in batch.records {
            var moved = slot
            moved.frame = (slot.frame.lowerBound + base)..<(slot.frame.upperBound + base)
            waiting.records.append(moved)
        }
        if records >= HandOver.recordLimit || bytes >= HandOver.byteLimit { isFull = true }
    }

    /// Moves what the limit allows to `batch`; at least one record where there is any. Returns how many.
    mutating func take(into batch: inout RecordBatch, limit: PollLimit) -> Int {
        var count = 0
        var size = 0
        while taken < waiting.records.count, count < limit.records {
            let slot = waiting.records[taken]
            guard count == 0 || size + slot.frame.count <= limit.bytes else { break }
            batch.append(
                topic: slot.topic, partition: slot.partition, offset: slot.offset, frame: waiting.bytes[slot.frame])
            size += slot.frame.count
            count += 1
            taken += 1
            takenBytes = slot.frame.upperBound
        }
        if isEmpty {
            removeAll()
        } else if taken > 1_024, takenBytes > waiting.bytes.count / 2 {
            compact()
        }
        if isFull, records < HandOver.recordLimit / 2, bytes < HandOver.byteLimit / 2 { isFull = false }
        return count
    }

    /// Forgets everything.
    mutating func removeAll() {
        waiting.removeAll()
        taken = 0
        takenBytes = 0
        isFull = false
    }

    private mutating func compact() {
        var rest = RecordBatch()
        for slot in waiting.records[taken...] {
            rest.append(
                topic: slot.topic, partition: slot.partition, offset: slot.offset, frame: waiting.bytes[slot.frame])
        }
        waiting = rest
        taken = 0
        takenBytes = 0
    }
}
