import EventLog
import PaymentModel
import RecordFormat
import Synchronization

/// An input as an owner got it.
public struct Input: Sendable, Equatable {
    /// Topic.
    public var topic: Topic
    /// Partition.
    public var partition: Int32
    /// Offset.
    public var offset: Int64
    /// Key, headers and value taken from the frame.
    public var content: Content
}

/// A record's parts, compared instead of frames: Kafka takes a frame apart and puts it together again.
public struct Content: Sendable, Equatable, CustomStringConvertible {
    /// The key.
    public var key: [UInt8]?
    /// Names and values of the headers.
    public var headers: [[[UInt8]]]
    /// The value.
    public var value: [UInt8]?
    /// Milliseconds since 1970.
    public var timestamp: Int64

    /// Takes a frame apart.
    public init(frame: ArraySlice<UInt8>) throws {
        let bytes = Array(frame)
        let layout = try RecordLayout(bytes.span.bytes)
        key = layout.key.map { Array(bytes[$0]) }
        headers = layout.headers.map { [Array(bytes[$0.name]), Array(bytes[$0.value])] }
        value = layout.value.map { Array(bytes[$0]) }
        timestamp = layout.timestamp
    }

    /// Parts.
    public init(key: String, value: String, timestamp: Int64 = 1) {
        self.key = Array(key.utf8)
        headers = [[Array("ce_id".utf8), Array("id-\(value)".utf8)]]
        self.value = Array(value.utf8)
        self.timestamp = timestamp
    }

    /// The frame of these parts.
    public var frame: [UInt8] {
        RecordFrame.encode(key: key, timestamp: timestamp, headers: headers.map { ($0[0], $0[1]) }, value: value)
    }

    /// Key and value.
    public var description: String {
        "\(String(decoding: key ?? [], as: UTF8.self))=\(String(decoding: value ?? [], as: UTF8.self))"
    }
}

/// Why a case could not go on.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// What was waited for.
    public let description: String
}

/// Drives a shard's end of the log as a shard does, one call at a time.
public actor Owner {
    /// The end that is driven.
    public nonisolated let log: any ShardLog
    /// Partitions that are ours, by the last events.
    public private(set) var assignments: [Int32: Assignment] = [:]
    /// Everything polled since the last `forget`.
    public private(set) var inputs: [Input] = []
    /// Times that `wake` was called.
    public nonisolated let wakes = WakeCounter()
    private let patience: Duration

    /// An owner that is not started.
    public init(_ log: any ShardLog, patience: Duration) {
        self.log = log
        self.patience = patience
    }

    /// Starts and polls until every partition is assigned.
    public func start() async throws {
        let error = await withCheckedContinuation { continuation in
            log.start(wake: wakes.wake) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
        try await pollUntil("every partition assigned") { $0.assignments.count == Int($0.log.partitionCount) }
    }

    /// One poll.
    @discardableResult
    public func poll(_ limit: PollLimit = PollLimit(records: 1_000, bytes: 1 << 20)) throws -> [LogEvent] {
        var batch = RecordBatch()
        let events = try log.poll(into: &batch, limit: limit)
        var next = 0
        for event in events {
            switch event {
            case .assigned(let assignment): assignments[assignment.partition] = assignment
            case .revoked(let partition): assignments[partition] = nil
            case .records(let count):
                for slot in batch.records[next..<(next + count)] {
                    inputs.append(
                        Input(
                            topic: slot.topic, partition: slot.partition, offset: slot.offset,
                            content: try Content(frame: batch.bytes[slot.frame])))
                }
                next += count
            }
        }
        return events
    }

    /// Polls until the condition holds.
    public func pollUntil(_ what: String, _ condition: @Sendable (isolated Owner) -> Bool) async throws {
        let deadline = ContinuousClock.now + patience
        while !condition(self) {
            if try poll().isEmpty {
                guard ContinuousClock.now < deadline else {
                    throw ConformanceFailure(description: "waited for: \(what)")
                }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// Polls until so many inputs have come since the last `forget`.
    public func take(_ count: Int) async throws -> [Input] {
        try await pollUntil("\(count) inputs") { $0.inputs.count >= count }
        return inputs
    }

    /// Forgets the inputs polled so far.
    public func forget() { inputs.removeAll() }

    /// Commits; the error, nil where it succeeded. Names the epochs of the partitions where the draft names none.
    public func commit(_ draft: BatchDraft) async -> LogError? {
        let batch = draft.build(assignments)
        return await withCheckedContinuation { continuation in
            log.commit(batch) { _, error in continuation.resume(returning: error) }
        }
    }

    /// Recovers, and polls until the partitions are assigned again. Forgets the inputs polled before.
    public func recover() async throws {
        forget()
        let before = assignments
        let error = await withCheckedContinuation { continuation in
            log.recover { continuation.resume(returning: $0) }
        }
        if let error { throw error }
        try await pollUntil("assigned again") { owner in
            before.allSatisfy { (owner.assignments[$0.key]?.epoch ?? 0) > $0.value.epoch }
        }
    }

    /// Ends ownership.
    public func close() async {
        await withCheckedContinuation { continuation in log.close { continuation.resume() } }
    }

    /// State and body of an entry.
    public func entry(_ key: String, space: StateSpace = .payment, partition: Int32) throws -> [[UInt8]?]? {
        try log.entry(partition: partition, space: space, key: Array(key.utf8)) { entry in
            var parts: [[UInt8]?] = [entry.state.withUnsafeBytes { Array($0) }, nil]
            if let body = entry.body { parts[1] = body.withUnsafeBytes { Array($0) } }
            return parts
        }
    }

    /// Keys of the timers that are due, in order.
    public func timers(_ partition: Int32, through: Int64, after: DueTimer? = nil, limit: Int = 1_000) throws
        -> [DueTimer]
    {
        try log.timers(
            partition: partition, through: Timestamp(milliseconds: through), after: after, limit: limit)
    }

    /// The payment of a reference.
    public func key(reference: String, partition: Int32) throws -> String? {
        try log.key(reference: Array(reference.utf8), partition: partition)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Counts wake-ups from any thread.
public final class WakeCounter: Sendable {
    private let counter = Mutex(0)
    /// How many there were.
    public var count: Int { counter.withLock { $0 } }
    /// The function to hand to the log.
    public var wake: @Sendable () -> Void {
        { self.counter.withLock { $0 += 1 } }
    }
}
