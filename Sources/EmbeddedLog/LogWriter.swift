import EventLog
import Glibc
import PaymentModel
import RocksStore
import Synchronization

/// The one thread that writes: takes all work that has gathered, puts it into one batch, syncs once, tells everybody.
///
/// After a failed write nothing is written before the store was closed, opened and read again. That is tried when an
/// owner recovers, else at most once a second while work comes.
struct LogWriter: ~Copyable {
    private let core: LogCore
    /// Nil only while the store cannot be opened.
    private var database: RocksDatabase?
    private var group: GroupBatch?
    private var ledger: Ledger
    /// Why nothing can be written at present.
    private var failure: LogError?
    private var lastReopen: UInt64 = 0

    /// Works until the log is stopped; runs on the writer's thread.
    static func run(_ core: LogCore) {
        guard var writer = LogWriter(core) else { return }
        writer.loop()
    }

    private init?(_ core: LogCore) {
        guard let database = try? core.database() else { return nil }
        self.core = core
        self.database = database
        ledger = core.board.withLock { $0.ledger }
        group = GroupBatch(database, partitionCount: core.partitionCount)
    }

    private mutating func loop() {
        var work: [Work] = []
        var stopped = false
        while !stopped {
            core.queue.take(maximumBytes: core.options.maximumGroupBytes, into: &work)
            if case .stop? = work.last {
                work.removeLast()
                stopped = true
            }
            if !work.isEmpty { process(work) }
            work.removeAll(keepingCapacity: true)
        }
        group = nil
        database = nil
        core.setDatabase(nil)
    }

    /// What a group changes beside the ledger.
    private struct Changes {
        var claims: [(partition: Int32, shard: Int, provenDead: Bool)] = []
        var released: [Int32] = []
        /// Why each piece of work is not in the batch; nil where it is.
        var refusals: [LogError?] = []
    }

    private mutating func process(_ work: [Work]) {
        healIfDue(work)
        var draft = ledger
        var changes = Changes()
        group?.clear()
        for piece in work { changes.refusals.append(add(piece, &draft, &changes)) }
        var failed: LogError?
        if changes.refusals.contains(where: { $0 == nil }) { failed = write() }
        if failed == nil { ledger = draft }
        finish(work, changes, failed)
    }

    private mutating func add(_ piece: Work, _ draft: inout Ledger, _ changes: inout Changes) -> LogError? {
        if case .release(let shard, _) = piece {
            for partition in draft.owners.indices where draft.owners[partition] == shard {
                draft.owners[partition] = nil
                changes.released.append(Int32(partition))
            }
            return nil
        }
        if let failure { return failure }
        switch piece {
        case .append(let batch, _):
            group?.add(batch, to: &draft)
        case .commit(let shard, let batch, _):
            if let refusal = draft.refusal(batch, by: shard) { return refusal }
            do throws(RocksError) { try group?.add(batch, to: &draft) } catch { return LogError(error) }
        case .claim(let shard, let recovers, _):
            claim(shard, recovers, &draft, &changes)
        case .trim(let trims, _):
            for trim in trims {
                let slot = draft.slot(trim.topic, trim.partition)
                let limit = trim.topic.isInput ? draft.positions[slot] : draft.ends[slot]
                let first = min(trim.first, limit)
                guard first > draft.firsts[slot] else { continue }
                do throws(RocksError) {
                    try group?.trim(trim.topic, trim.partition, from: draft.firsts[slot], to: first)
                } catch { return LogError(error) }
                draft.firsts[slot] = first
            }
        case .release, .stop:
            break
        }
        return nil
    }

    /// A new owner for the shard's partitions; on recovery only for those that nobody else has taken.
    private mutating func claim(_ shard: Int, _ recovers: Bool, _ draft: inout Ledger, _ changes: inout Changes) {
        let configured = core.board.withLock { $0.shards[shard]?.configured ?? [] }
        for partition in configured {
            let index = Int(partition)
            let owner = draft.owners[index]
            if recovers, let owner, owner != shard { continue }
            draft.epochs[index] += 1
            draft.owners[index] = shard
            group?.add(epoch: draft.epochs[index], of: partition)
            // The directory's lock proves every other process dead; an owner in this one that was not asked lives.
            changes.claims.append((partition, shard, owner == nil || owner == shard))
        }
    }

    /// Writes the group; the error where that failed, in the port's words.
    private mutating func write() -> LogError? {
        let bytes = group?.seal() ?? 0
        guard bytes > 0 else { return nil }
        let start = LogWriter.now()
        do throws(RocksError) {
            try writePatiently(since: start)
        } catch {
            let kind: LogError.Kind =
                switch error.kind {
                case .diskFull, .stalled: .full
                case .corruption: .corrupt
                default: .unavailable
                }
            failure = LogError(kind, error.description)
            return error.nothingWasWritten ? failure : LogError(.outcomeUnknown, error.description)
        }
        if let database { core.evidence.note(database.sequence) }
        let took = LogWriter.now() - start
        core.counters.withLock { $0.add(bytes: bytes, nanoseconds: took) }
        return nil
    }

