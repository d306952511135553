import EventLog
import PaymentCore
import PaymentModel

/// A payment in memory, with what the shard must remember of it beside its state. Used on the shard's thread only.
final class HotPayment {
    let actor: PaymentActor
    let id: PaymentID
    let partition: Int32
    /// Timer and summary as the last closed batch has them: what the next state write replaces.
    var storedTimer: Timestamp?
    var storedSummary: PaymentSummary?
    /// The armed timer, where it is in the queue.
    var timer: TimerQueue.Handle?
    var armedFor: Timestamp?
    /// Number of the last closed batch that holds its state; it may leave memory when that one is durable.
    var lastBatch: UInt64 = 0
    /// Whether the open batch holds something of it.
    var isTouched = false
    /// The body's place in the open batch, when it is new.
    var body: Range<Int>?
    /// What becomes of the stored entry with the open batch.
    var storage = Transition.Storage.keep
    /// The decoded initiate, only until its batch is durable: from then on the store has the body.
    var initiation: Initiation?
    /// References given in the open batch: places in its bytes.
    var references: [Range<Int>] = []
    /// Requests and inquiries that wait or are under way.
    var underWay = 0
    var lastUse: MonotonicTime
    fileprivate var newer: Int32 = -1
    fileprivate var older: Int32 = -1

    init(
        actor: PaymentActor, id: PaymentID, partition: Int32, storedTimer: Timestamp?, storedSummary: PaymentSummary?,
        lastUse: MonotonicTime
    ) {
        self.actor = actor
        self.id = id
        self.partition = partition
        self.storedTimer = storedTimer
        self.storedSummary = storedSummary
        self.lastUse = lastUse
    }

    /// Whether everything of it is durable as far as `committed`, and nothing is expected back.
    func canRest(committed: UInt64) -> Bool { !isTouched && underWay == 0 && lastBatch <= committed }
}

/// The payments in memory: found by id, ordered by their last use. All operations are O(1).
struct HotPayments {
    /// Place of a payment until it is removed.
    typealias Slot = Int

    /// A removed payment's place holds `nobody` until it is used again, so that its memory is free at once.
    private var slots: [HotPayment] = []
    private var free: [Slot] = []
    private var places: [PaymentID: Slot] = [:]
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    private let nobody: HotPayment

    init(executor: UnownedSerialExecutor) {
        guard let id = PaymentID("-") else { preconditionFailure("a valid identifier") }
        nobody = HotPayment(
            actor: PaymentActor(PaymentState(id: id), on: executor), id: id, partition: -1, storedTimer: nil,
            storedSummary: nil, lastUse: MonotonicTime(milliseconds: 0))
    }

    var count: Int { places.count }
    /// The payment that was not used for the longest time.
    var leastRecent: Slot? { oldest < 0 ? nil : Slot(oldest) }

    func find(_ id: PaymentID) -> Slot? { places[id] }

    /// The same, quicker where the payment is still where it was.
    func find(_ id: PaymentID, lastAt slot: Slot) -> Slot? {
        if slot < slots.count, slots[slot].id == id, slots[slot] !== nobody { return slot }
        return places[id]
    }

    /// The payment at a place that `find` or `insert` gave.
    subscript(slot: Slot) -> HotPayment { slots[slot] }

    mutating func insert(_ payment: HotPayment) -> Slot {
        let slot: Slot
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = payment
        } else {
            slot = slots.count
            slots.append(payment)
        }
        places[payment.id] = slot
        link(slot)
        return slot
    }

    mutating func touch(_ slot: Slot, at now: MonotonicTime) {
        let payment = slots[slot]
        payment.lastUse = now
        guard newest != Int32(slot) else { return }
        unlink(payment)
        link(slot)
    }

    mutating func remove(_ slot: Slot) {
        let payment = slots[slot]
        unlink(payment)
        places[payment.id] = nil
        slots[slot] = nobody
        free.append(slot)
    }

    mutating func removeAll() {
        slots.removeAll()
        free.removeAll()
        places.removeAll()
        newest = -1
        oldest = -1
    }

    /// Removes the payments of a partition. Linear.
    mutating func removeAll(partition: Int32) {
        for slot in slots.indices where slots[slot].partition == partition { remove(slot) }
    }

    private mutating func link(_ slot: Slot) {
        let payment = slots[slot]
        payment.older = newest
        payment.newer = -1
        if newest >= 0 { slots[Slot(newest)].newer = Int32(slot) } else { oldest = Int32(slot) }
        newest = Int32(slot)
    }

    private mutating func unlink(_ payment: HotPayment) {
        let newer = payment.newer
        let older = payment.older
        if newer >= 0 { slots[Slot(newer)].older = older } else { newest = older }
        if older >= 0 { slots[Slot(older)].newer = newer } else { oldest = newer }
    }
}
