import EventLog
import PaymentModel
import RecordFormat
import RocksStore

extension LocalCopy {
    /// The value of a key, empty for none.
    static func value(_ handle: Handle, _ partition: Int32, _ key: some Collection<UInt8>) throws(LogError) -> [UInt8] {
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
        _ partition: Int32, key: [UInt8], prior: borrowing [UInt8], new: borrowing [UInt8],
        into batch: inout WriteBatch, of handle: Handle
    ) throws(LogError) {
        let place = LocalKey.entry(partition, key)
        do throws(BinaryError) {
            for space in [StateSpace.payment, .kept] {
                let before = prior.isEmpty ? nil : try StateEnvelope.section(of: space, in: prior.span.bytes)
                let after = new.isEmpty ? nil : try StateEnvelope.section(of: space, in: new.span.bytes)
                stage(timers: before?.timer, after?.timer, partition, space, key, &batch, handle)
                if space == .payment {
                    stage(rows: before?.summary, after?.summary, partition, key, &batch, handle)
                }
                for reference in before?.references ?? [] {
                    let bytes = prior[reference]
                    let stays = after?.references.contains { new[$0].elementsEqual(bytes) } ?? false
                    if !stays { batch.delete(handle.references, key: LocalKey.entry(partition, bytes).span.bytes) }
                }
                for reference in after?.references ?? [] {
                    let bytes = new[reference]
                    let known = before?.references.contains { prior[$0].elementsEqual(bytes) } ?? false
                    if !known {
                        batch.put(
                            handle.references, key: LocalKey.entry(partition, bytes).span.bytes, value: key.span.bytes)
                    }
                }
            }
        } catch {
            throw LogError(.corrupt, "a record of the state topic, partition \(partition), cannot be read: \(error)")
        }
        if new.isEmpty {
            batch.delete(handle.entries, key: place.span.bytes)
        } else {
            batch.put(handle.entries, key: place.span.bytes, value: new.span.bytes)
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
