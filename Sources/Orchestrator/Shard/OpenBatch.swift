import EventLog
import MessageCodec
import PaymentCore
import PaymentModel
import RecordFormat

/// An effect that waits for its batch to be durable.
struct PendingEffect {
    var payment: PaymentID
    /// Where the payment was when it ordered this.
    var slot: HotPayments.Slot
    var partition: Int32
    var incarnation: UInt64
    var effect: Effect
    /// Whether the payment waits for nothing else (an inquiry about doubt).
    var urgent: Bool
    var initiation: Initiation?
    var traceparent: String?
    /// Late evidence came before it could begin: it ends as not sent.
    var isWithdrawn = false

    /// The route of a request that may move money; nil where it is something else.
    var submitRoute: Route? {
        if case .submit(let order) = effect { order.route } else { nil }
    }
}

/// A timer that was set beyond what is loaded; looked at again when its batch is durable.
struct DistantTimer {
    var due: Timestamp
    var partition: Int32
    var space: StateSpace
    var key: String
}

/// The batch that is being filled, with what follows once it is durable.
///
/// A reference that the shard and its payments share, so that a payment fills it in place. Sending it is safe
/// (`@unchecked`): it is used on the shard's thread only, by the shard and by payments on the same executor; the log gets
/// its buffers, never the batch itself.
final class OpenBatch: @unchecked Sendable {
    /// From 1, in the order of commits.
    let number: UInt64
    var commit = CommitBatch()
    /// Payments whose state goes into it, in the order of their first touch.
    var touched: [HotPayments.Slot] = []
    /// Kept notifications that changed, by reference, in the order of their first touch.
    var touchedKept: [String] = []
    /// Partitions that it concerns; few.
    var partitions: [Int32] = []
    var effects: [PendingEffect] = []
    /// The requests among the effects.
    var requests = OrderedRequests()
    var alarms: [ShardAlarm] = []
    var distant: [DistantTimer] = []
    var references = GivenReferences()
    /// When its commit began, and of how many records.
    var began = MonotonicTime(milliseconds: 0)
    var records = 0

    init(number: UInt64, buffers: CommitBatch = CommitBatch()) {
        self.number = number
        commit = buffers
        commit.removeAll()
    }

    var isEmpty: Bool { partitions.isEmpty }

    func touch(partition: Int32) {
        if !partitions.contains(partition) { partitions.append(partition) }
    }

    /// Records that a frame from `start` to the end of the bytes is an output.
    func emit(_ topic: Topic, _ partition: Int32, from start: Int) {
        commit.records.append(
            RecordSlot(topic: topic, partition: partition, offset: 0, frame: start..<commit.bytes.count))
    }

    /// Appends bytes that are no frame; their place.
    func place(_ text: String) -> Range<Int> { OpenBatch.place(text, in: &commit.bytes) }

    private static func place(_ text: String, in bytes: inout [UInt8]) -> Range<Int> {
        let start = bytes.count
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
        return start..<bytes.count
    }

    private static func place(_ data: [UInt8], in bytes: inout [UInt8]) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: data)
        return start..<bytes.count
    }

    /// Takes over what a transition brought: events, postings, references, effects. They are taken out of it, each for
    /// itself and none copied.
    func take<Domain: PaymentDomain>(
        _ transition: inout Transition, of state: inout PaymentState, _ context: borrowing StepContext,
        _ cause: EventContext, _ domain: HeldDomain<Domain>, _ outcome: inout StepOutcome
    ) {
        guard transition.changedState || !transition.events.isEmpty || !transition.effects.isEmpty else { return }
        outcome.isChanged = true
        outcome.events += transition.events.count
        write(&transition, of: state.id, context, cause, domain, &outcome)
        order(&transition.effects, &state, context, cause, &outcome)
        if transition.storage != .keep { outcome.storage = transition.storage }
    }

    /// Appends the records of a transition. The bytes leave the batch for that time: they are looked up once.
    private func write<Domain: PaymentDomain>(
        _ transition: inout Transition, of payment: PaymentID, _ context: borrowing StepContext, _ cause: EventContext,
        _ domain: HeldDomain<Domain>, _ outcome: inout StepOutcome
    ) {
        guard !transition.events.isEmpty || !transition.postings.isEmpty else { return }
        var bytes: [UInt8] = []
        swap(&bytes, &commit.bytes)
        func emit(_ topic: Topic, _ start: Int) {
            commit.records.append(
                RecordSlot(topic: topic, partition: context.partition, offset: 0, frame: start..<bytes.count))
        }
        transition.events.reverse()
        while let event = transition.events.popLast() {
            let start = bytes.count
            domain.value.append(event: event, cause, to: &bytes)
            emit(.events, start)
            switch event.body {
            case .received:
                guard let initiate = context.initiate else { continue }
                outcome.body = OpenBatch.place(initiate.body, in: &bytes)
                outcome.initiation = initiate.initiation
            case .attemptStarted(let start):
                references.append(start.reference, of: payment)
                outcome.references.append((start.reference, OpenBatch.place(start.reference.text, in: &bytes)))
            default: break
            }
        }
        transition.postings.reverse()
        while let posting = transition.postings.popLast() {
            let start = bytes.count
            domain.value.append(posting: posting, cause, at: context.now.wall, to: &bytes)
            emit(.settlements, start)
        }
        swap(&bytes, &commit.bytes)
    }

    /// Marks the requests of an attempt among the first `effects` effects: they are not even begun.
    func withdraw(_ payment: PaymentID, attempt: Int, effects count: Int) {
        for index in 0..<min(count, effects.count) where effects[index].payment == payment {
            guard case .submit(let order) = effects[index].effect, order.attempt == attempt else { continue }
            effects[index].isWithdrawn = true
        }
    }

    private func order(
        _ ordered: inout [Effect], _ state: inout PaymentState, _ context: borrowing StepContext,
        _ cause: EventContext, _ outcome: inout StepOutcome
    ) {
        ordered.reverse()
        while let effect = ordered.popLast() {
            if case .withdraw(let attempt) = effect {
                outcome.withdrawn.append((attempt, effects.count))
                continue
            }
            if case .submit(let order) = effect { requests.add(order.route.partner) }
            effects.append(
                PendingEffect(
                    payment: state.id, slot: context.slot, partition: context.partition,
                    incarnation: context.now.incarnation.number, effect: effect, urgent: state.status == .inDoubt,
                    initiation: outcome.initiation, traceparent: cause.traceparent))
        }
    }
}
