import EventLog
import PaymentModel

/// Builds a commit batch in words.
public struct BatchDraft: Sendable {
    private var batch = CommitBatch()

    /// An empty draft.
    public init() {}

    /// Whether it would write nothing.
    public var isEmpty: Bool { batch.isEmpty }

    /// An output record.
    public mutating func record(_ topic: Topic, _ partition: Int32, _ content: Content) {
        let frame = place(content.frame)
        batch.records.append(RecordSlot(topic: topic, partition: partition, offset: -1, frame: frame))
    }

    /// A new state of an entry; see `StateWrite` for the rest.
    public mutating func state(
        _ key: String, _ value: String?, partition: Int32, space: StateSpace = .payment, body: String? = nil,
        timerBefore: Int64? = nil, timer: Int64? = nil, summaryBefore: PaymentSummary? = nil,
        summary: PaymentSummary? = nil, references: [String] = []
    ) {
        let keyPlace = place(Array(key.utf8))
        let statePlace = value.map { place(Array($0.utf8)) }
        let bodyPlace = body.map { place(Array($0.utf8)) }
        let referencePlaces = references.map { place(Array($0.utf8)) }
        batch.states.append(
            StateWrite(
                partition: partition, space: space, key: keyPlace, state: statePlace,
                body: bodyPlace.map { .set($0) } ?? .unchanged,
                timerBefore: timerBefore.map { Timestamp(milliseconds: $0) },
                timer: timer.map { Timestamp(milliseconds: $0) }, summaryBefore: summaryBefore, summary: summary,
                references: referencePlaces))
    }

    /// Removes the body of the state that was drafted last.
    public mutating func removeBody() { batch.states[batch.states.count - 1].body = .removed }

    /// A new input position.
    public mutating func position(_ topic: Topic, _ partition: Int32, _ next: Int64) {
        batch.positions.append(InputPosition(topic: topic, partition: partition, next: next))
    }

    /// Works under these epochs instead of the owner's present ones.
    public mutating func epochs(_ assignments: [Assignment]) { batch.epochs = assignments }

    mutating func place(_ bytes: [UInt8]) -> Range<Int> {
        let start = batch.bytes.count
        batch.bytes.append(contentsOf: bytes)
        return start..<batch.bytes.count
    }

    /// The batch as `body` fills it.
    public func build(_ assignments: [Int32: Assignment]) -> CommitBatch {
        var built = batch
        if built.epochs.isEmpty {
            let touched = Set(
                built.records.map(\.partition) + built.states.map(\.partition) + built.positions.map(\.partition))
            built.epochs = touched.sorted().compactMap { assignments[$0] }
        }
        return built
    }
}

extension LogUnderTest {
    /// Appends inputs and waits until they are durable.
    public func append(_ topic: Topic, _ partition: Int32, _ contents: [Content]) async throws {
        var batch = RecordBatch()
        for content in contents { batch.append(topic: topic, partition: partition, offset: -1, frame: content.frame) }
        let error = await withCheckedContinuation { continuation in
            appender.append(batch) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
    }

    /// Everything that a reader sees of a partition, with its offsets.
    public func readAll(_ topic: Topic, _ partition: Int32, pageRecords: Int = 7) throws -> [Input] {
        var found: [Input] = []
        var next: Int64 = 0
        while true {
            var batch = RecordBatch()
            let from = next
            next = try reader.read(
                topic: topic, partition: partition, from: from, into: &batch,
                limit: PollLimit(records: pageRecords, bytes: 1 << 20))
            for slot in batch.records {
                found.append(
                    Input(
                        topic: topic, partition: partition, offset: slot.offset,
                        content: try Content(frame: batch.bytes[slot.frame])))
            }
            if batch.records.isEmpty, next == from { return found }
        }
    }

    /// A new owner of all partitions, started.
    public func startOwner() async throws -> Owner {
        let owner = Owner(try await makeShard(), patience: patience)
        try await owner.start()
        return owner
    }
}
