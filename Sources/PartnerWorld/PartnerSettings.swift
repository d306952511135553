import CanonicalJSON

/// A client of the partner's token endpoint. The secret never shows in a description.
public struct PartnerClient: Sendable, Equatable, CustomStringConvertible {
    /// `client_id`.
    public var identifier: String
    /// `client_secret`.
    public var secret: String

    /// A client.
    public init(identifier: String, secret: String) {
        self.identifier = identifier
        self.secret = secret
    }

    /// The identifier only.
    public var description: String { identifier }
}

/// How a partner is set up. Everything that a flag of `switchyard partner-simulator` sets is here.
public struct PartnerSettings: Sendable {
    /// The partner's name; part of every identifier that it gives.
    public var name: String
    /// Mixed into every draw: the same seed, requests and times give the same answers.
    public var seed: UInt64 = 0
    /// Scheme, host and port under which customers reach the challenge page.
    public var publicURL = "http://127.0.0.1"
    /// Orders are not shown to inquiries until that long after they were read; nil: shown at once, and the fault
    /// `unknownThenKnown` hides for at most 2 s.
    public var visibilityLag: Milliseconds?
    /// How long a key is remembered, from its receipt; then it is a new one.
    public var keyLifetime: Milliseconds = 86_400_000
    /// Fee of each transfer and capture, in minor units of its currency.
    public var feeFixed: Int64 = 0
    /// Proportional fee, rounded half up to a whole minor unit, added to the fixed one.
    public var feeBasisPoints: Int64 = 0
    /// 0: the POST's answer tells the settlement; else transfers are `accepted` and settle that much later.
    public var settlementMilliseconds: Milliseconds = 0
    /// nil: no bearer token is asked for. With it, `/v1` answers 401 without a valid one.
    public var client: PartnerClient?
    /// How long a token is good.
    public var tokenLifetime: Milliseconds = 3_600_000
    /// Secret of the notifications' signature; nil: no notifications.
    public var webhookSecret: [UInt8]?
    /// Rules in force from the start.
    public var rules: [FaultRule] = []
    /// Bad times at stated times.
    public var brownOuts: [BrownOut] = []
    /// What happens to certain orders.
    public var triggers: [Trigger] = []
    /// Orders that are kept; above, 503.
    public var maximumOrders = 4_000_000
    /// Lines of `/_control/requests` that are kept; above, the oldest go, and the answer's `dropped` counts them.
    public var maximumRequests = 4_000_000
    /// Notifications that wait or are on their way; above, new ones are dropped and counted in `/_control/books`.
    public var maximumNotifications = 1_000_000
    /// Notifications that are on their way at once.
    public var maximumDeliveries = 64
    /// First and longest pause between two deliveries of one notification; it doubles in between.
    public var notificationBackoff: (first: Milliseconds, longest: Milliseconds) = (200, 10_000)

    /// The defaults.
    public init(name: String) { self.name = name }

    var hidingBound: Milliseconds { visibilityLag ?? 2_000 }

    /// Reads what `--behaviour FILE` gives (JSON) over these settings. Unknown members are refused:
    /// `settlementMilliseconds`, `rules` (as of `POST /_control/faults`), `brownOuts`
    /// (`[{"fromMilliseconds", "milliseconds", "route", "ratio", "seed"}]`, times from the start), `triggers`
    /// (`[{"when": {…}, "then": {…}}]`, see `Trigger`). Throws `PartnerSettingsError`.
    public mutating func apply(behaviour bytes: [UInt8]) throws(PartnerSettingsError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw PartnerSettingsError("", "is not JSON: \(error)")
        }
        let reader = try StrictReader(value, "", known: ["settlementMilliseconds", "rules", "brownOuts", "triggers"])
        if let time = try reader.integer("settlementMilliseconds", 0...86_400_000) { settlementMilliseconds = time }
        for (index, element) in try reader.array("rules").enumerated() {
            rules.append(try FaultRule(element, "rules.\(index)"))
        }
        for (index, element) in try reader.array("brownOuts").enumerated() {
            brownOuts.append(try BrownOut(element, "brownOuts.\(index)"))
        }
        for (index, element) in try reader.array("triggers").enumerated() {
            triggers.append(try Trigger(element, "triggers.\(index)"))
        }
    }
}

