import EventLog
import Glibc
import KafkaTransport
import PaymentModel
import RecordFormat
import Synchronization

/// Committed records from the topics (read_committed), and the states of the partitions that this process owns.
/// Blocks on the network: never on a shard's thread.
public final class KafkaLogReader: LogReader {
    /// A reader in the middle of a partition.
    private final class Session: Sendable {
        struct Place: Sendable, Equatable {
            var topic: Topic
            var partition: Int32
            var next: Int64
        }
        let reader: KafkaReader
        let place = Mutex<Place?>(nil)
        init(_ reader: KafkaReader) { self.reader = reader }
    }

    /// The number of partitions of every topic.
    public var partitionCount: Int32 { log.partitionCount }
    private let log: KafkaEventLog
    private let idle = Mutex<[Session]>([])
    /// At most so many readers are kept between calls.
    private static let idleLimit = 4
    private let timeout: Duration = .seconds(10)

    init(_ log: KafkaEventLog) { self.log = log }

    /// This instance and the partitions that it owns now. See `LogReader`.
    public var share: LogShare? { LogShare(instance: log.instanceID, partitions: log.ownedPartitions) }

    /// The instance to which the group has given a partition. See `LogReader`.
    public func owner(partition: Int32) throws(LogError) -> String? { try log.ownerNamed(partition) }

    /// First retained offset, and the end as read_committed readers see it. See `LogReader`.
    public func offsets(topic: Topic, partition: Int32) throws(LogError) -> Range<Int64> {
        let session = try checkOut(nil)
        defer { checkIn(session) }
        return try kafka { () throws(KafkaError) in
            try session.reader.watermarks(topic: log.name(topic), partition: partition, timeout: timeout)
        }
    }

    /// Reads records. See `LogReader`. A call that continues where the last one ended reads on; another one begins anew.
    public func read(
        topic: Topic, partition: Int32, from: Int64, into batch: inout RecordBatch, limit: PollLimit
    ) throws(LogError) -> Int64 {
        guard (0..<partitionCount).contains(partition) else { throw LogError(.misconfigured, "partition \(partition)") }
        let wanted = Session.Place(topic: topic, partition: partition, next: from)
        let session = try checkOut(wanted)
        let range = try range(session, topic, partition, near: from + Int64(limit.records))
        var next = max(from, range.lowerBound)
        guard next < range.upperBound else {
            checkIn(session)
            return next
        }
        if session.place.withLock({ $0 }) != Session.Place(topic: topic, partition: partition, next: next) {
            try kafka { () throws(KafkaError) in
                try session.reader.assign([KafkaOffset(topic: log.name(topic), partition: partition, offset: next)])
            }
        }
        next = try collect(session, topic, next, range.upperBound, &batch, limit)
        let place = Session.Place(topic: topic, partition: partition, next: next)
        session.place.withLock { $0 = place }
        checkIn(session)
        return next
    }

    /// A payment's events: scans its partition, from the day before its first state where that is known here.
    /// See `LogReader`.
    public func history(paymentID: [UInt8], into batch: inout RecordBatch, limit: Int) throws(LogError) {
        let partition = PartitionHash.partition(of: paymentID, count: partitionCount)
        let session = try checkOut(nil)
        defer { checkIn(session) }
        let name = log.name(.events)
        let created = log.owns(partition) ? try log.copy.created(partition, paymentID) : nil
        let range = try range(session, .events, partition, near: .max)
        let end = range.upperBound
        var next = range.lowerBound
        if let created {
            let offset = try kafka { () throws(KafkaError) in
                try session.reader.offset(
                    topic: name, partition: partition, notBefore: max(0, created - 86_400_000), timeout: timeout)
            }
            next = max(next, offset)
        }
        var page = RecordBatch()
        session.place.withLock { $0 = nil }
        guard next < end else { return }
        try kafka { () throws(KafkaError) in
            try session.reader.assign([KafkaOffset(topic: name, partition: partition, offset: next)])
        }
        while next < end, batch.records.count < limit {
            page.removeAll()
            next = try collect(session, .events, next, end, &page, PollLimit(records: 1_000, bytes: 4 << 20))
            for slot in page.records where batch.records.count < limit {
                let frame = page.bytes[slot.frame]
                if frame.withUnsafeBytes({ KafkaLogReader.hasKey($0, paymentID) }) {
                    batch.append(topic: .events, partition: partition, offset: slot.offset, frame: frame)
                }
            }
        }
    }

