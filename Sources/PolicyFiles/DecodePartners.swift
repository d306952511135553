import Spelling
import PaymentModel
import Routing
import YAMLDocument

extension PolicyDecoder {
    private enum PartnerKey: String, CaseIterable {
        case partner, effectiveFrom, source, requests, promises, idempotency, inquiries, canCancel, repeats, lifetimes
        case escalation, breaker, capacity, rails
    }
    private enum RailKey: String, CaseIterable {
        case kind, effectiveFrom, source, currencies, countries, accountForms, instruments, networks, hours, delivery
        case onlyOnRequest, capacity, breaker, requests, promises, lifetimes
    }
    private enum CurrencyKey: String, CaseIterable { case minimum, maximum, cost }
    private enum CostKey: String, CaseIterable { case upTo, fixed, basisPoints, minimum, maximum }
    private enum HoursKey: String, CaseIterable { case zone, calendar, windows }
    private enum WindowKey: String, CaseIterable { case opens, cutOff }
    private enum DeliveryKey: String, CaseIterable { case within, workingDays, at }
    private enum Kind: String, CaseIterable { case payout, payment }

    /// What a rail takes over from its partner unless it says otherwise.
    private struct Standard {
        var terms: TermsSections
        var capacity: CatalogueRoute.Capacity
        var breaker: CircuitBreaker.Settings
    }

    mutating func partner(
        _ value: YAMLValue, name: String, _ context: PolicyContext
    ) throws(YAMLError) -> (name: PartnerName, routes: [CatalogueRoute]) {
        let mapping = try value.mapping(PartnerKey.self)
        let given = try mapping.required(.partner)
        guard try given.identifier() == name else {
            throw given.fault("the file is called \(name).yaml", hint: "partner: \(name)")
        }
        try fact(effectiveFrom: mapping.required(.effectiveFrom), source: mapping.required(.source))
        var terms = TermsSections()
        try terms.requests(mapping.required(.requests))
        try terms.promises(mapping.required(.promises))
        try terms.idempotency(mapping.required(.idempotency))
        try terms.inquiries(mapping.required(.inquiries))
        terms.canCancel = try mapping.required(.canCancel).boolean()
        try terms.repeats(mapping.required(.repeats))
        try terms.lifetimes(mapping.required(.lifetimes))
        try terms.escalation(mapping.required(.escalation))
        let standard = Standard(
            terms: terms, capacity: try capacity(mapping.optional(.capacity)) ?? .init(),
            breaker: try breaker(mapping.optional(.breaker)) ?? .init())
        let partner = PartnerName(name)
        var routes: [CatalogueRoute] = []
        for entry in try mapping.required(.rails).entries() {
            guard entry.key.isPolicyIdentifier else { throw entry.keyFault("may hold a-z, 0-9 and '-' only") }
            routes.append(
                try rail(entry.value, Route(partner: partner, rail: Rail(entry.key)), standard, context))
        }
        guard !routes.isEmpty else { throw try mapping.required(.rails).fault("names no rail") }
        return (partner, routes)
    }

