import CanonicalJSON
import PaymentModel

extension ReferenceAdapter {
    /// What the answer to a request means (the contract, section 6): 401 and 429 are not processed; 400, 403, 404, 413,
    /// 415 and 422 are not processed and never will be; 200 and 201 carry the order; everything else, 409 on a POST of
    /// money included, and anything unreadable promises nothing.
    public func outcome(of answer: PartnerHTTPAnswer, to order: PartnerOrder) -> Reading<SendOutcome> {
        switch answer.status {
        case 200, 201:
            order.operation == .cancel ? cancelled(answer, order) : taken(answer, order)
        case 401, 429:
            Reading(
                .notProcessed(
                    httpStatus: answer.status, retryAfter: ReferenceAdapter.retryAfter(answer.retryAfter)))
        case 400, 403, 404, 413, 415, 422:
            Reading(
                .refused(httpStatus: answer.status, partnerCode: refusalCode(answer.body)), alarm: .requestRefused)
        case 409 where order.operation == .cancel: Reading(.tooLate)
        default: Reading(.unclear(.status))
        }
    }

    private func taken(_ answer: PartnerHTTPAnswer, _ order: PartnerOrder) -> Reading<SendOutcome> {
        guard answer.body.count <= maximumBytes else { return Reading(.unclear(.oversized)) }
        guard let document = try? JSONDocument(answer.body, limits: limits) else {
            return Reading(.unclear(.unreadable))
        }
        let reader = ReferenceOrderReader(
            fields: ReferenceFields(document: document), operation: order.operation, reference: order.reference,
            amount: order.amount)
        do throws(OrderFault) {
            if let target = order.target, let authorization = document.member(.root, "authorizationId"),
                document.string(authorization) != target
            {
                throw .mismatch(.referenceMismatch)
            }
            return Reading(.order(try reader.report(.root)))
        } catch {
            switch error {
            case .unreadable: return Reading(.unclear(.unreadable))
            case .mismatch(let alarm): return Reading(.unclear(.unreadable), alarm: alarm)
            }
        }
    }

    /// The answer to a cancel is the transfer, whose reference is another attempt's: its id is compared. What it says
    /// of the transfer proves only that the cancel has arrived; a transfer already executed shows that it came too
    /// late.
    private func cancelled(_ answer: PartnerHTTPAnswer, _ order: PartnerOrder) -> Reading<SendOutcome> {
        guard answer.body.count <= maximumBytes else { return Reading(.unclear(.oversized)) }
        guard let document = try? JSONDocument(answer.body, limits: limits),
            let id = document.member(.root, "id"), let status = document.member(.root, "status")
        else { return Reading(.unclear(.unreadable)) }
        guard document.string(id) == order.target else {
            return Reading(.unclear(.unreadable), alarm: .referenceMismatch)
        }
        switch document.string(status) {
        case "accepted", "pending", "rejected":
            return Reading(.order(OrderReport(status: .accepted, partnerReference: order.target)))
        case "settled", "returned": return Reading(.tooLate)
        default: return Reading(.unclear(.unreadable))
        }
    }

    /// Seconds as a number, at most a day; a date, or anything else, is no answer.
    static func retryAfter(_ text: String?) -> Milliseconds? {
        guard let text, (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            let seconds = Int64(text)
        else { return nil }
        return .seconds(min(seconds, 86_400))
    }

    /// The code of a refusal, where its body tells one; that it is refused does not depend on it.
    private func refusalCode(_ body: [UInt8]) -> String? {
        guard body.count <= maximumBytes, let document = try? JSONDocument(body, limits: limits) else { return nil }
        for name in ["reason", "code", "error"] as [StaticString] {
            if let node = document.member(.root, name), let length = document.stringLength(node), length <= 35,
                let text = document.string(node)
            {
                return ReferenceFields.partnerCode(text)
            }
        }
        return nil
    }
}

// MARK: - Inquiries

extension ReferenceAdapter {
    /// What the answer to an inquiry means. Only a 200 with an empty list says "not found"; an order that is not ours
    /// by reference or amount is no evidence.
    public func outcome(of answer: PartnerHTTPAnswer, to inquiry: PartnerInquiry) -> Reading<InquiryOutcome> {
        guard answer.status == 200, answer.body.count <= maximumBytes,
            let document = try? JSONDocument(answer.body, limits: limits)
        else { return Reading(.unanswered) }
        let reader = ReferenceOrderReader(
            fields: ReferenceFields(document: document), operation: inquiry.operation, reference: inquiry.reference,
            amount: inquiry.amount)
        switch inquiry.operation {
        case .cancel: return cancelInquired(document, inquiry)
        case .payout:
            guard let list = document.member(.root, "transfers"), document.kind(list) == .array else {
                return Reading(.unanswered)
            }
            return outcome(of: Array(document.elements(list)), reader, isEmpty: document.count(list) == 0)
        case .authorize, .capture, .refund, .void:
            guard let list = document.member(.root, "authorizations"), document.kind(list) == .array else {
                return Reading(.unanswered)
            }
            if inquiry.operation == .authorize {
                return outcome(of: Array(document.elements(list)), reader, isEmpty: document.count(list) == 0)
            }
            return operationInquired(document, list, inquiry, reader)
        }
    }

