import PaymentCore
import PaymentModel
import RecordFormat
import TestSupport
import Testing

/// Every kind of input, absurd ones too, in every state that the searches reach: nothing traps, nothing that is ignored
/// changes anything, every event is legal, and the same input again is nothing new.
@Suite("Every input in every state")
struct SmallScope {
    private func reports(_ number: Int) -> [SendOutcome] {
        let euro = World.euro
        return [
            .notSent(.connect), .notProcessed(httpStatus: 429, retryAfter: Milliseconds(.max)),
            .notProcessed(httpStatus: 401, retryAfter: Milliseconds(.min)), .refused(httpStatus: 400, partnerCode: nil),
            .tooLate, .unclear(.unreadable),
            .order(OrderReport(status: .settled, fee: Money(.min, euro))),
            .order(OrderReport(status: .returned, fee: Money(.max, euro))),
            .order(OrderReport(status: number % 2 == 0 ? .voided : .expired)),
        ]
    }

    private func orders() -> [OrderReport] {
        [
            OrderReport(status: .accepted), OrderReport(status: .pending), OrderReport(status: .rejected),
            OrderReport(status: .rejected, code: "AM02", mayGoElsewhere: true),
            OrderReport(status: .settled, partnerReference: "p", fee: Money(.max, World.euro)),
            OrderReport(status: .returned), OrderReport(status: .actionRequired), OrderReport(status: .voided),
            OrderReport(status: .expired),
        ]
    }

    private func inputs(_ state: PaymentState, _ now: Now) -> [PaymentInput] {
        var inputs: [PaymentInput] = [
            .screened(.passed(listVersion: 7)), .screened(.blocked(entry: "e", listVersion: 8)),
            .screened(.held(owner: "o", deadline: Timestamp(milliseconds: .min), entry: "e", listVersion: 9)),
            .routed(RouteDecision(policyVersion: "", candidates: [], eliminated: [], outcome: .attempt)),
            .routed(RouteDecision(policyVersion: "", candidates: [], eliminated: [], outcome: .noRoute)),
            .timer(due: Timestamp(milliseconds: .min)), .timer(due: now.wall),
            .timer(due: state.timer ?? now.wall), .timer(due: Timestamp(milliseconds: .max)),
        ]
        for number in [Int.min, 0, state.attempts.count + 1, .max] + Array(1...max(state.attempts.count, 1)) {
            let requests = state.attempts.indices.contains(number &- 1) ? state.attempts[number - 1].requests : 1
            for request in [Int.min, 0, requests, requests + 1, 33, .max] {
                for outcome in request == requests ? reports(number) : [.unclear(.timeout)] {
                    inputs.append(
                        .sendEnded(
                            SendReport(
                                attempt: number, request: request, incarnation: now.incarnation.number,
                                outcome: outcome, endOfUpload: request == requests ? now.monotonic : nil)))
                }
            }
            inputs.append(
                .sendEnded(
                    SendReport(
                        attempt: number, request: 1, incarnation: 0, outcome: .order(OrderReport(status: .settled)),
                        endOfUpload: MonotonicTime(milliseconds: .max))))
            for inquiry in [Int.min, 0, 1, 2, 3, .max] {
                let outcome: InquiryOutcome = inquiry == 1 ? .notFound : .found(orders()[max(0, inquiry) % 9])
                inputs.append(
                    .inquired(
                        InquiryReport(
                            attempt: number, inquiry: inquiry, incarnation: now.incarnation.number,
                            sentAt: MonotonicTime(milliseconds: inquiry == 2 ? .max : .min), outcome: outcome)))
            }
        }
        return inputs + notifications(state, now) + commands(state, now)
    }

    private func notifications(_ state: PaymentState, _ now: Now) -> [PaymentInput] {
        var subjects: [PartnerNotification.Subject] = orders().map { .order($0) }
        for status in [PartnerNotification.DisputeStatus.opened, .won, .lost] {
            for units in [nil, Int64.min, 0, 1, .max] {
                subjects.append(.dispute(status, amount: units.map { Money($0, World.euro) }, valueDate: nil))
            }
        }
        let foreign = Reference(partitionHash: 5, seed: Digest(high: 5, low: 5), attempt: 1)
        var inputs: [PaymentInput] = []
        for (index, reference) in (state.attempts.map(\.reference) + [foreign]).enumerated() {
            let route = state.attempts.indices.contains(index) ? state.attempts[index].route : World.routeA
            for (number, subject) in subjects.enumerated() {
                let identity = Digest(high: UInt64(index * 100 + number), low: 4_711)
                for partner in number == 0 ? [route.partner, PartnerName("other")] : [route.partner] {
                    inputs.append(
                        .notified(
                            PartnerNotification(
                                partner: partner, id: "n", identity: identity, reference: reference, subject: subject,
                                fresh: number != 1, receivedAt: now.wall)))
                }
            }
        }
        return inputs
    }

