import Foundation
import PaymentModel
import Routing
import Screening
import YAMLDocument

/// What `policy check` says, as text for people and as JSON.
public struct PolicyCheckReport: Sendable, Codable, Hashable {
    /// A fault or a warning with its place.
    public struct Finding: Sendable, Codable, Hashable {
        /// The file.
        public var file: String
        /// From 1; 0 where the file as a whole is meant.
        public var line: Int
        /// From 1; 0 where the file as a whole is meant.
        public var column: Int
        /// Dotted path of keys.
        public var field: String
        /// What is wrong.
        public var message: String
        /// How to mend it, or empty.
        public var hint: String

        init(_ error: YAMLError) {
            file = error.file
            line = error.line
            column = error.column
            field = error.keyPath
            message = error.message
            hint = error.hint
        }

        var text: String {
            YAMLError(
                file: file, mark: line > 0 ? YAMLMark(line: line, column: column) : nil, keyPath: field,
                message: message,
                hint: hint
            ).description
        }
    }

    /// Whether the policy can take effect.
    public var valid: Bool
    /// Its version; nil where it is broken.
    public var policyVersion: String?
    /// Partners, routes, rules and entries of the lists.
    public var counts: [String: Int]
    /// What is wrong.
    public var errors: [Finding]
    /// What should be known.
    public var warnings: [Finding]

    /// The report on a policy that was loaded.
    public init(_ bundle: PolicyBundle) {
        valid = true
        policyVersion = bundle.version
        counts = [
            "partners": bundle.partners.count, "routes": bundle.routing.routes.count,
            "rules": bundle.routing.rules.count,
            "screeningEntries": bundle.screening.count, "files": bundle.files.count,
        ]
        errors = []
        warnings = bundle.warnings.map { Finding($0) }
    }

    /// The report on a policy that was refused.
    public init(_ faults: PolicyFaults) {
        valid = false
        policyVersion = nil
        counts = [:]
        errors = faults.faults.map { Finding($0) }
        warnings = []
    }

    /// For people: one finding a line, then the sum.
    public var text: String {
        var lines = errors.map { "error: \($0.text)" } + warnings.map { "warning: \($0.text)" }
        if let policyVersion {
            let words = [
                ("partners", "partner", "partners"), ("routes", "route", "routes"), ("rules", "rule", "rules"),
                ("screeningEntries", "entry of the screening lists", "entries of the screening lists"),
                ("files", "file", "files"),
            ]
            let sum = words.map { key, one, many in
                let count = counts[key] ?? 0
                return "\(count) \(count == 1 ? one : many)"
            }.joined(separator: ", ")
            lines.append("policy \(policyVersion) is valid: \(sum)")
        } else {
            lines.append("the policy is broken: \(errors.count) error\(errors.count == 1 ? "" : "s")")
        }
        return lines.joined(separator: "\n")
    }

    /// As one JSON object.
    public var json: String { jsonText(self) }
}

/// What `policy explain` says about one payment, as text for people and as JSON.
public struct PolicyExplanation: Sendable, Codable, Hashable {
    /// A route that can serve.
    public struct Candidate: Sendable, Codable, Hashable {
        /// The partner.
        public var partner: String
        /// The rail.
        public var rail: String
        /// primary, secondary or offload.
        public var role: String
        /// The total cost: `EUR 0.25`.
        public var cost: String
    }

    /// A route that cannot.
    public struct Eliminated: Sendable, Codable, Hashable {
        /// The partner.
        public var partner: String
        /// The rail.
        public var rail: String
        /// Why.
        public var code: String
        /// More of it.
        public var detail: String
    }

    /// The payment, where its command was given.
    public var paymentId: String?
    /// The version of the policy.
    public var policyVersion: String
    /// The rule that matches; nil where none does.
    public var rule: String?
    /// attempt, offload or no-route.
    public var outcome: String
    /// Lane, owner and release rule of an offload.
    public var lane: String?
    /// Routes that can serve, best first.
    public var candidates: [Candidate]
    /// Routes that cannot.
    public var eliminated: [Eliminated]

    /// Decides on a query as the daemon would with all routes healthy, and tells why.
    public init(_ policy: RoutingPolicy, _ query: RouteQuery, payment: PaymentID? = nil, now: Now) {
        paymentId = payment?.text
        let decision = policy.decide(query, health: nil, now: now)
        policyVersion = decision.policyVersion
        rule = policy.matchingRule(query, now: now)?.name
        switch decision.outcome {
        case .attempt: outcome = "attempt"
        case .noRoute: outcome = "no-route"
        case .offload(let order):
            outcome = "offload"
            lane = "\(order.lane.name), owner \(order.owner), leaves by \(order.releaseRule)"
        }
        candidates = decision.candidates.map {
            Candidate(
                partner: $0.route.partner.text, rail: $0.route.rail.text, role: "\($0.role.name)",
                cost: Money($0.cost.total, $0.cost.currency).description)
        }
        eliminated = decision.eliminated.map {
            Eliminated(
                partner: $0.route.partner.text, rail: $0.route.rail.text, code: $0.code.rawValue, detail: $0.detail)
        }
    }

    /// For people.
    public var text: String {
        var lines = ["policy \(policyVersion), rule \(rule ?? "none"): \(outcome)\(lane.map { " (\($0))" } ?? "")"]
        for candidate in candidates {
            lines.append("  + \(candidate.partner)/\(candidate.rail): \(candidate.role), \(candidate.cost)")
        }
        for route in eliminated {
            lines.append(
                "  - \(route.partner)/\(route.rail): \(route.code)\(route.detail.isEmpty ? "" : " (\(route.detail))")")
        }
        return lines.joined(separator: "\n")
    }

    /// As one JSON object.
    public var json: String { jsonText(self) }
}

/// JSON with sorted keys. Reports hold text and integers only, which always encode.
private func jsonText(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
}
