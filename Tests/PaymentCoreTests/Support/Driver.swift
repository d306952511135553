import PaymentCore
import PaymentModel
import RecordFormat
import Testing

/// Two routes, truthful terms like the reference partner's.
enum World {
    static let routeA = Route(partner: PartnerName("bank-a"), rail: Rail("instant"))
    static let routeB = Route(partner: PartnerName("bank-b"), rail: Rail("instant"))
    static let euro = Currency("EUR") ?? Currency.all[0]

    static func terms(_ change: (inout RouteTerms) -> Void = { _ in }) -> RouteTerms {
        var terms = RouteTerms(
            sendDeadline: .seconds(2), requestTimeout: .seconds(3), inFlightBound: .seconds(5),
            visibilityLag: .seconds(2), booksRetention: .seconds(86_400), inquiry: true,
            inquirySlots: [.seconds(2), .seconds(8), .seconds(20)],
            acceptedInquirySlots: [.seconds(5), .seconds(20), .seconds(40)],
            key: .init(
                bindsAllRequests: true, recordedOnReceipt: true, safeWithoutInquiry: false, lifetime: .seconds(86_400),
                margin: .seconds(60)),
            canCancel: true, notProcessedRepeats: 2, operationRestarts: 1,
            authorizationLifetime: .seconds(7 * 86_400), actionLifetime: .seconds(900),
            reversalWindow: .seconds(400 * 86_400), escalationOwner: "operations")
        change(&terms)
        return terms
    }
}

/// Drives one payment through the machine: answers its needs, keeps the effects, moves the clocks, and checks after
/// every step what must always hold.
struct Driver {
    var state = PaymentState(id: PaymentID("pay-1").unsafelyUnwrapped)
    var rules: CoreRules
    var now: Now
    var events: [PaymentEvent] = []
    var postings: [Posting] = []
    var effects: [Effect] = []
    var fold = PaymentFold()
    var screening: [ScreeningResult] = []
    var lastDisposition = Disposition.applied
    /// Where routing sends everything, while set.
    var lane: OffloadOrder?
    private var commands = 0

    init(terms: RouteTerms = World.terms()) {
        rules = CoreRules(terms: [World.routeA: terms, World.routeB: terms])
        now = Now(
            wall: Timestamp(milliseconds: 1_800_000_000_000), monotonic: MonotonicTime(milliseconds: 1_000_000),
            incarnation: Incarnation(
                number: 1, began: MonotonicTime(milliseconds: 999_000), predecessor: .provenDead))
    }

    /// The routes left, first choice A; all of them tried: none.
    func decision(_ need: RouteNeed) -> RouteDecision {
        let cost = RouteCost(fixed: 10, variable: 0, total: 10, currency: World.euro)
        let candidates = [(World.routeA, RouteRole.primary), (World.routeB, .secondary)]
            .filter { !need.tried.contains($0.0) }
            .map { RouteCandidate(route: $0.0, role: $0.1, cost: cost) }
        if let lane {
            return RouteDecision(policyVersion: "v1", candidates: [], eliminated: [], outcome: .offload(lane))
        }
        return RouteDecision(
            policyVersion: "v1", candidates: candidates, eliminated: [],
            outcome: candidates.isEmpty ? .noRoute : .attempt)
    }

    mutating func step(_ input: PaymentInput, answer: ((Need, Driver) -> PaymentInput?)? = nil) {
        var input: PaymentInput? = input
        var first = true
        while let next = input {
            let before = state
            let transition = PaymentMachine.step(&state, next, now: now, rules: rules)
            if first { lastDisposition = transition.disposition }
            first = false
            check(before, transition)
            events += transition.events
            postings += transition.postings
            effects += transition.effects
            input = nil
            guard let need = transition.need else { break }
            if let answer, let given = answer(need, self) {
                input = given
                continue
            }
            switch need {
            case .screening: input = .screened(screening.isEmpty ? .passed(listVersion: 1) : screening.removeFirst())
            case .route(let need): input = .routed(decision(need))
            }
        }
    }

