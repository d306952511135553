import EventLog
import PaymentModel
import RecordFormat
import RocksStore

extension LocalCopy {
    /// Lends an entry's state and body, nil where there is none. About a microsecond where it is cached.
    func entry<Result>(
        _ partition: Int32, _ space: StateSpace, _ key: some Collection<UInt8>,
        _ body: (borrowing StoredEntry) throws -> Result
    ) throws -> Result? {
        let handle = try handle()
        let place = LocalKey.entry(partition, key)
        var outcome: Swift.Result<Result?, any Error> = .success(nil)
        try LocalCopy.rocks { () throws(RocksError) in
            try handle.database.read(handle.entries, key: place.span.bytes) { bytes in
                guard let bytes else { return }
                outcome = Swift.Result {
                    let span = bytes.bytes
                    guard let content = try StateEnvelope.content(of: space, in: span) else { return nil }
                    let state = span.extracting(content.state)
                    guard let place = content.body else { return try body(StoredEntry(state: state, body: nil)) }
                    return try body(StoredEntry(state: state, body: span.extracting(place)))
                }
            }
        }
        do {
            return try outcome.get()
        } catch let error as BinaryError {
            throw LogError(.corrupt, "an entry of partition \(partition) cannot be read: \(error)")
        }
    }

    /// When a payment was first written, milliseconds since 1970; nil where it is not known here.
    func created(_ partition: Int32, _ key: [UInt8]) throws(LogError) -> Int64? {
        let value = try LocalCopy.value(handle(), partition, key)
        guard !value.isEmpty else { return nil }
        return (try? StateEnvelope.section(of: .payment, in: value.span.bytes))?.created
    }

    /// The payment of a reference.
    func key(reference: [UInt8], _ partition: Int32) throws(LogError) -> [UInt8]? {
        let handle = try handle()
        return try LocalCopy.rocks { () throws(RocksError) in
            try handle.database.value(handle.references, key: LocalKey.entry(partition, reference).span.bytes)
        }
    }

    /// Due timers, earliest first.
    func timers(
        _ partition: Int32, through: Timestamp, after: DueTimer?, limit: Int
    ) throws(LogError) -> [DueTimer] {
        guard limit > 0 else { return [] }
        let handle = try handle()
        // The key after the last one taken: the same key with a zero byte behind it.
        let start =
            after.map { LocalKey.timer(partition, $0.due, $0.space, $0.key) + [0] } ?? LocalKey.partition(partition)
        let end = LocalKey.timersEnd(partition, through: through)
        var found: [DueTimer] = []
        guard start.lexicographicallyPrecedes(end) else { return [] }
        try LocalCopy.rocks { () throws(RocksError) in
            try handle.database.scan(handle.timers, from: start.span.bytes, to: end.span.bytes) { key, _ in
                if let parts = LocalKey.timerParts(key) {
                    found.append(DueTimer(due: parts.due, partition: partition, space: parts.space, key: parts.key))
                }
                return found.count < limit
            }
        }
        return found
    }

    /// Payments by status, longest in their status first, of the partitions that `owned` names.
    func payments(_ listing: PaymentListing, owned: (Int32) -> Bool) throws(LogError) -> PaymentPage {
        guard listing.limit > 0 else { return PaymentPage([], cut: [], limit: 0) }
        let handle = try handle()
        var found: [PaymentRow] = []
        var cut: [PaymentRow] = []
        let streams = listing.statuses.isEmpty ? [false] : [false, true]
        let share = max(1, listing.scan / streams.count)
        for finished in streams {
            var rows: [PaymentRow] = []
            var looked = 0
            let start =
                listing.after.map { LocalKey.row(finished, $0.summary.since, Array($0.paymentID.utf8)) + [0] }
                ?? [finished ? 1 : 0]
            let end: [UInt8] = [finished ? 2 : 1]
            try LocalCopy.rocks { () throws(RocksError) in
                try handle.database.scan(handle.rows, from: start.span.bytes, to: end.span.bytes) { key, value in
                    guard let row = LocalCopy.row(key, value) else { return true }
                    if let since = listing.since, row.summary.since > since { return false }
                    looked += 1
                    if owned(row.partition),
                        listing.statuses.isEmpty || listing.statuses.contains(row.summary.status),
                        listing.partner == nil || row.summary.partner == listing.partner
                    {
                        rows.append(row)
                    }
                    if rows.count > listing.limit { return false }
                    if looked == share { cut.append(row) }
                    return looked < share
                }
            }
            found += rows
        }
        return PaymentPage(found, cut: cut, limit: listing.limit)
    }

    private static func row(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> PaymentRow? {
        guard key.count > 9, value.count > 4 else { return nil }
        let partition = Int32(bitPattern: UInt32(bigEndian: value.loadUnaligned(as: UInt32.self)))
        var reader = BinaryReader(UnsafeRawBufferPointer(rebasing: value[4...]).bytes)
        guard let status = try? reader.byte(), let parked = try? reader.flag(), let finished = try? reader.flag(),
            let since = try? reader.signed(), let partner = try? reader.text()
        else { return nil }
        return PaymentRow(
            paymentID: String(decoding: key[9...], as: UTF8.self), partition: partition,
            summary: PaymentSummary(
                status: status, parked: parked, finished: finished, since: Timestamp(milliseconds: since),
                partner: partner))
    }
}
