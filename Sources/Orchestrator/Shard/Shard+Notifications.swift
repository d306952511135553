import EventLog
import MessageCodec
import PaymentCore
import PaymentModel
import RecordFormat

/// Notifications for a payment that is not known (yet), under the reference that they name.
struct KeptEntry {
    let partition: Int32
    /// The frames of the records, as polled, oldest first.
    var frames: [[UInt8]] = []
    /// When they are given up.
    var expires: Timestamp?
    var storedExpires: Timestamp?
    /// Number of the last closed batch that holds it.
    var lastBatch: UInt64 = 0
    var isTouched = false

    init(partition: Int32) { self.partition = partition }

    func encode(into bytes: inout [UInt8]) {
        var writer = BinaryWriter()
        writer.signed(expires?.milliseconds ?? 0)
        writer.unsigned(UInt64(frames.count))
        for frame in frames { writer.blob(frame) }
        bytes.append(contentsOf: writer.bytes)
    }

    /// An entry as the store has it.
    init(decoding span: RawSpan, partition: Int32) throws(BinaryError) {
        var reader = BinaryReader(span)
        self.partition = partition
        let expires = Timestamp(milliseconds: try reader.signed())
        self.expires = expires
        storedExpires = expires
        for _ in 0..<(try reader.count(limit: 4_096)) { frames.append(try reader.blob()) }
        try reader.finish()
    }
}

extension Shard {
    func takeNotification(_ frame: RawSpan, _ slot: RecordSlot, _ polled: RecordBatch) {
        switch held.value.notification(frame: frame) {
        case .undecodable(let code, let detail):
            deadLetter(slot, of: polled, code: code, detail: detail)
            postUnexplained(frame, polled.bytes[slot.frame], partition: slot.partition)
        case .notification(let notification):
            guard let payment = payment(of: notification.reference, partition: slot.partition) else {
                return keep(frameBytes: polled.bytes[slot.frame], notification.reference, partition: slot.partition)
            }
            switch notify(payment, notification) {
            case .unmatched:
                keep(frameBytes: polled.bytes[slot.frame], notification.reference, partition: slot.partition)
            case .duplicate: status.duplicates += 1
            case .applied, .ignored: break
            }
        }
    }

    @discardableResult
    private func notify(_ payment: HotPayments.Slot, _ notification: PartnerNotification) -> Disposition {
        apply(.notified(notification), to: payment, cause: EventCause(causationID: notification.id))
    }

    /// The payment that a reference leads to: given in a batch that is not durable yet, or known to the log.
    private func payment(of reference: Reference, partition: Int32) -> HotPayments.Slot? {
        if let id = batch.references.payment(of: reference) ?? flying?.references.payment(of: reference) {
            return activate(id, partition: partition, creating: false)
        }
        do throws(LogError) {
            guard let key = try ports.log.key(reference: Array(reference.text.utf8), partition: partition),
                let id = PaymentID(String(decoding: key, as: UTF8.self))
            else { return nil }
            return activate(id, partition: partition, creating: false)
        } catch {
            poisoned = error
            return nil
        }
    }

    // MARK: Kept

    private func keep(frameBytes: ArraySlice<UInt8>, _ reference: Reference, partition: Int32) {
        var entry = keptEntry(reference.text, partition: partition) ?? KeptEntry(partition: partition)
        if entry.frames.count >= limits.keptPerReference {
            raise(.keptOverflow(reference: reference.text))
            let oldest = entry.frames.removeFirst()
            deadLetter(
                frame: oldest[...], topic: .notifications, partition: partition, offset: -1,
                code: "kept-overflow", detail: "more notifications for an unknown reference than are kept")
            postUnexplained(oldest.span.bytes, oldest[...], partition: partition)
        }
        entry.frames.append(Array(frameBytes))
        entry.expires = entry.expires ?? (wall + limits.keptLifetime)
        touchKept(reference.text, entry)
    }

    /// What is kept for a reference: of this batch and the one before it, else from the store.
    private func keptEntry(_ reference: String, partition: Int32) -> KeptEntry? {
        if let entry = kept[reference] { return entry.frames.isEmpty ? nil : entry }
        do {
            return try ports.log.entry(partition: partition, space: .kept, key: Array(reference.utf8)) { stored in
                try KeptEntry(decoding: stored.state, partition: partition)
            }
        } catch {
            raise(.partitionStopped(partition, detail: "kept notifications of \(reference): \(error)"))
            return nil
        }
    }

    private func touchKept(_ reference: String, _ entry: KeptEntry) {
        var entry = entry
        batch.touch(partition: entry.partition)
        if !entry.isTouched {
            entry.isTouched = true
            batch.touchedKept.append(reference)
        }
        kept[reference] = entry
    }

    /// Whether a partner spoke of an attempt before we knew it: what was kept for the reference is applied now.
    func applyKept(_ reference: Reference, to payment: HotPayments.Slot) {
        let partition = hot[payment].partition
        guard var entry = keptEntry(reference.text, partition: partition) else { return }
        let frames = entry.frames
        entry.frames = []
        entry.expires = nil
        touchKept(reference.text, entry)
        for frame in frames {
            if case .notification(let notification) = held.value.notification(frame: frame.span.bytes) {
                notify(payment, notification)
            }
        }
    }

