import PaymentModel
import RecordFormat

/// A verified partner notification as it lies in the notifications topic, between the ingress that stored it and the
/// shard that applies it. The value is the partner's body, byte for byte; what the ingress found out lies in headers:
/// CloudEvents attributes (`ce_source` = `partner:<name>`), `switchyard-received-at` (milliseconds since 1970) and
/// `switchyard-fresh` (`true`, `false`).
public struct NotificationRecord: Hashable, Sendable {
    /// Why bytes are no notification record.
    public struct Fault: Error, Hashable, Sendable {
        /// For the dead letter's `error-code`.
        public var code: String
        /// For its `error-detail`.
        public var detail: String
    }

    /// Whose it is.
    public var partner: PartnerName
    /// The partner's id of it.
    public var id: String
    /// The partner's type of it.
    public var type: String
    /// The reference that it names, as received: ours or foreign.
    public var reference: String
    /// When it was received.
    public var receivedAt: Timestamp
    /// Whether it was fresh then.
    public var fresh: Bool
    /// The partner's body.
    public var body: [UInt8]

    /// Most bytes of an id, a type or a reference; longer ones are cut before they are stored.
    public static let maximumAttributeBytes = 128

    /// A record.
    public init(
        partner: PartnerName, id: String, type: String, reference: String, receivedAt: Timestamp, fresh: Bool,
        body: [UInt8]
    ) {
        self.partner = partner
        self.id = id
        self.type = type
        self.reference = reference
        self.receivedAt = receivedAt
        self.fresh = fresh
        self.body = body
    }

    /// The record's key: our reference, or for a foreign one the partner's name (the contract, section 1).
    public var key: [UInt8] { Array((Reference(reference)?.text ?? partner.text).utf8) }

    /// The partition that it belongs into: the payment's, which our reference names; a foreign one into that of the
    /// partner's name, so that all of a partner's unexplained notifications lie together.
    public func partition(of count: Int32) -> Int32 {
        guard let ours = Reference(reference) else {
            return PartitionHash.partition(of: partner.text.utf8, count: count)
        }
        return PartitionHash.partition(hash: ours.partitionHash, count: count)
    }

    /// The record's frame.
    public func frame() -> [UInt8] {
        func header(_ name: String, _ value: String) -> (name: [UInt8], value: [UInt8]) {
            (Array(name.utf8), Array(value.utf8))
        }
        return RecordFrame.encode(
            key: key, timestamp: receivedAt.milliseconds,
            headers: [
                header("ce_specversion", "1.0"), header("ce_id", id), header("ce_source", "partner:\(partner.text)"),
                header("ce_type", type), header("ce_subject", reference), header("content-type", "application/json"),
                header("switchyard-received-at", String(receivedAt.milliseconds)),
                header("switchyard-fresh", fresh ? "true" : "false"),
            ], value: body)
    }

    /// Reads a frame. Throws where it is none, or lacks what every such record has.
    public init(frame: RawSpan) throws(Fault) {
        let layout: RecordLayout
        do {
            layout = try RecordLayout(frame)
        } catch {
            throw Fault(code: "not-a-record", detail: "the record's frame cannot be read")
        }
        func text(_ range: Range<Int>) -> String {
            frame.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
        func value(_ name: String) -> String? {
            for header in layout.headers where text(header.name) == name { return text(header.value) }
            return nil
        }
        guard let source = value("ce_source"), source.hasPrefix("partner:"), source.utf8.count > 8 else {
            throw Fault(code: "not-a-notification", detail: "ce_source names no partner")
        }
        guard let id = value("ce_id"), let type = value("ce_type"), let reference = value("ce_subject") else {
            throw Fault(code: "not-a-notification", detail: "ce_id, ce_type or ce_subject is missing")
        }
        guard let received = value("switchyard-received-at").flatMap({ Int64($0) }),
            let fresh = value("switchyard-fresh").flatMap({ Bool($0) })
        else { throw Fault(code: "not-a-notification", detail: "it does not say when it was received, or how fresh") }
        partner = PartnerName(String(source.dropFirst(8)))
        self.id = id
        self.type = type
        self.reference = reference
        receivedAt = Timestamp(milliseconds: received)
        self.fresh = fresh
        body = layout.value.map { range in frame.extracting(range).withUnsafeBytes { Array($0) } } ?? []
    }
}
