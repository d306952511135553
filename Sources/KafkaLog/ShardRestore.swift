import EventLog
import Foundation
import Glibc
import KafkaTransport
import PaymentModel
import RecordFormat
import RocksStore
import Synchronization

// From an assignment to running: producer, committed offsets, state, in this order (rows B43–B45). Runs on the worker.
extension KafkaShardLog {
    /// What is known of a partition while it is restored.
    private struct Plan {
        var note: OwnershipNote?
        var commands = KafkaOffset.invalid
        var notifications = KafkaOffset.invalid
        /// Where the state topic ends, open transactions included.
        var end: Int64 = 0
        var next: Int64 = 0
        /// When the copy that is continued was last at the end; nil where everything is read.
        var copyAtEnd: Int64?
        /// Whether the topic is the one that the copy was made of.
        var proof = StateMark.Proof.given
        var done = false
    }

    /// Somebody else's business meanwhile: a newer assignment, revocation or recovery.
    private struct Superseded: Error {}

    /// Restores the partitions of the present membership and announces them. Nothing happens where there is none, or
    /// the token is old.
    func restore(_ token: UInt64) throws {
        let membership: ShardState.Membership? = state.withLock { state in
            state.token == token && !state.closed ? state.membership : nil
        }
        guard let membership else { return }
        let began = ContinuousClock.now
        do {
            try log.copy.reopenIfNeeded()
            if bench.transactor.producer == nil {
                _ = try bench.transactor.ready { isCurrent(token) }
                log.settings.measure(.producer(shard: index))
            }
            var records = 0
            var plans: [Int32: Plan] = [:]
            for partition in membership.partitions { plans[partition] = Plan() }
            if !plans.isEmpty {
                var fenced: Set<String> = []
                try readNotes(&plans, token)
                if keeps(.stateIsThere) { try setLostAside(&plans, token) }
                if keeps(.offsetsBeforeRestore) {
                    try readOffsets(&plans, token, &fenced)
                    records = try readState(&plans, token, &fenced)
                } else {
                    records = try readState(&plans, token, &fenced)
                    try readOffsets(&plans, token, &fenced)
                }
            }
            log.settings.measure(
                .restored(
                    shard: index, partitions: plans.count, records: records, began.duration(to: .now)))
            announce(plans, membership.metadata, token)
        } catch is Superseded {
        } catch {
            if !isCurrent(token) { return }
            throw error
        }
    }

    private func check(_ token: UInt64) throws { if !isCurrent(token) { throw Superseded() } }

    private func inputs(_ plans: [Int32: Plan]) -> [KafkaOffset] {
        plans.keys.sorted().flatMap { partition in
            [Topic.commands, .notifications].map {
                KafkaOffset(topic: log.name($0), partition: partition, offset: KafkaOffset.invalid)
            }
        }
    }

    /// Who was here before; asked without waiting for open transactions.
    private func readNotes(_ plans: inout [Int32: Plan], _ token: UInt64) throws {
        for entry in try log.observer.committed(inputs(plans), timeout: .seconds(5)) {
            guard let note = OwnershipNote(entry.metadata) else { continue }
            guard note.partitions == partitionCount else {
                throw LogError(
                    .misconfigured,
                    "partition \(entry.partition) was worked on with \(note.partitions) partitions, now there are "
                        + "\(partitionCount)")
            }
            if note.epoch >= plans[entry.partition]?.note?.epoch ?? 0 { plans[entry.partition]?.note = note }
        }
        try check(token)
    }

    /// A state topic that ends before the point that it had reached is not the one that the group's positions belong to:
    /// it was created anew, or a broker has lost its end. Going on would forget payments whose commands are taken in, so
    /// such a partition stands still, and a person must look.
    private func setLostAside(_ plans: inout [Int32: Plan], _ token: UInt64) throws {
        for partition in plans.keys.sorted() {
            guard let known = plans[partition]?.note?.stateEnd else { continue }
            func end() throws -> Int64 {
                try log.observer.watermarks(topic: log.name(.state), partition: partition, timeout: .seconds(5))
                    .upperBound
            }
            var found = try end()
            // A new leader may not know yet how far its followers are.
            for _ in 0..<20 where found < known {
                try check(token)
                usleep(200_000)
                found = try end()
            }
            guard found < known else { continue }
            log.alarm(
                .stateLost,
                "\(log.name(.state)) [\(partition)] ends at \(found), but had reached \(known): it was created anew, or its "
                    + "end is lost. The partition stands still; see the documentation before resetting the group's offset"
            )
            plans[partition] = nil
        }
    }

