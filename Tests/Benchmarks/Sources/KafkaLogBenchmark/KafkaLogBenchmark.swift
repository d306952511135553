import Dispatch
import EventLog
import Foundation
import KafkaLog
import KafkaTransport
import PaymentModel
import RecordFormat
import Synchronization

/// The Kafka log alone, without decisions and without partners: every command becomes what an accepted payout becomes
/// (five events with eight headers, one state with body, timer, row and reference), then what its answer becomes (three
/// events, one posting, one state). Compare with `yardstick/null_pipeline.c`, which does the same I/O in C.
///
/// Arguments: bootstrap servers, number of commands, commands a transaction (default 500), and `restore` to measure
/// instead how long a restore of that many open payments takes with and without the local copy.
@main
enum KafkaLogBenchmark {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count >= 3, let count = Int(words[2]) else {
            print("usage: KafkaLogBenchmark BOOTSTRAP COUNT [PER-TRANSACTION] [restore]")
            exit(2)
        }
        let size = words.count > 3 ? Int(words[3]) ?? 500 : 500
        let prefix = "bench\(UUID().uuidString.prefix(8))."
        let directory = NSTemporaryDirectory() + "/switchyard-bench-\(prefix)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var settings = KafkaLogSettings(
            cluster: try KafkaConfiguration(bootstrapServers: words[1]), directory: directory)
        settings.topicPrefix = prefix
        settings.groupID = "g-\(prefix)"
        settings.partitions = 4
        settings.report = { level, text in if level < 4 { print(text) } }
        let bench = try Bench(settings, size: size)
        if words.count > 4, words[4] == "restore" {
            try bench.measureRestore(count)
        } else {
            try bench.measureCommits(count)
        }
    }
}

final class Bench {
    private var settings: KafkaLogSettings
    private let size: Int
    private var log: KafkaEventLog
    private var shard: KafkaShardLog
    private let news = DispatchSemaphore(value: 0)
    private var epochs: [Int32: Assignment] = [:]
    private let now = Int64(Date().timeIntervalSince1970 * 1_000)
    private let event = [UInt8](repeating: 0x61, count: 400)
    private let state = [UInt8](repeating: 0x62, count: 400)
    private let body = [UInt8](repeating: 0x63, count: 600)

    init(_ settings: KafkaLogSettings, size: Int) throws {
        self.settings = settings
        self.size = size
        log = try KafkaEventLog(settings)
        shard = log.shard(0)
    }

    private func wait(_ body: (@escaping @Sendable (LogError?) -> Void) -> Void) throws {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<LogError?>(nil)
        body { error in
            result.withLock { $0 = error }
            done.signal()
        }
        done.wait()
        if let error = result.withLock({ $0 }) { throw error }
    }

    private func start() throws {
        let news = news
        epochs = [:]
        try wait { done in shard.start(wake: { news.signal() }, completion: done) }
        while epochs.count < Int(log.partitionCount) {
            var batch = RecordBatch()
            for event in try shard.poll(into: &batch, limit: PollLimit(records: 0, bytes: 0)) {
                if case .assigned(let assignment) = event { epochs[assignment.partition] = assignment }
            }
            _ = news.wait(timeout: .now() + 0.05)
        }
    }

    private func cpu() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    func measureCommits(_ count: Int) throws {
        try fill(count)
        try start()
        let start = ContinuousClock.now
        let startCPU = cpu()
        var done = 0
        var transactions = 0
        while done < count {
            var batch = RecordBatch()
            _ = try shard.poll(into: &batch, limit: PollLimit(records: size, bytes: 8 << 20))
            if batch.records.isEmpty {
                _ = news.wait(timeout: .now() + 0.05)
                continue
            }
            // Twice: the decision about the command, and the partner's answer.
            for answer in [false, true] {
                let commit = self.commit(batch, answer: answer)
                try wait { done in shard.commit(commit) { done($1) } }
                transactions += 1
            }
            done += batch.records.count
        }
        let seconds =
            Double(start.duration(to: .now).components.attoseconds) / 1e18
            + Double(start.duration(to: .now).components.seconds)
        let used = cpu() - startCPU
        print(
            "commits: \(count) payouts, \(transactions) transactions, \(Int(Double(count) / seconds)) payouts/s, "
                + "\(Int(used / Double(count) * 1e6)) µs CPU each")
        close()
    }

