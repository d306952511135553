import EventLog
import PaymentCore
import PaymentModel
import Routing

extension Shard {
    /// Whether partners or memory have no room for more work.
    var isPressed: Bool {
        if hot.count >= limits.hotPayments, let slot = hot.leastRecent, !hot[slot].canRest(committed: committed) {
            return true
        }
        return outbox.isPressing(now: monotonic, ordered: (batch.requests, flying?.requests))
    }

    /// Whether the batch has room and there may be something to poll.
    var canPoll: Bool {
        guard phase.isRunning, !logIsDry, poisoned == nil else { return false }
        guard batch.commit.records.count < recordLimit, batch.commit.bytes.count < limits.batchBytes else {
            return false
        }
        return !isPressed
    }

    func now(incarnation: Incarnation?) -> Now {
        Now(
            wall: wall, monotonic: monotonic,
            incarnation: incarnation ?? Incarnation(number: 0, began: monotonic, predecessor: .provenDead))
    }

    /// Takes what the log has, within the limits.
    func poll() {
        guard canPoll else {
            if !logIsDry { status.heldBack += 1 }
            return
        }
        let limit = PollLimit(
            records: max(1, min(limits.pollRecords, recordLimit - batch.commit.records.count)),
            bytes: max(1, min(limits.pollBytes, limits.batchBytes - batch.commit.bytes.count)))
        var polled = RecordBatch()
        swap(&polled, &inbox)
        polled.removeAll()
        do throws(LogError) {
            let events = try ports.log.poll(into: &polled, limit: limit)
            take(events, polled)
        } catch {
            fail(error)
        }
        swap(&polled, &inbox)
    }

    private func take(_ events: [LogEvent], _ polled: RecordBatch) {
        logIsDry = events.isEmpty
        var next = 0
        for event in events {
            switch event {
            case .assigned(let assignment): assign(assignment)
            case .revoked(let partition): revoke(partition)
            case .records(let count):
                status.polls += 1
                let end = min(next + count, polled.records.count)
                while next < end, poisoned == nil, phase.isRunning {
                    // The clocks are read anew now and then, not for each of hundreds of records.
                    if next % 64 == 63 { readClocks() }
                    take(polled.records[next], of: polled)
                    next += 1
                }
                next = end
            }
            if !phase.isRunning { return }
        }
        if let poisoned, flying == nil { fail(poisoned) }
    }

    private func take(_ slot: RecordSlot, of polled: RecordBatch) {
        guard owned.contains(slot.partition) else { return }
        status.recordsTaken += 1
        let frame = polled.bytes.span.bytes.extracting(slot.frame)
        switch slot.topic {
        case .commands:
            takeCommand(frame, slot, polled)
        case .notifications:
            takeNotification(frame, slot, polled)
        case .events, .settlements, .state, .deadLetters:
            return
        }
        owned.advance(slot.topic, slot.partition, to: slot.offset + 1)
        batch.touch(partition: slot.partition)
    }

    private func takeCommand(_ frame: RawSpan, _ slot: RecordSlot, _ polled: RecordBatch) {
        let held = held
        let decoded = held.value.command(
            frame: frame, partition: slot.partition, partitionCount: ports.log.partitionCount, now: wall)
        switch consume decoded {
        case .undecodable(let code, let detail):
            deadLetter(slot, of: polled, code: code, detail: detail)
        case .command(let command, let body):
            guard let payment = activate(command.envelope.subject, partition: slot.partition, creating: true) else {
                return deadLetter(
                    slot, of: polled, code: "unreadable-state", detail: "the payment's state cannot be read")
            }
            let cause = EventCause(
                causationID: command.envelope.id, correlationID: command.envelope.correlationID,
                traceparent: command.envelope.traceparent)
            var initiate: NewInitiate?
            if case .initiate(let initiation, _, _) = command.body, let body {
                initiate = NewInitiate(initiation: initiation, body: body)
            }
            if apply(.command(command), to: payment, cause: cause, initiate: initiate) == .duplicate {
                status.duplicates += 1
            }
        }
    }

    // MARK: Ownership

    private func assign(_ assignment: Assignment) {
        guard !orphans.values.contains(where: { $0.partition == assignment.partition }) else {
            // A sender of ours from before may still write: nothing new begins before it has ended.
            poisoned = LogError(.fenced, "partition \(assignment.partition) came back while requests were under way")
            return
        }
        let predecessor: Predecessor =
            assignment.predecessorProvenDead ? .provenDead : .maybeAlive(stallBound: limits.stallBound)
        owned.insert(
            Ownership(
                assignment: assignment,
                incarnation: Incarnation(number: assignment.epoch, began: monotonic, predecessor: predecessor)))
    }

    private func revoke(_ partition: Int32) {
        guard owned.remove(partition) else { return }
        orphan { $0.partition == partition }
        hot.removeAll(partition: partition)
        timers.removeAll(partition: partition)
        results.removeAll { $0.job.partition == partition }
        kept = kept.filter { $0.value.partition != partition }
        if batch.partitions.contains(partition) {
            // What is not committed of it is void, and the batch is one: the rest is polled again.
            poisoned = LogError(.fenced, "partition \(partition) was revoked")
        }
    }

    /// Takes back every permit of these jobs; what the transport has goes on as an orphan until its end is told.
    func orphan(where matches: (OutboxJob) -> Bool) {
        for id in outbox.withdraw(where: matches) {
            guard let job = outbox.end(id, answered: false, now: monotonic) else { continue }
            orphans[id] = job
            if job.order.isSubmit { ended(job, .neutral) }
            ports.transport.cancel(id)
        }
        _ = outbox.dropWaiting(where: matches)
    }
}
