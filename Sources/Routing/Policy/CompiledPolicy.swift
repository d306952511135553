import PaymentModel

/// A set of countries as bits.
struct CountrySet: Hashable, Sendable {
    static let words = (CountryCode.count + 63) / 64
    var bits: [UInt64]

    init(_ countries: Set<CountryCode>) {
        bits = [UInt64](repeating: 0, count: CountrySet.words)
        for country in countries { bits[country.index >> 6] |= 1 << UInt64(country.index & 63) }
    }
}

/// A route in one market, as the decision's loop sees it: trivial values, no reference to count.
struct MarketRoute {
    /// Place in the policy's routes.
    var index: Int32
    var partner: Int32
    var rail: Int32
    /// Place in the country sets; −1: all countries.
    var countries: Int32
    /// Place in the hours; −1: always open.
    var hours: Int32
    var accountForms: UInt8
    var instruments: UInt8
    var onlyOnRequest: Bool
    /// One bit for each network; 0: all.
    var networks: UInt64
    var minimum: Int64
    var maximum: Int64
    var tier: FeeSchedule.Tier
    var delivery: Delivery
}

/// A rule in one market.
struct MarketRule {
    /// Place in the policy's rules.
    var index: Int32
    /// Place in the country sets; −1: all countries.
    var countries: Int32
    /// 0: all.
    var accountForms: UInt8
    /// 0: all.
    var instruments: UInt8
    var minimum: Int64
    var maximum: Int64
    /// Whether a rail must be named, and which: place in the lists of rails; −1: none need be.
    var requestedRails: Int32
}

/// Everything about payments of one kind in one currency.
struct Market: Sendable {
    /// Routes that serve it, in the policy's order.
    var routes: [MarketRoute] = []
    /// Rules that may match, in the policy's order.
    var rules: [MarketRule] = []
    /// Routes that do not serve it, with the reason.
    var others: [Elimination] = []
    /// Limits in words, by place in `routes`: short enough to need no memory of their own.
    var limits: [(minimum: String, maximum: String)] = []
    /// Fees of more than one tier, by place in `routes`.
    var tiers: [Int: FeeSchedule] = [:]
}

/// A policy with its indexes. A class so that copies of a policy share it at the cost of one count.
final class CompiledPolicy: Sendable {
    let names: [Route]
    let routeIndex: [Route: Int32]
    let partnerIndex: [PartnerName: Int32]
    let railIndex: [Rail: Int32]
    let networkIndex: [String: Int]
    /// Packed codes of the currencies that any route serves, ascending.
    let currencies: [UInt32]
    /// Market of kind k and currency place c: `2·c + k`.
    let markets: [Market]
    /// Every route with the reason, for currencies that no route serves: by kind.
    let unserved: [[Elimination]]
    let countrySets: [UInt64]
    let hours: [OperatingHours]
    let requestedRails: [Set<Int32>]
    /// 0: not in the rule; 1: primary; 2: secondary. Rule r, route i: `r·routes + i`.
    let membership: [UInt8]

    init(
        routes: [CatalogueRoute], rules: [RoutingRule], configuredPartners: Set<PartnerName>?
    ) throws(RoutingPolicyFault) {
        guard routes.count <= RoutingPolicy.maximumRoutes else { throw .tooManyRoutes(routes.count) }
        guard rules.count <= RoutingPolicy.maximumRules else { throw .tooManyRules(rules.count) }
        names = routes.map(\.route)
        var builder = PolicyBuilder()
        try builder.number(routes)
        var codes = Set<UInt32>()
        for route in routes { codes.formUnion(route.currencies.keys.map(\.packed)) }
        currencies = codes.sorted()
        membership = try builder.membership(of: rules, in: routes)
        var markets: [Market] = []
        for code in currencies {
            for kind in [PaymentKind.payout, .payment] {
                markets.append(
                    builder.market(
                        kind, Currency(packed: code), routes: routes, rules: rules,
                        configuredPartners: configuredPartners))
            }
        }
        self.markets = markets
        unserved = [PaymentKind.payout, .payment].map { kind in
            builder.market(kind, nil, routes: routes, rules: [], configuredPartners: configuredPartners).others
        }
        routeIndex = builder.routeIndex
        partnerIndex = builder.partnerIndex
        railIndex = builder.railIndex
        networkIndex = builder.networkIndex
        countrySets = builder.countrySets
        hours = builder.hours
        requestedRails = builder.requestedRails
    }

    /// The place of the market, or nil where no route serves the currency. Binary search.
    func market(_ kind: PaymentKind, _ currency: Currency) -> Int? {
        var low = 0
        var high = currencies.count
        while low < high {
            let middle = (low + high) / 2
            if currencies[middle] < currency.packed { low = middle + 1 } else { high = middle }
        }
        guard low < currencies.count, currencies[low] == currency.packed else { return nil }
        return 2 * low + (kind == .payout ? 0 : 1)
    }

    /// Whether a country is in a set; an unknown country is in none but "all" (−1).
    @inline(__always)
    func contains(_ set: Int32, _ country: Int) -> Bool {
        if set < 0 { return true }
        if country < 0 { return false }
        return countrySets[Int(set) * CountrySet.words + country >> 6] & (1 << UInt64(country & 63)) != 0
    }
}
