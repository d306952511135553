import EventLog
import Glibc
import PaymentModel
import RecordFormat
import RocksStore

/// Turns what shards and appenders ask for into one RocksDB batch.
struct GroupBatch: ~Copyable {
    private let batch = WriteBatch()
    private var keys = KeyBuilder()
    private var value = KeyBuilder()
    private var chunks = OpenChunks()
    private let records: RocksDatabase.Family
    private let states: RocksDatabase.Family
    private let timers: RocksDatabase.Family
    private let indexes: RocksDatabase.Family
    private let database: RocksDatabase
    /// The earliest timer set in this group, by partition.
    private(set) var lowestTimers: [Timestamp?]

    init(_ database: RocksDatabase, partitionCount: Int32) {
        self.database = database
        records = database.family(StoreLayout.records)
        states = database.family(StoreLayout.state)
        timers = database.family(StoreLayout.timers)
        indexes = database.family(StoreLayout.indexes)
        lowestTimers = Array(repeating: nil, count: Int(partitionCount))
    }

    /// Begins the next group, keeping the memory.
    mutating func clear() {
        batch.clear()
        chunks.clear()
        for index in lowestTimers.indices { lowestTimers[index] = nil }
    }

    /// Nothing more comes into the group: the chunks that are still open go into the batch. Returns the bytes of the group
    /// as it will be logged; 0 where there is nothing to write.
    mutating func seal() -> Int {
        chunks.close(batch, records)
        return batch.count == 0 ? 0 : batch.byteCount
    }

    /// Makes the group durable and visible.
    func write() throws(RocksError) { try database.write(batch, .synced) }

    /// Appended records at the ends of their partitions.
    mutating func add(_ appended: borrowing RecordBatch, to ledger: inout Ledger) {
        appended.bytes.withUnsafeBytes { bytes in
            for record in appended.records {
                _ = put(record, UnsafeRawBufferPointer(rebasing: bytes[record.frame]), &ledger)
            }
        }
    }

    /// A commit that the ledger has not refused.
    mutating func add(_ commit: borrowing CommitBatch, to ledger: inout Ledger) throws(RocksError) {
        // A tombstone takes the payment's history with it, also what this very commit would add.
        var buried: Set<[UInt8]> = []
        for write in commit.states where write.state == nil && write.space == .payment {
            let key = Array(commit.bytes[write.key])
            buried.insert(key)
            try removeHistory(key)
        }
        commit.bytes.withUnsafeBytes { bytes in
            putRecords(commit.records, bytes, buried, &ledger)
            for write in commit.states { put(write, bytes) }
        }
        for position in commit.positions {
            ledger.positions[ledger.slot(position.topic, position.partition)] = position.next
            keys.meta("p", position.topic, position.partition)
            putMeta(UInt64(bitPattern: position.next))
        }
    }

    /// A partition's new owner.
    mutating func add(epoch: UInt64, of partition: Int32) {
        keys.meta("e", partition)
        putMeta(epoch)
    }

    /// The records of a partition below `first` go; those that share a chunk with `first` stay with it, unseen.
    mutating func trim(_ topic: Topic, _ partition: Int32, from old: Int64, to first: Int64) throws(RocksError) {
        let begin = try RecordReading.chunk(database, topic, partition, of: old) ?? old
        if let end = try RecordReading.chunk(database, topic, partition, of: first), begin < end {
            var upper = KeyBuilder()
            keys.record(topic, partition, begin)
            upper.record(topic, partition, end)
            batch.deleteRange(records, from: keys.bytes.span.bytes, to: upper.bytes.span.bytes)
        }
        keys.meta("f", topic, partition)
        putMeta(UInt64(bitPattern: first))
    }

    private mutating func putMeta(_ number: UInt64) {
        value.begin(0)
        value.append(number)
        batch.put(indexes, key: keys.bytes.span.bytes, value: value.bytes.span.bytes.extracting(1..<9))
    }

    private mutating func put(
        _ record: RecordSlot, _ frame: UnsafeRawBufferPointer, _ ledger: inout Ledger
    ) -> Int64 {
        let slot = ledger.slot(record.topic, record.partition)
        let offset = ledger.ends[slot]
        ledger.ends[slot] = offset + 1
        chunks.add(frame, slot: slot, record.topic, record.partition, offset: offset, batch, records)
        return offset
    }