    func fireKept(_ node: TimerNode) {
        guard var entry = keptEntry(node.key, partition: node.partition), entry.expires == node.due else { return }
        let frames = entry.frames
        entry.frames = []
        entry.expires = nil
        touchKept(node.key, entry)
        // Anything else than a reference is the memory of a posting: it is forgotten.
        guard Reference(node.key) != nil else { return }
        raise(.keptExpired(reference: node.key, count: frames.count))
        for frame in frames {
            deadLetter(
                frame: frame[...], topic: .notifications, partition: node.partition, offset: -1, code: "unmatched",
                detail: "no payment was found for the reference within the time that notifications are kept")
            postUnexplained(frame.span.bytes, frame[...], partition: node.partition)
        }
    }

    /// Money that a notification without a payment says came in goes to suspense, in the partition of the notification
    /// (the contract, section 3); once, however often it is told. What was posted is remembered beside the kept
    /// notifications, under the posting's id, which is no reference.
    private func postUnexplained(_ frame: RawSpan, _ bytes: ArraySlice<UInt8>, partition: Int32) {
        guard let money = held.value.unexplainedMoney(frame: frame, now: wall),
            keptEntry(money.postingID, partition: partition) == nil
        else { return }
        batch.touch(partition: partition)
        let start = batch.commit.bytes.count
        held.value.append(money: money, at: wall, to: &batch.commit.bytes)
        batch.emit(.settlements, partition, from: start)
        batch.alarms.append(.unexplainedMoney(money.partner, movement: money.movement))
        var memory = KeptEntry(partition: partition)
        memory.frames = [Array(bytes)]
        memory.expires = wall + limits.unexplainedLifetime
        touchKept(money.postingID, memory)
    }

    /// Puts the changed entries into the batch that is being closed.
    func writeKept() {
        for reference in batch.touchedKept {
            guard var entry = kept[reference] else { continue }
            let key = batch.place(reference)
            let start = batch.commit.bytes.count
            if !entry.frames.isEmpty { entry.encode(into: &batch.commit.bytes) }
            var write = StateWrite(
                partition: entry.partition, space: .kept, key: key,
                state: entry.frames.isEmpty ? nil : start..<batch.commit.bytes.count)
            write.timerBefore = entry.storedExpires
            write.timer = entry.expires
            batch.commit.states.append(write)
            if let due = entry.expires, due != entry.storedExpires {
                if isLoaded(due, entry.partition) {
                    _ = timers.insert(node(due, entry.partition, .kept, reference))
                } else {
                    batch.distant.append(
                        DistantTimer(due: due, partition: entry.partition, space: .kept, key: reference))
                }
            }
            entry.storedExpires = entry.expires
            entry.isTouched = false
            entry.lastBatch = batch.number
            kept[reference] = entry
        }
    }

    /// From here on the store has them.
    func forgetKept(_ references: [String]) {
        for reference in references {
            if let entry = kept[reference], !entry.isTouched, entry.lastBatch <= committed { kept[reference] = nil }
        }
    }

    // MARK: Dead letters

    func deadLetter(_ slot: RecordSlot, of polled: RecordBatch, code: String, detail: String) {
        deadLetter(
            frame: polled.bytes[slot.frame], topic: slot.topic, partition: slot.partition, offset: slot.offset,
            code: code, detail: detail)
    }

    /// The record as it came, with five headers more that say why it lies here (the contract, section 1).
    private func deadLetter(
        frame: ArraySlice<UInt8>, topic: Topic, partition: Int32, offset: Int64, code: String, detail: String
    ) {
        batch.touch(partition: partition)
        let start = batch.commit.bytes.count
        DeadLetter(
            code: code, detail: detail, topicPrefix: limits.topicPrefix, topic: topic, partition: partition,
            offset: offset
        ).append(frame, to: &batch.commit.bytes)
        batch.emit(.deadLetters, partition, from: start)
        batch.alarms.append(.deadLetter(topic: topic.suffix, partition: partition, offset: offset, code: code))
        status.deadLetters += 1
    }
}

/// The headers that a record gets on its way to the dead letters.
struct DeadLetter {
    var code: String
    var detail: String
    var topicPrefix: String
    var topic: Topic
    var partition: Int32
    var offset: Int64

    /// Appends the record with its own key, time, headers and value, and these headers after its own.
    func append(_ frame: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        let original = Array(frame)
        guard let layout = try? RecordLayout(original.span.bytes) else {
            // Not even a frame: the bytes themselves are the value.
            RecordFrame.begin(into: &bytes, key: [UInt8]?.none, timestamp: 0, headers: 5, hasValue: true)
            appendHeaders(to: &bytes)
            bytes.append(contentsOf: original)
            return
        }
        RecordFrame.begin(
            into: &bytes, key: layout.key.map { original[$0] }, timestamp: layout.timestamp,
            headers: layout.headers.count + 5, hasValue: layout.value != nil)
        for header in layout.headers {
            RecordFrame.appendHeader(into: &bytes, name: original[header.name], value: original[header.value])
        }
        appendHeaders(to: &bytes)
        if let value = layout.value { bytes.append(contentsOf: original[value]) }
    }

    private func appendHeaders(to bytes: inout [UInt8]) {
        RecordFrame.appendHeader(into: &bytes, name: "error-code", value: code.utf8)
        RecordFrame.appendHeader(into: &bytes, name: "error-detail", value: detail.utf8)
        RecordFrame.appendHeader(into: &bytes, name: "source-topic", value: "\(topicPrefix)\(topic.suffix)".utf8)
        RecordFrame.appendHeader(into: &bytes, name: "source-partition", value: String(partition).utf8)
        RecordFrame.appendHeader(into: &bytes, name: "source-offset", value: String(offset).utf8)
    }
}
