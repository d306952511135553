import EventLog
import Foundation
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
        do {
            try log.copy.reopenIfNeeded()
            _ = try bench.readyProducer { isCurrent(token) }
            var plans: [Int32: Plan] = [:]
            for partition in membership.partitions { plans[partition] = Plan() }
            if !plans.isEmpty {
                var fenced: Set<String> = []
                try readNotes(&plans, token)
                if keeps(.offsetsBeforeRestore) {
                    try readOffsets(&plans, token, &fenced)
                    try readState(&plans, token, &fenced)
                } else {
                    try readState(&plans, token, &fenced)
                    try readOffsets(&plans, token, &fenced)
                }
            }
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
    private func planState(_ plans: inout [Int32: Plan], keepCopies: Bool) throws {
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        for partition in plans.keys.sorted() {
            // The reader's own end is the last stable offset; the observer's is the true one.
            let source = keeps(.restoreToEnd) ? log.observer : try bench.stateReader()
            let range = try source.watermarks(topic: log.name(.state), partition: partition, timeout: .seconds(5))
            plans[partition]?.end = range.upperBound
            plans[partition]?.done = false
            plans[partition]?.copyAtEnd = nil
            plans[partition]?.next = range.lowerBound
            guard let reach = try log.copy.reach(partition) else { continue }
            let fits = reach.next >= range.lowerBound && reach.next <= range.upperBound
            if keepCopies, fits, isFresh(reach.atEnd, now) {
                plans[partition]?.next = reach.next
                plans[partition]?.copyAtEnd = reach.atEnd
            } else {
                log.settings.report(5, "shard \(index): the copy of partition \(partition) is dropped; reading it anew")
                try log.copy.drop(partition)
            }
        }
    }

    /// Tombstones may be compacted away `delete.retention.ms` after they were written: a copy that misses one would
    /// revive a payment. Half of that time is the limit.
    private func isFresh(_ atEnd: Int64, _ now: Int64) -> Bool {
        now - atEnd < log.tombstoneRetention.count / 2 && atEnd < now + 3_600_000
    }

    /// Reads committed records until each partition's position has reached the end that it had when the offsets were
    /// known — the end with open transactions in it, not the last stable offset (row B44).
    private func readState(_ plans: inout [Int32: Plan], _ token: UInt64, _ fenced: inout Set<String>) throws {
        var keepCopies = true
        while true {
            try planState(&plans, keepCopies: keepCopies)
            try readTail(&plans, token, &fenced)
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            if plans.values.allSatisfy({ $0.copyAtEnd.map { isFresh($0, now) } ?? true }) { return }
            // It took so long that tombstones may be gone since.
            keepCopies = false
        }
    }

    private func readTail(_ plans: inout [Int32: Plan], _ token: UInt64, _ fenced: inout Set<String>) throws {
        let topic = log.name(.state)
        for partition in plans.keys where plans[partition].map({ $0.next >= $0.end }) ?? false {
            plans[partition]?.done = true
        }
        let writer = RestoreWriter(log.copy)
        let open = plans.filter { !$0.value.done }.keys.sorted()
        if !open.isEmpty {
            let reader = try bench.stateReader()
            try reader.assign(
                open.map { KafkaOffset(topic: topic, partition: $0, offset: plans[$0]?.next ?? 0) })
            var lastProgress = ContinuousClock.now
            while plans.values.contains(where: { !$0.done }) {
                try check(token)
                let records = writer.count
                _ = try reader.poll(limit: 2_000, timeout: .milliseconds(100)) { message throws(KafkaError) in
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
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        try writer.flush(plans.mapValues(\.next), atEnd: now)
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
                    transactionalID: transactionalID, unproven: unproven),
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

/// Takes committed records of the state topic into the local copy, in batches with the positions that they reach.
private final class RestoreWriter {
    private let copy: LocalCopy
    private var pending: [[UInt8]: [UInt8]] = [:]
    private var batch = WriteBatch()
    private var handle: LocalCopy.Handle?
    private var bytes = 0
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
            try LocalCopy.stage(message.partition, key: key, prior: prior, new: new, into: &batch, of: handle)
            pending[place] = new
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
            LocalCopy.stage(
                reach: LocalCopy.Reach(next: offset, atEnd: time), partition, into: &batch, of: handle)
        }
        try copy.write(batch, to: handle)
        batch.clear()
        pending.removeAll(keepingCapacity: true)
        bytes = 0
        self.handle = nil
    }
}
