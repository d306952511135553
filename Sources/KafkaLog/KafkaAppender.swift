import Dispatch
import EventLog
import KafkaTransport
import RecordFormat
import Synchronization

/// Commands and notifications from HTTP and `send` on their way into the topics: an idempotent producer, explicit
/// partitions. A record whose append failed may still be stored; owners recognise repetitions.
public final class KafkaAppender: LogAppender {
    private struct Group {
        var open: Int
        var error: LogError?
        var completion: @Sendable (LogError?) -> Void
    }

    private struct State {
        var groups: [UInt: Group] = [:]
        var nextToken: UInt = 1
        var producer: KafkaProducer?
        var closed = false
    }

    /// Told of deliveries by the producer; separate, so that neither holds the other for ever.
    private final class Ledger: Sendable {
        let state = Mutex(State())

        func delivered(_ token: UInt, _ error: KafkaError?) {
            let done: (@Sendable (LogError?) -> Void, LogError?)? = state.withLock { state in
                guard var group = state.groups[token] else { return nil }
                group.open -= 1
                if let error, group.error == nil { group.error = KafkaAppender.translated(error) }
                state.groups[token] = group.open == 0 ? nil : group
                return group.open == 0 ? (group.completion, group.error) : nil
            }
            if let done { done.0(done.1) }
        }
    }

    /// The number of partitions of every topic.
    public var partitionCount: Int32 { log.partitionCount }
    private let log: KafkaEventLog
    private let ledger = Ledger()
    /// At most so many records wait for their delivery.
    private static let waitingLimit = 50_000
    private static let topics: [Topic] = [.commands, .notifications]

    init(_ log: KafkaEventLog) throws(LogError) {
        self.log = log
        let producer = try makeProducer()
        ledger.state.withLock { $0.producer = producer }
    }

    /// Stores the records. See `LogAppender`. Never waits.
    public func append(_ batch: RecordBatch, completion: @escaping @Sendable (LogError?) -> Void) {
        do throws(LogError) {
            guard !batch.records.isEmpty else { return completion(nil) }
            for slot in batch.records {
                guard (0..<partitionCount).contains(slot.partition), KafkaAppender.topics.contains(slot.topic) else {
                    throw LogError(.misconfigured, "\(slot.topic) [\(slot.partition)] takes no inputs")
                }
            }
            try enqueue(batch, completion)
        } catch {
            completion(error)
        }
    }

    /// Flushes and ends. Blocks up to 12 s.
    public func close() {
        let producer = ledger.state.withLock { state in
            state.closed = true
            defer { state.producer = nil }
            return state.producer
        }
        producer?.close()
    }

    private func enqueue(
        _ batch: RecordBatch, _ completion: @escaping @Sendable (LogError?) -> Void
    ) throws(LogError) {
        let producer = try usableProducer()
        guard producer.waiting + batch.records.count <= KafkaAppender.waitingLimit else {
            throw LogError(.unavailable, "\(producer.waiting) records wait for the broker")
        }
        let count = batch.records.count
        let token = ledger.state.withLock { state in
            defer { state.nextToken += 1 }
            state.groups[state.nextToken] = Group(open: count, error: nil, completion: completion)
            return state.nextToken
        }
        batch.bytes.withUnsafeBytes { bytes in
            for slot in batch.records {
                do throws(KafkaError) {
                    try FrameCodec.withParts(
                        UnsafeRawBufferPointer(rebasing: bytes[slot.frame]),
                        topic: slot.topic == .commands ? 0 : 1, partition: slot.partition
                    ) { record, headers, fill throws(KafkaError) in
                        try producer.produce(record, headers: headers, token: token, fill: fill)
                    }
                } catch {
                    ledger.delivered(token, error)
                }
            }
        }
    }

    /// The producer; replaced where an error has finished it.
    private func usableProducer() throws(LogError) -> KafkaProducer {
        let (current, closed) = ledger.state.withLock { ($0.producer, $0.closed) }
        guard !closed else { throw LogError(.closed, "the appender is closed") }
        if let current, current.fatalError == nil { return current }
        let new = try makeProducer()
        let old = ledger.state.withLock { state in
            defer { state.producer = new }
            return state.producer
        }
        if let old { DispatchQueue.global().async { old.close() } }
        return new
    }

    private func makeProducer() throws(LogError) -> KafkaProducer {
        do {
            let ledger = ledger
            return try KafkaProducer(
                log.settings.cluster, clientID: "\(log.settings.groupID)-\(log.instanceID)-append",
                topics: KafkaAppender.topics.map(log.name)
            ) { token, error, _ in ledger.delivered(token, error) }
        } catch {
            throw LogError(.misconfigured, "\(error)")
        }
    }

    private static func translated(_ error: KafkaError) -> LogError {
        switch error.code {
        case .messageTooLarge: LogError(.tooLarge, "\(error)")
        case .invalidArgument: LogError(.misconfigured, "\(error)")
        default: LogError(.unavailable, "\(error)")
        }
    }
}