    /// Writes the group; again where the store turns it away for the moment, with growing pauses, until the patience that
    /// the options give is used up: a store that lags behind slows its writer down, and never holds it for good.
    private mutating func writePatiently(since start: UInt64) throws(RocksError) {
        let patience = UInt64(max(0, core.options.stallPatience.count)) * 1_000_000
        var pause: UInt32 = 1_000
        while true {
            do throws(RocksError) {
                return try writeOnce()
            } catch {
                guard error.kind == .stalled, LogWriter.now() - start < patience else { throw error }
                core.counters.withLock { $0.stalls += 1 }
                usleep(pause)
                pause = min(50_000, pause * 2)
            }
        }
    }

    /// One write; or what a test ordered in its place, or behind it.
    private mutating func writeOnce() throws(RocksError) {
        let fault = core.injected.withLock { fault in
            let ordered = fault
            fault = nil
            if case .stalled(let times) = ordered, times > 1 { fault = .stalled(times: times - 1) }
            return ordered
        }
        if fault == nil || fault == .applied { try group?.write() }
        let kind: RocksError.Kind
        switch fault {
        case nil: return
        case .refused: kind = .needsReopen
        case .lost, .applied: kind = .inputOutput
        case .stalled: kind = .stalled
        }
        throw RocksError(kind: kind, operation: "write", detail: "injected")
    }

    /// Shows what became durable, then tells everybody how it went.
    private mutating func finish(_ work: [Work], _ changes: Changes, _ failed: LogError?) {
        let ledger = self.ledger
        let lowest = lowestTimers()
        let wakes = core.board.withLock { board in
            var wakes = failed == nil ? Self.publish(ledger, changes, lowest, on: &board) : []
            for (piece, refusal) in zip(work, changes.refusals) {
                let error = refusal ?? failed
                switch piece {
                case .commit(let shard, _, _):
                    board.shards[shard]?.inFlight = false
                    if error != nil { board.shards[shard]?.failed = true }
                case .claim(let shard, _, _) where error == nil:
                    board.shards[shard]?.failed = false
                    if let wake = board.wakeUp(shard) { wakes.append(wake) }
                default: break
                }
            }
            return wakes
        }
        for (piece, refusal) in zip(work, changes.refusals) {
            let error = refusal ?? failed
            switch piece {
            case .append(_, let completion), .claim(_, _, let completion), .trim(_, let completion): completion(error)
            case .commit(_, let batch, let completion): completion(batch, error)
            case .release(_, let completion): completion()
            case .stop: break
            }
        }
        for wake in wakes { wake() }
    }

    /// Makes a durable ledger the one that all see; returns the wake-ups that are due.
    private static func publish(
        _ ledger: Ledger, _ changes: Changes, _ lowestTimers: [Timestamp?], on board: inout Board
    ) -> [@Sendable () -> Void] {
        var wakes: [@Sendable () -> Void] = []
        let before = board.ledger
        board.ledger = ledger
        for partition in changes.released { _ = board.revoke(partition) }
        for claim in changes.claims {
            if let wake = board.wakeUp(board.revoke(claim.partition)) { wakes.append(wake) }
            board.assign(claim.partition, to: claim.shard, provenDead: claim.provenDead)
        }
        for topic in [Topic.commands, .notifications] {
            for partition in 0..<ledger.partitionCount {
                let slot = ledger.slot(topic, partition)
                guard ledger.ends[slot] > before.ends[slot] else { continue }
                if let wake = board.wakeUp(ledger.owners[Int(partition)]) { wakes.append(wake) }
            }
        }
        for (partition, lowest) in lowestTimers.enumerated() {
            guard let lowest else { continue }
            board.floors[partition].version &+= 1
            board.floors[partition].due = min(board.floors[partition].due, lowest)
        }
        return wakes
    }

    private func lowestTimers() -> [Timestamp?] {
        switch group {
        case .some(let group): group.lowestTimers
        case .none: []
        }
    }

    // MARK: Reopening

    private mutating func healIfDue(_ work: [Work]) {
        guard failure != nil else { return }
        let urgent = work.contains { if case .claim = $0 { true } else { false } }
        guard urgent || LogWriter.now() - lastReopen > 1_000_000_000 else { return }
        lastReopen = LogWriter.now()
        do throws(LogError) { try reopen() } catch { failure = error }
    }

    /// Lets the store go, opens it and reads the ledger again. Where that fails, readers get a view that needs no room.
    private mutating func reopen() throws(LogError) {
        group = nil
        database = nil
        core.setDatabase(nil)
        let opened: RocksDatabase
        do throws(LogError) {
            opened = try LogCore.openStore(core.directory, core.options)
        } catch {
            core.setDatabase(try? LogCore.openStore(core.directory, core.options, access: .readOnly))
            throw error
        }
        try core.evidence.check(opened)
        var fresh = try LedgerStore.read(opened, partitionCount: core.partitionCount)
        fresh.owners = ledger.owners
        ledger = fresh
        database = opened
        group = GroupBatch(opened, partitionCount: core.partitionCount)
        core.setDatabase(opened)
        failure = nil
        let wakes = core.board.withLock { board in
            for index in board.floors.indices {
                board.floors[index] = Board.TimerFloor(version: board.floors[index].version &+ 1)
            }
            return Self.publish(fresh, Changes(), [], on: &board)
        }
        core.counters.withLock { $0.reopenings += 1 }
        for wake in wakes { wake() }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
