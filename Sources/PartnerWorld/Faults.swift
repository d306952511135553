import CanonicalJSON

/// What can be made to go wrong (the contract, section 6). "Before" and "after" mean before and after executing; a
/// request that meets a "before" fault leaves no trace but its line in `/_control/requests`: no order, no key.
/// Where `milliseconds` is not given, the number in brackets counts.
public enum FaultKind: String, Sendable, CaseIterable {
    /// Executed at once; the answer is held back [1 000 ms]. Adds up with other faults.
    case delay
    /// Recorded at once (key and order, status `pending`), executed and answered later [1 000 ms]. Adds up with others.
    case delayBeforeExecuting
    /// The partner turns the request away. With `milliseconds`: from now on, for that long, the port refuses every
    /// connection (ECONNREFUSED; open idle ones are closed; also those to `/_control`), whatever route, count and ratio.
    /// Without: the request is answered 403 and not processed.
    case refuse
    /// Not executed, the connection is reset.
    case resetBefore
    /// Executed, the connection is reset.
    case resetAfter
    /// Not executed; no answer, the connection is closed later [30 000 ms].
    case timeoutBefore
    /// Executed; no answer, the connection is closed later [30 000 ms].
    case timeoutAfter
    /// Not executed; 500, 502, 503 or 504.
    case error5xxBefore
    /// Executed; 500, 502, 503 or 504.
    case error5xxAfter
    /// Not executed; 429 with `Retry-After` of `milliseconds`, rounded up to seconds [1 000 ms].
    case tooManyRequests
    /// Executed; the answer has the right status and a body that is no JSON.
    case garbage
    /// Executed; the answer ends after half of the announced body.
    case truncated
    /// Executed; the answer's body does not end for that long [30 000 ms] or 64 MiB.
    case endless
    /// POST: transfers are answered `accepted`, others `pending`; rejected later [1 000 ms] with `reason` [AC04].
    /// No money moves.
    case lateRejection
    /// POST /v1/transfers: settled as usual, returned later [1 000 ms] with `reason` [AC04].
    case `return`
    /// Captures: disputed later [1 000 ms] for the whole amount; after the same time again won or lost, by seed, or as
    /// `reason` says: `won`, `lost`, or `opened` for a dispute that does not end.
    case dispute
    /// Executed, but not shown to inquiries for that long [the visibility lag]; never longer than the lag.
    case unknownThenKnown
    /// A bad time, from now on for that long [until healed]: a request (of the `ratio`) is, by seed, slow by 1 s,
    /// answered 5xx before or after executing, or executed and not answered for 5 s.
    case brownOut
    /// Notifications: sent again after that time [0 ms], same id, also after a 2xx.
    case duplicate
    /// Notifications: sent later [5 000 ms].
    case late
    /// Notifications: sent after the next one, at the latest after that time [2 000 ms].
    case reordered
    /// Notifications: before the true one a false one comes, which says something else and has a signature by no secret.
    case forged
    /// Notifications: the first delivery bears a good signature of that long ago [600 000 ms]; the next ones are fresh.
    case stale
    /// Notifications: delivered before the POST is answered, which waits for the 2xx up to that time [1 000 ms].
    case beforeResponse
    /// Notifications: never sent.
    case none

    enum Stage { case request, outcome, notification }

    /// Whether it means anything for that route: a count is not used up where it does not.
    func applies(to route: Route) -> Bool {
        switch (self, route) {
        case (.return, .createTransfer), (.dispute, .capture), (.dispute, .createAuthorization): true
        case (.return, _), (.dispute, _), (.lateRejection, .cancelTransfer), (.unknownThenKnown, .cancelTransfer): false
        default: true
        }
    }

    var stage: Stage {
        switch self {
        case .delay, .delayBeforeExecuting, .refuse, .resetBefore, .resetAfter, .timeoutBefore, .timeoutAfter,
            .error5xxBefore, .error5xxAfter, .tooManyRequests, .garbage, .truncated, .endless, .brownOut:
            .request
        case .lateRejection, .return, .dispute, .unknownThenKnown: .outcome
        case .duplicate, .late, .reordered, .forged, .stale, .beforeResponse, .none: .notification
        }
    }
}

/// A fault with the requests that it strikes.
public struct FaultRule: Sendable, Equatable {
    /// `METHOD /path` with `{id}` for a variable segment; `*`: every route below `/v1`.
    public var route: String
    /// What goes wrong.
    public var fault: FaultKind
    /// How many more requests it strikes; nil: until healed.
    public var count: Int64?
    /// In how many of a million matching requests it strikes.
    public var perMillion: UInt64
    /// Seed of the rule's own draws.
    public var seed: UInt64
    /// How long, where the fault has a time.
    public var milliseconds: Milliseconds?
    /// ISO 20022 code of a late rejection or a return.
    public var reason: String?

    static let routes = [
        "POST /v1/transfers", "GET /v1/transfers", "GET /v1/transfers/{id}", "POST /v1/transfers/{id}/cancel",
        "POST /v1/authorizations", "GET /v1/authorizations", "GET /v1/authorizations/{id}",
        "POST /v1/authorizations/{id}/captures", "POST /v1/authorizations/{id}/voids",
        "POST /v1/authorizations/{id}/refunds", "POST /oauth/token",
    ]

