import EventLog
import HTTPServer
import MessageCodec
import Metrics
import PaymentModel
import StructuredLog
import Synchronization

/// `POST /v1/notifications/{partner}`: verified by the partner's adapter, stored, and only then answered 2xx. Nothing
/// here decides about a payment.
final class NotificationIngress: Sendable {
    /// What became of notifications, counted.
    private struct Counters {
        let fresh: Counter
        let stale: Counter
        let forged: Counter
        let unreadable: Counter
        let notStored: Counter

        init(_ metrics: MetricsRegistry, partner: String) {
            func counter(_ result: String) -> Counter {
                metrics.counter(
                    "switchyard_notifications_total", "Notifications of partners by what became of them.",
                    [("partner", partner), ("result", result)])
            }
            fresh = counter("fresh")
            stale = counter("stale")
            forged = counter("forged")
            unreadable = counter("unreadable")
            notStored = counter("not-stored")
        }
    }

    let forged: ForgedNotifications
    private let ports: OperationsPorts
    private let counters: [String: Counters]
    private let overloaded: Counter
    private let waiting = Atomic<Int>(0)

    init(_ ports: OperationsPorts) {
        self.ports = ports
        forged = ForgedNotifications(
            capacity: ports.limits.forgedKept, bodyLimit: ports.limits.forgedBodyBytes, since: ports.now())
        var counters: [String: Counters] = [:]
        for partner in ports.webhooks.keys { counters[partner] = Counters(ports.metrics, partner: partner) }
        self.counters = counters
        overloaded = ports.metrics.counter(
            "switchyard_notifications_overloaded_total", "Notifications refused before anything of them was looked at.")
    }

    /// Whether the body of a notification is taken. Who sends it is proven only by the signature over all of it.
    func admit(partner: String) -> HTTPAdmission {
        guard waiting.load(ordering: .relaxed) < ports.limits.notificationsWaiting else {
            overloaded.add()
            return .refuse(Answers.overloaded)
        }
        guard ports.webhooks[partner] != nil else { return .refuse(Problem(404, detail: "no such partner").response) }
        return .accept(bodyBytes: ports.limits.maximumNotificationBytes, proven: false)
    }

    /// The moment of the call is the moment of receipt: what counts for freshness is how old the notification was then,
    /// not when somebody came to look at it.
    func take(_ request: HTTPRequest, partner: String, _ responder: HTTPResponder) {
        let receivedAt = ports.now()
        guard waiting.load(ordering: .relaxed) < ports.limits.notificationsWaiting else {
            overloaded.add()
            responder.answer(Answers.overloaded)
            return
        }
        guard let webhook = ports.webhooks[partner], let counters = counters[partner] else {
            responder.answer(Problem(404, detail: "no such partner"))
            return
        }
        let verdict = webhook.verify({ request.headers[$0] }, request.body, receivedAt)
        if case .forged(let reason) = verdict {
            counters.forged.add()
            forged.keep(
                partner: partner, address: request.peer.address, reason: reason, body: request.body, at: receivedAt)
            ports.log.warning(
                "a notification is not signed by its partner",
                [("partner", .text(partner)), ("reason", .text(reason)), ("address", .text(request.peer.address))])
            responder.answer(NotificationIngress.refused("the signature is not the partner's"))
            return
        }
        if verdict != .fresh {
            ports.log.warning(
                "an authentic notification is refused; its attempt is inquired",
                [("partner", .text(partner)), ("reason", .text(NotificationIngress.words(verdict)))])
        }
        store(
            record(request.body, partner: partner, webhook, receivedAt, fresh: verdict == .fresh, counters),
            verdict, counters, responder)
    }

    /// 401 with the challenge that RFC 9110 wants: a signature over the body is what is asked for, no token.
    private static func refused(_ detail: String) -> Problem {
        Problem(401, detail: detail, challenge: "Signature realm=\"notifications\"")
    }

    private static func words(_ verdict: WebhookVerdict) -> String {
        verdict == .early
            ? "the signature is dated in the future, beyond the tolerance: compare the clocks"
            : "the signature is too old"
    }

    /// An authentic body that its own adapter cannot read is stored, too: the shard puts it to the dead letters, where a
    /// person finds it.
    private func record(
        _ body: [UInt8], partner: String, _ webhook: PartnerWebhook, _ receivedAt: Timestamp, fresh: Bool,
        _ counters: Counters
    ) -> NotificationRecord {
        let claim = webhook.claim(body).flatMap { claim in
            [claim.id, claim.type, claim.reference].allSatisfy {
                (1...NotificationRecord.maximumAttributeBytes).contains($0.utf8.count)
            } ? claim : nil
        }
        if claim == nil { counters.unreadable.add() }
        return NotificationRecord(
            partner: PartnerName(partner), id: claim?.id ?? "unreadable", type: claim?.type ?? "unreadable",
            reference: claim?.reference ?? "-", receivedAt: receivedAt, fresh: fresh, body: body)
    }

    private func store(
        _ record: NotificationRecord, _ verdict: WebhookVerdict, _ counters: Counters, _ responder: HTTPResponder
    ) {
        var batch = RecordBatch()
        batch.append(
            topic: .notifications, partition: record.partition(of: ports.appender.partitionCount), offset: 0,
            frame: record.frame())
        waiting.wrappingAdd(1, ordering: .relaxed)
        ports.appender.append(batch) { [self] error in
            waiting.wrappingSubtract(1, ordering: .relaxed)
            if error != nil {
                counters.notStored.add()
                responder.answer(Answers.unavailable("the notification was not stored"))
            } else if verdict == .fresh {
                counters.fresh.add()
                responder.answer(.json(Array("{}".utf8)))
            } else {
                counters.stale.add()
                responder.answer(NotificationIngress.refused(NotificationIngress.words(verdict)))
            }
        }
    }
}
