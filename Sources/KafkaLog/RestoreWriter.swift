import EventLog
import Foundation
import KafkaTransport
import RocksStore

/// Takes committed records of the state topic into the local copy, in batches with the positions that they reach.
final class RestoreWriter {
    private let copy: LocalCopy
    private var pending: [[UInt8]: [UInt8]] = [:]
    private var batch = WriteBatch()
    private var handle: LocalCopy.Handle?
    private var bytes = 0
    /// Offset and key of the last record of each partition since the last flush.
    private var last: [Int32: (offset: Int64, key: [UInt8])] = [:]
    private(set) var count = 0
    private(set) var failure: LogError?

    init(_ copy: LocalCopy) { self.copy = copy }

    func take(_ message: borrowing KafkaMessage) throws(KafkaError) {
        guard failure == nil, let keySpan = message.key else { return }
        let key = keySpan.withUnsafeBytes { Array($0) }
        var new: [UInt8] = []
        if let value = message.value { new = value.withUnsafeBytes { Array($0) } }
        count += 1
        bytes += key.count + new.count
        do throws(LogError) {
            let handle = if let known = self.handle { known } else { try copy.handle() }
            self.handle = handle
            let place = LocalKey.entry(message.partition, key)
            // Within one batch the database does not show what the batch holds.
            let prior =
                if let known = pending[place] { known } else { try LocalCopy.value(handle, message.partition, key) }
            try LocalCopy.stage(
                message.partition, key: key, prior: prior.span.bytes, new: new.span.bytes, into: &batch, of: handle)
            pending[place] = new
            last[message.partition] = (message.offset, key)
        } catch {
            failure = error
        }
    }

    func flushIfLarge(_ next: [Int32: Int64]) throws {
        if pending.count >= 5_000 || bytes >= 8 << 20 { try flush(next, atEnd: nil) }
    }

    /// Writes what is pending and the positions; `atEnd` where the copy has now reached the end of the topic.
    func flush(_ next: [Int32: Int64], atEnd: Int64?) throws {
        let handle = if let known = self.handle { known } else { try copy.handle() }
        for (partition, offset) in next {
            let before = try copy.reach(partition)
            // While a restore is under way the copy is as old as it was when it began; one read anew is of now.
            let time = atEnd ?? before?.atEnd ?? Int64(Date().timeIntervalSince1970 * 1_000)
            let mark = last[partition].map { last in
                StateMark(offset: last.offset, key: last.key, value: pending[LocalKey.entry(partition, last.key)] ?? [])
            }
            LocalCopy.stage(
                reach: LocalCopy.Reach(next: offset, atEnd: time, mark: mark ?? before?.mark), partition, into: &batch,
                of: handle)
        }
        try copy.write(batch, to: handle)
        batch.clear()
        last.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        bytes = 0
        self.handle = nil
    }
}