    private func commands(_ state: PaymentState, _ now: Now) -> [PaymentInput] {
        var bodies: [CommandBody] = [
            .cancel(reason: nil), .void(reason: nil), .completeAction, .refused(Refusal(.invalid, "no", field: nil)),
            .initiate(
                Initiation(kind: .payment, instructedAmount: Money(1, World.euro), captureMode: .automatic),
                dataDigest: Digest(high: 1, low: 1), seed: Digest(high: 2, low: 2)),
        ]
        for units in [nil, Int64.min, -1, 0, 1, .max] {
            bodies += [.capture(States.request("k", units)), .refund(States.request("k", units))]
        }
        bodies.append(
            .refund(
                OperationRequest(
                    operationID: "", amount: Money(1, Currency("JPY") ?? World.euro),
                    dataDigest: Digest(high: 0, low: 0))))
        for number in [nil, Int.min, 0, 1, 2, .max] {
            let click = DeskDecision(entry: number, operatorName: "", reason: nil)
            bodies += [.releaseHold(click), .rejectHold(click), .resumeOffload(click), .rejectOffload(click)]
            for outcome in [AttemptResolution.Outcome.settled, .rejected, .absent] {
                for time in [nil, Int64.min, now.wall.milliseconds, .max] {
                    let observed = time.map { Timestamp(milliseconds: $0) }
                    bodies.append(.resolveAttempt(States.resolution(number, outcome, at: observed)))
                }
            }
        }
        return bodies.enumerated().map { index, body in
            .command(
                Command(
                    envelope: CommandEnvelope(
                        subject: state.id, source: "s", id: "\(index)", type: "t",
                        identity: Digest(high: UInt64(index), low: 815)), body: body))
        }
    }

    @Test("never traps, never changes what it ignores, and is nothing new when it comes again")
    func everything() {
        let deeper = TestSettings.integer("SWITCHYARD_MODEL_DEPTH", default: 0)
        let wanted = deeper > 0 ? 20_000 : 24
        var count = 0
        var states: Set<PaymentStatus> = []
        for scenario in Scenario.truthful + Scenario.lying {
            var search = Search(scenario, maximum: deeper > 0 ? 500_000 : 4_000)
            search.healEvery = .max
            search.collects = wanted
            search.collectEvery = deeper > 0 ? 1 : 29
            search.run()
            for (_, reached) in search.collected {
                states.insert(reached.state.status)
                for input in inputs(reached.state, reached.now) {
                    count += 1
                    feed(input, reached.state, reached.now, reached.fold, search.rules)
                }
            }
        }
        for known in States.all {
            let driver = known.make()
            states.insert(driver.state.status)
            for input in inputs(driver.state, driver.now) {
                count += 1
                feed(input, driver.state, driver.now, driver.fold, driver.rules)
            }
        }
        print("small scope: \(count) inputs in \(states.count) statuses")
        let transient: Set<PaymentStatus> = [.received, .screening, .settled]
        for status in PaymentStatus.allCases where !transient.contains(status) {
            #expect(states.contains(status), "no state with \(status)")
        }
    }

    private func feed(
        _ input: PaymentInput, _ start: PaymentState, _ now: Now, _ before: PaymentFold, _ rules: CoreRules
    ) {
        var state = start
        var fold = before
        let transition = PaymentMachine.step(&state, input, now: now, rules: rules)
        for event in transition.events { fold.take(event) }
        guard fold.isLegal, fold.isGapless, fold.status == state.status else {
            Issue.record("\(fold.illegal ?? "not gapless") in \(start.status) by \(input)")
            return
        }
        if !transition.postings.allSatisfy(\.isBalanced) { Issue.record("unbalanced in \(start.status) by \(input)") }
        if !transition.changedState, state != start || !transition.events.isEmpty || !transition.postings.isEmpty {
            Issue.record("an untold change in \(start.status) by \(input)")
        }
        if transition.disposition == .duplicate, !transition.events.isEmpty {
            Issue.record("a duplicate with events in \(start.status) by \(input)")
        }
        switch input {
        case .command, .notified:
            let taken = state
            let again = PaymentMachine.step(&state, input, now: now, rules: rules)
            if state != taken, !isStale(input) { Issue.record("not idempotent in \(start.status): \(input)") }
            if !again.events.isEmpty || !again.postings.isEmpty {
                Issue.record("events of a repeated input in \(start.status): \(input)")
            }
        default: break
        }
    }

    private func isStale(_ input: PaymentInput) -> Bool {
        if case .notified(let notification) = input { !notification.fresh } else { false }
    }
}
