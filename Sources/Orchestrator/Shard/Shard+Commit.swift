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
        let closed = batch
        var buffers = CommitBatch()
        swap(&buffers, &spare)
        batch = OpenBatch(number: closed.number + 1, buffers: buffers)
        closed.began = monotonic
        closed.records = closed.commit.records.count
        flying = closed
        let mailbox = mailbox
        let executor = ports.executor
        // The batch keeps what follows; its buffers go to the log and come back as the next spare ones.
        var outgoing = CommitBatch()
        swap(&outgoing, &closed.commit)
        ports.log.commit(outgoing) { buffers, error in
            if mailbox.post(.committed(buffers, error)) { executor.requestTurn() }
        }
    }

    private func writeStates() {
        let batch = batch
        for slot in batch.touched {
            let payment = hot[slot]
            let isGone = payment.storage == .forget
            let key = batch.place(payment.id.text)
            let after = payment.actor.assumeIsolated { actor in
                guard !isGone else { return StoredForm(references: actor.state.attempts.map(\.reference)) }
                return actor.store(into: batch)
            }
            var references: [Range<Int>] = []
            swap(&references, &payment.references)
            if isGone { references = after.references.map { batch.place($0.text) } }
            batch.commit.states.append(
                StateWrite(
                    partition: payment.partition, space: .payment, key: key, state: after.state,
                    body: payment.storage == .dropBody ? .removed : payment.body.map { .set($0) } ?? .unchanged,
                    timerBefore: payment.storedTimer, timer: after.timer, summaryBefore: payment.storedSummary,
                    summary: after.summary, references: references))
            payment.storedTimer = after.timer
            payment.storedSummary = after.summary
            payment.body = nil
            if payment.storage == .dropBody { payment.storage = .keep }
            payment.isTouched = false
            payment.lastBatch = batch.number
            arm(payment, due: after.timer)
        }
    }

    /// Every partition that the batch concerns names its epoch and how far its inputs are taken in, also where the batch
    /// holds only results or timers (the architecture, section 3).
    private func writePositions() {
        for partition in batch.partitions.sorted() {
            guard let ownership = owned.ownership(of: partition) else { continue }
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
        for slot in done.touched {
            let payment = hot[slot]
            guard payment.lastBatch == done.number else { continue }
            payment.initiation = nil
            // The entry is gone; a payment of the same id that comes now is a new one.
            if payment.storage == .forget, !payment.isTouched { hot.remove(slot) }
        }
        forgetKept(done.touchedKept)
        armDistant(done.distant)
        for alarm in done.alarms { raise(alarm) }
        var effects: [PendingEffect] = []
        swap(&effects, &done.effects)
        run(effects)
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
