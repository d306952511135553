import Dispatch
import EventLog
import Foundation
import KafkaLog
import KafkaTransport
import PaymentModel
import RecordFormat
import Synchronization

/// A process that owns partitions and does the least that shows whether a command took effect once: for each command one
/// event of the same value, and the key's state, a number, grows by one. Tests kill, stop and drown it.
///
/// Arguments: bootstrap, topic prefix, directory, instance, then `hold N` to stop after N commits with a transaction
/// open, or `run`.
@main
enum KafkaLogOwner {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count >= 6 else { exit(2) }
        let cluster = try KafkaConfiguration(
            bootstrapServers: words[1],
            properties: [
                "session.timeout.ms": "1500", "heartbeat.interval.ms": "300", "transaction.timeout.ms": "10000",
            ])
        var settings = KafkaLogSettings(cluster: cluster, directory: words[3])
        settings.topicPrefix = words[2]
        settings.groupID = "g-\(words[2])"
        settings.instanceID = words[4]
        // The tests' records are of 1970.
        settings.finishedRetention = .seconds(200 * 365 * 86_400)
        settings.maximumPollInterval = .milliseconds(4_000)
        settings.report = { say("report \($0) \($1)") }
        let log = try KafkaEventLog(settings)
        let shard = log.shard(0)
        if words[5] == "hold" { hold(shard, after: words.count > 6 ? Int(words[6]) ?? 1 : 1) }
        try Worker(shard).run()
        log.close()
    }

    /// After so many commits the next one stops where its positions are sent and its end is not.
    private static func hold(_ shard: KafkaShardLog, after count: Int) {
        let commits = Mutex(0)
        shard.watcher.withLock {
            $0 = { step in
                if step == .committed { commits.withLock { $0 += 1 } }
                if step == .offsetsSent, commits.withLock({ $0 }) >= count {
                    // Its records are with the broker.
                    usleep(300_000)
                    say("holding")
                    while true { pause() }
                }
                return .proceed
            }
        }
    }

    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }
}

/// Polls, decides, commits, one after the other.
final class Worker {
    private let shard: KafkaShardLog
    private let news = DispatchSemaphore(value: 0)
    private var epochs: [Int32: Assignment] = [:]

    init(_ shard: KafkaShardLog) { self.shard = shard }

    func run() throws {
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        let news = news
        let stop = Flag()
        source.setEventHandler {
            stop.set()
            news.signal()
        }
        source.resume()
        try wait { done in shard.start(wake: { news.signal() }, completion: done) }
        while !stop.isSet {
            var batch = RecordBatch()
            let events = try shard.poll(into: &batch, limit: PollLimit(records: 50, bytes: 1 << 20))
            if events.isEmpty {
                _ = news.wait(timeout: .now() + 0.2)
                continue
            }
            var first = 0
            for event in events {
                switch event {
                case .assigned(let assignment):
                    epochs[assignment.partition] = assignment
                    KafkaLogOwner.say(
                        "assigned \(assignment.partition) \(assignment.epoch) \(assignment.predecessorProvenDead)")
                case .revoked(let partition):
                    epochs[partition] = nil
                    KafkaLogOwner.say("revoked \(partition)")
                case .records(let count):
                    try handle(batch, first..<(first + count))
                    first += count
                }
            }
        }
        let closed = DispatchSemaphore(value: 0)
        shard.close { closed.signal() }
        closed.wait()
        KafkaLogOwner.say("closed")
        withExtendedLifetime(source) {}
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

    private func handle(_ batch: RecordBatch, _ range: Range<Int>) throws {
        var commit = CommitBatch()
        var counts: [String: Int] = [:]
        var next: [Int32: Int64] = [:]
        for slot in batch.records[range] where slot.topic == .commands {
            guard epochs[slot.partition] != nil else { continue }
            let frame = Array(batch.bytes[slot.frame])
            let layout = try RecordLayout(frame.span.bytes)
            let key = layout.key.map { Array(frame[$0]) } ?? []
            let name = "\(slot.partition) \(String(decoding: key, as: UTF8.self))"
            if counts[name] == nil {
                counts[name] =
                    try shard.entry(partition: slot.partition, space: .payment, key: key) { entry in
                        Int(entry.state.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }) ?? 0
                    } ?? 0
            }
            counts[name, default: 0] += 1
            let start = commit.bytes.count
            commit.bytes += frame
            commit.records.append(
                RecordSlot(topic: .events, partition: slot.partition, offset: -1, frame: start..<commit.bytes.count))
            next[slot.partition] = slot.offset + 1
        }
        for (name, count) in counts {
            let parts = name.split(separator: " ", maxSplits: 1)
            guard let partition = Int32(parts[0]) else { continue }
            let key = place(Array(parts[1].utf8), &commit)
            let state = place(Array("\(count)".utf8), &commit)
            commit.states.append(StateWrite(partition: partition, space: .payment, key: key, state: state))
        }
        for (partition, offset) in next {
            commit.positions.append(InputPosition(topic: .commands, partition: partition, next: offset))
            if let epoch = epochs[partition] { commit.epochs.append(epoch) }
        }
        let records = commit.records.count
        do {
            try wait { done in shard.commit(commit) { done($1) } }
            KafkaLogOwner.say("committed \(records)")
        } catch {
            KafkaLogOwner.say("failed \(error)")
            epochs.removeAll()
            try wait { done in shard.recover(completion: done) }
        }
    }

    private func place(_ bytes: [UInt8], _ commit: inout CommitBatch) -> Range<Int> {
        let start = commit.bytes.count
        commit.bytes += bytes
        return start..<commit.bytes.count
    }
}

/// Set once, from any thread.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
