import EventLog
import Foundation
import KafkaTransport
import PaymentModel
import RecordFormat
import RocksStore
import Synchronization

// One transaction: records, states, positions. Runs on the worker.
extension KafkaShardLog {
    /// Changed entries of a commit on their way to topic and copy: value ranges lie in the bench's bytes.
    private struct Change {
        var partition: Int32
        var key: [UInt8]
        var prior: [UInt8]
        var value: Range<Int>?
        var space: StateSpace
    }

    /// Commits the batch; nil where it is durable, visible and in the local copy.
    func transact(_ batch: CommitBatch) -> LogError? {
        let start = ContinuousClock.now
        var error = attempt(batch, at: Int64(Date().timeIntervalSince1970 * 1_000))
        if !keeps(.unknownIsNoSuccess), error?.kind == .outcomeUnknown { error = nil }
        if !batch.isEmpty {
            log.settings.measure(.transaction(shard: index, KafkaLogMeasure.End(error), start.duration(to: .now)))
        }
        return error
    }

    /// - Parameter began: milliseconds since 1970.
    private func attempt(_ batch: CommitBatch, at began: Int64) -> LogError? {
        if let problem = batch.problem(partitionCount: partitionCount) { return LogError(.aborted, problem) }
        let owned: [Int32: ShardState.Owned]
        switch owners(of: batch) {
        case .success(let found): owned = found
        case .failure(let error): return error
        }
        if batch.isEmpty { return nil }
        do throws(LogError) {
            let changes = try stage(batch)
            guard let producer = bench.transactor.producer, let metadata = owned.values.first?.metadata else {
                throw LogError(.aborted, "no producer: recover first")
            }
            let positions = positions(batch, owned)
            if !keeps(.copyAfterCommit) { try keep(changes, [:], began) }
            try send(batch, changes, positions, metadata)
            let reached = producer.deliveredOffsets
            if watch(.committed) == .lose { throw LogError(.outcomeUnknown, "the reply was lost") }
            try keep(changes, reached, began)
            noteStateEnds(reached)
            state.withLock { state in
                for position in positions {
                    if position.topic == log.name(.commands) {
                        state.owned[position.partition]?.commands = position.offset
                    } else {
                        state.owned[position.partition]?.notifications = position.offset
                    }
                }
            }
            return nil
        } catch {
            return error
        }
    }

    /// What the next positions say of the state topic. An offset below the end that it had means that it was created
    /// anew while this owner works: the higher number stays, so that no successor takes the new topic for the old one.
    private func noteStateEnds(_ reached: [Int32: Int64]) {
        let lost: [(Int32, Int64, Int64)] = state.withLock { state in
            var lost: [(Int32, Int64, Int64)] = []
            for (partition, offset) in reached {
                guard let known = state.owned[partition]?.note.stateEnd else { continue }
                if offset < known { lost.append((partition, offset, known)) }
                state.owned[partition]?.note.stateEnd = max(known, offset + 1)
            }
            return lost
        }
        for (partition, offset, known) in lost where bench.alarmed.insert(partition).inserted {
            log.alarm(
                .stateLost,
                "\(log.name(.state)) [\(partition)] gave the offset \(offset), but had reached \(known): it was created anew. "
                    + "This instance goes on with its local copy, the only one there is; no other instance will take over"
            )
        }
    }

    private func watch(_ step: CommitStep) -> StepAction {
        let watcher = watcher.withLock { $0 }
        return watcher?(step) ?? .proceed
    }

    /// The partitions that the batch names, each under its present epoch.
    private func owners(of batch: CommitBatch) -> Result<[Int32: ShardState.Owned], LogError> {
        state.withLock { state in
            var found: [Int32: ShardState.Owned] = [:]
            for named in batch.epochs {
                guard let owned = state.owned[named.partition], owned.note.epoch == named.epoch else {
                    return .failure(
                        LogError(.fenced, "partition \(named.partition) is no longer ours under epoch \(named.epoch)"))
                }
                found[named.partition] = owned
            }
            for position in batch.positions {
                guard let owned = found[position.partition] else { continue }
                let known = position.topic == .commands ? owned.commands : owned.notifications
                guard position.next >= known else {
                    return .failure(LogError(.aborted, "a position of partition \(position.partition) goes back"))
                }
            }
            return .success(found)
        }
    }

    /// The positions of every partition of the batch, changed or not: an offset commit is the only thing whose
    /// generation the broker checks, and what makes a successor wait for an open transaction (rows B40, B43).
    private func positions(_ batch: CommitBatch, _ owned: [Int32: ShardState.Owned]) -> [KafkaOffset] {
        var owned = owned
        var notified: Set<Int32> = []
        for position in batch.positions {
            if position.topic == .commands {
                owned[position.partition]?.commands = position.next
            } else {
                owned[position.partition]?.notifications = position.next
                notified.insert(position.partition)
            }
        }
        var result: [KafkaOffset] = []
        for (partition, entry) in owned.sorted(by: { $0.key < $1.key }) {
            let note = entry.note.text
            result.append(
                KafkaOffset(topic: log.name(.commands), partition: partition, offset: entry.commands, metadata: note))
            if notified.contains(partition) {
                result.append(
                    KafkaOffset(
                        topic: log.name(.notifications), partition: partition, offset: entry.notifications,
                        metadata: note))
            }
        }
        return result
    }

