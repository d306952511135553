import EventLog
import PaymentCore
import PaymentModel
import RecordFormat

extension Shard {
    /// Commits what has gathered, unless a commit is under way: then the next batch fills, and is as large as the load.
    func commit() {
        guard flying == nil, poisoned == nil, !batch.isEmpty else { return }
        writeStates()
        writeKept()
        writePositions()
        var closed = OpenBatch(number: batch.number + 1)
        swap(&closed, &batch)
        swap(&batch.commit, &spare)
        batch.commit.removeAll()
        flying = FlyingBatch(
            number: closed.number, partitions: closed.partitions, touched: closed.touched,
            touchedKept: closed.touchedKept, effects: closed.effects, alarms: closed.alarms, distant: closed.distant,
            references: closed.references, began: monotonic, records: closed.commit.records.count)
        let mailbox = mailbox
        let executor = ports.executor
        ports.log.commit(closed.commit) { buffers, error in
            if mailbox.post(.committed(buffers, error)) { executor.requestTurn() }
        }
    }

    private func writeStates() {
        for slot in batch.touched {
            let id = hot[slot].id
            let partition = hot[slot].partition
            let key = batch.place(id.text.utf8)
            let start = batch.commit.bytes.count
            var writer = BinaryWriter()
            swap(&writer.bytes, &batch.commit.bytes)
            let isGone = hot[slot].storage == .forget
            let after = hot[slot].actor.assumeIsolated { payment in
                guard !isGone else { return StoredForm(references: payment.state.attempts.map(\.reference)) }
                payment.state.encode(into: &writer)
                return StoredForm(timer: payment.state.timer, summary: payment.state.summary)
            }
            swap(&writer.bytes, &batch.commit.bytes)
            var write = StateWrite(
                partition: partition, space: .payment, key: key,
                state: isGone ? nil : start..<batch.commit.bytes.count)
            if let body = hot[slot].body { write.body = .set(body) }
            if hot[slot].storage == .dropBody { write.body = .removed }
            write.timerBefore = hot[slot].storedTimer
            write.timer = after.timer
            write.summaryBefore = hot[slot].storedSummary
            write.summary = after.summary
            write.references = isGone ? after.references.map { batch.place($0.text.utf8) } : hot[slot].references
            batch.commit.states.append(write)
            hot[slot].storedTimer = after.timer
            hot[slot].storedSummary = after.summary
            hot[slot].body = nil
            if hot[slot].storage == .dropBody { hot[slot].storage = .keep }
            hot[slot].references.removeAll(keepingCapacity: true)
            hot[slot].isTouched = false
            hot[slot].lastBatch = batch.number
            arm(slot, due: after.timer)
        }
    }

    /// What a state write needs beside the encoded state; `references` only of an entry that goes.
    private struct StoredForm: Sendable {
        var timer: Timestamp?
        var summary: PaymentSummary?
        var references: [Reference] = []
    }

    /// Every partition that the batch concerns names its epoch and how far its inputs are taken in, also where the batch
    /// holds only results or timers (the architecture, section 3).
    private func writePositions() {
        for partition in batch.partitions.sorted() {
            guard let ownership = owned[partition] else { continue }
            batch.commit.epochs.append(ownership.assignment)
            if let next = ownership.commands {
                batch.commit.positions.append(InputPosition(topic: .commands, partition: partition, next: next))
            }
            if let next = ownership.notifications {
                batch.commit.positions.append(InputPosition(topic: .notifications, partition: partition, next: next))
            }
        }
    }

    /// A commit came back.
    func commitEnded(_ buffers: CommitBatch, _ error: LogError?) {
        spare = buffers
        spare.removeAll()
        guard let done = flying else { return }
        flying = nil
        status.lastCommit = monotonic - done.began
        if let error {
            status.failedCommits += 1
            return fail(error)
        }
        status.commits += 1
        committed = done.number
        failuresInRow = 0
        adaptRecordLimit(records: done.records)
        for slot in done.touched where hot[slot].lastBatch == done.number {
            hot[slot].initiation = nil
            // The entry is gone; a payment of the same id that comes now is a new one.
            if hot[slot].storage == .forget, !hot[slot].isTouched { hot.remove(slot) }
        }
        forgetKept(done.touchedKept)
        armDistant(done.distant)
        for alarm in done.alarms { raise(alarm) }
        run(done.effects)
        if let poisoned { fail(poisoned) }
    }

    /// Commits that take longer than they should hold less next time, and more again when they are quick.
    private func adaptRecordLimit(records: Int) {
        let took = status.lastCommit
        if took > limits.commitTime, records > 64 {
            recordLimit = max(64, min(recordLimit, records) / 2)
        } else if records >= recordLimit / 2 {
            recordLimit = min(limits.batchRecords, recordLimit + recordLimit / 4 + 1)
        }
    }
}