/// A bad time that begins at a stated time after the start.
public struct BrownOut: Sendable, Equatable {
    /// When it begins, after the start.
    public var from: Milliseconds
    /// The rule, of kind `brownOut`, with its length.
    public var rule: FaultRule

    /// A bad time.
    public init(from: Milliseconds, rule: FaultRule) {
        self.from = from
        self.rule = rule
    }

    init(_ value: JSONValue, _ path: String) throws(PartnerSettingsError) {
        let known = ["fromMilliseconds", "milliseconds", "route", "ratio", "seed"]
        let reader = try StrictReader(value, path, known: known)
        guard let from = try reader.integer("fromMilliseconds", 0...86_400_000) else {
            throw PartnerSettingsError(reader.field("fromMilliseconds"), "is missing")
        }
        guard try reader.integer("milliseconds", 1...86_400_000) != nil else {
            throw PartnerSettingsError(reader.field("milliseconds"), "is missing")
        }
        var members = reader.members
        members["fromMilliseconds"] = nil
        members["fault"] = "brownOut"
        self.init(from: from, rule: try FaultRule(.object(members), path))
    }
}

/// What happens to orders of a certain kind: `when` all its conditions hold, `then`. The first trigger that holds wins.
///
/// Conditions: `creditorName`, `creditorAccount` (any text of the account), `rail`, `instrument` (token or bank),
/// `currency` — a `*` at either end stands for any text —, `minimumMinorUnits`, `maximumMinorUnits`, `ratio` (drawn by
/// the seed), `count`.
/// Consequences: `{"status": "settled"}` (after `milliseconds`), `{"status": "rejected", "reason": "AC04"}`,
/// `{"status": "actionRequired"}` (authorizations), or `{"fault": NAME}` with `milliseconds` and `reason`: any
/// fault of `FaultKind` but `refuse` and `brownOut`.
public struct Trigger: Sendable, Equatable {
    /// What follows.
    public enum Consequence: Sendable, Equatable {
        /// Settles (transfers) or is accepted (authorizations) that much later.
        case settle(after: Milliseconds)
        /// Rejected in the answer.
        case reject(reason: String)
        /// The customer has to do something.
        case challenge
        /// A fault strikes.
        case fault(FaultRule)
    }

    /// Pattern for the creditor's name.
    public var creditorName: String?
    /// Pattern for any text of the creditor's account.
    public var creditorAccount: String?
    /// Pattern for the rail.
    public var rail: String?
    /// Pattern for the instrument's token or bank.
    public var instrument: String?
    /// Pattern for the currency.
    public var currency: String?
    /// Smallest and largest amount, in minor units.
    public var minorUnits: ClosedRange<Int64> = 0...Int64.max
    /// In how many of a million cases.
    public var perMillion: UInt64 = 1_000_000
    /// How often; nil: always.
    public var count: Int64?
    /// What then.
    public var consequence: Consequence

    /// A trigger that holds for every order.
    public init(_ consequence: Consequence) { self.consequence = consequence }

    init(_ value: JSONValue, _ path: String) throws(PartnerSettingsError) {
        let reader = try StrictReader(value, path, known: ["when", "then"])
        let known = [
            "creditorName", "creditorAccount", "rail", "instrument", "currency", "minimumMinorUnits",
            "maximumMinorUnits", "ratio", "count",
        ]
        let when = try StrictReader(reader.members["when"] ?? .object([:]), reader.field("when"), known: known)
        consequence = try Trigger.consequence(reader.members["then"] ?? .null, reader.field("then"))
        creditorName = try when.string("creditorName")
        creditorAccount = try when.string("creditorAccount")
        rail = try when.string("rail")
        instrument = try when.string("instrument")
        currency = try when.string("currency")
        let lowest = try when.integer("minimumMinorUnits", 0...Int64.max) ?? 0
        let highest = try when.integer("maximumMinorUnits", 0...Int64.max) ?? Int64.max
        guard lowest <= highest else { throw PartnerSettingsError(when.field("maximumMinorUnits"), "is the smaller") }
        minorUnits = lowest...highest
        perMillion = try when.ratio("ratio") ?? 1_000_000
        count = try when.integer("count", 0...Int64.max)
    }

