import CanonicalJSON

/// The reference partner of the contract, section 6, as a value: requests and times in, effects out. No clock, no I/O,
/// no chance but the seeds: the same settings, requests and times give the same effects, byte for byte. A server and
/// a deterministic simulation run the same code.
///
/// Decided here, where the contract leaves it open:
/// - Orders are recorded when they are read, `pending` until they are executed, and shown to inquiries at the latest
///   `visibilityLag` after that, executed or not.
/// - A repeat of a key while the first request is still in process waits for that one's answer and gives it.
/// - A key covers path and body. Answers 400, 404 and 409 of the business are remembered like others; 401, 403, 429 and
///   everything that a "before" fault does leave the key unused.
/// - Another key with the same reference is another order, and is executed.
/// - `fee` and `valueDate` are null until something was executed; operations carry them, too.
/// - `books` lists fees of 0 for what has none; a return has the transfer's reference, a chargeback the capture's.
///
/// Cost: constant per request, but for the length of what is read or listed, and a logarithm of what is scheduled.
public struct PartnerWorld: Sendable {
    /// What is to happen at a time.
    enum Work: Sendable {
        case execute(Order, key: String?)
        case release(PartnerTicket)
        case settleTransfer(Int, [Strike])
        case rejectTransfer(Int, reason: String, [Strike])
        case returnTransfer(Int, reason: String, [Strike])
        case acceptAuthorization(Int, [Strike])
        case rejectAuthorization(Int, reason: String, [Strike])
        case acceptOperation(Int, Int, [Strike])
        case rejectOperation(Int, Int, reason: String, [Strike])
        case openDispute(Int, capture: Int, ends: DisputeStatus, after: Milliseconds, [Strike])
        case endDispute(Int, dispute: Int, DisputeStatus, [Strike])
        case send(notification: Int)
    }

    /// Something recorded that is yet to be executed.
    enum Order: Sendable {
        case transfer(Int, Plan)
        case cancel(Int)
        case authorization(Int, Plan)
        case operation(Int, Int, Plan)
    }

    /// What was decided about an order when it was read.
    struct Plan: Sendable {
        var verdict: Trigger.Consequence?
        var strikes: [Strike] = []

        func strike(_ fault: FaultKind) -> Strike? { strikes.first { $0.rule.fault == fault } }
    }

    let settings: PartnerSettings
    var faults = FaultBook()
    var triggers: TriggerBook
    var keys = KeyBook()
    var log: RequestLog
    var books = Books()
    var outbox: Outbox
    var agenda = Agenda<Work>()
    var transfers: [Transfer] = []
    var transfersByReference: [String: Int32] = [:]
    var authorizations: [Authorization] = []
    var authorizationsByReference: [String: [Int]] = [:]
    var operationCount = 0
    var disputeCount = 0
    var newsCount = 0
    var tokens: [String: Milliseconds] = [:]
    var generator: SeededGenerator
    var effects: [PartnerEffect] = []
    /// Answers that are ready and wait for their time, or for a notification.
    var heldAnswers: [PartnerTicket: PartnerAnswer] = [:]
    var heldLines: [PartnerTicket: Int] = [:]
    /// Requests whose answer must wait for a notification's 2xx, at most that long.
    var answersAwaitingNews: [PartnerTicket: Milliseconds] = [:]
    private var lastTicket: UInt64 = 0

    /// A partner without orders; `start` is the time that brown-outs count from.
    public init(_ settings: PartnerSettings, start: Milliseconds) {
        self.settings = settings
        generator = SeededGenerator(seed: settings.seed)
        triggers = TriggerBook(settings.triggers, seed: settings.seed)
        log = RequestLog(limit: max(1, settings.maximumRequests))
        outbox = Outbox(
            secret: settings.webhookSecret ?? [], limit: settings.maximumNotifications,
            width: max(1, settings.maximumDeliveries))
        for rule in settings.rules { addRule(rule, at: start) }
        for brownOut in settings.brownOuts { faults.add(seeded(brownOut.rule), at: start, from: start + brownOut.from) }
    }

    /// When `advance` should be called next, if nothing else comes; nil: nothing is scheduled.
    public var nextDue: Milliseconds? { agenda.next }

    /// Takes a request in. Its answer is among the effects, or among those of a later call.
    public mutating func receive(
        _ request: PartnerRequest, at now: Milliseconds
    ) -> (ticket: PartnerTicket, effects: [PartnerEffect]) {
        runDue(at: now)
        lastTicket += 1
        let ticket = PartnerTicket(number: lastTicket)
        let route = Route(request)
        switch route {
        case .unknown:
            answer(ticket, .problem(404, "Not Found", "no such resource"))
        case .wrongMethod(let allowed):
            let allow = PartnerHeader(name: "Allow", value: allowed)
            answer(ticket, .problem(405, "Method Not Allowed", "this resource has other methods", headers: [allow]))
        case .challenge(let id):
            completeChallenge(id, request, ticket, at: now)
        case _ where route.isControl:
            control(route, request, ticket, at: now)
        default:
            enter(route, request, ticket, at: now)
        }
        return (ticket, startDeliveries(at: now))
    }