    /// Records of a commit; events that stand in a row under one key get one entry of the history index.
    private mutating func putRecords(
        _ slots: [RecordSlot], _ bytes: UnsafeRawBufferPointer, _ buried: Set<[UInt8]>, _ ledger: inout Ledger
    ) {
        var run: (key: Range<Int>, partition: Int32, first: Int64, count: UInt8)?
        for record in slots {
            let frame = UnsafeRawBufferPointer(rebasing: bytes[record.frame])
            let offset = put(record, frame, &ledger)
            guard record.topic == .events, let place = RecordFrame.key(of: frame.bytes) else { continue }
            let start = record.frame.lowerBound
            let key = (place.lowerBound + start)..<(place.upperBound + start)
            if let open = run {
                if open.partition == record.partition, open.first + Int64(open.count) == offset, open.count < .max,
                    same(bytes, open.key, key)
                {
                    run?.count += 1
                    continue
                }
                putHistory(UnsafeRawBufferPointer(rebasing: bytes[open.key]), open.first, open.count, buried)
            }
            run = (key, record.partition, offset, 1)
        }
        if let open = run {
            putHistory(UnsafeRawBufferPointer(rebasing: bytes[open.key]), open.first, open.count, buried)
        }
    }

    private func same(_ bytes: UnsafeRawBufferPointer, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count, let base = bytes.baseAddress else { return false }
        return memcmp(base + left.lowerBound, base + right.lowerBound, left.count) == 0
    }

    private mutating func putHistory(
        _ key: UnsafeRawBufferPointer, _ first: Int64, _ count: UInt8, _ buried: Set<[UInt8]>
    ) {
        if !buried.isEmpty, buried.contains(Array(key)) { return }
        keys.history(key, first)
        value.begin(count)
        batch.put(indexes, key: keys.bytes.span.bytes, value: value.bytes.span.bytes)
    }

    private mutating func removeHistory(_ key: [UInt8]) throws(RocksError) {
        var start = KeyBuilder()
        var end = KeyBuilder()
        start.history(key, 0)
        end.history(key, .max)
        var found: [[UInt8]] = []
        try database.scan(indexes, from: start.bytes.span.bytes, to: end.bytes.span.bytes) { key, _ in
            found.append(Array(key))
            return true
        }
        for key in found { batch.delete(indexes, key: key.span.bytes) }
    }

    private mutating func put(_ write: StateWrite, _ bytes: UnsafeRawBufferPointer) {
        let key = UnsafeRawBufferPointer(rebasing: bytes[write.key])
        keys.entry(write.partition, write.space, body: false, key)
        if let state = write.state {
            batch.put(
                states, key: keys.bytes.span.bytes, value: UnsafeRawBufferPointer(rebasing: bytes[state]).bytes)
        } else {
            batch.delete(states, key: keys.bytes.span.bytes)
        }
        putBody(write, key, bytes)
        putTimer(write, key)
        putRow(write, key)
        for range in write.references {
            keys.reference(write.partition, UnsafeRawBufferPointer(rebasing: bytes[range]))
            if write.state == nil {
                batch.delete(indexes, key: keys.bytes.span.bytes)
            } else {
                batch.put(
                    indexes, key: keys.bytes.span.bytes, value: key.bytes)
            }
        }
    }

    private mutating func putBody(
        _ write: StateWrite, _ key: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer
    ) {
        switch write.body {
        case .set(let body) where write.state != nil:
            keys.entry(write.partition, write.space, body: true, key)
            batch.put(
                states, key: keys.bytes.span.bytes, value: UnsafeRawBufferPointer(rebasing: bytes[body]).bytes)
        case .unchanged where write.state != nil:
            break
        case .set, .unchanged, .removed:
            keys.entry(write.partition, write.space, body: true, key)
            batch.delete(states, key: keys.bytes.span.bytes)
        }
    }

    private mutating func putTimer(_ write: StateWrite, _ key: UnsafeRawBufferPointer) {
        let timer = write.state == nil ? nil : write.timer
        guard timer != write.timerBefore else { return }
        if let before = write.timerBefore {
            keys.timer(write.partition, before, write.space, key)
            batch.delete(timers, key: keys.bytes.span.bytes)
        }
        if let timer {
            keys.timer(write.partition, timer, write.space, key)
            batch.put(timers, key: keys.bytes.span.bytes, value: RawSpan())
            let index = Int(write.partition)
            lowestTimers[index] = min(lowestTimers[index] ?? timer, timer)
        }
    }

    private mutating func putRow(_ write: StateWrite, _ key: UnsafeRawBufferPointer) {
        let summary = write.state == nil ? nil : write.summary
        guard summary != write.summaryBefore else { return }
        if let before = write.summaryBefore {
            let stays =
                summary.map {
                    $0.since == before.since && $0.status == before.status && $0.finished == before.finished
                } ?? false
            if !stays {
                keys.row(before, key)
                batch.delete(indexes, key: keys.bytes.span.bytes)
            }
        }
        if let summary {
            keys.row(summary, key)
            value.begin(summary.parked ? 1 : 0)
            value.append(UInt32(bitPattern: write.partition))
            value.append(summary.partner.utf8)
            batch.put(indexes, key: keys.bytes.span.bytes, value: value.bytes.span.bytes)
        }
    }
}
