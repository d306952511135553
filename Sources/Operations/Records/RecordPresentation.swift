import CanonicalJSON
import EventLog
import RecordFormat

/// How a record is shown to people and tools: one JSON object, as the contract's section 4 describes it.
public enum RecordPresentation {
    /// The object of a record. `frame`: its bytes. A frame that cannot be read is shown with `value` in base64 only.
    public static func object(_ slot: RecordSlot, frame: ArraySlice<UInt8>, prefix: String = "switchyard.") -> JSONValue
    {
        var members: [String: JSONValue] = [
            "topic": .string(prefix + slot.topic.suffix), "partition": .integer(Int64(slot.partition)),
            "offset": .integer(slot.offset),
        ]
        let bytes = Array(frame)
        guard let layout = try? RecordLayout(bytes.span.bytes) else {
            members["value"] = .string(Base64.encode(bytes))
            return .object(members)
        }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        members["key"] = layout.key.map { .string(text($0)) } ?? .null
        var headers: [String: JSONValue] = [:]
        for header in layout.headers { headers[text(header.name)] = .string(text(header.value)) }
        members["headers"] = .object(headers)
        members["type"] = headers["ce_type"] ?? .null
        members["id"] = headers["ce_id"] ?? .null
        members["subject"] = headers["ce_subject"] ?? .null
        members["time"] = headers["ce_time"] ?? .null
        if slot.topic == .deadLetters {
            members["value"] = layout.value.map { .string(Base64.encode(bytes[$0])) } ?? .null
        } else if let value = layout.value {
            members["data"] = (try? JSONValue(parsing: bytes[value])) ?? .null
        } else {
            members["data"] = .null
        }
        return .object(members)
    }

    /// `io.switchyard.payout.settled.v1` → `payout.settled`.
    public static func shortName(_ type: String) -> String {
        var name = type[...]
        if name.hasPrefix("io.switchyard.") { name = name.dropFirst(14) }
        if name.hasSuffix(".v1") { name = name.dropLast(3) }
        return String(name)
    }

    /// One short line for a person.
    public static func line(_ object: JSONValue) -> String {
        let type = object["type"]?.string ?? "-"
        var parts = [
            object["time"]?.string ?? "-", object["subject"]?.string ?? object["key"]?.string ?? "-", shortName(type),
        ]
        let data = object["data"]
        for field in ["state", "partner", "rail", "code", "cause", "outcome", "lane", "kind"] {
            if let text = data?[field]?.string { parts.append("\(field)=\(text)") }
        }
        if let money = data?["settledAmount"] ?? data?["amount"], let units = money["minorUnits"]?.integer {
            parts.append("\(money["currency"]?.string ?? "") \(units)")
        }
        if let code = object["headers"]?["error-code"]?.string { parts.append("error-code=\(code)") }
        return parts.joined(separator: "  ")
    }
}
