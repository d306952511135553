import CanonicalJSON
import PaymentModel
import RecordFormat

/// Why a record cannot be decoded: for the headers `error-code` and `error-detail` of its dead letter. Nothing of the
/// record's content is in it.
public struct Undecodable: Error, Hashable, Sendable {
    /// The reasons. `key-mismatch` and `wrong-partition` are the contract's names.
    public enum Code: String, Sendable, CaseIterable {
        /// The frame itself cannot be read.
        case corruptRecord = "corrupt-record"
        /// Not CloudEvents 1.0 in binary or structured mode, or a content type that is no JSON.
        case notCloudEvents = "not-cloudevents"
        /// No id, source, type or subject.
        case missingAttribute = "missing-attribute"
        /// The value is no JSON.
        case notJSON = "not-json"
        /// The value is larger than `maximumCommandBytes`, or key and headers than their limit.
        case tooLarge = "too-large"
        /// The key is missing, or not the subject.
        case keyMismatch = "key-mismatch"
        /// Id, source or subject is a card number: they stand in every event, and no event carries one.
        case cardNumberInClear = "card-number-in-clear"
        /// The partition is not murmur2(key) mod n.
        case wrongPartition = "wrong-partition"
    }

    /// Why.
    public var code: Code
    /// For people: names of attributes, offsets, sizes.
    public var detail: String

    /// A reason.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// The attributes of a CloudEvent and where its data lies.
struct CloudEvent {
    var id = ""
    var source = ""
    var type = ""
    var subject = ""
    var correlationID: String?
    var traceparent: String?
    /// What the caller of the daemon's HTTP port may do, as the daemon stamped it; nil where it came another way.
    var roles: String?
    /// The parsed value; of a structured event with its envelope.
    var document = JSONDocument()
    /// The data within the document; nil for a structured event without data.
    var data: JSONNode?

    static let limits = JSONLimits(bytes: 1 << 30, depth: 64)
}

// MARK: - Binary and structured mode (CloudEvents 1.0, Kafka protocol binding 3.2 and 3.3)

extension CloudEvent {
    /// Headers that mean something here; others are not even looked at.
    private enum Header: Int {
        case contentType, specVersion, id, source, type, subject, correlationID, traceparent, roles

        init?(_ name: RawSpan) {
            // Told apart by length first: names are compared once, and no string is made of them.
            let candidate: (Header, StaticString)
            switch name.byteCount {
            case 5: candidate = (.id, "ce_id")
            case 7: candidate = (.type, "ce_type")
            case 9: candidate = (.source, "ce_source")
            case 10: candidate = (.subject, "ce_subject")
            case 12: candidate = (.contentType, "content-type")
            case 14:
                // Two of this length; they differ in their fourth byte.
                candidate =
                    name.unsafeLoad(fromByteOffset: 3, as: UInt8.self) == UInt8(ascii: "s")
                    ? (.specVersion, "ce_specversion") : (.traceparent, "ce_traceparent")
            case 16:
                candidate =
                    name.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == UInt8(ascii: "c")
                    ? (.correlationID, "ce_correlationid") : (.roles, "switchyard-roles")
            default: return nil
            }
            guard name.isEqual(to: candidate.1) else { return nil }
            self = candidate.0
        }
    }

