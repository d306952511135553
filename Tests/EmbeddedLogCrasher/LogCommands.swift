import EmbeddedLog
import EventLog
import Foundation
import RecordFormat
import Synchronization

/// What the child does to an embedded log.
enum LogCommands {
    static let partitions: Int32 = 2

    static func open(_ directory: String) throws(LogError) -> EmbeddedLog {
        var options = EmbeddedLogOptions(partitionCount: partitions)
        options.writeBufferBytes = 2 << 20
        options.blockCacheBytes = 2 << 20
        return try EmbeddedLog(directory: directory, options: options)
    }

    /// Holds the directory until its standard input ends.
    static func hold(_ directory: String) throws {
        let log = try open(directory)
        say("held")
        while readLine() != nil {}
        log.close()
    }

    /// Appends and commits from several threads until it is killed; tells what was acknowledged.
    static func crash(_ directory: String) throws {
        let log = try open(directory)
        for partition in 0..<partitions {
            let (taken, appended) = SyncShard.check(log, partition)
            say("found \(partition) \(taken) \(appended)")
            Thread.detachNewThread { append(log, partition, from: appended) }
            Thread.detachNewThread { work(log, partition) }
        }
        while true { sleep(60) }
    }

    private static func append(_ log: EmbeddedLog, _ partition: Int32, from first: Int64) {
        var next = first
        while true {
            var batch = RecordBatch()
            for _ in 0..<Int.random(in: 1...5) {
                batch.append(topic: .commands, partition: partition, offset: 0, frame: command(next))
                next += 1
            }
            let waiter = Waiter()
            log.append(batch, completion: waiter.finish)
            if let error = waiter.wait() { fail("append: \(error)") }
            say("appended \(partition) \(next)")
        }
    }

    private static func command(_ number: Int64) -> [UInt8] {
        let filler = String(repeating: "v", count: Int.random(in: 10..<600))
        return RecordFrame.encode(
            key: Array("p\(number % 17)".utf8), timestamp: number, headers: [],
            value: Array("\(number) \(filler)".utf8))
    }

    private static func work(_ log: EmbeddedLog, _ partition: Int32) {
        let shard = SyncShard(log, partition)
        if let error = shard.start() { fail("start: \(error)") }
        while true {
            guard shard.poll() else {
                usleep(200)
                continue
            }
            if let error = shard.commit() { fail("commit: \(error)") }
            say("committed \(partition) \(shard.total)")
        }
    }

    /// Appends and commits until the disk is full; then makes room, recovers, and checks that nothing acknowledged is
    /// lost and work goes on.
    static func fill(_ directory: String, room: String) throws {
        let log = try open(directory)
        let shard = SyncShard(log, 0)
        expect(shard.start() == nil, "start")
        var appended: Int64 = 0
        var committed = 0
        var failure: LogError?
        while failure == nil {
            failure = step(log, shard, &appended, &committed)
        }
        guard let failure else { return }
        expect(failure.kind == .outcomeUnknown || failure.kind == .full, "first failure: \(failure)")
        expect(appended > 100 && committed > 100, "only \(appended) appends and \(committed) commits")
        say("full after \(appended) appends, \(committed) commits: \(failure.kind)")
        let blocked = shard.recover()
        // Opening needs a little room itself; whether there is any depends on what the failed write left.
        say("recover on the full disk: \(blocked.map { "\($0.kind)" } ?? "ok")")
        // Or the opening finds room, and the first write, that of the new epoch, does not.
        expect(
            [nil, .full, .unavailable, .outcomeUnknown].contains(blocked?.kind), "\(String(describing: blocked))")
        expect(
            (try? log.read(
                topic: .commands, partition: 0, from: 0, into: &shardScratch,
                limit: PollLimit(records: 1, bytes: 1))) != nil, "reads go on while the disk is full")
        Room.make(room)
        // A flush that began while the disk was full may still fail the first write after that.
        var tries = 0
        var done = 0
        while done < 5 {
            tries += 1
            expect(tries < 20, "does not heal: \(String(describing: shard.recover()))")
            if shard.recover() != nil { continue }
            let missed = shard.poll()
            expect(shard.total >= committed, "\(committed) inputs were acknowledged, \(shard.total) are there")
            let end = try log.offsets(topic: .commands, partition: 0).upperBound
            expect(end >= appended, "\(appended) appends were acknowledged, \(end) are there")
            appended = end
            if missed, shard.commit() != nil { continue }
            while done < 5, step(log, shard, &appended, &committed) == nil { done += 1 }
        }
        log.close()
        let reopened = try open(directory)
        let (taken, kept) = SyncShard.check(reopened, 0)
        expect(taken >= committed && kept >= appended, "after reopening: \(taken) \(kept)")
        say("survived")
    }

    nonisolated(unsafe) private static var shardScratch = RecordBatch()  // Used by one thread only.

    private static func step(
        _ log: EmbeddedLog, _ shard: SyncShard, _ appended: inout Int64, _ committed: inout Int
    ) -> LogError? {
        var batch = RecordBatch()
        for number in appended..<(appended + 10) {
            let filler = (0..<2_000).map { _ in UInt8.random(in: 33..<127) }
            batch.append(
                topic: .commands, partition: 0, offset: 0,
                frame: RecordFrame.encode(
                    key: Array("p\(number % 17)".utf8), timestamp: number, headers: [], value: filler))
        }
        let waiter = Waiter()
        log.append(batch, completion: waiter.finish)
        if let error = waiter.wait() { return error }
        appended += 10
        while shard.poll() {
            if let error = shard.commit() { return error }
            committed = shard.total
        }
        return nil
    }
}
