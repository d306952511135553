import PaymentModel

/// Numbers names and makes markets. Used once, when a policy is compiled.
struct PolicyBuilder {
    var routeIndex: [Route: Int32] = [:]
    var partnerIndex: [PartnerName: Int32] = [:]
    var railIndex: [Rail: Int32] = [:]
    var networkIndex: [String: Int] = [:]
    var countrySets: [UInt64] = []
    var hours: [OperatingHours] = []
    var requestedRails: [Set<Int32>] = []
    private var setPlaces: [CountrySet: Int32] = [:]
    private var hourPlaces: [OperatingHours: Int32] = [:]

    mutating func number(_ routes: [CatalogueRoute]) throws(RoutingPolicyFault) {
        for (index, route) in routes.enumerated() {
            guard routeIndex.updateValue(Int32(index), forKey: route.route) == nil else {
                throw .routeTwice(route.route)
            }
            let partner = route.route.partner
            if partnerIndex[partner] == nil { partnerIndex[partner] = Int32(partnerIndex.count) }
            if railIndex[route.route.rail] == nil { railIndex[route.route.rail] = Int32(railIndex.count) }
            for network in (route.networks ?? []).sorted() where networkIndex[network] == nil {
                networkIndex[network] = networkIndex.count
            }
        }
        guard networkIndex.count <= 64 else { throw .tooManyNetworks(networkIndex.count) }
    }

    func membership(of rules: [RoutingRule], in routes: [CatalogueRoute]) throws(RoutingPolicyFault) -> [UInt8] {
        var membership = [UInt8](repeating: 0, count: rules.count * routes.count)
        var names = Set<String>()
        for (place, rule) in rules.enumerated() {
            guard names.insert(rule.name).inserted else { throw .ruleTwice(rule.name) }
            for (group, members) in [(UInt8(2), rule.secondary), (1, rule.primary)] {
                for route in members {
                    guard let index = routeIndex[route] else { throw .unknownRoute(route, rule: rule.name) }
                    membership[place * routes.count + Int(index)] = group
                }
            }
        }
        return membership
    }

    /// The market of a kind and a currency; nil: of a currency that nobody serves.
    mutating func market(
        _ kind: PaymentKind, _ currency: Currency?, routes: [CatalogueRoute], rules: [RoutingRule],
        configuredPartners: Set<PartnerName>?
    ) -> Market {
        var market = Market()
        for (index, route) in routes.enumerated() {
            if let configuredPartners, !configuredPartners.contains(route.route.partner) {
                market.others.append(Elimination(route: route.route, code: .partnerUnknown, detail: "not configured"))
            } else if route.kind != kind {
                let detail = route.kind == .payout ? "payouts only" : "payments only"
                market.others.append(Elimination(route: route.route, code: .instrumentUnsupported, detail: detail))
            } else if let currency, let terms = route.currencies[currency] {
                add(route, index: index, terms: terms, currency: currency, to: &market)
            } else {
                let detail = currency?.code ?? ""
                market.others.append(Elimination(route: route.route, code: .currencyUnsupported, detail: detail))
            }
        }
        guard let currency else { return market }
        for (index, rule) in rules.enumerated() {
            let condition = rule.condition
            guard condition.kind == nil || condition.kind == kind,
                condition.currencies.isEmpty || condition.currencies.contains(currency)
            else { continue }
            market.rules.append(
                MarketRule(
                    index: Int32(index), countries: place(of: condition.countries),
                    accountForms: mask(condition.accountForms.map(\.rawValue)),
                    instruments: mask(condition.instruments.map(\.rawValue)), minimum: condition.minimum,
                    maximum: condition.maximum, requestedRails: place(of: condition.requestedRails)))
        }
        return market
    }

    private mutating func add(
        _ route: CatalogueRoute, index: Int, terms: CatalogueRoute.CurrencyTerms, currency: Currency,
        to market: inout Market
    ) {
        let standard = FeeSchedule.Tier(fixed: 0, millionths: 0)
        if terms.fees.tiers.count > 1 { market.tiers[market.routes.count] = terms.fees }
        market.routes.append(
            MarketRoute(
                index: Int32(index), partner: partnerIndex[route.route.partner] ?? -1,
                rail: railIndex[route.route.rail] ?? -1, countries: place(of: route.countries),
                hours: place(of: route.hours),
                accountForms: mask(route.accountForms.map(\.rawValue)),
                instruments: mask(route.instruments.map(\.rawValue)), onlyOnRequest: route.onlyOnRequest,
                networks: (route.networks ?? []).reduce(0) { $0 | 1 << UInt64(networkIndex[$1] ?? 0) },
                minimum: terms.minimum, maximum: terms.maximum, tier: terms.fees.tiers.first ?? standard,
                delivery: route.delivery))
        market.limits.append(
            (Money(terms.minimum, currency).description, Money(terms.maximum, currency).description))
    }

    private func mask(_ numbers: [UInt8]) -> UInt8 { numbers.reduce(0) { $0 | 1 << $1 } }

    private mutating func place(of countries: Set<CountryCode>?) -> Int32 {
        guard let countries else { return -1 }
        let set = CountrySet(countries)
        if let place = setPlaces[set] { return place }
        let place = Int32(setPlaces.count)
        setPlaces[set] = place
        countrySets.append(contentsOf: set.bits)
        return place
    }

    private mutating func place(of hours: OperatingHours?) -> Int32 {
        guard let hours else { return -1 }
        if let place = hourPlaces[hours] { return place }
        let place = Int32(self.hours.count)
        hourPlaces[hours] = place
        self.hours.append(hours)
        return place
    }

    private mutating func place(of rails: Set<Rail>?) -> Int32 {
        guard let rails else { return -1 }
        requestedRails.append(Set(rails.compactMap { railIndex[$0] }))
        return Int32(requestedRails.count - 1)
    }
}
