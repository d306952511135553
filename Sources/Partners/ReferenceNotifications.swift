import CanonicalJSON
import PaymentModel

/// What became of a notification's signature.
public enum SignatureVerdict: Hashable, Sendable {
    /// Signed by the partner, and young enough when it was received.
    case fresh
    /// Signed by the partner, but too old.
    case stale
    /// Signed by the partner, but dated too far in the future: its clock or ours is wrong. Otherwise as stale.
    case early
    /// Not signed by the partner.
    case forged(ForgeryReason)
}

/// Why a signature is taken for forged; for our counters, never for the caller.
public enum ForgeryReason: String, Hashable, Sendable, CaseIterable {
    /// No signature header.
    case missing
    /// A header that has not the form `t=…,v1=…`.
    case malformed
    /// A signature that is not the partner's.
    case mismatch
}

/// What an authentic notification says.
public struct NotificationContent: Hashable, Sendable {
    /// The partner's id of it.
    public var id: String
    /// The partner's type of it.
    public var type: String
    /// The reference that it names: ours, or foreign.
    public var reference: String
    /// What it tells of; nil for a type or a value that we do not know: it changes nothing.
    public var subject: PartnerNotification.Subject?
    /// What the order that it tells of does, where its type says so.
    public var operation: Operation?
    /// The money that came in by it, where it says how much: what is posted where no order of ours explains it.
    public var received: Received?

    /// Money in our favour at the partner.
    public struct Received: Hashable, Sendable {
        /// The partner's id of the movement: one for each, also where several notifications tell of it.
        public var movement: String
        /// How much.
        public var amount: Money
        /// Value date, where it is told.
        public var valueDate: CalendarDate?
    }

    /// The notification for its payment; nil where the reference is not ours or it tells nothing that we know.
    /// `identity` stands for (partner, id).
    public func notification(
        partner: PartnerName, identity: Digest, fresh: Bool, receivedAt: Timestamp
    ) -> PartnerNotification? {
        guard let reference = Reference(reference), let subject else { return nil }
        return PartnerNotification(
            partner: partner, id: id, identity: identity, reference: reference, subject: subject,
            operation: operation, fresh: fresh, receivedAt: receivedAt)
    }
}

// MARK: - Signature

extension ReferenceAdapter {
    /// `Partner-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: exactly these two, in this order. The
    /// comparison takes the same time wherever the signatures differ.
    public func verify(
        signature: String?, body: [UInt8], receivedAt: Timestamp, hmac: ([UInt8]) -> [UInt8]
    ) -> SignatureVerdict {
        guard let signature else { return .forged(.missing) }
        let parts = signature.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard signature.utf8.count <= 128, parts.count == 2, parts[0].starts(with: "t=".utf8),
            parts[1].starts(with: "v1=".utf8)
        else { return .forged(.malformed) }
        let time = parts[0].dropFirst(2)
        guard (1...12).contains(time.count), time.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            let given = ReferenceAdapter.hexBytes(parts[1].dropFirst(3))
        else { return .forged(.malformed) }
        let expected = hmac(Array(time) + [UInt8(ascii: ".")] + body)
        guard expected.count == 32, given.count == 32 else { return .forged(.mismatch) }
        var difference: UInt8 = 0
        for index in 0..<32 { difference |= expected[index] ^ given[index] }
        guard difference == 0 else { return .forged(.mismatch) }
        let seconds = time.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        let age = receivedAt.milliseconds - seconds * 1_000
        if age > signatureTolerance.count { return .stale }
        return age < -signatureTolerance.count ? .early : .fresh
    }

    private static func hexBytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}

// MARK: - Content