    private mutating func rail(
        _ value: YAMLValue, _ route: Route, _ standard: Standard, _ context: PolicyContext
    ) throws(YAMLError) -> CatalogueRoute {
        let mapping = try value.mapping(RailKey.self)
        try fact(effectiveFrom: mapping.required(.effectiveFrom), source: mapping.required(.source))
        let kind = try mapping.required(.kind).choice(Kind.self)
        var sections = standard.terms
        if let requests = try mapping.optional(.requests) { try sections.requests(requests) }
        if let promises = try mapping.optional(.promises) { try sections.promises(promises) }
        if let lifetimes = try mapping.optional(.lifetimes) { try sections.lifetimes(lifetimes) }
        var entry = CatalogueRoute(
            route: route, kind: kind == .payout ? .payout : .payment,
            currencies: try currencies(mapping.required(.currencies)),
            capacity: try capacity(mapping.optional(.capacity)) ?? standard.capacity,
            breaker: try breaker(mapping.optional(.breaker)) ?? standard.breaker, terms: try sections.terms(at: value))
        let forPayouts: [RailKey] = [.countries, .accountForms]
        let forPayments: [RailKey] = [.instruments, .networks]
        for key in kind == .payout ? forPayments : forPayouts {
            if let stray = try mapping.optional(key) {
                throw stray.fault("is nothing that \(kind.rawValue)s have", hint: "remove the key")
            }
        }
        if kind == .payout {
            entry.countries = try countries(mapping.required(.countries), context)
            entry.accountForms = try accountForms(mapping.required(.accountForms))
        } else {
            entry.instruments = try instruments(mapping.required(.instruments))
            if let networks = try mapping.optional(.networks) {
                var names: Set<String> = []
                for item in try networks.items(limit: 64) { names.insert(try item.identifier()) }
                entry.networks = names
            }
        }
        if let hours = try mapping.optional(.hours) { entry.hours = try self.hours(hours, context) }
        entry.delivery = try delivery(mapping.required(.delivery), hours: entry.hours)
        if let request = try mapping.optional(.onlyOnRequest) { entry.onlyOnRequest = try request.boolean() }
        return entry
    }

    // MARK: Amounts and costs

    private func currencies(_ value: YAMLValue) throws(YAMLError) -> [Currency: CatalogueRoute.CurrencyTerms] {
        var currencies: [Currency: CatalogueRoute.CurrencyTerms] = [:]
        for entry in try value.entries() {
            guard let currency = Currency(entry.key) else { throw entry.keyFault("is no currency of ISO 4217") }
            let mapping = try entry.value.mapping(CurrencyKey.self)
            let maximum = try mapping.required(.maximum).amount(in: currency, atLeast: 1)
            var minimum: Int64 = 1
            if let given = try mapping.optional(.minimum) {
                minimum = try given.amount(in: currency, atLeast: 1)
                guard minimum <= maximum else { throw given.fault("is above the maximum") }
            }
            currencies[currency] = CatalogueRoute.CurrencyTerms(
                minimum: minimum, maximum: maximum, fees: try fees(mapping.required(.cost), currency))
        }
        guard !currencies.isEmpty else { throw value.fault("names no currency") }
        return currencies
    }

    /// A cost, or a list of costs by amount.
    private func fees(_ value: YAMLValue, _ currency: Currency) throws(YAMLError) -> FeeSchedule {
        guard value.isSequence else { return FeeSchedule(tiers: [try tier(value, currency, isLast: true)]) }
        let items = try value.items(limit: 32)
        var tiers: [FeeSchedule.Tier] = []
        for (place, item) in items.enumerated() {
            let tier = try tier(item, currency, isLast: place == items.count - 1)
            if let last = tiers.last, tier.upTo <= last.upTo {
                throw item.fault("'upTo' must grow from tier to tier")
            }
            tiers.append(tier)
        }
        guard !tiers.isEmpty else { throw value.fault("names no cost") }
        return FeeSchedule(tiers: tiers)
    }

    private func tier(_ value: YAMLValue, _ currency: Currency, isLast: Bool) throws(YAMLError) -> FeeSchedule.Tier {
        let mapping = try value.mapping(CostKey.self)
        var tier = FeeSchedule.Tier(fixed: try mapping.required(.fixed).amount(in: currency), millionths: 0)
        if let points = try mapping.optional(.basisPoints) { tier.millionths = try points.basisPoints() }
        if let minimum = try mapping.optional(.minimum) { tier.minimum = try minimum.amount(in: currency) }
        if let maximum = try mapping.optional(.maximum) {
            tier.maximum = try maximum.amount(in: currency)
            guard tier.minimum <= tier.maximum else { throw maximum.fault("is below the minimum") }
        }
        if let upTo = try mapping.optional(.upTo) {
            guard !isLast else { throw upTo.fault("the last tier is for all that is left", hint: "remove 'upTo'") }
            tier.upTo = try upTo.amount(in: currency, atLeast: 1)
        } else if !isLast {
            _ = try mapping.required(.upTo)
        }
        return tier
    }

