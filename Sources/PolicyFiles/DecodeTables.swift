import Spelling
import PaymentModel
import Routing
import YAMLDocument

/// What `policy.yaml` says.
struct PolicyTables {
    var zones: [String: TimeZoneRule]
    var countryGroups: [String: Set<CountryCode>]
    var offloads: [String: OffloadPlan]
    var executionDates: ExecutionDates
    var rates: ReferenceRates
}

extension PolicyDecoder {
    private enum Root: String, CaseIterable {
        case name, timeZones, countryGroups, offloads, executionDates, referenceRates
    }
    private enum ZoneKey: String, CaseIterable { case rule, effectiveFrom, source }
    private enum RatesKey: String, CaseIterable { case base, effectiveFrom, source, rates }
    private enum ExecutionKey: String, CaseIterable { case zone, releaseTime, owner, grace, manual }
    private enum PlanKey: String, CaseIterable { case queue, manual }
    private enum QueueKey: String, CaseIterable { case owner, deadline, retryAfter, causes }
    private enum ManualKey: String, CaseIterable { case owner, deadline, causes }
    private enum CalendarKey: String, CaseIterable { case name, weekdays, covers, holidays, effectiveFrom, source }
    private enum CoversKey: String, CaseIterable { case from, to }
    private enum Weekday: String, CaseIterable { case Mon, Tue, Wed, Thu, Fri, Sat, Sun }

    mutating func tables(_ value: YAMLValue) throws(YAMLError) -> PolicyTables {
        let root = try value.mapping(Root.self)
        _ = try root.required(.name).text()
        var zones: [String: TimeZoneRule] = ["UTC": .utc]
        for entry in try root.optional(.timeZones)?.entries() ?? [] {
            zones[entry.key] = try zone(entry.value)
        }
        var groups: [String: Set<CountryCode>] = [:]
        for entry in try root.optional(.countryGroups)?.entries() ?? [] {
            guard entry.key.utf8.count > 2 else {
                throw entry.keyFault("a group's name has more than two letters", hint: "else it could be a country")
            }
            groups[entry.key] = try PolicyDecoder.countries(entry.value, groups: [:])
        }
        var offloads: [String: OffloadPlan] = [:]
        for entry in try root.optional(.offloads)?.entries() ?? [] { offloads[entry.key] = try offload(entry.value) }
        return PolicyTables(
            zones: zones, countryGroups: groups, offloads: offloads,
            executionDates: try executionDates(root.required(.executionDates), zones: zones),
            rates: try root.optional(.referenceRates).map { value throws(YAMLError) in try rates(value) }
                ?? ReferenceRates())
    }

    private mutating func zone(_ value: YAMLValue) throws(YAMLError) -> TimeZoneRule {
        let mapping = try value.mapping(ZoneKey.self)
        try fact(effectiveFrom: mapping.required(.effectiveFrom), source: mapping.required(.source))
        let rule = try mapping.required(.rule)
        guard let zone = TimeZoneRule(posix: try rule.text()) else {
            throw rule.fault("is no time zone in POSIX notation", hint: "as in CET-1CEST,M3.5.0,M10.5.0/3")
        }
        return zone
    }

    private mutating func rates(_ value: YAMLValue) throws(YAMLError) -> ReferenceRates {
        let mapping = try value.mapping(RatesKey.self)
        try fact(effectiveFrom: mapping.required(.effectiveFrom), source: mapping.required(.source))
        let base = try mapping.required(.base).currency()
        var billionths: [Currency: Int64] = [base: 1_000_000_000]
        for entry in try mapping.required(.rates).entries() {
            guard let currency = Currency(entry.key) else { throw entry.keyFault("is no currency of ISO 4217") }
            guard currency != base else { throw entry.keyFault("is the base itself") }
            guard let rate = try entry.value.decimal().scaled(to: 9), (1...1_000_000_000_000_000).contains(rate) else {
                throw entry.value.fault("is no rate", hint: "above 0, at most nine decimals")
            }
            billionths[currency] = rate
        }
        return ReferenceRates(billionths: billionths)
    }

    private func executionDates(
        _ value: YAMLValue, zones: [String: TimeZoneRule]
    ) throws(YAMLError) -> ExecutionDates {
        let mapping = try value.mapping(ExecutionKey.self)
        return ExecutionDates(
            zone: try PolicyDecoder.zone(mapping.required(.zone), zones),
            releaseTime: try mapping.required(.releaseTime).timeOfDay(),
            owner: try mapping.required(.owner).identifier(), grace: try mapping.required(.grace).milliseconds(),
            manual: try manual(mapping.required(.manual)))
    }

    private func offload(_ value: YAMLValue) throws(YAMLError) -> OffloadPlan {
        let mapping = try value.mapping(PlanKey.self)
        return OffloadPlan(
            queue: try mapping.optional(.queue).map { value throws(YAMLError) in try queue(value) },
            manual: try manual(mapping.required(.manual)))
    }

