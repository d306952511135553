import EventLog
import RocksStore

/// Reads records out of the store, for owners and readers alike.
enum RecordReading {
    /// Appends the records of the range within the limit (at least one); returns the offset to go on from.
    static func read(
        _ database: RocksDatabase, topic: Topic, partition: Int32, range: Range<Int64>, into batch: inout RecordBatch,
        limit: PollLimit
    ) throws(LogError) -> Int64 {
        guard !range.isEmpty, limit.records > 0 else { return range.lowerBound }
        var start = KeyBuilder()
        var end = KeyBuilder()
        start.record(topic, partition, range.lowerBound)
        end.record(topic, partition, range.upperBound)
        let firstByte = batch.bytes.count
        var next = range.lowerBound
        var taken = 0
        var cut = false
        do throws(RocksError) {
            try database.scan(
                database.family(StoreLayout.records), from: start.bytes.span.bytes, to: end.bytes.span.bytes
            ) { key, frame in
                guard let raw = StoreLayout.bigEndian(key, at: 5) else { return true }
                cut =
                    taken == limit.records
                    || (taken > 0 && batch.bytes.count - firstByte + frame.count > limit.bytes)
                guard !cut else { return false }
                let offset = Int64(bitPattern: raw)
                let place = batch.bytes.count
                batch.bytes.append(contentsOf: frame)
                batch.records.append(
                    RecordSlot(
                        topic: topic, partition: partition, offset: offset, frame: place..<batch.bytes.count))
                taken += 1
                next = offset + 1
                return true
            }
        } catch { throw LogError(error) }
        // A hole at the end of the range (records that retention took meanwhile) is passed over.
        return cut ? next : range.upperBound
    }
}
