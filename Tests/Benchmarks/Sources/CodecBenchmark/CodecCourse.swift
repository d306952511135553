import MessageCodec
import Partners
import PaymentModel
import RecordFormat

/// The bytes of one payout's life: the command that is decoded, the eight events and the posting that are encoded, the
/// partner's request that is written and its answer that is read.
struct CodecCourse {
    private let euro: Currency
    private let route = Route(partner: PartnerName("partner-3"), rail: Rail("rail-3"))
    private let at = Timestamp(milliseconds: 1_790_000_000_123)
    private let reference: Reference
    private let context: EventContext
    private let events: [PaymentEvent]
    private let posting: Posting
    private let encoder = EventEncoder()
    private let decoder: CommandDecoder
    private let command: [UInt8]
    private let adapter = PartnerAdapter.reference(ReferenceAdapter())
    private let order: PartnerOrder
    private let answer: PartnerHTTPAnswer

    init() {
        guard let euro = Currency("EUR"), let payment = PaymentID("payout-0000123456") else {
            preconditionFailure("a currency of ISO 4217 and a valid id")
        }
        self.euro = euro
        let amount = Money(1_250, euro)
        reference = Reference(
            partitionHash: PartitionHash.hash(payment.text.utf8),
            seed: Digest(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210), attempt: 1)
        context = EventContext(
            paymentID: payment, causationID: "c0000123456",
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        events = CodecCourse.events(route, reference, amount, at)
        posting = CodecCourse.posting(route, amount)
        // The hash is the hash library's, not the codec's: here it costs next to nothing.
        let decoder = CommandDecoder { Digest(high: UInt64($0.count), low: 0) }
        let command = CodecCourse.command(payment)
        guard
            case .command(let decoded, _) = decoder.decode(
                command.span.bytes, partition: 0, partitionCount: 1, receivedAt: at),
            case .initiate(let initiation, _, _) = decoded.body
        else { preconditionFailure("the command is valid") }
        self.decoder = decoder
        self.command = command
        order = PartnerOrder(
            operation: .payout, rail: route.rail, reference: reference, idempotencyKey: reference.text, amount: amount,
            initiation: initiation)
        let body =
            #"{"id":"t-000123456","status":"settled","reason":null,"valueDate":"2026-11-20","#
            + #""fee":{"currency":"EUR","minorUnits":20},"reference":"\#(reference.text)","#
            + #""amount":{"currency":"EUR","minorUnits":1250}}"#
        answer = PartnerHTTPAnswer(status: 201, body: Array(body.utf8))
    }

    /// Encodes the nine records of one payout; how many bytes they take.
    func encode(into batch: inout [UInt8]) {
        for event in events { encoder.append(event, context, to: &batch) }
        encoder.append(posting, at: at, context, to: &batch)
    }

    /// Decodes the initiate; whether it is accepted.
    func decode() -> Bool {
        guard
            case .command(let command, let body) = decoder.decode(
                command.span.bytes, partition: 0, partitionCount: 1, receivedAt: at),
            case .initiate = command.body
        else { return false }
        return body != nil
    }

    /// Writes the partner's request; how many bytes its body has.
    func request() -> Int { (try? adapter.request(for: order))?.body.count ?? 0 }

    /// Reads the partner's answer; whether it says settled.
    func read() -> Bool {
        guard case .order(let report) = adapter.outcome(of: answer, to: order).outcome else { return false }
        return report.status == .settled
    }

    // MARK: - What is encoded

    private static func events(
        _ route: Route, _ reference: Reference, _ amount: Money, _ at: Timestamp
    ) -> [PaymentEvent] {
        let cost = RouteCost(fixed: 20, variable: 12, total: 32, currency: amount.currency)
        let candidates = (1...3).map { number in
            RouteCandidate(
                route: Route(partner: PartnerName("partner-\(number)"), rail: Rail("rail-\(number)")),
                role: number == 1 ? .primary : .secondary, cost: cost)
        }
        let eliminated = (4...8).map { number in
            Elimination(
                route: Route(partner: PartnerName("partner-\(number)"), rail: Rail("rail-\(number)")),
                code: .notInRules, detail: "rule 7 gives other routes")
        }
        let decision = RouteDecision(
            policyVersion: "5f2b7a90c1d34e68", candidates: candidates, eliminated: eliminated, outcome: .attempt)
        let start = AttemptStart(
            attempt: 1, operation: .payout, operationID: nil, route: route, role: .primary, reference: reference,
            amount: amount, idempotencyKey: reference.text, sendDeadline: at + .seconds(2))
        let moved = MoneyMoved(
            attempt: 1, amount: amount, fee: Money(20, amount.currency),
            valueDate: CalendarDate(daysSinceEpoch: 20_777), evidence: .answer)
        let bodies: [(PaymentStatus, EventBody)] = [
            (
                .received,
                .commandAccepted(
                    id: "c0000123456", source: "urn:benchmark", type: "io.switchyard.payout.initiate.v1",
                    duplicateOf: nil)
            ),
            (.screening, .received(kind: .payout, amount: amount, endToEndID: "INV-0000123456")),
            (.routing, .screeningPassed), (.routing, .routeSelected(decision)),
            (.attempting, .attemptStarted(start)),
            (.attempting, .attemptAccepted(attempt: 1, partnerReference: "t-000123456")),
            (.submitted, .payoutSubmitted(attempt: 1)), (.settled, .payoutSettled(moved)),
        ]
        return bodies.enumerated().map { index, entry in
            PaymentEvent(sequence: Int64(index + 1), status: entry.0, occurredAt: at, body: entry.1)
        }
    }

    private static func posting(_ route: Route, _ amount: Money) -> Posting {
        let fee = Money(20, amount.currency)
        return Posting(
            number: 1, attempt: 1, kind: .settlement, valueDate: CalendarDate(daysSinceEpoch: 20_777), route: route,
            entries: [
                LedgerEntry(.debit, .payoutsPayable, amount), LedgerEntry(.credit, .clearing(route.partner), amount),
                LedgerEntry(.debit, .feeExpense(route.partner), fee),
                LedgerEntry(.credit, .clearing(route.partner), fee),
            ])
    }

    private static func command(_ payment: PaymentID) -> [UInt8] {
        func header(_ name: String, _ value: String) -> (name: [UInt8], value: [UInt8]) {
            (Array(name.utf8), Array(value.utf8))
        }
        let data =
            #"{"instructedAmount":{"currency":"EUR","minorUnits":1250},"endToEndId":"INV-0000123456","#
            + #""debtor":{"name":"Acme BV","account":{"iban":"NL91ABNA0417164300"}},"#
            + #""creditor":{"name":"Example GmbH","account":{"iban":"DE89370400440532013000"},"#
            + #""agent":{"bic":"COBADEFFXXX"},"address":{"country":"DE","townName":"Köln","postCode":"50667"}},"#
            + #""purpose":"SUPP","remittanceInformation":"Invoice 2026-0001","metadata":{"tenant":"t-7"}}"#
        return RecordFrame.encode(
            key: Array(payment.text.utf8), timestamp: 1_790_000_000_000,
            headers: [
                header("ce_specversion", "1.0"), header("ce_id", "c0000123456"), header("ce_source", "urn:benchmark"),
                header("ce_type", "io.switchyard.payout.initiate.v1"), header("ce_subject", payment.text),
                header("content-type", "application/json"),
            ], value: Array(data.utf8))
    }
}