    /// A rule that always strikes.
    public init(
        _ fault: FaultKind, route: String = "*", count: Int64? = nil, perMillion: UInt64 = 1_000_000, seed: UInt64 = 1,
        milliseconds: Milliseconds? = nil, reason: String? = nil
    ) {
        self.fault = fault
        self.route = route
        self.count = count
        self.perMillion = perMillion
        self.seed = seed
        self.milliseconds = milliseconds
        self.reason = reason
    }

    /// Reads a rule as `POST /_control/faults` has it. Throws for unknown members, faults and routes.
    init(_ value: JSONValue, _ path: String) throws(PartnerSettingsError) {
        let reader = try StrictReader(
            value, path, known: ["route", "fault", "count", "ratio", "seed", "milliseconds", "reason"])
        guard let name = try reader.string("fault"), let fault = FaultKind(rawValue: name) else {
            let known = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw PartnerSettingsError(reader.field("fault"), "must be one of \(known)")
        }
        self.init(fault)
        if let route = try reader.string("route") {
            guard let pattern = FaultRule.pattern(route) else {
                let known = FaultRule.routes.joined(separator: ", ")
                throw PartnerSettingsError(reader.field("route"), "must be * or one of \(known)")
            }
            self.route = pattern
        }
        count = try reader.integer("count", 0...Int64(1) << 40)
        perMillion = try reader.ratio("ratio") ?? 1_000_000
        seed = UInt64(bitPattern: try reader.integer("seed", Int64.min...Int64.max) ?? 1)
        milliseconds = try reader.integer("milliseconds", 0...86_400_000)
        reason = try reader.string("reason")
    }

    /// The pattern that a route's text means: any text in place of a variable segment stands for it.
    private static func pattern(_ text: String) -> String? {
        if text == "*" { return text }
        let words = text.split(separator: " ")
        guard words.count == 2 else { return nil }
        let parts = words[1].split(separator: "/")
        return routes.first { known in
            let knownWords = known.split(separator: " ")
            let knownParts = knownWords[1].split(separator: "/")
            guard knownWords[0] == words[0], knownParts.count == parts.count else { return false }
            return zip(knownParts, parts).allSatisfy { pair in
                pair.0 == pair.1
                    || (pair.0 == "{id}" && (pair.1.hasPrefix("{") || pair.1.hasPrefix(":") || pair.1 == "*"))
            }
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("route", route)
        writer.member("fault", fault.rawValue)
        if let count { writer.member("count", count) }
        writer.key("ratio")
        writer.element(json: FaultRule.ratioText(perMillion).utf8)
        writer.member("seed", Int64(bitPattern: seed))
        if let milliseconds { writer.member("milliseconds", milliseconds) }
        if let reason { writer.member("reason", reason) }
        writer.endObject()
    }

    /// A share in millionths as a decimal number.
    private static func ratioText(_ perMillion: UInt64) -> String {
        if perMillion >= 1_000_000 { return "1" }
        let digits = String(perMillion)
        var text = "0." + String(repeating: "0", count: 6 - digits.count) + digits
        while text.hasSuffix("0") { text.removeLast() }
        return text.hasSuffix(".") ? "0" : text
    }
}

/// The rules in force.
struct FaultBook: Sendable {
    struct Active: Sendable {
        var rule: FaultRule
        var generator: SeededGenerator
        var from: Milliseconds
        var until: Milliseconds
    }

    private(set) var active: [Active] = []

    var rules: [FaultRule] { active.map(\.rule) }

    var isEmpty: Bool { active.isEmpty }

    mutating func add(_ rule: FaultRule, at now: Milliseconds, from: Milliseconds? = nil) {
        let start = from ?? now
        var until = Milliseconds.max
        if rule.fault == .brownOut, let length = rule.milliseconds, length > 0 { until = start + length }
        active.append(Active(rule: rule, generator: SeededGenerator(seed: rule.seed), from: start, until: until))
    }

    mutating func removeAll() { active = [] }

    /// The rules of that stage that strike now, in their order; of each, a count is used up.
    /// Of several faults of one request all delays strike, and the first of the others.
    mutating func strikes(_ stage: FaultKind.Stage, _ route: Route, at now: Milliseconds) -> [Strike] {
        guard !active.isEmpty else { return [] }
        var found: [Strike] = []
        var hasOther = false
        for index in active.indices {
            let rule = active[index].rule
            guard rule.fault.stage == stage, rule.count.map({ $0 > 0 }) ?? true,
                rule.route == "*" || rule.route == route.pattern, rule.fault.applies(to: route),
                active[index].from <= now, now < active[index].until
            else { continue }
            let adds = rule.fault == .delay || rule.fault == .delayBeforeExecuting
            if (!adds && hasOther && stage == .request) || (rule.fault == .refuse && rule.milliseconds != nil) {
                continue
            }
            guard active[index].generator.happens(perMillion: rule.perMillion) else { continue }
            active[index].rule.count = rule.count.map { $0 - 1 }
            if !adds { hasOther = true }
            found.append(Strike(rule: rule, draw: active[index].generator.next()))
        }
        return found
    }
}

/// A rule that strikes a request, with a number drawn for it.
struct Strike: Sendable {
    var rule: FaultRule
    var draw: UInt64
}
