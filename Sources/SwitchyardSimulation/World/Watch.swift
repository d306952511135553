import EventLog
import InvariantChecker
import PaymentCore
import PaymentModel
import RecordFormat

/// Follows what becomes durable while a run goes on: every event is folded by the core's own table (S6), and after each
/// look the stored state of every payment that has a new event must be what its events say (S8, S2).
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Watch: @unchecked Sendable {
    private let log: MemoryLog
    /// The events that the daemon has put into a batch, by the bytes of their records: an event that is published is found
    /// again by them. Those whose batch was lost are never looked for.
    private var written: [ArraySlice<UInt8>: PaymentEvent] = [:]
    private var folds: [String: PaymentFold] = [:]
    private var next: [Topic: [Int64]] = [:]
    /// Published events and postings so far.
    private(set) var events: [RecordFact] = []
    private(set) var settlements: [RecordFact] = []
    /// What was broken.
    private(set) var violations: [Violation] = []

    init(log: MemoryLog) { self.log = log }

    /// The daemon has put an event into a batch.
    func written(_ event: PaymentEvent, as frame: ArraySlice<UInt8>) { written[frame] = event }

    /// Takes in what is durable since the last look.
    func look() {
        var touched: Set<String> = []
        read(.events) { record, fact, frame in
            touched.insert(fact.subject)
            events.append(fact)
            fold(fact, frame)
        }
        read(.settlements) { _, fact, _ in settlements.append(fact) }
        for payment in touched.sorted() { compare(payment) }
    }

    private func note(_ invariant: String, _ subject: String, _ detail: String) {
        violations.append(Violation(invariant, subject, detail))
    }

    private func read(_ topic: Topic, _ take: (PublishedRecord, RecordFact, [UInt8]) -> Void) {
        for partition in 0..<log.partitionCount {
            let from = next[topic]?[Int(partition)] ?? 0
            guard let range = try? log.offsets(topic: topic, partition: partition), range.upperBound > from else {
                continue
            }
            var batch = RecordBatch()
            let after = try? log.read(
                topic: topic, partition: partition, from: from, into: &batch,
                limit: PollLimit(records: .max, bytes: .max))
            next[topic, default: Array(repeating: 0, count: Int(log.partitionCount))][Int(partition)] = after ?? from
            for slot in batch.records {
                let frame = Array(batch.bytes[slot.frame])
                guard let record = PublishedRecord(frame) else { continue }
                take(record, RecordFact(record, topic: topic, partition: partition, offset: slot.offset), frame)
            }
        }
    }

    private func fold(_ fact: RecordFact, _ frame: [UInt8]) {
        guard let event = written[frame[...]] else {
            return note("S6", fact.subject, "\(fact.id) is published and was never written")
        }
        folds[fact.subject, default: PaymentFold()].take(event)
        guard let fold = folds[fact.subject] else { return }
        if !fold.isGapless { note("S6", fact.subject, "\(fact.id) leaves a gap") }
        if !fold.isLegal { note("S6", fact.subject, "\(fact.id): \(fold.illegal ?? "an illegal transition")") }
    }

    /// State = fold(events), as of the last commit of either.
    private func compare(_ payment: String) {
        guard let fold = folds[payment], fold.sequence > 0, let id = PaymentID(payment) else { return }
        guard let entry = try? log.entry(space: .payment, key: Array(payment.utf8)),
            let state = try? PaymentState(id: id, decoding: entry.state.span.bytes)
        else { return note("S8", payment, "has events and no readable state") }
        if state.status != fold.status || state.sequence != fold.sequence {
            note(
                "S8", payment,
                "stored as \(state.status.name) at \(state.sequence), by its events \(fold.status.name) at \(fold.sequence)"
            )
        }
        if state.captured != fold.captured || state.refunded != fold.refunded || state.chargedBack != fold.chargedBack {
            note("S8", payment, "stored amounts are not those of its events")
        }
        let open = Set(state.attempts.indices.filter { state.attempts[$0].isOpen }.map { $0 + 1 })
        if open != fold.open {
            note("S8", payment, "attempts \(open.sorted()) are open, by its events \(fold.open.sorted())")
        }
    }
}

extension RecordFact {
    init(_ record: PublishedRecord, topic: Topic, partition: Int32, offset: Int64) {
        self.init(
            topic: topic.suffix, partition: Int64(partition), offset: offset, type: record.type, id: record.id,
            source: record.source, subject: record.subject, data: FactValue(record.data()))
    }
}