    /// Reads the event of a record.
    init(_ frame: RawSpan, _ layout: RecordLayout) throws(Undecodable) {
        var contentType: String?
        var specVersion: String?
        var seen = 0
        for header in layout.headers {
            guard let name = Header(frame.extracting(header.name)) else { continue }
            guard seen & 1 << name.rawValue == 0 else {
                throw Undecodable(.notCloudEvents, "an attribute is there twice")
            }
            seen |= 1 << name.rawValue
            // These two are nearly always the same: compared where they lie.
            if name == .contentType, frame.extracting(header.value).isEqual(to: "application/json") { continue }
            if name == .specVersion, frame.extracting(header.value).isEqual(to: "1.0") {
                specVersion = "1.0"
                continue
            }
            if name == .type, let known = CommandType.ceType(frame.extracting(header.value)) {
                type = known
                continue
            }
            guard let value = CloudEvent.utf8(frame, header.value) else {
                throw Undecodable(.notCloudEvents, "a header is not UTF-8")
            }
            switch name {
            case .contentType: contentType = value
            case .specVersion: specVersion = value
            case .id: id = value
            case .source: source = value
            case .type: type = value
            case .subject: subject = value
            case .correlationID: correlationID = value
            case .traceparent: traceparent = value
            case .roles: roles = value
            }
        }
        let media = contentType.map(CloudEvent.mediaType)
        if let media, media.hasPrefix("application/cloudevents") {
            guard media == "application/cloudevents+json" else {
                throw Undecodable(.notCloudEvents, "content type is no single event in JSON")
            }
            try parse(frame, layout.value)
            try readEnvelope()
        } else {
            guard let specVersion else { throw Undecodable(.notCloudEvents, "no ce_specversion") }
            guard specVersion == "1.0" else { throw Undecodable(.notCloudEvents, "ce_specversion is not 1.0") }
            if let media, media != "application/json", !media.hasSuffix("+json") {
                throw Undecodable(.notCloudEvents, "content type is no JSON")
            }
            try parse(frame, layout.value)
            data = .root
        }
        try CloudEvent.check(id, "id")
        try CloudEvent.check(source, "source")
        try CloudEvent.check(type, "type")
        try CloudEvent.check(subject, "subject")
        // It is only carried along; without it the payment's id stands for it.
        if let text = correlationID, CardNumberDetector.isCardNumber(text.utf8.span) { correlationID = nil }
    }

    private static func check(_ value: String, _ name: StaticString) throws(Undecodable) {
        if value.isEmpty { throw Undecodable(.missingAttribute, "no \(name)") }
        if CardNumberDetector.isCardNumber(value.utf8.span) {
            throw Undecodable(.cardNumberInClear, "\(name) is a card number in clear")
        }
    }

    private mutating func parse(_ frame: RawSpan, _ value: Range<Int>?) throws(Undecodable) {
        guard let value else { throw Undecodable(.notJSON, "no value") }
        do {
            try document.parse(frame.extracting(value), limits: CloudEvent.limits, refuseViolations: false)
        } catch {
            throw Undecodable(.notJSON, error.description)
        }
    }

    private mutating func readEnvelope() throws(Undecodable) {
        guard document.kind(.root) == .object else { throw Undecodable(.notCloudEvents, "the envelope is no object") }
        var specVersion: String?
        var seen: [String] = []
        for (key, value) in document.members(.root) {
            let name = document.string(key) ?? ""
            let isKnown = CloudEvent.envelopeNames.contains(name)
            guard isKnown else { continue }
            guard !seen.contains(name) else { throw Undecodable(.notCloudEvents, "an attribute is there twice") }
            seen.append(name)
            if name == "data" {
                data = value
                continue
            }
            if document.kind(value) == .null { continue }
            guard let text = document.string(value) else {
                throw Undecodable(.notCloudEvents, "attribute \(name) is no string")
            }
            switch name {
            case "specversion": specVersion = text
            case "id": id = text
            case "source": source = text
            case "type": type = text
            case "subject": subject = text
            case "correlationid": correlationID = text
            case "traceparent": traceparent = text
            case "datacontenttype":
                let media = CloudEvent.mediaType(text)
                guard media == "application/json" || media.hasSuffix("+json") else {
                    throw Undecodable(.notCloudEvents, "datacontenttype is no JSON")
                }
            default: throw Undecodable(.notJSON, "data is binary")
            }
        }
        guard let specVersion else { throw Undecodable(.notCloudEvents, "no specversion") }
        guard specVersion == "1.0" else { throw Undecodable(.notCloudEvents, "specversion is not 1.0") }
    }

    private static let envelopeNames: Set<String> = [
        "specversion", "id", "source", "type", "subject", "correlationid", "traceparent", "datacontenttype", "data",
        "data_base64",
    ]

    private static func utf8(_ frame: RawSpan, _ range: Range<Int>) -> String? {
        let value = frame.extracting(range)
        // Nearly all of them are ASCII: the general way is slower.
        if value.isASCII { return value.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
        return value.withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    }

    /// The media type in lower case, without its parameters.
    private static func mediaType(_ text: String) -> String {
        if text == "application/json" { return text }
        let end = text.firstIndex(of: ";") ?? text.endIndex
        var type = text[..<end].lowercased()
        while type.last == " " || type.last == "\t" { type.removeLast() }
        return type
    }
}
