import PaymentModel

/// What an instrument is, for routes that take payments.
public enum InstrumentKind: UInt8, Hashable, Sendable, CaseIterable {
    /// A card.
    case card
    /// An account at a bank, by redirect.
    case openBanking

    /// The name in policy files.
    public var name: String {
        switch self {
        case .card: "card"
        case .openBanking: "openBanking"
        }
    }
}

/// What a route can do, as its partner's file in the policy folder says. Times, amounts and bounds are facts of the
/// partner; what is ours says so.
public struct CatalogueRoute: Hashable, Sendable {
    /// What a route does in one currency.
    public struct CurrencyTerms: Hashable, Sendable {
        /// Smallest amount in minor units.
        public var minimum: Int64
        /// Largest amount in minor units.
        public var maximum: Int64
        /// What it costs.
        public var fees: FeeSchedule

        /// Terms of a currency.
        public init(minimum: Int64 = 1, maximum: Int64, fees: FeeSchedule) {
            self.minimum = minimum
            self.maximum = maximum
            self.fees = fees
        }
    }

    /// How much may be under way at once.
    public struct Capacity: Hashable, Sendable {
        /// Attempts that may be open at once, over all shards; nil: no bound.
        public var openAttempts: Int?
        /// Attempts that may be started within a second, over all shards; nil: no bound.
        public var perSecond: Int?

        /// A capacity.
        public init(openAttempts: Int? = nil, perSecond: Int? = nil) {
            self.openAttempts = openAttempts
            self.perSecond = perSecond
        }
    }

    /// The route.
    public var route: Route
    /// Payouts or payments.
    public var kind: PaymentKind
    /// What it does in each currency that it serves.
    public var currencies: [Currency: CurrencyTerms]
    /// Countries of the creditor's account (payouts); nil: all.
    public var countries: Set<CountryCode>?
    /// Forms of the creditor's account (payouts).
    public var accountForms: Set<AccountForm>
    /// Instruments (payments).
    public var instruments: Set<InstrumentKind>
    /// Card networks (payments by card), lower case; nil: all.
    public var networks: Set<String>?
    /// Opening hours; nil: always open.
    public var hours: OperatingHours?
    /// When the money arrives.
    public var delivery: Delivery
    /// Taken only where upstream names the rail (`routing.rail`).
    public var onlyOnRequest: Bool
    /// How much may be under way at once.
    public var capacity: Capacity
    /// How its circuit breaker judges. Ours.
    public var breaker: CircuitBreaker.Settings
    /// The terms under which doubt ends.
    public var terms: RouteTerms

    /// A route of the catalogue.
    public init(
        route: Route, kind: PaymentKind, currencies: [Currency: CurrencyTerms], countries: Set<CountryCode>? = nil,
        accountForms: Set<AccountForm> = [], instruments: Set<InstrumentKind> = [], networks: Set<String>? = nil,
        hours: OperatingHours? = nil, delivery: Delivery = .within(.seconds(10)), onlyOnRequest: Bool = false,
        capacity: Capacity = Capacity(), breaker: CircuitBreaker.Settings = .init(), terms: RouteTerms
    ) {
        self.route = route
        self.kind = kind
        self.currencies = currencies
        self.countries = countries
        self.accountForms = accountForms
        self.instruments = instruments
        self.networks = networks
        self.hours = hours
        self.delivery = delivery
        self.onlyOnRequest = onlyOnRequest
        self.capacity = capacity
        self.breaker = breaker
        self.terms = terms
    }
}