    /// Committed offsets, stable ones only: waits for open transactions that hold offsets of these partitions.
    private func readOffsets(_ plans: inout [Int32: Plan], _ token: UInt64, _ fenced: inout Set<String>) throws {
        while true {
            try check(token)
            do {
                for entry in try stableOffsets(inputs(plans)) {
                    var position = entry.offset
                    if position < 0 {
                        // Nothing committed: from the beginning, said explicitly.
                        position =
                            try log.observer.watermarks(
                                topic: entry.topic, partition: entry.partition, timeout: .seconds(5)
                            ).lowerBound
                    }
                    if entry.topic == log.name(.commands) {
                        plans[entry.partition]?.commands = position
                    } else {
                        plans[entry.partition]?.notifications = position
                    }
                }
                return
            } catch let error as KafkaError where error.isRetriable {
                endDeadOwners(plans, &fenced)
            }
        }
    }

    /// An open transaction of an owner that the group no longer lists is ended by initialising its id once. An owner
    /// that the group lists is healthy: the broker's time-out is waited for.
    private func endDeadOwners(_ plans: [Int32: Plan], _ fenced: inout Set<String>) {
        let names = Set(plans.values.compactMap { $0.note?.transactionalID })
            .subtracting(fenced).subtracting([transactionalID])
        guard !names.isEmpty, keeps(.endDeadOwners) else { return }
        do {
            let listed = Set(try log.admin.members(of: log.settings.groupID, timeout: .seconds(5)))
            for name in names.subtracting(listed).sorted() {
                log.settings.report(4, "shard \(index): ending what the dead owner \(name) left open")
                try KafkaTransactionalProducer.fence(
                    log.settings.cluster, transactionalID: name, clientID: "\(transactionalID)-fence",
                    timeout: .seconds(5))
                fenced.insert(name)
            }
        } catch {
            // Without the right to look or to initialise, the broker's time-out does it later.
            log.settings.report(4, "shard \(index): \(error); waiting for the broker to end open transactions")
            fenced.formUnion(names)
        }
    }

    /// Where each state partition ends and where reading begins; drops copies that are of no use.
    /// - Returns: milliseconds since 1970, before the first question.
    private func planState(_ plans: inout [Int32: Plan], without unusable: Set<Int32>) throws -> Int64 {
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        for partition in plans.keys.sorted() {
            // The reader's own end is the last stable offset; the observer's is the true one.
            let source = keeps(.restoreToEnd) ? log.observer : try bench.stateReader()
            let range = try source.watermarks(topic: log.name(.state), partition: partition, timeout: .seconds(5))
            plans[partition]?.end = range.upperBound
            plans[partition]?.done = false
            plans[partition]?.copyAtEnd = nil
            plans[partition]?.proof = .given
            plans[partition]?.next = range.lowerBound
            guard let reach = try log.copy.reach(partition) else { continue }
            let fits = reach.next >= range.lowerBound && reach.next <= range.upperBound
            // A copy of work that the group has never heard of is not of these topics.
            let isKnown = reach.next == range.lowerBound || plans[partition]?.note != nil || !keeps(.sameTopic)
            // Nothing follows but the marker of the copy's last commit: no tombstone can have been missed.
            let isWhole = range.upperBound <= reach.next + 1
            if fits, isKnown, isWhole || isFresh(reach.atEnd, now), !unusable.contains(partition) {
                plans[partition]?.next = reach.next
                plans[partition]?.copyAtEnd = isWhole ? now : reach.atEnd
                if keeps(.sameTopic) { plans[partition]?.proof = StateMark.Proof(reach.mark) }
            } else {
                log.settings.report(5, "shard \(index): the copy of partition \(partition) is dropped; reading it anew")
                try log.copy.drop(partition)
            }
        }
        return now
    }

    /// Tombstones may be compacted away `delete.retention.ms` after they were written: a copy that misses one would
    /// revive a payment. Half of that time is the limit.
    private func isFresh(_ atEnd: Int64, _ now: Int64) -> Bool {
        now - atEnd < log.tombstoneRetention.count / 2 && atEnd < now + 3_600_000
    }

    /// Reads committed records until each partition's position has reached the end that it had when the offsets were
    /// known — the end with open transactions in it, not the last stable offset (row B44). How many it read.
    private func readState(
        _ plans: inout [Int32: Plan], _ token: UInt64, _ fenced: inout Set<String>
    ) throws -> Int {
        var unusable: Set<Int32> = []
        var records = 0
        while true {
            let asked = try planState(&plans, without: unusable)
            records += try readTail(&plans, token, &fenced, asked)
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            for (partition, plan) in plans {
                // It took so long that tombstones may be gone since.
                if let time = plan.copyAtEnd, !isFresh(time, now) { unusable.insert(partition) }
                if !plan.proof.isGiven {
                    log.alarm(
                        .stateTopicAnew,
                        "\(log.name(.state)) [\(partition)] is not the topic that the local copy was made of: it was "
                            + "created anew. The copy is dropped, and what the topic holds is the state")
                    unusable.insert(partition)
                }
            }
            if plans.allSatisfy({ $0.value.copyAtEnd == nil || !unusable.contains($0.key) }) { return records }
        }
    }