extension ReferenceAdapter {
    /// What the body says. Nil where it has no id, type or reference of 1 to 128 bytes.
    public func notification(body: [UInt8]) -> NotificationContent? {
        guard body.count <= maximumBytes, let document = try? JSONDocument(body, limits: limits),
            let data = document.member(.root, "data")
        else { return nil }
        func attribute(_ node: JSONNode, _ name: StaticString) -> String? {
            guard let member = document.member(node, name), let text = document.string(member),
                (1...128).contains(text.utf8.count)
            else { return nil }
            return text
        }
        guard let id = attribute(.root, "id"), let type = attribute(.root, "type"),
            let reference = attribute(data, "reference")
        else { return nil }
        var content = NotificationContent(id: id, type: type, reference: reference)
        if Reference(reference) != nil {
            content.subject = subject(type, data, ReferenceFields(document: document))
            content.operation = ReferenceAdapter.operation(type)
        }
        content.received = received(type, reference, data, ReferenceFields(document: document))
        return content
    }

    /// A transfer that comes back and a capture bring money in. A transfer comes back once, so its id names the movement;
    /// a capture's reference names that.
    private func received(
        _ type: String, _ reference: String, _ data: JSONNode, _ fields: ReferenceFields
    ) -> NotificationContent.Received? {
        let movement: String?
        switch type {
        case "transfer.returned": movement = fields.text(data, "transferId")
        case "authorization.captured": movement = reference
        default: return nil
        }
        guard let movement, ReferenceAdapter.isIdentifier(movement), let amount = fields.money(data, "amount"),
            amount.minorUnits > 0
        else { return nil }
        return NotificationContent.Received(
            movement: movement, amount: amount, valueDate: fields.text(data, "valueDate").flatMap(RFC3339.day))
    }

    private func subject(
        _ type: String, _ data: JSONNode, _ fields: ReferenceFields
    ) -> PartnerNotification.Subject? {
        switch type {
        case "transfer.settled": order(.settled, "settled", data, fields, id: "transferId")
        case "transfer.rejected": order(.rejected, "rejected", data, fields, id: "transferId")
        case "transfer.returned": order(.returned, "returned", data, fields, id: "transferId")
        case "authorization.accepted": order(.settled, nil, data, fields, id: "authorizationId")
        // Of the authorization or of an operation on it, by the reference: the id tells only the authorization's.
        case "authorization.rejected": order(.rejected, nil, data, fields, id: nil)
        case "authorization.captured", "authorization.voided", "authorization.refunded":
            order(.settled, nil, data, fields, id: nil)
        case "authorization.disputed": dispute(data, fields)
        default: nil
        }
    }

    /// The operation whose reference a notification of this type names (the contract, section 6: "`reference` is the
    /// operation's"); nil where several may be meant. A void that names the authorization itself would else read as its
    /// success.
    private static func operation(_ type: String) -> Operation? {
        switch type {
        case "transfer.settled", "transfer.rejected", "transfer.returned": .payout
        case "authorization.accepted": .authorize
        case "authorization.captured", "authorization.disputed": .capture
        case "authorization.voided": .void
        case "authorization.refunded": .refund
        default: nil
        }
    }

    /// A status that contradicts the type makes the notification say nothing.
    private func order(
        _ status: OrderStatus, _ expected: String?, _ data: JSONNode, _ fields: ReferenceFields,
        id: StaticString?
    ) -> PartnerNotification.Subject? {
        if let expected, let told = fields.text(data, "status"), told != expected { return nil }
        var report = OrderReport(status: status)
        if let id, let text = fields.text(data, id), ReferenceAdapter.isIdentifier(text) {
            report.partnerReference = text
        }
        report.amount = fields.money(data, "amount")
        report.fee = fields.money(data, "fee")
        if let fee = report.fee, fee.minorUnits < 0 { return nil }
        report.valueDate = fields.text(data, "valueDate").flatMap(RFC3339.day)
        fields.reason(data, &report)
        return .order(report)
    }

    private func dispute(_ data: JSONNode, _ fields: ReferenceFields) -> PartnerNotification.Subject? {
        let status: PartnerNotification.DisputeStatus
        switch fields.text(data, "status") {
        case "opened": status = .opened
        case "won": status = .won
        case "lost": status = .lost
        default: return nil
        }
        let amount = fields.money(data, "amount")
        if let amount, amount.minorUnits <= 0 { return nil }
        return .dispute(status, amount: amount, valueDate: fields.text(data, "valueDate").flatMap(RFC3339.day))
    }
}
