import PaymentModel

/// What routing asks about a payment. Made of the initiate's data and of what has happened since.
public struct RouteQuery: Hashable, Sendable {
    /// A route where an attempt of this payment has ended.
    public struct Tried: Hashable, Sendable {
        /// How it ended, as far as routing cares.
        public enum Ending: Hashable, Sendable {
            /// No byte left, or not processed: the same route may serve later.
            case notSent
            /// Rejected, but may go elsewhere.
            case rejected
            /// The partner never had it.
            case absent
        }

        /// The route.
        public var route: Route
        /// How its attempt ended.
        public var ending: Ending

        /// A route that was tried.
        public init(route: Route, ending: Ending) {
            self.route = route
            self.ending = ending
        }
    }

    /// Payout or payment.
    public var kind: PaymentKind
    /// What is to be moved.
    public var amount: Money
    /// Where the creditor's account is; nil where nobody knows.
    public var country: CountryCode?
    /// How the creditor's account is named; nil for payments.
    public var accountForm: AccountForm?
    /// What a payment is taken from; nil for payouts.
    public var instrument: InstrumentKind?
    /// The card's network, lower case, where it was told.
    public var network: String?
    /// What upstream asks of routing.
    public var wishes: RoutingWishes
    /// Not before this day.
    public var requestedExecutionDate: CalendarDate?
    /// At the creditor's by then.
    public var deliverBy: Timestamp?
    /// Where attempts have ended. Whoever leaves an offload lane starts with none again, else an operator's resume
    /// would find nothing to resume.
    public var tried: [Tried]
    /// Whether the payment has left an offload lane: its next attempt has role `offload`.
    public var afterOffload: Bool
    /// When it entered the first of the offload lanes that it has gone through by itself; nil where it was in none, or
    /// a person has resumed it since. The queue's deadline counts from here, so that no payment circles for ever.
    public var offloadedSince: Timestamp?
    /// What decides where chance would: derived from the payment, so that a replay decides alike.
    public var seed: UInt64

    /// A query of one's own.
    public init(
        kind: PaymentKind, amount: Money, country: CountryCode? = nil, accountForm: AccountForm? = nil,
        instrument: InstrumentKind? = nil, network: String? = nil, wishes: RoutingWishes = .init(),
        requestedExecutionDate: CalendarDate? = nil, deliverBy: Timestamp? = nil, tried: [Tried] = [],
        afterOffload: Bool = false, offloadedSince: Timestamp? = nil, seed: UInt64 = 0
    ) {
        self.kind = kind
        self.amount = amount
        self.country = country
        self.accountForm = accountForm
        self.instrument = instrument
        self.network = network
        self.wishes = wishes
        self.requestedExecutionDate = requestedExecutionDate
        self.deliverBy = deliverBy
        self.tried = tried
        self.afterOffload = afterOffload
        self.offloadedSince = offloadedSince
        self.seed = seed
    }

    /// The query of a payment as it was initiated; what has happened since is the caller's to add.
    public init(_ initiation: borrowing Initiation, seed: UInt64) {
        self.init(
            kind: initiation.kind, amount: initiation.instructedAmount,
            country: RouteQuery.country(of: initiation.creditor), accountForm: initiation.creditor?.account?.form,
            wishes: initiation.routing, requestedExecutionDate: initiation.requestedExecutionDate,
            deliverBy: initiation.deliverBy, seed: seed)
        switch initiation.instrument {
        case .card(_, let network):
            instrument = .card
            self.network = network?.lowercased()
        case .openBanking: instrument = .openBanking
        case nil: break
        }
        if kind == .payment { accountForm = nil }
    }

    /// The country in which the money must arrive: the account's, where its form tells; else the party's.
    private static func country(of creditor: Party?) -> CountryCode? {
        switch creditor?.account?.form {
        case .iban: (creditor?.account?.number.reveal().utf8.prefix(2)).flatMap { CountryCode(ascii: $0) }
        case .us: CountryCode("US")
        case .uk: CountryCode("GB")
        case .ca: CountryCode("CA")
        case .jp: CountryCode("JP")
        case .bare, .alias, nil: creditor?.country.flatMap { CountryCode($0) }
        }
    }
}
