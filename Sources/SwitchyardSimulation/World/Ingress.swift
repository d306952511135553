import EventLog
import MessageCodec
import Partners
import PartnerWorld
import PaymentModel

/// Where partners' notifications come in, as the daemon does it: verified, stored, and only then taken with a 2xx.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Ingress: @unchecked Sendable {
    private let scheduler: Scheduler
    private let log: MemoryLog
    private let secrets: [String: HMACSHA256]
    private var random: SimulationRandom
    private let adapter = ReferenceAdapter()
    /// Whether anything listens: a process that is down takes nothing.
    var isUp = false

    init(scheduler: Scheduler, log: MemoryLog, secrets: [String: [UInt8]], random: SimulationRandom) {
        self.scheduler = scheduler
        self.log = log
        self.secrets = secrets.mapValues { HMACSHA256(key: $0) }
        self.random = random
    }

    /// A notification is on the wire.
    func receive(_ notification: WireNotification, done: @escaping @Sendable (Bool) -> Void) {
        scheduler.after(random.number(1...30)) { [self] in
            guard isUp, let record = verified(notification) else { return done(false) }
            var batch = RecordBatch()
            batch.append(
                topic: .notifications, partition: record.partition(of: log.partitionCount), offset: 0,
                frame: record.frame())
            let answered = Flag()
            log.append(batch) { error in
                guard !answered.isSet else { return }
                answered.isSet = true
                // A stale one is stored, too, and refused: it changes nothing and prompts an inquiry.
                done(error == nil && record.fresh)
            }
            scheduler.after(2_000) {
                guard !answered.isSet else { return }
                answered.isSet = true
                done(false)
            }
        }
    }

    private func verified(_ notification: WireNotification) -> NotificationRecord? {
        guard let key = secrets[notification.partner] else { return nil }
        let verdict = adapter.verify(
            signature: notification.signature, body: notification.body, receivedAt: scheduler.wall,
            hmac: { key.authenticate($0).bytes })
        let isFresh: Bool
        switch verdict {
        case .fresh: isFresh = true
        case .stale, .early: isFresh = false
        case .forged: return nil
        }
        guard let content = adapter.notification(body: notification.body) else { return nil }
        return NotificationRecord(
            partner: PartnerName(notification.partner), id: content.id, type: content.type,
            reference: content.reference, receivedAt: scheduler.wall, fresh: isFresh, body: notification.body)
    }
}
