import CanonicalJSON
import PaymentModel

/// Why an object of the partner is no evidence about our order.
enum OrderFault: Error {
    case unreadable
    case mismatch(PartnerAlarm)
}

/// Reads fields of the reference partner's objects. Never more of them than an event may carry.
struct ReferenceFields {
    let document: JSONDocument

    /// A string of at most 2 048 bytes, or nil.
    func text(_ node: JSONNode, _ name: StaticString) -> String? {
        guard let member = document.member(node, name), let length = document.stringLength(member), length <= 2_048
        else { return nil }
        return document.string(member)
    }

    /// Whether there is a string with exactly these bytes.
    func isText(_ node: JSONNode, _ name: StaticString, _ text: String) -> Bool {
        guard let member = document.member(node, name) else { return false }
        let expected = text.utf8.span.bytes
        return document.withString(member) { found in
            guard found.count == expected.byteCount else { return false }
            for index in found.indices where found[index] != expected.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            {
                return false
            }
            return true
        } == true
    }

    /// A day, or nil.
    func day(_ node: JSONNode, _ name: StaticString) -> CalendarDate? {
        guard let member = document.member(node, name) else { return nil }
        return document.withString(member) { RFC3339.day($0) } ?? nil
    }

    func money(_ node: JSONNode, _ name: StaticString) -> Money? {
        guard let member = document.member(node, name), let code = document.member(member, "currency"),
            let currency = document.withString(code, { Currency($0) }) ?? nil,
            let unitsNode = document.member(member, "minorUnits"), let units = document.integer(unitsNode),
            units.magnitude <= UInt64(Money.maximumMinorUnits)
        else { return nil }
        return Money(units, currency)
    }

    /// A partner's code as it may stand in an event: at most 35 letters, digits, dots, hyphens, underscores.
    static func partnerCode(_ text: String) -> String? {
        let isCode = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isCode && (1...35).contains(text.utf8.count) ? text : nil
    }

    /// Reason, our code for it, and whether the payment may go elsewhere.
    func reason(_ node: JSONNode, _ report: inout OrderReport) {
        guard report.status == .rejected || report.status == .returned else { return }
        report.partnerCode = text(node, "reason").flatMap(ReferenceFields.partnerCode)
        let code = ReasonTable.code(report.partnerCode)
        report.code = code
        report.mayGoElsewhere = report.status == .rejected && ReasonTable.mayGoElsewhere(code)
    }
}

/// Reads one order object of the reference partner: a transfer, an authorization, an operation on one.
struct ReferenceOrderReader {
    let fields: ReferenceFields
    let operation: Operation
    let reference: Reference
    let amount: Money

    /// The order, checked against ours. A status or a value that the partner's API does not know is unreadable, never
    /// guessed at.
    func report(_ node: JSONNode) throws(OrderFault) -> OrderReport {
        guard fields.document.kind(node) == .object, let status = fields.text(node, "status") else { throw .unreadable }
        guard fields.isText(node, "reference", reference.text) else { throw .mismatch(.referenceMismatch) }
        guard let found = fields.money(node, "amount") else { throw .unreadable }
        guard found == amount else { throw .mismatch(.amountMismatch) }
        guard let order = orderStatus(status, node) else { throw .unreadable }
        var report = OrderReport(status: order, amount: found)
        let id = fields.text(node, "id")
        if let id, ReferenceAdapter.isIdentifier(id) {
            report.partnerReference = id
        } else if id != nil {
            throw .unreadable
        }
        // Without its id an authorization could be neither captured nor voided, a transfer not be cancelled.
        if report.partnerReference == nil, order != .rejected { throw .unreadable }
        report.fee = fields.money(node, "fee")
        if let fee = report.fee, fee.minorUnits < 0 { throw .unreadable }
        report.valueDate = fields.day(node, "valueDate")
        if order == .actionRequired {
            guard let url = fields.text(node, "redirectUrl"), ReferenceOrderReader.isWebAddress(url) else {
                throw .unreadable
            }
            report.redirectURL = url
        }
        fields.reason(node, &report)
        return report
    }

    /// `accepted` is the end of an authorization and of an operation on one, and only the beginning of a transfer.
    private func orderStatus(_ status: String, _ node: JSONNode) -> OrderStatus? {
        switch (operation, status) {
        case (.payout, "accepted"): .accepted
        case (.payout, "settled"): .settled
        case (.payout, "returned"): .returned
        case (.authorize, "accepted"): isVoided(node) ? .voided : .settled
        case (.authorize, "actionRequired"): .actionRequired
        case (.authorize, "voided"): .voided
        case (.authorize, "expired"): .expired
        case (.capture, "accepted"), (.refund, "accepted"), (.void, "accepted"): .settled
        case (_, "pending"): .pending
        case (_, "rejected"): .rejected
        default: nil
        }
    }

    /// An authorization that shows an executed void and no executed capture is given up, whatever its own status says.
    private func isVoided(_ node: JSONNode) -> Bool {
        func has(_ name: StaticString) -> Bool {
            guard let operations = fields.document.member(node, name) else { return false }
            return fields.document.elements(operations).contains { fields.text($0, "status") == "accepted" }
        }
        return has("voids") && !has("captures")
    }

    /// A customer is sent there: only over HTTP, and nothing that breaks out of an attribute or a header.
    private static func isWebAddress(_ text: String) -> Bool {
        (text.hasPrefix("https://") || text.hasPrefix("http://"))
            && text.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "<")
            }
    }
}
