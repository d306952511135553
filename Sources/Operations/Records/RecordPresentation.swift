import CanonicalJSON
import EventLog
import PaymentModel
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
        for field in ["state", "partner", "rail", "role", "code", "cause", "status", "outcome", "lane", "kind"] {
            if let text = data?[field]?.string { parts.append("\(field)=\(text)") }
        }
        for field in ["settledAmount", "amount", "instructedAmount"] {
            if let text = money(data?[field]) {
                parts.append(text)
                break
            }
        }
        if let text = money(data?["fee"]) { parts.append("fee \(text)") }
        if let evidence = evidence(data?["evidence"]) { parts.append("evidence: \(evidence)") }
        if let code = object["headers"]?["error-code"]?.string { parts.append("error-code=\(code)") }
        return parts.joined(separator: "  ")
    }

    /// What a decision weighed, a line for each route: who stood for it at which cost, and why others were left out.
    public static func details(_ object: JSONValue) -> [String] {
        func name(_ route: JSONValue) -> String {
            "\(route["partner"]?.string ?? "?")/\(route["rail"]?.string ?? "?")"
        }
        let data = object["data"]
        let chosen = (data?["candidates"]?.array ?? []).map { candidate in
            let cost = candidate["cost"]
            let total = money(cost?["total"]?.integer, cost?["currency"]?.string) ?? "?"
            return "\(candidate["role"]?.string ?? "?") \(name(candidate)): costs \(total)"
        }
        let left = (data?["eliminated"]?.array ?? []).map { eliminated in
            "not \(name(eliminated)): \(eliminated["code"]?.string ?? "?"), \(eliminated["detail"]?.string ?? "")"
        }
        return chosen + left
    }

    /// `EUR 12.50`; nil where it is no amount.
    public static func money(_ value: JSONValue?) -> String? {
        money(value?["minorUnits"]?.integer, value?["currency"]?.string)
    }

    private static func money(_ units: Int64?, _ code: String?) -> String? {
        guard let units, let code else { return nil }
        return Currency(code).map { Money(units, $0).description } ?? "\(code) \(units)"
    }

    private static func evidence(_ value: JSONValue?) -> String? {
        guard let kind = value?["kind"]?.string else { return nil }
        if let id = value?["id"]?.string { return "\(kind) \(id)" }
        if let number = value?["number"]?.integer { return "\(kind) \(number)" }
        if let name = value?["operator"]?.string { return "\(kind) by \(name)" }
        return kind
    }
}
