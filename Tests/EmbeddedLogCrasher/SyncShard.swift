import Dispatch
import EmbeddedLog
import EventLog
import PaymentModel
import RecordFormat
import Synchronization

/// Waits for one completion of the log.
final class Waiter: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let error = Mutex<LogError?>(nil)

    func finish(_ error: LogError?) {
        self.error.withLock { $0 = error }
        done.signal()
    }

    func wait() -> LogError? {
        done.wait()
        return error.withLock { $0 }
    }
}

/// Drives one shard's end of the log from a thread of its own, waiting for every step.
///
/// Its work: for each command taken in, one event with the command's value, a settlement for every third, the
/// partition's total and the last value of the command's key as states, a timer that moves. One commit holds all of it
/// with the position.
final class SyncShard {
    let partition: Int32
    let log: EmbeddedShardLog
    var assignment: Assignment?
    var total = 0
    private var inputs = RecordBatch()
    private var timers: [String: Int64] = [:]

    init(_ log: EmbeddedLog, _ partition: Int32) {
        self.partition = partition
        self.log = log.shard(partitions: [partition])
    }

    func start() -> LogError? {
        let waiter = Waiter()
        log.start(wake: {}, completion: waiter.finish)
        return waiter.wait()
    }

    func recover() -> LogError? {
        let waiter = Waiter()
        log.recover(completion: waiter.finish)
        return waiter.wait()
    }

    /// Polls; false where there was nothing.
    func poll() -> Bool {
        inputs.removeAll()
        guard let events = try? log.poll(into: &inputs, limit: PollLimit(records: 40, bytes: 1 << 20)) else {
            fail("poll")
        }
        for event in events {
            guard case .assigned(let assignment) = event else { continue }
            self.assignment = assignment
            reload()
        }
        return !inputs.records.isEmpty
    }

    private func reload() {
        do {
            total =
                try log.entry(partition: partition, space: .payment, key: Array("total".utf8)) { entry in
                    Int(String(decoding: entry.state.withUnsafeBytes { Array($0) }, as: UTF8.self)) ?? -1
                } ?? 0
            timers.removeAll()
            for timer in try log.timers(
                partition: partition, through: Timestamp(milliseconds: .max), after: nil, limit: .max)
            {
                timers[String(decoding: timer.key, as: UTF8.self)] = timer.due.milliseconds
            }
        } catch { fail("reload: \(error)") }
    }

    /// Commits the work for what was polled.
    func commit() -> LogError? {
        guard let assignment, let last = inputs.records.last else { return nil }
        var batch = CommitBatch()
        batch.epochs = [assignment]
        func place(_ bytes: [UInt8]) -> Range<Int> {
            batch.bytes += bytes
            return (batch.bytes.count - bytes.count)..<batch.bytes.count
        }
        var states: [String: String] = [:]
        for slot in inputs.records {
            let frame = Array(inputs.bytes[slot.frame])
            guard let layout = try? RecordLayout(frame.span.bytes), let value = layout.value, let key = layout.key
            else {
                fail("frame")
            }
            total += 1
            states[String(decoding: frame[key], as: UTF8.self)] = String(decoding: frame[value], as: UTF8.self)
            let copy = place(frame)
            batch.records.append(RecordSlot(topic: .events, partition: partition, offset: 0, frame: copy))
            if total % 3 == 0 {
                batch.records.append(RecordSlot(topic: .settlements, partition: partition, offset: 0, frame: copy))
            }
        }
        states["total"] = "\(total)"
        for (key, value) in states {
            let due = Int64(total)
            batch.states.append(
                StateWrite(
                    partition: partition, space: .payment, key: place(Array(key.utf8)), state: place(Array(value.utf8)),
                    timerBefore: timers[key].map { Timestamp(milliseconds: $0) }, timer: Timestamp(milliseconds: due)))
            timers[key] = due
        }
        batch.positions = [InputPosition(topic: .commands, partition: partition, next: last.offset + 1)]
        let waiter = Waiter()
        log.commit(batch) { _, error in waiter.finish(error) }
        return waiter.wait()
    }

    /// Checks that what one commit writes is there together, and that inputs are taken in without a gap.
    static func check(_ log: EmbeddedLog, _ partition: Int32) -> (taken: Int, appended: Int64) {
        let shard = SyncShard(log, partition)
        expect(shard.start() == nil, "start")
        shard.inputs.removeAll()
        _ = shard.poll()
        do {
            let events = try values(log, .events, partition)
            expect(shard.total == events.count, "total \(shard.total), events \(events.count)")
            let settlements = try log.offsets(topic: .settlements, partition: partition)
            expect(settlements.count == events.count / 3, "settlements \(settlements.count) of \(events.count)")
            let commands = try values(log, .commands, partition)
            expect(commands.starts(with: events), "events are not the first commands in order")
            expect(shard.inputs.records.first.map { Int($0.offset) } ?? events.count == events.count, "position")
            for timer in try shard.log.timers(
                partition: partition, through: Timestamp(milliseconds: .max), after: nil, limit: .max)
            {
                let state = try shard.log.entry(partition: partition, space: .payment, key: timer.key) { _ in true }
                expect(state == true, "a timer without its state")
            }
            return (events.count, try log.offsets(topic: .commands, partition: partition).upperBound)
        } catch { fail("check: \(error)") }
    }

    private static func values(_ log: EmbeddedLog, _ topic: Topic, _ partition: Int32) throws -> [[UInt8]] {
        var batch = RecordBatch()
        _ = try log.read(
            topic: topic, partition: partition, from: 0, into: &batch, limit: PollLimit(records: .max, bytes: .max))
        let end = try log.offsets(topic: topic, partition: partition)
        expect(batch.records.map(\.offset) == Array(end), "offsets of \(topic) have a gap")
        return batch.records.map { Array(batch.bytes[$0.frame]) }
    }
}
