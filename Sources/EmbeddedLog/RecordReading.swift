import EventLog
import PaymentModel
import RocksStore

/// Reads records out of the store, for owners and readers alike.
enum RecordReading {
    /// Appends the records of the range within the limit (at least one); returns the offset to go on from.
    static func read(
        _ database: RocksDatabase, topic: Topic, partition: Int32, range: Range<Int64>, into batch: inout RecordBatch,
        limit: PollLimit
    ) throws(LogError) -> Int64 {
        guard !range.isEmpty, limit.records > 0 else { return range.lowerBound }
        let firstByte = batch.bytes.count
        var next = range.lowerBound
        var taken = 0
        var cut = false
        var isWhole = true
        do throws(RocksError) {
            var iterator = try chunks(database, topic, partition, through: range.lowerBound, below: range.upperBound)
            while iterator.isValid, !cut, isWhole {
                iterator.withCurrent { key, chunk in
                    guard let raw = StoreLayout.bigEndian(key, at: 5) else { return }
                    let first = Int64(bitPattern: raw)
                    let skip = Int(max(0, range.lowerBound - first))
                    isWhole = RecordChunk.forEach(chunk, from: skip) { number, frame in
                        let offset = first + Int64(number)
                        cut =
                            offset >= range.upperBound || taken == limit.records
                            || (taken > 0 && batch.bytes.count - firstByte + frame.count > limit.bytes)
                        guard !cut else { return false }
                        let place = batch.bytes.count
                        batch.bytes.append(contentsOf: frame)
                        batch.records.append(
                            RecordSlot(
                                topic: topic, partition: partition, offset: offset, frame: place..<batch.bytes.count))
                        taken += 1
                        next = offset + 1
                        return true
                    }
                }
                iterator.next()
            }
            try iterator.check()
        } catch { throw LogError(error) }
        guard isWhole else {
            throw LogError(.corrupt, "records of \(topic) [\(partition)] from \(next) on do not hold together")
        }
        // A hole at the end of the range (records that retention took meanwhile) is passed over.
        return cut && next < range.upperBound ? next : range.upperBound
    }

    /// The first offset of the chunk that holds `offset`, or would hold it; nil where all chunks lie behind it.
    static func chunk(
        _ database: RocksDatabase, _ topic: Topic, _ partition: Int32, of offset: Int64
    ) throws(RocksError) -> Int64? {
        let iterator = try chunks(database, topic, partition, through: offset, below: .max)
        guard iterator.isValid else { return nil }
        let first = iterator.withCurrent { key, _ in StoreLayout.bigEndian(key, at: 5).map { Int64(bitPattern: $0) } }
        return first.flatMap { $0 <= offset ? $0 : nil }
    }

    /// An iterator over a partition's chunks that stands on the one of `offset`, or on the first behind it.
    private static func chunks(
        _ database: RocksDatabase, _ topic: Topic, _ partition: Int32, through offset: Int64, below end: Int64
    ) throws(RocksError) -> RocksIterator {
        var lower = KeyBuilder()
        var upper = KeyBuilder()
        var place = KeyBuilder()
        lower.record(topic, partition, 0)
        upper.record(topic, partition, end)
        place.record(topic, partition, offset)
        var iterator = RocksIterator(
            database, database.family(StoreLayout.records), from: lower.bytes.span.bytes, to: upper.bytes.span.bytes)
        iterator.seekBack(place.bytes.span.bytes)
        if !iterator.isValid {
            try iterator.check()
            iterator.seekToFirst()
        }
        return iterator
    }
}
