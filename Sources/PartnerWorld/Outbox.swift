import CivilCalendar
import CanonicalJSON

/// A notification on its way; gone after its 2xx.
struct Notification: Sendable {
    enum Place { case waiting, ready, onTheWay }

    var place = Place.waiting
    let body: [UInt8]
    /// Its first delivery bears a signature of that long ago.
    var staleBy: Milliseconds = 0
    /// Signed by no secret, delivered once.
    var isForged = false
    /// Delivered again that long after its 2xx.
    var duplicateAfter: Milliseconds?
    /// The answer that waits for its 2xx.
    var releases: PartnerTicket?
    /// Waits for another notification to go first.
    var isHeld = false
    var deliveries = 0
}

/// Notifications that wait, are on their way, or are to be repeated. At most so many are on their way at once.
struct Outbox: Sendable {
    private(set) var notifications: [Int: Notification] = [:]
    private var ready: [Int] = []
    private var head = 0
    private var onTheWay: [UInt64: Int] = [:]
    private var lastNumber = 0
    private var heldCount = 0
    private var lastDelivery: UInt64 = 0
    private(set) var dropped: Int64 = 0
    private let signer: HMACSHA256
    private let forger: HMACSHA256
    private let limit: Int
    private let width: Int

    init(secret: [UInt8], limit: Int, width: Int) {
        signer = HMACSHA256(key: secret)
        forger = HMACSHA256(key: Array("forged".utf8) + secret.reversed())
        self.limit = limit
        self.width = width
    }

    /// Takes a notification in; nil where there is no room.
    mutating func add(_ notification: Notification) -> Int? {
        guard notifications.count < limit else {
            dropped += 1
            return nil
        }
        lastNumber += 1
        notifications[lastNumber] = notification
        if notification.isHeld { heldCount += 1 }
        return lastNumber
    }

    mutating func makeReady(_ number: Int) {
        // A time that was set earlier may come when it is on its way for another reason, or gone.
        guard notifications[number]?.place == .waiting else { return }
        notifications[number]?.place = .ready
        if notifications[number]?.isHeld == true {
            notifications[number]?.isHeld = false
            heldCount -= 1
        }
        ready.append(number)
    }

    /// The next deliveries, as far as the width allows.
    mutating func start(at now: Milliseconds) -> [PartnerDelivery] {
        guard head < ready.count else { return [] }
        var deliveries: [PartnerDelivery] = []
        while onTheWay.count < width, head < ready.count {
            let number = ready[head]
            head += 1
            guard let notification = notifications[number] else { continue }
            lastDelivery += 1
            onTheWay[lastDelivery] = number
            notifications[number]?.deliveries += 1
            notifications[number]?.place = .onTheWay
            let isFirst = notification.deliveries == 0
            let time = (now - (isFirst ? notification.staleBy : 0)) / 1_000
            let signature = sign(notification.body, seconds: time, isForged: notification.isForged)
            deliveries.append(PartnerDelivery(number: lastDelivery, body: notification.body, signature: signature))
        }
        if head == ready.count || head > 65_536 {
            ready.removeFirst(head)
            head = 0
        }
        return deliveries
    }

    /// `t=<unix>,v1=<hex HMAC-SHA256 of "t.body">` (the contract, section 6).
    private func sign(_ body: [UInt8], seconds: Int64, isForged: Bool) -> String {
        let signed = Array(String(seconds).utf8) + [UInt8(ascii: ".")] + body
        return "t=\(seconds),v1=\((isForged ? forger : signer).authenticate(signed).hex)"
    }

    /// A delivery ended; returns the notification it was of, still in the box.
    mutating func end(_ delivery: UInt64) -> (number: Int, notification: Notification)? {
        guard let number = onTheWay.removeValue(forKey: delivery), let notification = notifications[number] else {
            return nil
        }
        notifications[number]?.place = .waiting
        return (number, notification)
    }

    mutating func remove(_ number: Int) { notifications[number] = nil }

    mutating func willNotRepeatAgain(_ number: Int) { notifications[number]?.duplicateAfter = nil }

    /// Those that wait for another to go first.
    var held: [Int] { heldCount == 0 ? [] : notifications.filter { $0.value.isHeld }.map(\.key).sorted() }

    /// Those that have never been sent and wait for their time.
    var postponed: [Int] {
        notifications.filter { $0.value.place == .waiting && $0.value.deliveries == 0 }.map(\.key).sorted()
    }
}

