import MessageCodec
import Orchestrator
import Partners
import PaymentCore
import PaymentModel
import RecordFormat
import Routing
import Synchronization

/// Which decisions were made, and for an initiate of which amount.
final class DecisionLog: Sendable {
    private let entries = Mutex<[String]>([])
    func note(_ decision: String, _ initiation: Initiation) {
        entries.withLock { $0.append("\(decision) \(initiation.instructedAmount.minorUnits)") }
    }
    var all: [String] { entries.withLock { $0 } }
}

/// A domain with the plainest formats that will do, so that scenarios speak of the shard and of nothing else. Commands,
/// notifications, bodies and answers are words with `|` between them; routes are tried in a fixed order.
struct TestDomain: PaymentDomain {
    var rules: CoreRules
    var routes: [Route]
    var screening = ScreeningResult.passed(listVersion: 1)
    /// For whose initiates decisions were made.
    let decisions = DecisionLog()
    /// Shows in `routeSelected`.
    var policyVersion = "v1"

    init(partners: [String] = ["bank-a", "bank-b"], _ change: (inout RouteTerms) -> Void = { _ in }) {
        var terms = TestDomain.terms
        change(&terms)
        routes = partners.map { Route(partner: PartnerName($0), rail: Rail("sepa")) }
        rules = CoreRules(terms: Dictionary(uniqueKeysWithValues: routes.map { ($0, terms) }))
    }

    static let terms = RouteTerms(
        sendDeadline: .seconds(2), requestTimeout: .seconds(3), inFlightBound: .seconds(5), visibilityLag: .seconds(2),
        booksRetention: .seconds(30 * 86_400), inquiry: true,
        inquirySlots: [2, 8, 14, 20, 30].map { Milliseconds.seconds($0) },
        acceptedInquirySlots: [5, 15, 30].map { Milliseconds.seconds($0) },
        key: .init(
            bindsAllRequests: true, recordedOnReceipt: true, safeWithoutInquiry: false, lifetime: .seconds(86_400),
            margin: .seconds(60)),
        canCancel: true, notProcessedRepeats: 2, operationRestarts: 2, authorizationLifetime: .seconds(7 * 86_400),
        actionLifetime: .seconds(3_600), reversalWindow: .seconds(400 * 86_400), escalationOwner: "operations")

    struct Health: Sendable { var started = 0 }

    func initialHealth() -> Health { Health() }
    func adopt(_ health: inout Health) {}
    func started(_ route: Route, health: inout Health, now: Now) { health.started += 1 }
    func ended(_ route: Route, _ outcome: RouteOutcome, startedAt: MonotonicTime, health: inout Health, now: Now) {}

    // MARK: In

    static func words(_ frame: RawSpan) -> [String]? {
        guard let layout = try? RecordLayout(frame), let range = layout.value else { return nil }
        let text = frame.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        return text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }

    static func digest(_ text: String) -> Digest {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Digest(high: hash, low: ~hash &* 0x9E37_79B9_7F4A_7C15)
    }

    func command(frame: RawSpan, partition: Int32, partitionCount: Int32, now: Timestamp) -> DecodedCommand {
        guard let words = TestDomain.words(frame), words.count >= 3, let id = PaymentID(words[1]) else {
            return .undecodable(code: "not-json", detail: "the value is no command")
        }
        let envelope = CommandEnvelope(
            subject: id, source: "test", id: words[2], type: words[0], identity: TestDomain.digest(words[2]))
        switch words[0] {
        case "payout":
            let amount = Money(Int64(words[3]) ?? 1, eur)
            let seed = TestDomain.digest("\(words[1])/\(words[2])/\(now.milliseconds)")
            return .command(
                Command(
                    envelope: envelope,
                    body: .initiate(
                        Initiation(kind: .payout, instructedAmount: amount), dataDigest: TestDomain.digest(words[3]),
                        seed: seed)), body: Array(words[3].utf8))
        case "cancel":
            return .command(Command(envelope: envelope, body: .cancel(reason: nil)), body: nil)
        case "release":
            let decision = DeskDecision(entry: Int(words[3]), operatorName: "ann", reason: nil)
            return .command(Command(envelope: envelope, body: .releaseHold(decision)), body: nil)
        case "reject":
            let decision = DeskDecision(entry: Int(words[3]), operatorName: "ann", reason: nil)
            return .command(Command(envelope: envelope, body: .rejectHold(decision)), body: nil)
        default:
            return .command(
                Command(envelope: envelope, body: .refused(Refusal(.unknownType, "no such command"))), body: nil)
        }
    }

    func notification(frame: RawSpan) -> DecodedNotification {
        guard let words = TestDomain.words(frame), words.count == 4, let reference = Reference(words[1]) else {
            return .undecodable(code: "not-a-notification", detail: "it cannot be read")
        }
        return .notification(
            PartnerNotification(
                partner: PartnerName(words[3]), id: words[0], identity: TestDomain.digest(words[0]),
                reference: reference, subject: .order(TestDomain.order(words[2])), fresh: true,
                receivedAt: Timestamp(milliseconds: 0)))
    }