    /// Does what is due.
    public mutating func advance(to now: Milliseconds) -> [PartnerEffect] {
        runDue(at: now)
        return startDeliveries(at: now)
    }

    private mutating func runDue(at now: Milliseconds) {
        while let (time, work) = agenda.take(due: now) { run(work, at: time) }
    }

    private mutating func run(_ work: Work, at now: Milliseconds) {
        switch work {
        case .execute(let order, let key): execute(order, key: key, at: now)
        case .release(let ticket): release(ticket, at: now)
        case .settleTransfer(let index, let strikes): settleTransfer(index, strikes, ticket: nil, at: now)
        case .rejectTransfer(let index, let reason, let strikes):
            rejectTransfer(index, reason: reason, strikes, ticket: nil, at: now)
        case .returnTransfer(let index, let reason, let strikes):
            returnTransfer(index, reason: reason, strikes, at: now)
        case .acceptAuthorization(let index, let strikes): acceptAuthorization(index, strikes, ticket: nil, at: now)
        case .rejectAuthorization(let index, let reason, let strikes):
            rejectAuthorization(index, reason: reason, strikes, ticket: nil, at: now)
        case .acceptOperation(let index, let place, let strikes):
            acceptOperation(index, place, strikes, ticket: nil, at: now)
        case .rejectOperation(let index, let place, let reason, let strikes):
            rejectOperation(index, place, reason: reason, strikes, ticket: nil, at: now)
        case .openDispute(let index, let capture, let ends, let after, let strikes):
            openDispute(index, capture: capture, ends: ends, after: after, strikes, at: now)
        case .endDispute(let index, let dispute, let status, let strikes):
            endDispute(index, dispute: dispute, status, strikes, at: now)
        case .send(let notification): outbox.makeReady(notification)
        }
    }

    /// The rule's draws depend on the world's seed, too.
    func seeded(_ rule: FaultRule) -> FaultRule {
        var rule = rule
        rule.seed ^= settings.seed &* 0x9e37_79b9_7f4a_7c15
        return rule
    }

    mutating func addRule(_ rule: FaultRule, at now: Milliseconds) {
        faults.add(seeded(rule), at: now)
        if rule.fault == .refuse, let time = rule.milliseconds {
            effects.append(.refuseConnections(milliseconds: time))
        }
    }
}

// MARK: - Answers

extension PartnerWorld {
    /// Answers at once, and whole.
    mutating func answer(_ ticket: PartnerTicket, _ response: PartnerResponse) {
        effects.append(.answer(ticket, .response(response)))
    }

    /// Answers in the reply's manner, at the reply's time.
    mutating func conclude(_ reply: Reply, _ response: PartnerResponse, at now: Milliseconds) {
        var response = response
        if reply.isReplay { response.headers.append(PartnerHeader(name: "Idempotent-Replayed", value: "true")) }
        let answer: PartnerAnswer
        switch reply.manner {
        case .whole: answer = .response(response)
        case .reset: answer = .reset
        case .close: answer = .close
        case .truncated: answer = .truncated(response)
        case .endless(let time): answer = .endless(response, milliseconds: time)
        case .garbage:
            response.body = Array("<html>\u{0}{\"id\": ,,, \"status\": sett".utf8) + [0xff, 0xfe]
            answer = .response(response)
        case .error(let status):
            answer = .response(.problem(status, "Server Error", "something went wrong"))
        }
        let newsDelay = answersAwaitingNews.removeValue(forKey: reply.ticket) ?? 0
        let delay = max(reply.delay, newsDelay)
        if delay > 0 {
            heldAnswers[reply.ticket] = answer
            heldLines[reply.ticket] = reply.line
            agenda.add(.release(reply.ticket), at: now + delay)
        } else {
            give(answer, to: reply.ticket, line: reply.line)
        }
    }

    /// Gives an answer that was held, if it still is.
    mutating func release(_ ticket: PartnerTicket, at now: Milliseconds) {
        guard let answer = heldAnswers.removeValue(forKey: ticket) else { return }
        give(answer, to: ticket, line: heldLines.removeValue(forKey: ticket))
    }

    private mutating func give(_ answer: PartnerAnswer, to ticket: PartnerTicket, line: Int?) {
        switch answer {
        case .response(let response), .truncated(let response), .endless(let response, _):
            if let line { log.setStatus(response.status, of: line) }
        case .reset, .close: break
        }
        effects.append(.answer(ticket, answer))
    }
}
