import EventLog
import PaymentModel
import RecordFormat
import RocksStore

extension LocalCopy {
    /// The value of a key, empty for none.
    static func value(_ handle: Handle, _ partition: Int32, _ key: [UInt8]) throws(LogError) -> [UInt8] {
        let place = LocalKey.entry(partition, key)
        return try rocks { () throws(RocksError) in
            try handle.database.value(handle.entries, key: place.span.bytes) ?? []
        }
    }

    /// Adds the change of one key to a batch: the entry, and whatever its timers, rows and references were and are.
    /// - Parameters:
    ///   - partition: where the key lies.
    ///   - key: the key.
    ///   - prior: the value before, empty for none.
    ///   - new: the value from now on, empty for a tombstone.
    ///   - batch: gets the changes.
    ///   - handle: the open database.
    static func stage(
        _ partition: Int32, key: [UInt8], prior: RawSpan, new: RawSpan,
        into batch: inout WriteBatch, of handle: Handle
    ) throws(LogError) {
        let place = LocalKey.entry(partition, key)
        do throws(BinaryError) {
            for space in [StateSpace.payment, .kept] {
                let before = prior.isEmpty ? nil : try StateEnvelope.section(of: space, in: prior)
                let after = new.isEmpty ? nil : try StateEnvelope.section(of: space, in: new)
                stage(timers: before?.timer, after?.timer, partition, space, key, &batch, handle)
                if space == .payment {
                    stage(rows: before?.summary, after?.summary, partition, key, &batch, handle)
                }
                stage(
                    references: (before?.references ?? []).map { bytes($0, of: prior) },
                    (after?.references ?? []).map { bytes($0, of: new) }, partition, key, &batch, handle)
            }
        } catch {
            throw LogError(.corrupt, "a record of the state topic, partition \(partition), cannot be read: \(error)")
        }
        if new.isEmpty {
            batch.delete(handle.entries, key: place.span.bytes)
        } else {
            batch.put(handle.entries, key: place.span.bytes, value: new)
        }
    }

    private static func bytes(_ range: Range<Int>, of span: RawSpan) -> [UInt8] {
        span.extracting(range).withUnsafeBytes { Array($0) }
    }

    private static func stage(
        references before: [[UInt8]], _ after: [[UInt8]], _ partition: Int32, _ key: [UInt8],
        _ batch: inout WriteBatch, _ handle: Handle
    ) {
        guard before != after else { return }
        for reference in before where !after.contains(reference) {
            batch.delete(handle.references, key: LocalKey.entry(partition, reference).span.bytes)
        }
        for reference in after where !before.contains(reference) {
            batch.put(
                handle.references, key: LocalKey.entry(partition, reference).span.bytes, value: key.span.bytes)
        }
    }

    private static func stage(
        timers before: Timestamp?, _ after: Timestamp?, _ partition: Int32, _ space: StateSpace, _ key: [UInt8],
        _ batch: inout WriteBatch, _ handle: Handle
    ) {
        guard before != after else { return }
        if let before { batch.delete(handle.timers, key: LocalKey.timer(partition, before, space, key).span.bytes) }
        if let after {
            let nothing: [UInt8] = []
            let place = LocalKey.timer(partition, after, space, key)
            batch.put(handle.timers, key: place.span.bytes, value: nothing.span.bytes)
        }
    }

    private static func stage(
        rows before: PaymentSummary?, _ after: PaymentSummary?, _ partition: Int32, _ key: [UInt8],
        _ batch: inout WriteBatch, _ handle: Handle
    ) {
        guard before != after else { return }
        if let before {
            batch.delete(handle.rows, key: LocalKey.row(before.finished, before.since, key).span.bytes)
        }
        if let after {
            var value = BinaryWriter(LocalKey.partition(partition))
            value.byte(after.status)
            value.flag(after.parked)
            value.flag(after.finished)
            value.signed(after.since.milliseconds)
            value.text(after.partner)
            batch.put(
                handle.rows, key: LocalKey.row(after.finished, after.since, key).span.bytes,
                value: value.bytes.span.bytes)
        }
    }
}
