import CanonicalJSON
import Foundation
import Testing

/// Checks values against the published JSON Schemas, as far as these use the language; an unknown keyword fails. The
/// other validators are in `Tests/Contract`; this one also tells members that no schema describes.
struct SchemaChecker {
    let schemas: [String: JSONValue]

    init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/MessageCodec/MessageCodec.docc/Resources/schemas")
        var schemas: [String: JSONValue] = [:]
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            schemas[file.lastPathComponent] = try JSONValue(parsing: try Data(contentsOf: file))
        }
        self.schemas = schemas
    }

    /// What does not fit, and members that are not described; empty where all is well.
    func faults(_ value: JSONValue, _ name: String) throws -> [String] {
        let file = name + ".json"
        let schema = try #require(schemas[file], "no schema \(file)")
        var faults: [String] = []
        check(value, schema, file, name, &faults)
        let described = members(schema, file)
        for member in (value.object ?? [:]).keys where !described.contains(member) {
            faults.append("\(name).\(member): described nowhere")
        }
        return faults
    }

    /// The states that a type's own schema allows it to lead to; nil where that depends on the payment.
    func states(_ name: String) -> [String]? {
        let rule = schemas[name + ".json"]?["properties"]?["state"]
        if let only = rule?["const"]?.string { return [only] }
        return rule?["enum"]?.array?.compactMap(\.string)
    }

    private func resolve(_ reference: String, _ file: String) -> (schema: JSONValue, file: String) {
        let parts = reference.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        let target = parts[0].isEmpty ? file : parts[0]
        var schema = schemas[target] ?? .null
        for step in (parts.count > 1 ? parts[1] : "").split(separator: "/") { schema = schema[String(step)] ?? .null }
        return (schema, target)
    }

    private func members(_ schema: JSONValue, _ file: String) -> Set<String> {
        var names = Set((schema["properties"]?.object ?? [:]).keys)
        for part in schema["allOf"]?.array ?? [] { names.formUnion(members(part, file)) }
        if let reference = schema["$ref"]?.string {
            let (target, targetFile) = resolve(reference, file)
            names.formUnion(members(target, targetFile))
        }
        return names
    }

    private func check(
        _ value: JSONValue, _ schema: JSONValue, _ file: String, _ path: String, _ faults: inout [String]
    ) {
        for (keyword, rule) in schema.object ?? [:] {
            switch keyword {
            case "$schema", "$id", "title", "description", "format", "$defs": break
            case "$ref":
                let (target, targetFile) = resolve(rule.string ?? "", file)
                if target.isNull { faults.append("\(path): \(rule) leads nowhere") }
                check(value, target, targetFile, path, &faults)
            case "if":
                // `then` alone, as in these schemas; `else` is not known here.
                var unfit: [String] = []
                check(value, rule, file, path, &unfit)
                if unfit.isEmpty, let then = schema["then"] { check(value, then, file, path, &faults) }
            case "then": break
            case "not":
                var unfit: [String] = []
                check(value, rule, file, path, &unfit)
                if unfit.isEmpty { faults.append("\(path): must not fit \(rule)") }
            case "allOf": for part in rule.array ?? [] { check(value, part, file, path, &faults) }
            case "type": if !fits(value, rule.string ?? "") { faults.append("\(path): no \(rule)") }
            case "enum": if rule.array?.contains(value) != true { faults.append("\(path): \(value) is not in \(rule)") }
            case "const": if rule != value { faults.append("\(path): \(value) is not \(rule)") }
            case "required":
                for name in rule.array ?? [] where value[name.string ?? ""] == nil {
                    faults.append("\(path): lacks \(name)")
                }
            case "properties":
                for (name, part) in rule.object ?? [:] {
                    if let member = value[name] { check(member, part, file, "\(path).\(name)", &faults) }
                }
            case "additionalProperties":
                let known = schema["properties"]?.object ?? [:]
                for name in (value.object ?? [:]).keys where rule == false && known[name] == nil {
                    faults.append("\(path).\(name): not allowed")
                }
            case "items": for element in value.array ?? [] { check(element, rule, file, path + "[]", &faults) }
            case "pattern":
                let pattern = try? Regex(rule.string ?? "")
                if let pattern, value.string?.contains(pattern) != true { faults.append("\(path): \(value) \(rule)") }
            case "minimum": if (value.integer ?? .min) < (rule.integer ?? 0) { faults.append("\(path): too small") }
            case "maximum": if (value.integer ?? .max) > (rule.integer ?? 0) { faults.append("\(path): too large") }
            case "minLength": if value.string?.isEmpty != false { faults.append("\(path): empty") }
            case "maxLength":
                if value.string?.count ?? 0 > rule.integer ?? 0 { faults.append("\(path): too long") }
            case "minItems": if Int64(value.array?.count ?? 0) < rule.integer ?? 0 { faults.append("\(path): too few") }
            default: faults.append("\(path): keyword \(keyword) is not known here")
            }
        }
    }

    private func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("integer", .integer), ("boolean", .bool):
            true
        default: false
        }
    }
}
