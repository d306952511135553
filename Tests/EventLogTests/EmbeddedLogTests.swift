import EmbeddedLog
import EventLog
import EventLogConformance
import Foundation
import PaymentModel
import Synchronization
import TestSupport
import Testing

@Suite("The embedded log")
struct EmbeddedLogTests {
    static let factory = LogFactory("embedded") { try EmbeddedLogUnderTest(partitions: $0) }

    @Test("conforms", arguments: Conformance.cases)
    func conforms(_ property: ConformanceCase) async throws {
        try await property.run(Self.factory)
    }

    @Test("equals a simple model", arguments: 0..<4)
    func model(_ run: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("embedded model run \(run): seed \(seed)")
        try await RandomModel.run(Self.factory, steps: 120, random: SeededGenerator(seed: seed))
    }

    static func append(_ log: EmbeddedLog, _ topic: Topic, _ partition: Int32, _ contents: [Content]) async throws {
        var batch = RecordBatch()
        for content in contents { batch.append(topic: topic, partition: partition, offset: 0, frame: content.frame) }
        let appended = batch
        let error = await withCheckedContinuation { continuation in
            log.append(appended) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
    }

    @Test("the number of partitions is recorded, and another one refused")
    func partitions() throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let empty = #expect(throws: LogError.self) {
            try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions())
        }
        #expect(empty?.kind == .misconfigured)
        try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 3)).close()
        let other = #expect(throws: LogError.self) {
            try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 4))
        }
        #expect(other?.kind == .misconfigured)
        #expect(other?.detail.contains("3 partitions") == true)
        let same = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions())
        #expect(same.partitionCount == 3)
    }

    @Test("a second log on the directory is refused, and waits where it is told to")
    func secondLog() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let first = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 1))
        let refused = #expect(throws: LogError.self) {
            try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions())
        }
        #expect(refused?.kind == .heldElsewhere)
        #expect(refused?.detail.contains("in use by another process") == true)
        first.close()
    }

    @Test("a closed log answers, and does nothing")
    func closed() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let log = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 1))
        let owner = Owner(log.shard(partitions: [0]), patience: .seconds(10))
        try await owner.start()
        log.close()
        log.close()
        await #expect(throws: LogError.self) {
            try await Self.append(log, .commands, 0, [Content(key: "k", value: "v")])
        }
        #expect(await owner.commit(BatchDraft()) != nil)
        await #expect(throws: LogError.self) { try await owner.entry("k", partition: 0) }
        await owner.close()
    }

    /// Holds the writer's thread in a completion while `body` queues work, so that all of it becomes one group.
    static func whileWriterIsBusy(_ log: EmbeddedLog, _ body: @escaping @Sendable () -> Void) async {
        var batch = RecordBatch()
        batch.append(topic: .commands, partition: 0, offset: 0, frame: Content(key: "k", value: "first").frame)
        let first = batch
        await withCheckedContinuation { continuation in
            log.append(first) { _ in
                body()
                continuation.resume()
            }
        }
    }

    @Test("what is told to be durable was synced before, once for a group: appends, claims and commits")
    func synced() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.countsSyncs = true
        let log = try EmbeddedLog(directory: directory.path, options: options)
        let opened = try #require(log.syncs)
        let groups = log.statistics.groups
        for number in 1...3 as ClosedRange<UInt64> {
            var batch = RecordBatch()
            batch.append(
                topic: .commands, partition: 0, offset: 0, frame: Content(key: "k", value: "\(number)").frame)
            let appended = batch
            // Read within the completion: whoever is told must find the sync done.
            let synced = await withCheckedContinuation { continuation in
                log.append(appended) { error in continuation.resume(returning: error == nil ? log.syncs : nil) }
            }
            #expect(synced == opened + number)
        }
        let owner = Owner(log.shard(partitions: [0]), patience: .seconds(10))
        try await owner.start()
        let claimed = try #require(log.syncs)
        #expect(claimed == opened + log.statistics.groups - groups)
        for number in 1...3 as ClosedRange<UInt64> {
            var draft = BatchDraft()
            draft.record(.events, 0, Content(key: "k", value: "\(number)"))
            #expect(await owner.commit(draft) == nil)
            #expect(log.syncs == claimed + number)
        }
        await owner.close()
        log.close()
    }

    @Test("appends that gather are one synced write")
    func groups() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let log = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 2))
        let outcomes = Mutex<[LogError?]>([])
        let before = log.statistics.groups
        await Self.whileWriterIsBusy(log) {
            for number in 0..<50 {
                var batch = RecordBatch()
                batch.append(
                    topic: .notifications, partition: Int32(number % 2), offset: 0,
                    frame: Content(key: "k", value: "\(number)").frame)
                log.append(batch) { error in outcomes.withLock { $0.append(error) } }
            }
        }
        try await Self.append(log, .commands, 1, [Content(key: "k", value: "last")])
        #expect(outcomes.withLock { $0 } == Array(repeating: nil, count: 50))
        #expect(try log.offsets(topic: .notifications, partition: 0) == 0..<25)
        #expect(log.statistics.groups - before <= 3)
        log.close()
    }

    @Test("records that share a key of the store are read one by one, from any offset, by any limit")
    func chunks() async throws {
        let directory = TemporaryDirectory("chunks")
        defer { withExtendedLifetime(directory) {} }
        var log = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 2))
        // Many small ones, some about as large as a chunk, one larger, an empty value; in groups of every size.
        let sizes = [0, 1, 700, 3_000, 28_600, 28_672, 28_700, 100_000]
        let contents = (0..<400).map { number in
            let size = number % 50 == 7 ? sizes[number / 50] : number * 7 % 900
            return Content(key: "k\(number)", value: "\(number) " + String(repeating: "x", count: size))
        }
        var start = 0
        for size in [1, 2, 100, 297] {
            try await Self.append(log, .events, 1, Array(contents[start..<start + size]))
            start += size
        }
        for reopened in [false, true] {
            if reopened {
                log.close()
                log = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions())
            }
            #expect(try log.offsets(topic: .events, partition: 1) == 0..<400)
            var batch = RecordBatch()
            for from in 0..<400 as Range<Int64> {
                batch.removeAll()
                let next = try log.read(
                    topic: .events, partition: 1, from: from, into: &batch, limit: PollLimit(records: 3, bytes: 2_000))
                #expect(batch.records.first?.offset == from && next == from + Int64(batch.records.count))
                for record in batch.records {
                    #expect(try Content(frame: batch.bytes[record.frame]) == contents[Int(record.offset)])
                }
            }
            batch.removeAll()
            let end = try log.read(
                topic: .events, partition: 1, from: 0, into: &batch, limit: PollLimit(records: 1_000, bytes: .max))
            #expect(end == 400 && batch.records.map(\.offset) == Array(0..<400))
            #expect(try log.offsets(topic: .events, partition: 0).isEmpty)
        }
        log.close()
    }

    @Test("appends beyond the queue's limit are refused, those within it stored")
    func backpressure() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.maximumQueuedBytes = 10_000
        let log = try EmbeddedLog(directory: directory.path, options: options)
        let outcomes = Mutex<[LogError?]>([])
        await Self.whileWriterIsBusy(log) {
            for number in 0..<20 {
                var batch = RecordBatch()
                let value = String(repeating: "x", count: 1_000) + "\(number)"
                batch.append(topic: .commands, partition: 0, offset: 0, frame: Content(key: "k", value: value).frame)
                log.append(batch) { error in outcomes.withLock { $0.append(error) } }
            }
        }
        try await Self.append(log, .notifications, 0, [Content(key: "k", value: "last")])
        let refused = outcomes.withLock { $0 }.compactMap { $0 }
        #expect(refused.count >= 10)
        #expect(refused.allSatisfy { $0.kind == .unavailable })
        let stored = try log.offsets(topic: .commands, partition: 0).count - 1
        #expect(stored == 20 - refused.count)
        log.close()
    }

    @Test("after a failed write appends heal the log by themselves, and the owner's epoch stays")
    func healing() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let log = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 1))
        let owner = Owner(log.shard(partitions: [0]), patience: .seconds(10))
        try await owner.start()
        log.failNextWrite(.lost)
        await #expect(throws: LogError.self) {
            try await Self.append(log, .commands, 0, [Content(key: "k", value: "lost")])
        }
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "kept")])
        #expect(log.statistics.reopenings == 1)
        #expect(try await owner.take(1).map(\.content) == [Content(key: "k", value: "kept")])
        var draft = BatchDraft()
        draft.position(.commands, 0, 1)
        #expect(await owner.commit(draft) == nil, "the owner had nothing in the failed write")
        log.close()
    }

    @Test("a store that lags behind slows the log down, and one that goes no further counts as a full disk")
    func stalls() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.stallPatience = Milliseconds(200)
        let log = try EmbeddedLog(directory: directory.path, options: options)
        log.failNextWrite(.stalled(times: 5))
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "late")])
        #expect(log.statistics.stalls == 5)
        log.failNextWrite(.stalled(times: .max))
        let refused = await #expect(throws: LogError.self) {
            try await Self.append(log, .commands, 0, [Content(key: "k", value: "never")])
        }
        #expect(refused?.kind == .full)
        log.failNextWrite(.stalled(times: 1))
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "again")])
        #expect(try log.offsets(topic: .commands, partition: 0) == 0..<2)
        log.close()
    }

    @Test("a store that has lost what was acknowledged is refused, until a person says that it is meant")
    func lostTail() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let path = directory.appending("log")
        let log = try EmbeddedLog(directory: path, options: EmbeddedLogOptions(partitionCount: 1))
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "1")])
        try log.checkpoint(to: directory.appending("older"))
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "2")])
        log.close()
        try FileManager.default.removeItem(atPath: "\(path)/store")
        try FileManager.default.copyItem(atPath: directory.appending("older"), toPath: "\(path)/store")
        let refused = #expect(throws: LogError.self) {
            _ = try EmbeddedLog(directory: path, options: EmbeddedLogOptions())
        }
        #expect(refused?.kind == .corrupt)
        #expect(refused?.detail.contains("was acknowledged") == true)
        try FileManager.default.removeItem(atPath: "\(path)/acknowledged")
        let restored = try EmbeddedLog(directory: path, options: EmbeddedLogOptions())
        #expect(try restored.offsets(topic: .commands, partition: 0) == 0..<1)
        restored.close()
    }

    @Test("one shard's failed commit does not take the other's partition")
    func shardsAreApart() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let log = try EmbeddedLog(directory: directory.path, options: EmbeddedLogOptions(partitionCount: 2))
        var owners: [Owner] = []
        for partition in 0..<Int32(2) {
            let owner = Owner(log.shard(partitions: [partition]), patience: .seconds(10))
            let error = await withCheckedContinuation { continuation in
                owner.log.start(wake: owner.wakes.wake) { continuation.resume(returning: $0) }
            }
            #expect(error == nil)
            try await owner.pollUntil("assigned") { $0.assignments.count == 1 }
            owners.append(owner)
        }
        func draft(_ partition: Int32) -> BatchDraft {
            var draft = BatchDraft()
            draft.record(.events, partition, Content(key: "k", value: "v"))
            return draft
        }
        log.failNextWrite(.lost)
        #expect(await owners[0].commit(draft(0)) != nil)
        try await owners[0].recover()
        #expect(await owners[1].commit(draft(1)) == nil)
        #expect(await owners[0].commit(draft(0)) == nil)
        #expect(try log.offsets(topic: .events, partition: 0) == 0..<1)
        #expect(try log.offsets(topic: .events, partition: 1) == 0..<1)
        log.close()
    }

    @Test("a checkpoint is a log of its own")
    func checkpoint() async throws {
        let directory = TemporaryDirectory("embedded")
        defer { withExtendedLifetime(directory) {} }
        let path = directory.appending("log")
        let log = try EmbeddedLog(directory: path, options: EmbeddedLogOptions(partitionCount: 1))
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "1")])
        let copy = TemporaryDirectory("copy")
        defer { withExtendedLifetime(copy) {} }
        try log.checkpoint(to: copy.appending("store"))
        try await Self.append(log, .commands, 0, [Content(key: "k", value: "2")])
        let copied = try EmbeddedLog(directory: copy.path, options: EmbeddedLogOptions())
        #expect(try copied.offsets(topic: .commands, partition: 0) == 0..<1)
        #expect(try log.offsets(topic: .commands, partition: 0) == 0..<2)
        log.close()
    }
}