    /// The new value of every changed key, made from the committed one: the copy is as of the last commit.
    private func stage(_ batch: CommitBatch) throws(LogError) -> [Change] {
        bench.staged.removeAll(keepingCapacity: true)
        guard !batch.states.isEmpty else { return [] }
        let handle = try log.copy.handle()
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        var changes: [Change] = []
        changes.reserveCapacity(batch.states.count)
        let hasKept = batch.states.contains { $0.space == .kept }
        for write in batch.states {
            let key = Array(batch.bytes[write.key])
            var prior = try LocalCopy.value(handle, write.partition, key)
            // A payment and a kept notification of the same key share one value.
            if hasKept,
                let index = changes.firstIndex(where: { $0.partition == write.partition && $0.key == key })
            {
                prior = changes[index].value.map { Array(bench.staged[$0]) } ?? []
                let original = changes[index].prior
                changes[index] = try change(write, batch.bytes, key, prior, now)
                changes[index].prior = original
                continue
            }
            changes.append(try change(write, batch.bytes, key, prior, now))
        }
        return changes
    }

    private func change(
        _ write: StateWrite, _ bytes: [UInt8], _ key: [UInt8], _ prior: [UInt8], _ now: Int64
    ) throws(LogError) -> Change {
        do {
            let value = try StateEnvelope.apply(write, bytes, prior: prior, now: now, to: &bench.staged)
            return Change(partition: write.partition, key: key, prior: prior, value: value, space: write.space)
        } catch {
            throw LogError(.corrupt, "an entry of partition \(write.partition) cannot be read: \(error)")
        }
    }

    /// One transaction with all of it; on any failure what the architecture, section 3, asks for.
    private func send(
        _ batch: CommitBatch, _ changes: [Change], _ positions: [KafkaOffset], _ metadata: KafkaGroupMetadata
    ) throws(LogError) {
        defer {
            if bench.transactor.isStale { noteStale() }
            bench.transactor.isStale = false
        }
        try bench.transactor.run(
            Transactor.Work(
                produce: { producer throws(KafkaError) in try self.produce(batch, changes, producer) },
                sendOffsets: { producer throws(KafkaError) in
                    try self.sendOffsets(batch, positions, metadata, producer)
                },
                watch: { self.watch($0) }))
    }

    private func sendOffsets(
        _ batch: CommitBatch, _ positions: [KafkaOffset], _ metadata: KafkaGroupMetadata,
        _ producer: KafkaTransactionalProducer
    ) throws(KafkaError) {
        if !keeps(.offsetsInEveryTransaction), batch.positions.isEmpty { return }
        var metadata = metadata
        if !keeps(.metadataOfAssignment), let fresh = freshMetadata() { metadata = fresh }
        if !keeps(.checkedMetadata) {
            return try producer.sendOffsetsUnchecked(
                positions, groupID: metadata.groupID, timeout: bench.transactor.limits.sendOffsets)
        }
        try producer.sendOffsets(positions, group: metadata, timeout: bench.transactor.limits.sendOffsets)
    }

    private func produce(
        _ batch: CommitBatch, _ changes: [Change], _ producer: KafkaTransactionalProducer
    ) throws(KafkaError) {
        var failure: KafkaError?
        batch.bytes.withUnsafeBytes { bytes in
            for record in batch.records {
                guard let topic = ShardBench.outputs.firstIndex(of: record.topic) else {
                    failure = KafkaError(
                        operation: "produce", code: .invalidArgument, detail: "\(record.topic) is no output",
                        isAbortable: true)
                    return
                }
                do throws(KafkaError) {
                    try FrameCodec.withParts(
                        UnsafeRawBufferPointer(rebasing: bytes[record.frame]), topic: topic,
                        partition: record.partition
                    ) { outgoing, headers, fill throws(KafkaError) in
                        try producer.produce(outgoing, headers: headers, fill: fill)
                    }
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw failure }
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        bench.staged.withUnsafeBytes { bytes in
            for change in changes {
                change.key.withUnsafeBytes { key in
                    let outgoing = KafkaOutgoing(
                        topic: ShardBench.stateIndex, partition: change.partition, timestamp: now, key: key,
                        value: change.value.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) })
                    do throws(KafkaError) {
                        try producer.produce(outgoing)
                    } catch {
                        failure = failure ?? error
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    /// The broker knows this member no more, or in another generation: what follows comes by the group.
    private func noteStale() {
        state.withLock {
            $0.membership = nil
            if $0.staleSince == nil { $0.staleSince = .now }
        }
    }

    /// After the commit has returned, and never before (row B46): the copy, with the position that it reaches.
    /// The copy is known to have been at the end when the transaction began; the process may have been stopped since.
    private func keep(_ changes: [Change], _ reached: [Int32: Int64], _ began: Int64) throws(LogError) {
        guard !changes.isEmpty else { return }
        do throws(LogError) {
            let handle = try log.copy.handle()
            var batch = WriteBatch()
            let values = bench.staged
            let staged = values.span.bytes
            for change in changes {
                try LocalCopy.stage(
                    change.partition, key: change.key, prior: change.prior.span.bytes,
                    new: staged.extracting(change.value ?? 0..<0), into: &batch, of: handle)
            }
            for (partition, offset) in reached {
                // Records of a partition keep their order: the last change has the highest offset.
                let mark = changes.last { $0.partition == partition }.map { change in
                    StateMark(offset: offset, key: change.key, value: bench.staged[change.value ?? 0..<0])
                }
                LocalCopy.stage(
                    reach: LocalCopy.Reach(next: offset + 1, atEnd: began, mark: mark), partition, into: &batch,
                    of: handle)
            }
            try log.copy.write(batch, to: handle)
        } catch {
            // Committed, but entries cannot be read as of that commit: only a restore helps.
            throw LogError(.outcomeUnknown, "committed, but \(error)")
        }
    }
}

extension KafkaLogMeasure.End {
    /// What a commit's error says of its transaction.
    fileprivate init(_ error: LogError?) {
        self =
            switch error?.kind {
            case nil: .committed
            case .fenced: .fenced
            case .outcomeUnknown: .unknown
            default: .aborted
            }
    }
}
