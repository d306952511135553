import Spelling
import PaymentModel
import Routing
import YAMLDocument

/// The rules of all files, and which routes they give.
struct RuleCollection {
    let routes: [CatalogueRoute]
    private(set) var rules: [RoutingRule] = []
    private var places: [String: YAMLValue] = [:]
    private var used: Set<Route> = []

    init(routes: [CatalogueRoute]) { self.routes = routes }

    /// Routes that no rule gives.
    var unused: [Route] { routes.map(\.route).filter { !used.contains($0) } }

    mutating func add(_ rule: RoutingRule, at name: YAMLValue) throws(YAMLError) {
        if let first = places[rule.name] {
            throw name.fault(
                "the rule '\(rule.name)' stands here twice",
                hint: "it was first given in \(first.file):\(first.mark.line)")
        }
        places[rule.name] = name
        used.formUnion(rule.primary)
        used.formUnion(rule.secondary)
        rules.append(rule)
    }
}

extension PolicyDecoder {
    private enum FileKey: String, CaseIterable { case rules }
    private enum RuleKey: String, CaseIterable { case name, when, primary, secondary, objective, offload }
    private enum WhenKey: String, CaseIterable {
        case kind, currencies, countries, accountForms, instruments, amount, rails
    }
    private enum AmountKey: String, CaseIterable { case atLeast, atMost }
    private enum Kind: String, CaseIterable { case payout, payment }
    private enum Objective: String, CaseIterable { case cost, speed, balance }

    func rules(_ value: YAMLValue, _ context: PolicyContext, into collection: inout RuleCollection) throws(YAMLError) {
        for item in try value.mapping(FileKey.self).required(.rules).items(limit: RoutingPolicy.maximumRules) {
            let mapping = try item.mapping(RuleKey.self)
            let name = try mapping.required(.name)
            var rule = RoutingRule(
                name: try name.identifier(), condition: .init(),
                primary: try routes(mapping.required(.primary), of: collection.routes))
            if let when = try mapping.optional(.when) {
                rule.condition = try condition(when, context, collection.routes)
            }
            if let secondary = try mapping.optional(.secondary) {
                rule.secondary = try routes(secondary, of: collection.routes).filter { !rule.primary.contains($0) }
            }
            if let objective = try mapping.optional(.objective) {
                switch try objective.choice(Objective.self) {
                case .cost: rule.objective = .cost
                case .speed: rule.objective = .speed
                case .balance: rule.objective = .balance
                }
            }
            if let offload = try mapping.optional(.offload) {
                let plan = try offload.text()
                guard let found = context.tables.offloads[plan] else {
                    let known = Array(context.tables.offloads.keys)
                    let near = Spelling.nearest(to: plan, among: known).map { "did you mean '\($0)'?" }
                    throw offload.fault(
                        "there is no offload '\(Spelling.excerpt(plan))'",
                        hint: near ?? "add it to offloads in policy.yaml")
                }
                rule.offload = found
            }
            try collection.add(rule, at: name)
        }
    }

    private func condition(
        _ value: YAMLValue, _ context: PolicyContext, _ routes: [CatalogueRoute]
    ) throws(YAMLError) -> RoutingRule.Condition {
        let mapping = try value.mapping(WhenKey.self)
        var condition = RoutingRule.Condition()
        if let kind = try mapping.optional(.kind) {
            condition.kind = try kind.choice(Kind.self) == .payout ? .payout : .payment
        }
        for item in try mapping.optional(.currencies)?.items(limit: 300) ?? [] {
            condition.currencies.insert(try item.currency())
        }
        if let countries = try mapping.optional(.countries) {
            condition.countries = try PolicyDecoder.countries(countries, groups: context.tables.countryGroups)
        }
        if let forms = try mapping.optional(.accountForms) { condition.accountForms = try accountForms(forms) }
        if let instruments = try mapping.optional(.instruments) {
            condition.instruments = try self.instruments(instruments)
        }
        if let amount = try mapping.optional(.amount) { try self.amount(amount, of: &condition) }
        if let rails = try mapping.optional(.rails) { condition.requestedRails = try requested(rails, routes) }
        return condition
    }

    /// Bounds on the amount; the rule must be for that one currency.
    private func amount(_ value: YAMLValue, of condition: inout RoutingRule.Condition) throws(YAMLError) {
        let mapping = try value.mapping(AmountKey.self)
        func bound(_ key: AmountKey) throws(YAMLError) -> Int64? {
            guard let bound = try mapping.optional(key) else { return nil }
            let money = try bound.money()
            guard condition.currencies == [money.currency] else {
                throw bound.fault(
                    "the rule must be for this currency alone", hint: "currencies: [\(money.currency.code)]")
            }
            return money.minorUnits
        }
        condition.minimum = try bound(.atLeast) ?? condition.minimum
        condition.maximum = try bound(.atMost) ?? condition.maximum
        guard condition.minimum <= condition.maximum else { throw value.fault("'atLeast' is above 'atMost'") }
    }

    /// Names of rails, or `any`.
    private func requested(_ value: YAMLValue, _ routes: [CatalogueRoute]) throws(YAMLError) -> Set<Rail> {
        if case .scalar("any", _) = value.node.content { return [] }
        let known = Set(routes.map(\.route.rail))
        var rails: Set<Rail> = []
        for item in try value.items(limit: 1_000) {
            let rail = Rail(try item.text())
            guard known.contains(rail) else {
                let near = Spelling.nearest(to: rail.text, among: known.map(\.text)).map { "did you mean '\($0)'?" }
                throw item.fault("no partner has a rail '\(Spelling.excerpt(rail.text))'", hint: near ?? "")
            }
            rails.insert(rail)
        }
        guard !rails.isEmpty else { throw value.fault("names no rail", hint: "rails: any, or a list") }
        return rails
    }

    /// Routes by patterns `partner/rail`, where `*` stands for all; in the catalogue's order, each once.
    private func routes(_ value: YAMLValue, of routes: [CatalogueRoute]) throws(YAMLError) -> [Route] {
        var found: [Route] = []
        var seen: Set<Route> = []
        for item in try value.items(limit: RoutingPolicy.maximumRoutes) {
            let text = try item.text()
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw item.fault("a route is expected", hint: "partner/rail, as in bank-a/sepa-instant or */card")
            }
            let matching = routes.map(\.route).filter { route in
                (parts[0] == "*" || parts[0] == route.partner.text) && (parts[1] == "*" || parts[1] == route.rail.text)
            }
            guard !matching.isEmpty else {
                let near = Spelling.nearest(to: text, among: routes.map(\.route.description))
                    .map { "did you mean '\($0)'?" }
                throw item.fault("no route is called '\(Spelling.excerpt(text))'", hint: near ?? "")
            }
            for route in matching where seen.insert(route).inserted { found.append(route) }
        }
        guard !found.isEmpty else { throw value.fault("names no route") }
        return found
    }
}