    /// An operation lies within its authorization. The partner answers with the authorization that knows our reference:
    /// one that does not show it proves nothing, only an empty list does.
    private func operationInquired(
        _ document: JSONDocument, _ list: JSONNode, _ inquiry: PartnerInquiry, _ reader: ReferenceOrderReader
    ) -> Reading<InquiryOutcome> {
        let name: StaticString =
            switch inquiry.operation {
            case .capture: "captures"
            case .refund: "refunds"
            default: "voids"
            }
        var operations: [JSONNode] = []
        for authorization in document.elements(list) {
            if let target = inquiry.target, let id = document.member(authorization, "id"),
                document.string(id) != target
            {
                return Reading(.unanswered, alarm: .referenceMismatch)
            }
            guard let array = document.member(authorization, name), document.kind(array) == .array else { continue }
            operations += document.elements(array).filter {
                reader.fields.text($0, "reference") == inquiry.reference.text
            }
        }
        return outcome(of: operations, reader, isEmpty: document.count(list) == 0)
    }

    private func outcome(
        of nodes: [JSONNode], _ reader: ReferenceOrderReader, isEmpty: Bool
    ) -> Reading<InquiryOutcome> {
        if isEmpty { return Reading(.notFound) }
        var found: [OrderReport] = []
        var alarm: PartnerAlarm?
        for node in nodes {
            do throws(OrderFault) {
                found.append(try reader.report(node))
            } catch {
                // One that cannot be read may be the one that counts: nothing is concluded from the others.
                guard case .mismatch(let mismatch) = error else { return Reading(.unanswered, alarm: alarm) }
                alarm = mismatch
            }
        }
        if alarm == .amountMismatch { return Reading(.unanswered, alarm: alarm) }
        guard let strongest = found.max(by: { ReferenceAdapter.weight($0.status) < ReferenceAdapter.weight($1.status) })
        else { return Reading(.unanswered, alarm: alarm) }
        return Reading(.found(strongest), alarm: found.count > 1 ? .severalOrders : alarm)
    }

    /// Of several orders under one reference, the one that moved money counts before one that may, and that before one
    /// that did not.
    private static func weight(_ status: OrderStatus) -> Int {
        switch status {
        case .settled: 7
        case .returned: 6
        case .accepted: 5
        case .pending: 4
        case .actionRequired: 3
        case .voided, .expired: 2
        case .rejected: 1
        }
    }

    private func cancelInquired(_ document: JSONDocument, _ inquiry: PartnerInquiry) -> Reading<InquiryOutcome> {
        guard let id = document.member(.root, "id"), let status = document.member(.root, "status") else {
            return Reading(.unanswered)
        }
        guard document.string(id) == inquiry.target else { return Reading(.unanswered, alarm: .referenceMismatch) }
        // Only a transfer that the cancel has stopped shows that it arrived.
        let reason = document.member(.root, "reason").flatMap { document.string($0) }
        guard document.string(status) == "rejected", reason == "CUST" else { return Reading(.unanswered) }
        return Reading(.found(OrderReport(status: .accepted, partnerReference: inquiry.target)))
    }
}
