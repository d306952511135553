import Partners
import PaymentCore
import PaymentModel

extension SwitchyardDomain {
    /// See `PaymentDomain`.
    public func call(for order: SendOrder, initiation: consuming Initiation?) -> PartnerHTTPRequest? {
        guard let adapter = partners[order.route.partner] else { return nil }
        return try? adapter.request(for: PartnerOrder(order, initiation))
    }

    /// See `PaymentDomain`.
    public func call(for order: InquiryOrder) -> PartnerHTTPRequest? {
        guard let adapter = partners[order.route.partner] else { return nil }
        return try? adapter.request(for: PartnerInquiry(order))
    }

    /// See `PaymentDomain`.
    public func outcome(of answer: PartnerAnswer, to order: SendOrder) -> Reading<SendOutcome> {
        guard let adapter = partners[order.route.partner] else { return Reading(.unclear(.unreadable)) }
        return adapter.outcome(of: PartnerHTTPAnswer(answer), to: PartnerOrder(order, nil))
    }

    /// See `PaymentDomain`.
    public func outcome(of answer: PartnerAnswer, to order: InquiryOrder) -> Reading<InquiryOutcome> {
        guard let adapter = partners[order.route.partner] else { return Reading(.unanswered) }
        return adapter.outcome(of: PartnerHTTPAnswer(answer), to: PartnerInquiry(order))
    }
}

extension PartnerOrder {
    fileprivate init(_ order: SendOrder, _ initiation: consuming Initiation?) {
        self.init(
            operation: order.operation, rail: order.route.rail, reference: order.reference,
            idempotencyKey: order.idempotencyKey, amount: order.amount, target: order.target, initiation: initiation)
    }
}

extension PartnerInquiry {
    fileprivate init(_ order: InquiryOrder) {
        self.init(
            operation: order.operation, reference: order.reference, amount: order.amount, target: order.target)
    }
}

extension PartnerHTTPAnswer {
    fileprivate init(_ answer: PartnerAnswer) {
        self.init(status: answer.status, retryAfter: answer.header("retry-after"), body: answer.body)
    }
}
