import CanonicalJSON
import PaymentModel

/// The reference partner: the contract, section 6. Also the shape of a small bank's API.
public struct ReferenceAdapter: Sendable {
    /// Larger answers and notifications are not read.
    public var maximumBytes: Int
    /// A signature's time may lie so far from the receipt, either way.
    public var signatureTolerance: Milliseconds

    /// The adapter.
    public init(maximumBytes: Int = 1_048_576, signatureTolerance: Milliseconds = .seconds(300)) {
        self.maximumBytes = maximumBytes
        self.signatureTolerance = signatureTolerance
    }

    static let signatureHeader = "Partner-Signature"

    var limits: JSONLimits { JSONLimits(bytes: maximumBytes, depth: 16) }
}

// MARK: - Requests

extension ReferenceAdapter {
    /// The POST of an order: same order, same bytes.
    public func request(for order: PartnerOrder) throws(Unrepresentable) -> PartnerHTTPRequest {
        let target: String
        var body: [UInt8] = []
        switch order.operation {
        case .payout:
            target = "/v1/transfers"
            body = try transfer(order)
        case .authorize:
            target = "/v1/authorizations"
            body = try authorization(order)
        case .capture:
            target = try path("/v1/authorizations", order.target, "captures")
            body = operation(order)
        case .refund:
            target = try path("/v1/authorizations", order.target, "refunds")
            body = operation(order)
        case .void:
            target = try path("/v1/authorizations", order.target, "voids")
            body = operation(order)
        case .cancel:
            target = try path("/v1/transfers", order.target, "cancel")
            body = Array("{}".utf8)
        }
        return PartnerHTTPRequest(
            method: "POST", target: target,
            headers: [
                PartnerHTTPHeader("Content-Type", "application/json"), PartnerHTTPHeader("Accept", "application/json"),
                PartnerHTTPHeader("Idempotency-Key", order.idempotencyKey),
            ], body: body)
    }

    /// The GET of an inquiry: by our reference; of a cancel, which the partner knows by none, by the transfer's id.
    public func request(for inquiry: PartnerInquiry) throws(Unrepresentable) -> PartnerHTTPRequest {
        let target: String =
            switch inquiry.operation {
            case .payout: "/v1/transfers?reference=\(inquiry.reference.text)"
            case .authorize, .capture, .refund, .void: "/v1/authorizations?reference=\(inquiry.reference.text)"
            case .cancel: try path("/v1/transfers", inquiry.target, nil)
            }
        return PartnerHTTPRequest(
            method: "GET", target: target, headers: [PartnerHTTPHeader("Accept", "application/json")])
    }

    /// The id comes from the partner: whatever is in it, it stays one segment of the path.
    private func path(_ base: String, _ id: String?, _ action: String?) throws(Unrepresentable) -> String {
        guard let id, ReferenceAdapter.isIdentifier(id) else {
            throw Unrepresentable(detail: "the partner's reference is not known")
        }
        var path = Array(base.utf8) + [UInt8(ascii: "/")]
        for byte in id.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                path.append(byte)
            default:
                // Also the dot: "." and ".." are segments with a meaning.
                path.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] {
                    path.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
                }
            }
        }
        if let action { path += Array("/\(action)".utf8) }
        return String(decoding: path, as: UTF8.self)
    }

    /// Ids of the partner: 1 to 64 printable ASCII characters.
    static func isIdentifier(_ text: String) -> Bool {
        let bytes = text.utf8.span
        guard (1...64).contains(bytes.count) else { return false }
        for index in bytes.indices where bytes[index] &- 0x21 > 0x7E - 0x21 { return false }
        return true
    }

    private func transfer(_ order: PartnerOrder) throws(Unrepresentable) -> [UInt8] {
        guard let creditor = order.initiation?.creditor, let account = creditor.account else {
            throw Unrepresentable(detail: "creditor.account")
        }
        return JSONWriter.write { writer in
            writer.beginObject()
            writer.member("reference", order.reference.text)
            writer.amount(order.amount)
            writer.member("rail", order.rail.text)
            writer.beginObject("creditor")
            writer.member("name", creditor.name.reveal())
            writer.account(account)
            if let bic = creditor.agentBIC {
                writer.beginObject("agent")
                writer.member("bic", bic)
                writer.endObject()
            }
            if let country = creditor.country {
                writer.beginObject("address")
                writer.member("country", country)
                writer.endObject()
            }
            writer.endObject()
            writer.member("endToEndId", optional: order.initiation?.endToEndID)
            writer.member("remittanceInformation", optional: order.initiation?.remittanceInformation?.reveal())
            writer.endObject()
        }
    }

    private func authorization(_ order: PartnerOrder) throws(Unrepresentable) -> [UInt8] {
        guard let instrument = order.initiation?.instrument else { throw Unrepresentable(detail: "instrument") }
        return JSONWriter.write { writer in
            writer.beginObject()
            writer.member("reference", order.reference.text)
            writer.amount(order.amount)
            writer.beginObject("instrument")
            switch instrument {
            case .card(let token, let network):
                writer.member("type", literal: "card")
                writer.member("token", token.reveal())
                writer.member("network", optional: network)
            case .openBanking(let bank):
                writer.member("type", literal: "openBanking")
                writer.member("bank", bank)
            }
            writer.endObject()
            // The daemon captures by itself, also what is captured automatically.
            writer.member("captureMode", literal: "manual")
            writer.endObject()
        }
    }

    private func operation(_ order: PartnerOrder) -> [UInt8] {
        JSONWriter.write { writer in
            writer.beginObject()
            writer.member("reference", order.reference.text)
            writer.amount(order.amount)
            writer.endObject()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func amount(_ money: Money) {
        beginObject("amount")
        let (first, second, third) = money.currency.bytes
        let code: InlineArray<3, UInt8> = [first, second, third]
        member("currency", ascii: code.span)
        member("minorUnits", money.minorUnits)
        endObject()
    }

    fileprivate mutating func account(_ account: Account) {
        let number = account.number.reveal()
        beginObject("account")
        switch account.form {
        case .iban: member("iban", number)
        case .us, .uk, .ca, .jp, .bare: member("accountNumber", number)
        case .alias:
            beginObject("alias")
            member("type", optional: account.clearingCode)
            member("value", number)
            endObject()
        }
        switch account.form {
        case .us: member("routingNumber", optional: account.clearingCode)
        case .uk: member("sortCode", optional: account.clearingCode)
        case .ca:
            let clearing = account.clearingParts
            member("institutionNumber", optional: clearing.first.map(String.init))
            member("transitNumber", optional: clearing.dropFirst().first.map(String.init))
        case .jp:
            let clearing = account.clearingParts
            member("bankCode", optional: clearing.first.map(String.init))
            member("branchCode", optional: clearing.dropFirst().first.map(String.init))
        case .iban, .bare, .alias: break
        }
        endObject()
    }
}

extension Account {
    /// The two halves of a clearing code.
    fileprivate var clearingParts: [Substring] {
        (clearingCode ?? "").split(separator: "-", omittingEmptySubsequences: false)
    }
}