    func unexplainedMoney(frame: RawSpan, now: Timestamp) -> UnexplainedMoney? {
        guard let words = TestDomain.words(frame), words.count == 4, words[2].hasPrefix("returned"),
            let units = Int64(words[2].dropFirst(8))
        else { return nil }
        return UnexplainedMoney(
            partner: PartnerName(words[3]), movement: words[1], amount: Money(units, eur),
            valueDate: CalendarDate(utc: now))
    }

    func append(money: UnexplainedMoney, at moment: Timestamp, to bytes: inout [UInt8]) {
        bytes += RecordFrame.encode(
            key: Array(money.partner.text.utf8), timestamp: moment.milliseconds, headers: [],
            value: Array("\(money.postingID)|suspense|\(money.amount.minorUnits)".utf8))
    }

    func initiation(body: RawSpan, kind: PaymentKind) -> Initiation? {
        let text = body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        return Int64(text).map { Initiation(kind: kind, instructedAmount: Money($0, eur)) }
    }

    // MARK: Out

    func append(event: PaymentEvent, _ context: EventContext, to bytes: inout [UInt8]) {
        var text = "\(event.sequence)|\(event.status.name)|\(TestDomain.name(event.body))"
        if case .attemptStarted(let start) = event.body {
            text += "|\(start.route.partner.text)|\(start.reference.text)"
        }
        bytes += RecordFrame.encode(
            key: Array(context.paymentID.text.utf8), timestamp: event.occurredAt.milliseconds, headers: [],
            value: Array(text.utf8))
    }

    func append(posting: Posting, _ context: EventContext, at: Timestamp, to bytes: inout [UInt8]) {
        bytes += RecordFrame.encode(
            key: Array(context.paymentID.text.utf8), timestamp: at.milliseconds, headers: [],
            value: Array("\(posting.number)|\(posting.kind.rawValue)".utf8))
    }

    /// `payoutSettled(…)` → `payoutSettled`.
    static func name(_ body: EventBody) -> String {
        String("\(body)".prefix { $0 != "(" })
    }

    // MARK: Decisions

    func screen(_ initiation: Initiation, now: Now) -> ScreeningResult {
        decisions.note("screening", initiation)
        return screening
    }

    func route(_ initiation: Initiation, need: RouteNeed, payment: PaymentID, health: Health, now: Now) -> RouteDecision
    {
        decisions.note("route", initiation)
        let candidates = routes.filter { !TestDomain.tried(need).contains($0) }.map {
            RouteCandidate(
                route: $0, role: .primary, cost: RouteCost(fixed: 0, variable: 0, total: 0, currency: eur))
        }
        return RouteDecision(
            policyVersion: policyVersion, candidates: candidates, eliminated: [],
            outcome: candidates.isEmpty ? .noRoute : .attempt)
    }

    private static func tried(_ need: RouteNeed) -> [Route] { need.tried }

    // MARK: Partners

    func call(for order: SendOrder, initiation: Initiation?) -> PartnerHTTPRequest? {
        var body = "\(order.reference.text)|\(order.amount.minorUnits)"
        if let initiation { body += "|\(initiation.instructedAmount.minorUnits)" }
        return PartnerHTTPRequest(
            method: "POST", target: "/\(order.operation.name)",
            headers: [PartnerHTTPHeader("Idempotency-Key", order.idempotencyKey)], body: Array(body.utf8))
    }

    func call(for order: InquiryOrder) -> PartnerHTTPRequest? {
        PartnerHTTPRequest(method: "GET", target: "/orders?reference=\(order.reference.text)", headers: [])
    }

    static func order(_ word: String) -> OrderReport {
        switch word {
        case "settled": OrderReport(status: .settled, partnerReference: "t1")
        case "accepted": OrderReport(status: .accepted, partnerReference: "t1")
        case "elsewhere":
            OrderReport(
                status: .rejected, partnerReference: "t1", partnerCode: "AM02", code: "AM02", mayGoElsewhere: true)
        default: OrderReport(status: .rejected, partnerReference: "t1", partnerCode: "AC04", code: "AC04")
        }
    }

    func outcome(of answer: PartnerAnswer, to order: SendOrder) -> Reading<SendOutcome> {
        switch answer.status {
        case 201: Reading(.order(TestDomain.order(String(decoding: answer.body, as: UTF8.self))))
        case 429: Reading(.notProcessed(httpStatus: 429, retryAfter: Milliseconds(100)))
        case 422: Reading(.refused(httpStatus: 422, partnerCode: nil), alarm: .requestRefused)
        case 299: Reading(.unclear(.unreadable), alarm: TestDomain.alarm(answer))
        default: Reading(.unclear(.status))
        }
    }

    func outcome(of answer: PartnerAnswer, to order: InquiryOrder) -> Reading<InquiryOutcome> {
        guard answer.status == 200 else { return Reading(.unanswered, alarm: TestDomain.alarm(answer)) }
        let text = String(decoding: answer.body, as: UTF8.self)
        return Reading(text.isEmpty ? .notFound : .found(TestDomain.order(text)))
    }

    private static func alarm(_ answer: PartnerAnswer) -> PartnerAlarm? {
        PartnerAlarm(rawValue: String(decoding: answer.body, as: UTF8.self))
    }
}
