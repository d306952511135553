import CanonicalJSON
import InvariantChecker
import RecordFormat

/// A published record as a consumer reads it.
struct PublishedRecord {
    private let frame: [UInt8]
    private let layout: RecordLayout
    let type: String
    let subject: String
    let id: String
    let source: String

    /// Nil where the frame cannot be read.
    init?(_ frame: [UInt8]) {
        guard let layout = try? RecordLayout(frame.span.bytes) else { return nil }
        self.frame = frame
        self.layout = layout
        var found: [String: String] = [:]
        for header in layout.headers {
            let name = String(decoding: frame[header.name], as: UTF8.self)
            guard name.hasPrefix("ce_") else { continue }
            found[name] = String(decoding: frame[header.value], as: UTF8.self)
        }
        type = found["ce_type"] ?? ""
        subject = found["ce_subject"] ?? ""
        id = found["ce_id"] ?? ""
        source = found["ce_source"] ?? ""
    }

    /// The value, parsed.
    func data() -> JSONValue {
        guard let range = layout.value else { return .null }
        return (try? JSONValue(parsing: frame[range])) ?? .null
    }
}

extension FactValue {
    /// A JSON value as the checker reads it.
    init(_ value: JSONValue) {
        switch value {
        case .null, .number: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .string(let value): self = .text(value)
        case .array(let elements): self = .list(elements.map { FactValue($0) })
        case .object(let members): self = .object(members.mapValues { FactValue($0) })
        }
    }
}