    private mutating func check(_ before: PaymentState, _ transition: Transition) {
        for event in transition.events { fold.take(event) }
        #expect(fold.isGapless)
        #expect(fold.status == state.status || state.sequence == 0)
        #expect(fold.isLegal, "\(fold.illegal ?? "")")
        #expect(fold.captured == state.captured && fold.refunded == state.refunded)
        #expect(fold.chargedBack == state.chargedBack)
        let open = state.attempts.indices.filter { state.attempts[$0].isOpen }.map { $0 + 1 }
        #expect(fold.open == Set(open), "by the events \(fold.open.sorted()) are open, by the state \(open)")
        if !transition.changedState { #expect(before == state) }
        for posting in transition.postings { #expect(posting.isBalanced) }
        var writer = BinaryWriter()
        state.encode(into: &writer)
        #expect(throws: Never.self) {
            let back = try PaymentState(id: state.id, decoding: writer.bytes.span.bytes)
            #expect(back == state)
        }
    }

    // MARK: - Inputs

    mutating func command(
        _ body: CommandBody, id: String? = nil, answer: ((Need, Driver) -> PaymentInput?)? = nil
    ) {
        commands += 1
        let id = id ?? "c-\(commands)"
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        step(
            .command(
                Command(
                    envelope: CommandEnvelope(
                        subject: state.id, source: "urn:test", id: id, type: "test",
                        identity: Digest(high: hash, low: 1)), body: body)), answer: answer)
    }

    mutating func initiate(
        _ kind: PaymentKind = .payout, amount: Int64 = 1_000, capture: CaptureMode = .automatic,
        answer: ((Need, Driver) -> PaymentInput?)? = nil
    ) {
        command(
            .initiate(
                Initiation(
                    kind: kind, instructedAmount: Money(amount, World.euro),
                    captureMode: kind == .payment ? capture : nil),
                dataDigest: Digest(high: 1, low: UInt64(amount)), seed: Digest(high: 77, low: 88)), answer: answer)
    }

    mutating func end(_ attempt: Int, _ outcome: SendOutcome, request: Int? = nil, incarnation: UInt64? = nil) {
        step(
            .sendEnded(
                SendReport(
                    attempt: attempt, request: request ?? state.attempts[attempt - 1].requests,
                    incarnation: incarnation ?? now.incarnation.number, outcome: outcome,
                    endOfUpload: now.monotonic)))
    }

    /// Answers the inquiry that is out.
    mutating func answer(_ outcome: InquiryOutcome, of attempt: Int = 1, sentAt: MonotonicTime? = nil) {
        let order = effects.last {
            if case .inquire(let order) = $0 { return order.attempt == attempt }
            return false
        }
        guard case .inquire(let order) = order else {
            Issue.record("no inquiry is out")
            return
        }
        step(
            .inquired(
                InquiryReport(
                    attempt: attempt, inquiry: order.inquiry, incarnation: now.incarnation.number,
                    sentAt: sentAt ?? now.monotonic, outcome: outcome)))
    }

    mutating func notify(
        _ report: OrderReport, attempt: Int = 1, id: UInt64 = 1, of operation: PaymentModel.Operation? = nil,
        fresh: Bool = true, receivedAt: Timestamp? = nil
    ) {
        let target = state.attempts[attempt - 1]
        step(
            .notified(
                PartnerNotification(
                    partner: target.route.partner, id: "n-\(id)", identity: Digest(high: id, low: 2),
                    reference: target.reference, subject: .order(report), operation: operation, fresh: fresh,
                    receivedAt: receivedAt ?? now.wall)))
    }

    /// A dispute about a capture comes, changes or ends.
    mutating func dispute(
        _ status: PartnerNotification.DisputeStatus, attempt: Int = 2, units: Int64? = nil, id: UInt64? = nil
    ) {
        let capture = state.attempts[attempt - 1]
        let id = id ?? 900 + UInt64(status.rawValue)
        step(
            .notified(
                PartnerNotification(
                    partner: capture.route.partner, id: "d-\(id)", identity: Digest(high: id, low: 9),
                    reference: capture.reference,
                    subject: .dispute(status, amount: units.map { Money($0, World.euro) }, valueDate: nil),
                    fresh: true, receivedAt: now.wall)))
    }

    /// Debits less credits of all clearing accounts.
    var clearing: Int64 {
        postings.flatMap(\.entries).reduce(0) {
            guard case .clearing = $1.account else { return $0 }
            return $0 + ($1.side == .debit ? $1.amount.minorUnits : -$1.amount.minorUnits)
        }
    }

    /// Lets time pass; timers that come due fire in order.
    mutating func wait(_ span: Milliseconds, answering: InquiryOutcome? = nil) {
        let end = now.wall + span
        while let due = state.timer, due <= end {
            let step = max(due - now.wall, .zero)
            now.wall = now.wall + step
            now.monotonic = now.monotonic + step
            let asked = effects.count
            self.step(.timer(due: due))
            if let answering, effects.count > asked, case .inquire(let order)? = effects.last {
                answer(answering, of: order.attempt)
            }
        }
        let rest = max(end - now.wall, .zero)
        now.wall = now.wall + rest
        now.monotonic = now.monotonic + rest
    }

    /// Another incarnation takes over; its clock has nothing to do with the old one.
    mutating func takeOver(_ predecessor: Predecessor = .provenDead) {
        now.monotonic = MonotonicTime(milliseconds: 5_000_000)
        now.incarnation = Incarnation(
            number: now.incarnation.number + 1, began: now.monotonic, predecessor: predecessor)
    }

    // MARK: - What happened

    var names: [String] { events.map { TransitionNames.name($0.body) } }
    var submits: [SendOrder] { effects.compactMap { if case .submit(let order) = $0 { order } else { nil } } }
    var alarms: [Alarm] { effects.compactMap { if case .alarm(let alarm) = $0 { alarm } else { nil } } }

    var rejection: RejectionCode? {
        guard case .commandRejected(_, _, _, let refusal)? = events.last?.body else { return nil }
        return refusal.code
    }
}

/// Names of events, for expectations that read like the contract.
enum TransitionNames {
    static func name(_ body: EventBody) -> String { "\(body)".split(separator: "(")[0].description }
}
