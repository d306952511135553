import PaymentModel
import Routing
import Screening
import YAMLDocument

/// What the files say, before it is compiled.
struct DecodedPolicy {
    var routes: [CatalogueRoute]
    var rules: [RoutingRule]
    var executionDates: ExecutionDates
    var rates: ReferenceRates
    var partners: [PartnerName]
    var screening: DecodedLists
}

/// Decodes the files of a folder: what others refer to first. Goes on after a fault in a file as long as the others do
/// not depend on it, so that a person sees as many faults as possible at once.
struct PolicyDecoder {
    let sources: PolicySources
    let today: CalendarDate?
    var warnings: [YAMLError] = []
    private var faults: [YAMLError] = []

    init(sources: PolicySources, today: CalendarDate?) {
        self.sources = sources
        self.today = today
    }

    mutating func decode(_ outsideScreening: PolicySources.File?) throws(PolicyFaults) -> DecodedPolicy {
        refuseStrangers()
        guard sources.files.contains(where: { $0.path == "policy.yaml" }) else {
            faults.append(
                YAMLError(
                    file: sources.name("policy.yaml"), mark: nil, message: "is missing",
                    hint: "a policy folder has policy.yaml, calendars/, partners/, rules/ and screening.yaml"))
            throw PolicyFaults(faults)
        }
        var calendars: [String: BusinessCalendar] = [:]
        for file in files(in: "calendars/") {
            attempt(file) { value, decoder throws(YAMLError) in
                calendars[PolicyDecoder.stem(file.path)] = try decoder.calendar(
                    value, name: PolicyDecoder.stem(file.path))
            }
        }
        let screening = lists(outsideScreening)
        var policy: PolicyTables?
        attempt(path: "policy.yaml") { value, decoder throws(YAMLError) in policy = try decoder.tables(value) }
        guard let policy, faults.isEmpty, let screening else { throw PolicyFaults(sorted(faults)) }

        let context = PolicyContext(tables: policy, calendars: calendars)
        var routes: [CatalogueRoute] = []
        var partners: [PartnerName] = []
        for file in files(in: "partners/") {
            attempt(file) { value, decoder throws(YAMLError) in
                let partner = try decoder.partner(value, name: PolicyDecoder.stem(file.path), context)
                partners.append(partner.name)
                routes.append(contentsOf: partner.routes)
            }
        }
        if faults.isEmpty, routes.isEmpty {
            faults.append(YAMLError(file: sources.name("partners"), mark: nil, message: "holds no partner"))
        }
        guard faults.isEmpty else { throw PolicyFaults(sorted(faults)) }

        var rules = RuleCollection(routes: routes)
        for file in files(in: "rules/") {
            attempt(file) { value, decoder throws(YAMLError) in try decoder.rules(value, context, into: &rules) }
        }
        if faults.isEmpty, rules.rules.isEmpty {
            faults.append(YAMLError(file: sources.name("rules"), mark: nil, message: "holds no rule"))
        }
        guard faults.isEmpty else { throw PolicyFaults(sorted(faults)) }
        for route in rules.unused {
            let file = sources.name("partners/\(route.partner.text).yaml")
            warnings.append(
                YAMLError(
                    file: file, mark: nil, keyPath: "rails.\(route.rail.text)", message: "no rule gives this route"))
        }
        return DecodedPolicy(
            routes: routes, rules: rules.rules, executionDates: policy.executionDates, rates: policy.rates,
            partners: partners, screening: screening)
    }

    /// The name of a file without folder and ending.
    static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".yaml") ? String(name.dropLast(5)) : name
    }

    private mutating func lists(_ outside: PolicySources.File?) -> DecodedLists? {
        var lists: DecodedLists?
        let file = outside ?? sources.files.first { $0.path == "screening.yaml" }
        guard let file else {
            faults.append(
                YAMLError(
                    file: sources.name("screening.yaml"), mark: nil, message: "is missing",
                    hint: "lists that are meant to be empty are written as hold: [] and block: []"))
            return nil
        }
        attempt(file, name: outside.map(\.path)) { value, decoder throws(YAMLError) in
            lists = try decoder.screening(value, bytes: file.bytes)
        }
        return lists
    }

    private mutating func refuseStrangers() {
        for file in sources.files where !["policy.yaml", "screening.yaml"].contains(file.path) {
            let isKnown = ["calendars/", "partners/", "rules/"].contains { file.path.hasPrefix($0) }
            if !isKnown {
                faults.append(
                    YAMLError(
                        file: sources.name(file.path), mark: nil, message: "has no place in a policy folder",
                        hint: "policy.yaml, screening.yaml, calendars/, partners/, rules/; other files end otherwise"))
            }
        }
    }

    private func files(in folder: String) -> [PolicySources.File] { sources.files.filter { $0.path.hasPrefix(folder) } }

    private mutating func attempt(
        path: String, _ body: (YAMLValue, inout PolicyDecoder) throws(YAMLError) -> Void
    ) {
        guard let file = sources.files.first(where: { $0.path == path }) else { return }
        attempt(file, body)
    }

    /// Decodes one file; its first fault is kept.
    private mutating func attempt(
        _ file: PolicySources.File, name: String? = nil,
        _ body: (YAMLValue, inout PolicyDecoder) throws(YAMLError) -> Void
    ) {
        do throws(YAMLError) {
            let limits = YAMLLimits(bytes: 67_108_864, nodes: 2_000_000)
            try body(YAMLParser.parse(file.bytes, file: name ?? sources.name(file.path), limits: limits), &self)
        } catch {
            faults.append(error)
        }
    }

    private func sorted(_ faults: [YAMLError]) -> [YAMLError] {
        faults.sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
    }

    /// Checks `effectiveFrom` and `source`: every fact of the world has both.
    mutating func fact(effectiveFrom: YAMLValue, source: YAMLValue) throws(YAMLError) {
        let date = try effectiveFrom.date()
        _ = try source.text()
        if let today, date > today {
            warnings.append(effectiveFrom.fault("is \(date), after today", hint: "the value counts already"))
        }
    }
}

/// What partners and rules refer to.
struct PolicyContext {
    let tables: PolicyTables
    let calendars: [String: BusinessCalendar]
}