    private static func consequence(_ value: JSONValue, _ path: String) throws(PartnerSettingsError) -> Consequence {
        let reader = try StrictReader(value, path, known: ["status", "reason", "fault", "milliseconds"])
        let time = try reader.integer("milliseconds", 0...86_400_000)
        let reason = try reader.string("reason")
        if let status = try reader.string("status") {
            switch status {
            case "settled": return .settle(after: time ?? 0)
            case "rejected": return .reject(reason: reason ?? "AC04")
            case "actionRequired": return .challenge
            default: throw PartnerSettingsError(reader.field("status"), "must be settled, rejected or actionRequired")
            }
        }
        guard let name = try reader.string("fault"), let fault = FaultKind(rawValue: name), fault != .refuse,
            fault != .brownOut
        else { throw PartnerSettingsError(reader.field("fault"), "must be a fault that strikes a single order") }
        return .fault(FaultRule(fault, milliseconds: time, reason: reason))
    }
}

/// What a trigger looks at.
struct OrderFacts {
    var amount: Amount
    var rail = ""
    var creditorName = ""
    var creditorAccount: [String] = []
    var instrument = ""
}

/// The triggers with their counts and draws.
struct TriggerBook: Sendable {
    private var entries: [(trigger: Trigger, generator: SeededGenerator)]

    init(_ triggers: [Trigger], seed: UInt64) {
        entries = triggers.enumerated().map { ($1, SeededGenerator(seed: seed &+ UInt64($0) &* 0x5851_f42d_4c95_7f2d)) }
    }

    mutating func consequence(of facts: OrderFacts) -> Trigger.Consequence? {
        for index in entries.indices where TriggerBook.holds(entries[index].trigger, facts) {
            guard entries[index].generator.happens(perMillion: entries[index].trigger.perMillion) else { continue }
            entries[index].trigger.count = entries[index].trigger.count.map { $0 - 1 }
            return entries[index].trigger.consequence
        }
        return nil
    }

    private static func holds(_ trigger: Trigger, _ facts: OrderFacts) -> Bool {
        if let count = trigger.count, count <= 0 { return false }
        guard trigger.minorUnits.contains(facts.amount.minorUnits) else { return false }
        if let pattern = trigger.currency, !matches(pattern, facts.amount.currency) { return false }
        if let pattern = trigger.rail, !matches(pattern, facts.rail) { return false }
        if let pattern = trigger.instrument, !matches(pattern, facts.instrument) { return false }
        if let pattern = trigger.creditorName, !matches(pattern, facts.creditorName) { return false }
        if let pattern = trigger.creditorAccount { return facts.creditorAccount.contains { matches(pattern, $0) } }
        return true
    }

    /// `*` at either end stands for any text.
    private static func matches(_ pattern: String, _ text: String) -> Bool {
        let open = pattern.hasPrefix("*")
        let tail = pattern.count > (open ? 1 : 0) && pattern.hasSuffix("*")
        let core = String(pattern.dropFirst(open ? 1 : 0).dropLast(tail ? 1 : 0))
        if core.isEmpty { return open || tail || text.isEmpty }
        switch (open, tail) {
        case (false, false): return text == core
        case (false, true): return text.hasPrefix(core)
        case (true, false): return text.hasSuffix(core)
        case (true, true):
            let (hay, needle) = (Array(text.utf8), Array(core.utf8))
            guard hay.count >= needle.count else { return false }
            return (0...(hay.count - needle.count)).contains { hay[$0..<($0 + needle.count)].elementsEqual(needle) }
        }
    }
}