    /// - Parameter asked: when the ends were asked for, milliseconds since 1970.
    private func readTail(
        _ plans: inout [Int32: Plan], _ token: UInt64, _ fenced: inout Set<String>, _ asked: Int64
    ) throws -> Int {
        let topic = log.name(.state)
        for partition in plans.keys where plans[partition].map({ $0.next >= $0.end && $0.proof.isGiven }) ?? false {
            plans[partition]?.done = true
        }
        let writer = RestoreWriter(log.copy)
        let open = plans.filter { !$0.value.done }.keys.sorted()
        if !open.isEmpty {
            let reader = try bench.stateReader()
            try reader.assign(
                open.compactMap { partition in
                    plans[partition].map { plan in
                        KafkaOffset(
                            topic: topic, partition: partition, offset: min(plan.next, plan.proof.from ?? plan.next))
                    }
                })
            var lastProgress = ContinuousClock.now
            while plans.values.contains(where: { !$0.done }) {
                try check(token)
                let records = writer.count
                _ = try reader.poll(limit: 2_000, timeout: .milliseconds(100)) { message throws(KafkaError) in
                    guard let next = plans[message.partition]?.next else { return }
                    plans[message.partition]?.proof.look(at: message)
                    // What lies before was read for the proof only.
                    guard message.offset >= next else { return }
                    try writer.take(message)
                    plans[message.partition]?.next = message.offset + 1
                } end: { _, partition, offset in
                    guard let plan = plans[partition] else { return }
                    plans[partition]?.next = max(plan.next, offset)
                    if offset >= plan.end { plans[partition]?.done = true }
                }
                if let failure = writer.failure { throw failure }
                try writer.flushIfLarge(plans.mapValues(\.next))
                if writer.count != records { lastProgress = .now }
                if lastProgress.duration(to: .now) > .milliseconds(400) {
                    // An open transaction holds the stable end back.
                    endDeadOwners(plans, &fenced)
                    lastProgress = .now
                }
            }
            try reader.assign([])
        }
        try writer.flush(plans.mapValues(\.next), atEnd: asked)
        return writer.count
    }

    /// Notes that copies were whole at that time, at most once an hour: a partition in which nothing happens stays fresh.
    func confirmCopies(ends: [Int32: Int64], at time: Int64) {
        worker.async { [self] in
            let owned = state.withLock { $0.closed || $0.failed ? [] : Set($0.owned.keys) }
            for (partition, end) in ends where owned.contains(partition) {
                guard let reach = try? log.copy.reach(partition), end <= reach.next + 1,
                    time - reach.atEnd >= 3_600_000
                else { continue }
                // Without it a restart reads more, and nothing else changes.
                try? log.copy.confirm(partition, atEnd: time)
            }
        }
    }

    /// The partitions are ours from now on.
    private func announce(_ plans: [Int32: Plan], _ metadata: KafkaGroupMetadata, _ token: UInt64) {
        var owned: [Int32: ShardState.Owned] = [:]
        for (partition, plan) in plans {
            let unproven = unproven(plan)
            let epoch = max(
                UInt64(max(0, metadata.generation)) << 32, (plan.note?.epoch ?? 0) + 1,
                (bench.epochs[partition] ?? 0) + 1)
            bench.epochs[partition] = epoch
            owned[partition] = ShardState.Owned(
                note: OwnershipNote(
                    partitions: partitionCount, epoch: epoch, directory: log.copy.directoryID,
                    transactionalID: transactionalID, unproven: unproven, stateEnd: plan.end),
                commands: plan.commands, notifications: plan.notifications, metadata: metadata)
        }
        let wake: (@Sendable () -> Void)? = state.withLock { state in
            guard state.token == token, !state.closed else { return nil }
            state.revokeAll()
            state.owned = owned
            for (partition, entry) in owned.sorted(by: { $0.key < $1.key }) {
                log.setOwner(partition, index, from: index)
                state.announced.insert(partition)
                state.events.append(
                    .assigned(
                        Assignment(
                            partition: partition, epoch: entry.note.epoch,
                            predecessorProvenDead: entry.note.unproven.isEmpty)))
            }
            state.fetch = (
                token,
                owned.sorted { $0.key < $1.key }.flatMap { partition, entry in
                    [
                        KafkaOffset(topic: log.name(.commands), partition: partition, offset: entry.commands),
                        KafkaOffset(topic: log.name(.notifications), partition: partition, offset: entry.notifications),
                    ]
                }
            )
            return state.wakeUp()
        }
        wake?()
    }

    /// Earlier owners that may live on. Where a partition was worked on and no note says by whom, nobody is proven dead.
    private func unproven(_ plan: Plan) -> [String] {
        if let note = plan.note { return note.unproven(after: log.copy.directoryID) }
        return plan.end > 0 ? ["*"] : []
    }
}