    private func close() {
        let closed = DispatchSemaphore(value: 0)
        shard.close { closed.signal() }
        closed.wait()
        log.close()
    }

    private func fill(_ count: Int) throws {
        let appender = try log.appender()
        var next = 0
        while next < count {
            var batch = RecordBatch()
            for _ in 0..<min(1_000, count - next) {
                let key = Array("payment-\(next)".utf8)
                batch.append(
                    topic: .commands, partition: PartitionHash.partition(of: key, count: log.partitionCount),
                    offset: -1,
                    frame: RecordFrame.encode(
                        key: key, timestamp: now,
                        headers: (0..<6).map { (Array("ce_name\($0)".utf8), Array("value-\($0)-of-it".utf8)) },
                        value: body))
                next += 1
            }
            let full = batch
            try wait { done in appender.append(full, completion: done) }
        }
        appender.close()
    }

    private func commit(_ batch: RecordBatch, answer: Bool) -> CommitBatch {
        var commit = CommitBatch()
        var positions: [Int32: Int64] = [:]
        for slot in batch.records {
            let frame = batch.bytes[slot.frame]
            let bytes = Array(frame)
            let key = (try? RecordLayout(bytes.span.bytes))?.key.map { Array(bytes[$0]) } ?? []
            for number in 0..<(answer ? 4 : 5) {
                let start = commit.bytes.count
                RecordFrame.begin(
                    into: &commit.bytes, key: key, timestamp: now, headers: 8, hasValue: true)
                for _ in 0..<8 {
                    RecordFrame.appendHeader(into: &commit.bytes, name: "ce_something", value: key)
                }
                commit.bytes += event
                commit.records.append(
                    RecordSlot(
                        topic: answer && number == 3 ? .settlements : .events, partition: slot.partition, offset: -1,
                        frame: start..<commit.bytes.count))
            }
            append(state: key, slot.partition, answer, &commit)
            positions[slot.partition] = slot.offset + 1
        }
        for (partition, offset) in positions {
            if !answer {
                commit.positions.append(InputPosition(topic: .commands, partition: partition, next: offset))
            }
            if let epoch = epochs[partition] { commit.epochs.append(epoch) }
        }
        return commit
    }

    private func append(state key: [UInt8], _ partition: Int32, _ answer: Bool, _ commit: inout CommitBatch) {
        func place(_ bytes: [UInt8]) -> Range<Int> {
            let start = commit.bytes.count
            commit.bytes += bytes
            return start..<commit.bytes.count
        }
        let since = Timestamp(milliseconds: 1_800_000_000_000 + (answer ? 1 : 0))
        let keyPlace = place(key)
        let statePlace = place(state)
        let bodyPlace = answer ? nil : place(body)
        let reference = answer ? nil : place(Array("S".utf8) + key)
        commit.states.append(
            StateWrite(
                partition: partition, space: .payment, key: keyPlace, state: statePlace,
                body: bodyPlace.map { .set($0) } ?? .unchanged, timer: answer ? nil : since,
                summary: PaymentSummary(
                    status: answer ? 9 : 5, parked: false, finished: answer, since: since, partner: "bank-a"),
                references: reference.map { [$0] } ?? []))
    }

    /// Writes `count` open payments, then restores them: from the topic alone, and with the local copy.
    func measureRestore(_ count: Int) throws {
        try start()
        var next = 0
        while next < count {
            var batch = CommitBatch()
            for _ in 0..<min(5_000, count - next) {
                let key = Array("payment-\(next)".utf8)
                append(state: key, PartitionHash.partition(of: key, count: log.partitionCount), false, &batch)
                next += 1
            }
            batch.epochs = Array(epochs.values)
            let full = batch
            try wait { done in shard.commit(full) { done($1) } }
        }
        close()
        for name in ["with the local copy", "without it"] {
            if name == "without it" { try FileManager.default.removeItem(atPath: settings.directory) }
            let begin = ContinuousClock.now
            let beginCPU = cpu()
            log = try KafkaEventLog(settings)
            shard = log.shard(0)
            try start()
            print(
                "restore of \(count) open payments \(name): \(begin.duration(to: .now)), "
                    + "\(Int((cpu() - beginCPU) / Double(count) * 1e6)) µs CPU each")
            close()
        }
    }
}
