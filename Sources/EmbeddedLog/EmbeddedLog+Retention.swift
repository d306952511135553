import EventLog
import PaymentModel
import RecordFormat
import RocksStore
import Synchronization

extension EmbeddedLog {
    /// Drops what the retention does not keep any more; returns how many records went. Blocks on the disk: called now
    /// and then from a thread of its own, never from a shard's.
    ///
    /// Records go from the front of a partition; inputs that no commit has taken in stay. A range of records costs one
    /// entry of the store, and files that hold nothing else go at once. Finished payments are not this function's: their
    /// owner commits a tombstone when their time is over.
    @discardableResult
    public func enforceRetention(now: Timestamp) throws(LogError) -> Int64 {
        var trims: [Work.Trim] = []
        var before: [Int64] = []
        for (topic, retention) in core.options.retention.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            for partition in 0..<partitionCount {
                let known = try offsets(topic: topic, partition: partition)
                guard !known.isEmpty else { continue }
                var first = known.lowerBound
                if let age = retention.age {
                    let oldest = now.milliseconds - age.count
                    first = try firstOffset(known) { offset throws(LogError) in
                        try timestamp(topic, partition, offset) >= oldest
                    }
                }
                if let bytes = retention.bytes, first < known.upperBound {
                    first = try firstOffset(first..<known.upperBound) { offset throws(LogError) in
                        try size(topic, partition, offset..<known.upperBound) <= bytes
                    }
                }
                guard first > known.lowerBound else { continue }
                trims.append(Work.Trim(topic: topic, partition: partition, first: first))
                before.append(known.lowerBound)
            }
        }
        guard !trims.isEmpty else { return 0 }
        try wait { completion in self.core.queue.add(.trim(trims, completion: completion)) }
        var gone: Int64 = 0
        for (trim, old) in zip(trims, before) {
            let first = try offsets(topic: trim.topic, partition: trim.partition).lowerBound
            gone += first - old
            try dropFiles(trim.topic, trim.partition, below: first)
        }
        return gone
    }

    /// The first offset of the range for which the condition holds, by halving; the end where it holds for none.
    private func firstOffset(
        _ range: Range<Int64>, _ condition: (Int64) throws(LogError) -> Bool
    ) throws(LogError) -> Int64 {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            if try condition(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func timestamp(_ topic: Topic, _ partition: Int32, _ offset: Int64) throws(LogError) -> Int64 {
        var one = RecordBatch()
        _ = try RecordReading.read(
            core.database(), topic: topic, partition: partition, range: offset..<(offset + 1), into: &one,
            limit: PollLimit(records: 1, bytes: .max))
        // What cannot be read counts as young: it is not dropped by age.
        return RecordFrame.timestamp(of: one.bytes.span.bytes) ?? .max
    }

    private func size(_ topic: Topic, _ partition: Int32, _ range: Range<Int64>) throws(LogError) -> Int64 {
        let database = try core.database()
        var start = KeyBuilder()
        var end = KeyBuilder()
        start.record(topic, partition, range.lowerBound)
        end.record(topic, partition, range.upperBound)
        do throws(RocksError) {
            return Int64(
                clamping: try database.approximateBytes(
                    database.family(StoreLayout.records), from: start.bytes.span.bytes, to: end.bytes.span.bytes))
        } catch { throw LogError(error) }
    }

    /// Gives the room of whole files back at once where nothing in them is needed any more.
    private func dropFiles(_ topic: Topic, _ partition: Int32, below first: Int64) throws(LogError) {
        let database = try core.database()
        do throws(RocksError) {
            // The range includes its end, and the chunk of `first` stays.
            guard let kept = try RecordReading.chunk(database, topic, partition, of: first), kept > 0 else { return }
            var start = KeyBuilder()
            var end = KeyBuilder()
            start.record(topic, partition, 0)
            end.record(topic, partition, kept - 1)
            try database.dropFiles(
                database.family(StoreLayout.records), from: start.bytes.span.bytes, to: end.bytes.span.bytes)
        } catch { throw LogError(error) }
    }

    /// Queues work and blocks until it is done.
    private func wait(_ queue: (@escaping @Sendable (LogError?) -> Void) -> Bool) throws(LogError) {
        let done = BlockingResult()
        guard queue({ done.set($0) }) else { throw LogError(.closed, "the log is closed") }
        if let error = done.wait() { throw error }
    }
}