/// What a notification tells.
struct News {
    var type: String
    var reference: String
    /// `transferId` or `authorizationId`.
    var idName: StaticString
    var id: String
    var status: String
    var state: OrderState
    var currency: String
    /// Disputes only.
    var amount: Amount?
    /// The route whose notification faults strike.
    var origin: Route
}

extension PartnerWorld {
    func body(_ news: News, number: Int, at now: Milliseconds) -> [UInt8] {
        JSONWriter.write { writer in
            writer.beginObject()
            writer.member("id", "\(settings.name)-n\(number)")
            writer.member("type", news.type)
            writer.member("occurredAt", CivilTime.string(milliseconds: now))
            writer.beginObject("data")
            writer.member("reference", news.reference)
            writer.member(news.idName, news.id)
            writer.member("status", news.status)
            writer.memberOrNull("reason", news.state.reason)
            news.amount?.write("amount", to: &writer)
            writeFee(news.state, currency: news.currency, to: &writer)
            writer.endObject()
            writer.endObject()
        }
    }

    /// Puts a notification in the box, struck by what faults there are for it. `ticket`: the request whose answer is
    /// being made, if it is.
    mutating func notify(_ news: News, strikes planned: [Strike], ticket: PartnerTicket?, at now: Milliseconds) {
        guard settings.webhookSecret != nil else { return }
        let strikes =
            planned.filter { $0.rule.fault.stage == .notification }
            + faults.strikes(.notification, news.origin, at: now)
        newsCount += 1
        var notification = Notification(body: body(news, number: newsCount, at: now))
        var due = now
        for strike in strikes {
            let time = strike.rule.milliseconds
            switch strike.rule.fault {
            case .none: return
            case .duplicate: notification.duplicateAfter = time ?? 0
            case .late: due = now + (time ?? 5_000)
            case .stale: notification.staleBy = time ?? 600_000
            case .reordered:
                notification.isHeld = true
                due = now + (time ?? 2_000)
            case .beforeResponse:
                guard let ticket else { break }
                notification.releases = ticket
                answersAwaitingNews[ticket] = time ?? 1_000
            case .forged: forge(news, at: now)
            default: break
            }
        }
        guard let number = outbox.add(notification) else { return }
        if due > now || notification.isHeld {
            agenda.add(.send(notification: number), at: due)
        } else {
            outbox.makeReady(number)
        }
    }

    /// The opposite of the truth, signed by no secret.
    private mutating func forge(_ news: News, at now: Milliseconds) {
        var lie = news
        newsCount += 1
        if news.type.hasSuffix("rejected") || news.type.hasSuffix("returned") {
            lie.type = news.type.hasPrefix("transfer") ? "transfer.settled" : "authorization.accepted"
            lie.status = news.type.hasPrefix("transfer") ? "settled" : "accepted"
            lie.state.reason = nil
        } else {
            lie.type = news.type.hasPrefix("transfer") ? "transfer.rejected" : "authorization.rejected"
            lie.status = "rejected"
            lie.state.reason = "AC04"
        }
        let body = body(lie, number: newsCount, at: now)
        if let number = outbox.add(Notification(body: body, isForged: true)) { outbox.makeReady(number) }
    }

    /// The shell's report: whether a delivery got a 2xx.
    public mutating func delivered(_ delivery: UInt64, accepted: Bool, at now: Milliseconds) -> [PartnerEffect] {
        guard let (number, notification) = outbox.end(delivery) else { return startDeliveries(at: now) }
        if !notification.isForged { for held in outbox.held where held != number { outbox.makeReady(held) } }
        if notification.isForged {
            outbox.remove(number)
        } else if accepted {
            if let ticket = notification.releases { release(ticket, at: now) }
            if let pause = notification.duplicateAfter {
                outbox.willNotRepeatAgain(number)
                agenda.add(.send(notification: number), at: now + pause)
            } else {
                outbox.remove(number)
            }
        } else {
            let (first, longest) = settings.notificationBackoff
            let doubled = first << Int64(min(notification.deliveries - 1, 20))
            agenda.add(.send(notification: number), at: now + max(1, min(longest, doubled)))
        }
        return startDeliveries(at: now)
    }

    /// Hands out deliveries as far as there is room, and everything else that has come up.
    mutating func startDeliveries(at now: Milliseconds) -> [PartnerEffect] {
        for delivery in outbox.start(at: now) { effects.append(.deliver(delivery)) }
        let result = effects
        effects.removeAll(keepingCapacity: true)
        return result
    }
}
