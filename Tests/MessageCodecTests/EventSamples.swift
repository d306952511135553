import PaymentModel

/// One of every event, every optional part present in one and absent in another where that makes a difference.
enum EventSamples {
    static let payment = PaymentID(invalid: "p \"1\"")
    static let at = Timestamp(milliseconds: 1_795_000_000_123)
    static let later = Timestamp(milliseconds: 1_795_086_400_000)
    static let euro = Currency("EUR") ?? Currency.all[0]
    static let amount = Money(125_000, euro)
    static let route = Route(partner: PartnerName("bank-a"), rail: Rail("sepa-instant"))
    static let reference = Reference(partitionHash: 5, seed: Digest(high: 3, low: 4), attempt: 2)
    static let day = CalendarDate(daysSinceEpoch: 20_777)

    static let evidences: [Evidence] = [
        .answer, .inquiry(number: 3), .notification(id: "n-1"), .report(id: "r-1"),
        .operatorDecision(name: "jo", observedAt: at, note: "seen\n"),
        .operatorDecision(name: "jo", observedAt: nil, note: nil),
    ]

    static func moved(_ evidence: Evidence = .answer, bare: Bool = false) -> MoneyMoved {
        MoneyMoved(
            attempt: 2, operationID: bare ? nil : "op-1", amount: amount, fee: bare ? nil : Money(0, euro),
            valueDate: bare ? nil : day, evidence: evidence)
    }

    static let decision: RouteDecision = {
        var decision = RouteDecision(
            policyVersion: "abc",
            candidates: [
                RouteCandidate(
                    route: route, role: .primary, cost: RouteCost(fixed: 20, variable: 125, total: 145, currency: euro))
            ],
            eliminated: [Elimination(route: route, code: .amountAboveLimit, detail: "limit 1000")], outcome: .attempt)
        decision.health = [
            RouteHealthInput(
                route: route, breaker: .halfOpen, recentFailures: 1, recentOutcomes: 9, throttledPerMille: 100,
                openAttempts: 2)
        ]
        return decision
    }()

    static func start(_ operationID: String?) -> AttemptStart {
        AttemptStart(
            attempt: 2, operation: operationID == nil ? .payout : .capture, operationID: operationID, route: route,
            role: .secondary, reference: reference, amount: amount, idempotencyKey: "key-1", sendDeadline: later)
    }

    static let refusals: [Refusal] = [
        Refusal(.invalid, "must be \"x\"", field: "creditor.name"), Refusal(.conflict, "other data"),
    ]

    static let bodies: [EventBody] =
        refusals.map { .commandRejected(id: "c-1", source: "urn:a", type: "t", refusal: $0) } + [
            .commandAccepted(id: "c-1", source: "urn:a", type: "t", duplicateOf: nil),
            .commandAccepted(id: "c-1", source: "urn:a", type: "t", duplicateOf: "c-0"),
            .received(kind: .payout, amount: amount, endToEndID: "e-1"),
            .received(kind: .payment, amount: amount, endToEndID: nil),
            .screeningPassed, .screeningHeld(hold: 1, owner: "compliance", deadline: later),
            .screeningReleased(hold: 1, operatorName: "jo", reason: "checked"),
            .screeningReleased(hold: 1, operatorName: "jo", reason: nil),
            .screeningBlocked(hold: nil, operatorName: nil, reason: nil),
            .screeningBlocked(hold: 1, operatorName: "jo", reason: "hit"),
            .routeSelected(decision), .attemptStarted(start(nil)), .attemptStarted(start("op-1")),
            .attemptRetried(attempt: 2, request: 2, sendDeadline: later),
            .attemptAccepted(attempt: 2, partnerReference: "t-1"), .attemptAccepted(attempt: 2, partnerReference: nil),
            .attemptRejected(attempt: 2, code: "AC04", partnerCode: "closed", mayGoElsewhere: false),
            .attemptRejected(attempt: 2, code: "AB05", partnerCode: nil, mayGoElsewhere: true),
            .attemptInquired(attempt: 2, status: .pending, evidence: .inquiry(number: 1)),
            .attemptEscalated(attempt: 2, owner: "operations", exposure: amount),
            .attemptLateSuccess(attempt: 2, evidence: .notification(id: "n-2")),
            .offloadEntered(entry: 1, lane: .queue, owner: "treasury", deadline: later, releaseRule: "window-opens"),
            .offloadLeft(entry: 1, operatorName: nil, reason: nil),
            .offloadLeft(entry: 1, operatorName: "jo", reason: "now"), .payoutSubmitted(attempt: 2),
            .payoutReturned(moved(), code: "AC04"), .payoutFailed(code: "no-route"), .payoutCancelRequested,
            .payoutCancelled, .paymentActionRequired(attempt: 2, redirectURL: "https://bank.example/c"),
            .paymentAuthorized(attempt: 2, amount: amount, evidence: .answer), .paymentCaptured(moved()),
            .paymentVoided(attempt: 2, evidence: .answer), .paymentVoided(attempt: nil, evidence: nil),
            .paymentRefunded(moved()), .paymentSettled(moved(bare: true)), .paymentFailed(code: "AC04"),
            .paymentExpired, .paymentDisputed(moved()), .paymentDisputeWon(moved()), .paymentDisputeLost(moved()),
        ] + NotSentCause.allCases.map { .attemptNotSent(attempt: 2, cause: $0) }
        + DoubtCause.allCases.map { .attemptInDoubt(attempt: 2, cause: $0) }
        + [Resolution.settled, .accepted, .rejected, .absent].map {
            .attemptResolved(attempt: 2, outcome: $0, code: $0 == .rejected ? "AC04" : nil, evidence: .answer)
        } + evidences.map { .payoutSettled(moved($0)) } + [.payoutSettled(moved(bare: true))]

    static let postings: [Posting] = [
        Posting(
            number: 1, attempt: 2, kind: .settlement, valueDate: day, route: route,
            entries: [
                LedgerEntry(.debit, .payoutsPayable, amount),
                LedgerEntry(.credit, .clearing(PartnerName("bank-a")), amount),
            ]),
        Posting(
            number: 2, attempt: 2, kind: .reversal, valueDate: day, route: route,
            entries: [
                LedgerEntry(.debit, .clearing(PartnerName("bank-a")), amount),
                LedgerEntry(.credit, .payoutsPayable, amount),
            ], reverses: 1),
    ]
}