    /// An entry of a partition that this process owns. See `LogReader`.
    public func entry(space: StateSpace, key: [UInt8]) throws(LogError) -> (state: [UInt8], body: [UInt8]?)? {
        let reference = space == .kept ? Reference(String(decoding: key, as: UTF8.self)) : nil
        let partition =
            reference.map { PartitionHash.partition(hash: $0.partitionHash, count: partitionCount) }
            ?? PartitionHash.partition(of: key, count: partitionCount)
        guard log.owns(partition) else {
            throw LogError(.unavailable, "partition \(partition) belongs to another instance at the moment")
        }
        do {
            return try log.copy.entry(partition, space, key) { entry in
                let state = entry.state.withUnsafeBytes { Array($0) }
                var body: [UInt8]?
                if let bytes = entry.body { body = bytes.withUnsafeBytes { Array($0) } }
                return (state, body)
            }
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.corrupt, "\(error)")
        }
    }

    /// Payments of the partitions that this process owns. See `LogReader`.
    public func payments(_ listing: PaymentListing) throws(LogError) -> PaymentPage {
        try log.copy.payments(listing, owned: log.owns)
    }

    private static func hasKey(_ frame: UnsafeRawBufferPointer, _ key: [UInt8]) -> Bool {
        guard let place = RecordFrame.key(of: frame.bytes) else { return false }
        return frame[place].elementsEqual(key)
    }

    /// First retained offset and stable end. A commit has returned before its markers are written: a reader that comes
    /// near the end waits for what was there when it came, so that it sees what its own process has committed — but
    /// not for a transaction that hangs.
    private func range(
        _ session: Session, _ topic: Topic, _ partition: Int32, near offset: Int64
    ) throws(LogError) -> Range<Int64> {
        try kafka { () throws(KafkaError) in
            let name = log.name(topic)
            let whole = try log.observer.watermarks(topic: name, partition: partition, timeout: timeout)
            var stable = try session.reader.watermarks(topic: name, partition: partition, timeout: timeout)
            let deadline = ContinuousClock.now + .milliseconds(500)
            while offset >= stable.upperBound, stable.upperBound < whole.upperBound, ContinuousClock.now < deadline {
                usleep(2_000)
                stable = try session.reader.watermarks(topic: name, partition: partition, timeout: timeout)
            }
            return stable
        }
    }

    /// Records from `next` up to `end` within the limit; the offset to go on from.
    private func collect(
        _ session: Session, _ topic: Topic, _ start: Int64, _ end: Int64, _ batch: inout RecordBatch,
        _ limit: PollLimit
    ) throws(LogError) -> Int64 {
        var next = start
        var count = 0
        let firstByte = batch.bytes.count
        let deadline = ContinuousClock.now + timeout
        while next < end, count < limit.records, count == 0 || batch.bytes.count - firstByte < limit.bytes {
            try kafka { () throws(KafkaError) in
                _ = try session.reader.poll(limit: 1, timeout: .milliseconds(200)) { message throws(KafkaError) in
                    let place = batch.bytes.count
                    FrameCodec.append(message, to: &batch.bytes)
                    batch.records.append(
                        RecordSlot(
                            topic: topic, partition: message.partition, offset: message.offset,
                            frame: place..<batch.bytes.count))
                    next = message.offset + 1
                    count += 1
                } end: { _, _, offset in
                    next = max(next, offset)
                }
            }
            guard ContinuousClock.now < deadline else { throw LogError(.unavailable, "no broker answers") }
        }
        return next
    }

    /// A session that stands at `wanted`, or any idle one, or a new one.
    private func checkOut(_ wanted: Session.Place?) throws(LogError) -> Session {
        let found = idle.withLock { idle -> Session? in
            let index =
                idle.firstIndex { session in session.place.withLock { $0 } == wanted }
                ?? idle.indices.last
            return index.map { idle.remove(at: $0) }
        }
        if let found { return found }
        do {
            return Session(
                try KafkaReader(
                    log.settings.cluster, groupID: log.settings.groupID,
                    clientID: "\(log.settings.groupID)-\(log.instanceID)-reader", committedOnly: true))
        } catch {
            throw LogError(.misconfigured, "\(error)")
        }
    }

    private func checkIn(_ session: Session) {
        idle.withLock { if $0.count < KafkaLogReader.idleLimit { $0.append(session) } }
    }

    private func kafka<Result>(_ body: () throws(KafkaError) -> Result) throws(LogError) -> Result {
        do throws(KafkaError) {
            return try body()
        } catch {
            throw LogError(.unavailable, "\(error)")
        }
    }
}