    private func queue(_ value: YAMLValue) throws(YAMLError) -> OffloadPlan.Queue {
        let mapping = try value.mapping(QueueKey.self)
        var causes: Set<EliminationCode> = []
        for item in try mapping.required(.causes).items(limit: 64) {
            let code = try item.choice(EliminationCode.self)
            guard OffloadPlan.healable.contains(code) else {
                let known = OffloadPlan.healable.map(\.rawValue).sorted().joined(separator: ", ")
                throw item.fault("'\(code.rawValue)' is nothing that waiting heals", hint: known)
            }
            causes.insert(code)
        }
        return OffloadPlan.Queue(
            owner: try mapping.required(.owner).identifier(),
            deadline: try mapping.required(.deadline).milliseconds(atLeast: .seconds(1)), causes: causes,
            retryAfter: try mapping.required(.retryAfter).milliseconds(atLeast: .seconds(1)))
    }

    private func manual(_ value: YAMLValue) throws(YAMLError) -> OffloadPlan.Manual {
        let mapping = try value.mapping(ManualKey.self)
        var causes: Set<EliminationCode> = []
        for item in try mapping.optional(.causes)?.items(limit: 64) ?? [] {
            causes.insert(try item.choice(EliminationCode.self))
        }
        return OffloadPlan.Manual(
            owner: try mapping.required(.owner).identifier(),
            deadline: try mapping.required(.deadline).milliseconds(atLeast: .seconds(1)), causes: causes)
    }

    mutating func calendar(_ value: YAMLValue, name: String) throws(YAMLError) -> BusinessCalendar {
        let mapping = try value.mapping(CalendarKey.self)
        let given = try mapping.required(.name)
        guard try given.text() == name else {
            throw given.fault("the file is called \(name).yaml", hint: "name: \(name)")
        }
        try fact(effectiveFrom: mapping.required(.effectiveFrom), source: mapping.required(.source))
        let covers = try mapping.required(.covers)
        let bounds = try covers.mapping(CoversKey.self)
        let from = try bounds.required(.from).date()
        let to = try bounds.required(.to).date()
        guard from < to, to.daysSinceEpoch - from.daysSinceEpoch < 36_600 else {
            throw covers.fault("'to' must lie after 'from', by at most a hundred years")
        }
        var weekdays: Set<Int> = []
        for item in try mapping.required(.weekdays).items(limit: 7) {
            let weekday = try item.choice(Weekday.self)
            weekdays.insert((Weekday.allCases.firstIndex(of: weekday) ?? 0) + 1)
        }
        var holidays: Set<CalendarDate> = []
        for item in try mapping.required(.holidays).items(limit: 10_000) {
            let day = try item.date()
            guard (from...to).contains(day) else { throw item.fault("lies outside of 'covers'") }
            guard holidays.insert(day).inserted else { throw item.fault("stands here twice") }
        }
        if let today, to.daysSinceEpoch - today.daysSinceEpoch < 60 {
            warnings.append(
                covers.fault(
                    "ends on \(to): from then on its rails are closed", hint: "add the holidays of the next year"))
        }
        return BusinessCalendar(name: name, weekdays: weekdays, holidays: holidays, coverage: from...to)
    }

    /// A list of countries and names of groups; `all` gives nil.
    static func countries(_ value: YAMLValue, groups: [String: Set<CountryCode>]) throws(YAMLError) -> Set<CountryCode>
    {
        var countries: Set<CountryCode> = []
        for item in try value.items(limit: 1_000) {
            let text = try item.text()
            if let group = groups[text] {
                countries.formUnion(group)
            } else if let country = CountryCode(text), text == country.description, CountryTable.contains(text) {
                countries.insert(country)
            } else {
                // Codes that people write and that ISO 3166-1 reserves: no account's country is ever called so.
                let usual = ["UK": "GB", "EL": "GR"][text]
                let near = (usual ?? Spelling.nearest(to: text, among: Array(groups.keys))).map {
                    "did you mean '\($0)'?"
                }
                throw item.fault(
                    "'\(Spelling.excerpt(text))' is no country",
                    hint: near ?? "two capital letters of ISO 3166-1, or a group")
            }
        }
        guard !countries.isEmpty else { throw value.fault("names no country") }
        return countries
    }

    /// A time zone by its name in `policy.yaml`.
    static func zone(_ value: YAMLValue, _ zones: [String: TimeZoneRule]) throws(YAMLError) -> TimeZoneRule {
        let name = try value.text()
        if let zone = zones[name] { return zone }
        let near = Spelling.nearest(to: name, among: Array(zones.keys)).map { "did you mean '\($0)'?" }
        throw value.fault(
            "there is no time zone '\(Spelling.excerpt(name))'", hint: near ?? "add it to timeZones in policy.yaml")
    }
}