    // MARK: Who and when

    private func countries(_ value: YAMLValue, _ context: PolicyContext) throws(YAMLError) -> Set<CountryCode>? {
        if case .scalar("all", _) = value.node.content { return nil }
        return try PolicyDecoder.countries(value, groups: context.tables.countryGroups)
    }

    func accountForms(_ value: YAMLValue) throws(YAMLError) -> Set<AccountForm> {
        var forms: Set<AccountForm> = []
        for item in try value.items(limit: 16) {
            let name = try item.text()
            guard let form = AccountForm.allCases.first(where: { $0.name == name }) else {
                let known = AccountForm.allCases.map(\.name).joined(separator: ", ")
                throw item.fault("'\(Spelling.excerpt(name))' is no form of account", hint: "one of \(known)")
            }
            forms.insert(form)
        }
        guard !forms.isEmpty else { throw value.fault("names no form of account") }
        return forms
    }

    func instruments(_ value: YAMLValue) throws(YAMLError) -> Set<InstrumentKind> {
        var kinds: Set<InstrumentKind> = []
        for item in try value.items(limit: 16) {
            let name = try item.text()
            guard let kind = InstrumentKind.allCases.first(where: { $0.name == name }) else {
                let known = InstrumentKind.allCases.map(\.name).joined(separator: ", ")
                throw item.fault("'\(Spelling.excerpt(name))' is no instrument", hint: "one of \(known)")
            }
            kinds.insert(kind)
        }
        guard !kinds.isEmpty else { throw value.fault("names no instrument") }
        return kinds
    }

    private func hours(_ value: YAMLValue, _ context: PolicyContext) throws(YAMLError) -> OperatingHours {
        let mapping = try value.mapping(HoursKey.self)
        let zone = try PolicyDecoder.zone(mapping.required(.zone), context.tables.zones)
        let calendar = try mapping.required(.calendar)
        let name = try calendar.text()
        guard let days = context.calendars[name] else {
            let known = Array(context.calendars.keys).sorted()
            let near = Spelling.nearest(to: name, among: known).map { "did you mean '\($0)'?" }
            throw calendar.fault(
                "there is no calendar '\(Spelling.excerpt(name))'",
                hint: near ?? "known: " + known.joined(separator: ", "))
        }
        var windows: [OperatingHours.Window] = []
        let list = try mapping.required(.windows)
        for item in try list.items(limit: 16) {
            let window = try item.mapping(WindowKey.self)
            let opens = try window.required(.opens).timeOfDay(allowsDayBefore: true)
            let cutOff = try window.required(.cutOff).timeOfDay()
            guard opens < cutOff else { throw item.fault("opens after its cut-off") }
            windows.append(OperatingHours.Window(opens: opens, cutOff: cutOff))
        }
        guard !windows.isEmpty else { throw list.fault("names no window", hint: "a rail without hours is always open") }
        return OperatingHours(zone: zone, calendar: days, windows: windows)
    }

    private func delivery(_ value: YAMLValue, hours: OperatingHours?) throws(YAMLError) -> Delivery {
        let mapping = try value.mapping(DeliveryKey.self)
        switch (try mapping.optional(.within), try mapping.optional(.workingDays)) {
        case (let span?, nil): return .within(try span.milliseconds())
        case (nil, let days?):
            guard hours != nil else { throw days.fault("working days need 'hours' with a calendar") }
            return .workingDays(Int(try days.integer(in: 0...30)), at: try mapping.required(.at).timeOfDay())
        default: throw value.fault("needs either 'within' or 'workingDays' with 'at'")
        }
    }
}
