import EventLog
import PaymentModel
import RocksStore
import Synchronization

extension EmbeddedLog {
    /// First retained and next offset. See `LogReader`.
    public func offsets(topic: Topic, partition: Int32) throws(LogError) -> Range<Int64> {
        guard (0..<partitionCount).contains(partition) else { throw LogError(.misconfigured, "partition \(partition)") }
        return core.board.withLock { board in
            let slot = board.ledger.slot(topic, partition)
            return board.ledger.firsts[slot]..<board.ledger.ends[slot]
        }
    }

    /// Reads durable records. See `LogReader`.
    public func read(
        topic: Topic, partition: Int32, from: Int64, into batch: inout RecordBatch, limit: PollLimit
    ) throws(LogError) -> Int64 {
        let known = try offsets(topic: topic, partition: partition)
        let start = max(from, known.lowerBound)
        guard start < known.upperBound else { return start }
        return try RecordReading.read(
            core.database(), topic: topic, partition: partition, range: start..<known.upperBound, into: &batch,
            limit: limit)
    }

    /// A payment's events, by the history index. See `LogReader`.
    public func history(paymentID: [UInt8], into batch: inout RecordBatch, limit: Int) throws(LogError) {
        let partition = PartitionHash.partition(of: paymentID, count: partitionCount)
        let known = try offsets(topic: .events, partition: partition)
        let database = try core.database()
        var start = KeyBuilder()
        var end = KeyBuilder()
        start.history(paymentID, 0)
        end.history(paymentID, .max)
        var runs: [Range<Int64>] = []
        do throws(RocksError) {
            try database.scan(
                database.family(StoreLayout.indexes), from: start.bytes.span.bytes, to: end.bytes.span.bytes
            ) { key, value in
                guard let raw = StoreLayout.bigEndian(key, at: 3 + paymentID.count), let count = value.first else {
                    return true
                }
                let run = Int64(bitPattern: raw)..<(Int64(bitPattern: raw) + Int64(count))
                runs.append(run.clamped(to: known))
                return true
            }
        } catch { throw LogError(error) }
        var left = limit
        for run in runs where !run.isEmpty && left > 0 {
            let before = batch.records.count
            _ = try RecordReading.read(
                database, topic: .events, partition: partition, range: run, into: &batch,
                limit: PollLimit(records: left, bytes: .max))
            left -= batch.records.count - before
        }
    }

    /// An entry, found by its key alone. See `LogReader`.
    public func entry(space: StateSpace, key: [UInt8]) throws(LogError) -> (state: [UInt8], body: [UInt8]?)? {
        let database = try core.database()
        let snapshot = database.snapshot()
        let family = database.family(StoreLayout.state)
        // A payment lies where its id says, what was kept for a reference where that says: look there first.
        let hash =
            Reference(String(decoding: key, as: UTF8.self)).map(\.partitionHash) ?? PartitionHash.hash(key)
        let likely = PartitionHash.partition(
            hash: space == .kept ? hash : PartitionHash.hash(key), count: partitionCount)
        do throws(RocksError) {
            for step in 0..<partitionCount {
                var name = KeyBuilder()
                let partition = (likely + step) % partitionCount
                name.entry(partition, space, body: false, key)
                guard let state = try database.value(family, key: name.bytes.span.bytes, in: snapshot) else { continue }
                name.entry(partition, space, body: true, key)
                return (state, try database.value(family, key: name.bytes.span.bytes, in: snapshot))
            }
        } catch { throw LogError(error) }
        return nil
    }

    /// The operators' list, by the index of summaries. See `LogReader`.
    public func payments(_ listing: PaymentListing) throws(LogError) -> PaymentPage {
        let database = try core.database()
        let snapshot = database.snapshot()
        do throws(RocksError) {
            var streams: [PaymentStream] = []
            if listing.statuses.isEmpty {
                streams = try openStatuses(database, snapshot).map { PaymentStream(finished: 0, status: $0) }
            } else {
                for status in Set(listing.statuses) {
                    streams += [0, 1].map { PaymentStream(finished: $0, status: status) }
                }
            }
            guard !streams.isEmpty, listing.limit > 0 else { return PaymentPage([], cut: [], limit: 0) }
            let share = max(1, listing.scan / streams.count)
            for index in streams.indices {
                try streams[index].read(database, snapshot, listing, share: share)
            }
            return PaymentPage(
                streams.flatMap(\.rows), cut: streams.compactMap(\.stoppedAt), limit: listing.limit)
        } catch { throw LogError(error) }
    }

    /// The statuses that unfinished payments are in: one seek for each.
    private func openStatuses(_ database: RocksDatabase, _ snapshot: RocksSnapshot) throws(RocksError) -> [UInt8] {
        let prefix = [UInt8(ascii: "P"), 0]
        let end = [UInt8(ascii: "P"), 1]
        var iterator = RocksIterator(
            database, database.family(StoreLayout.indexes), from: prefix.span.bytes, to: end.span.bytes, in: snapshot)
        var found: [UInt8] = []
        iterator.seekToFirst()
        while iterator.isValid {
            let status = iterator.withCurrent { key, _ in key.count > 2 ? key[2] : .max }
            found.append(status)
            guard status < .max else { break }
            iterator.seek((prefix + [status + 1]).span.bytes)
        }
        try iterator.check()
        return found
    }
}

/// The rows of one status, in the list's order.
private struct PaymentStream {
    let finished: UInt8
    let status: UInt8
    private(set) var rows: [PaymentRow] = []
    /// The last row that was looked at, where more may follow that nobody has seen.
    private(set) var stoppedAt: PaymentRow?

    init(finished: UInt8, status: UInt8) {
        self.finished = finished
        self.status = status
    }

    /// Reads the first rows behind `after`, one more than asked for, and looks at `share` of them at most.
    mutating func read(
        _ database: RocksDatabase, _ snapshot: RocksSnapshot, _ listing: PaymentListing, share: Int
    ) throws(RocksError) {
        var start = KeyBuilder()
        start.begin(UInt8(ascii: "P"))
        start.append(finished)
        start.append(status)
        let prefix = start.bytes
        if let after = listing.after {
            start.append(after.summary.since)
            start.append(after.paymentID.utf8)
            start.append(UInt8(0))
        }
        guard let end = endOfPrefix(prefix) else { return }
        var found: [PaymentRow] = []
        var looked = 0
        var last: PaymentRow?
        try database.scan(
            database.family(StoreLayout.indexes), from: start.bytes.span.bytes, to: end.span.bytes, in: snapshot,
            fillCache: false
        ) { key, value in
            guard let row = StoreLayout.row(key, value) else { return true }
            if let since = listing.since, row.summary.since > since { return false }
            looked += 1
            if listing.partner == nil || row.summary.partner == listing.partner { found.append(row) }
            if found.count > listing.limit { return false }
            if looked == share { last = row }
            return looked < share
        }
        rows = found
        stoppedAt = last
    }
}
