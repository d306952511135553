import PaymentModel

/// One rule of a policy: for which payments, which routes, in what order, and where to wait when none can serve.
/// Rules are asked in order; the first that matches decides.
public struct RoutingRule: Hashable, Sendable {
    /// Which payments a rule is for. Empty sets and nil mean: any.
    public struct Condition: Hashable, Sendable {
        /// Payouts or payments.
        public var kind: PaymentKind?
        /// The instructed currency.
        public var currencies: Set<Currency>
        /// The country of the creditor's account.
        public var countries: Set<CountryCode>?
        /// The form of the creditor's account.
        public var accountForms: Set<AccountForm>
        /// The instrument of a payment.
        public var instruments: Set<InstrumentKind>
        /// Smallest amount in minor units.
        public var minimum: Int64
        /// Largest amount in minor units.
        public var maximum: Int64
        /// The rails that upstream may name (`routing.rail`); empty: any, but one must be named; nil: none need be.
        public var requestedRails: Set<Rail>?

        /// A condition; by default every payment.
        public init(
            kind: PaymentKind? = nil, currencies: Set<Currency> = [], countries: Set<CountryCode>? = nil,
            accountForms: Set<AccountForm> = [], instruments: Set<InstrumentKind> = [], minimum: Int64 = 0,
            maximum: Int64 = .max, requestedRails: Set<Rail>? = nil
        ) {
            self.kind = kind
            self.currencies = currencies
            self.countries = countries
            self.accountForms = accountForms
            self.instruments = instruments
            self.minimum = minimum
            self.maximum = maximum
            self.requestedRails = requestedRails
        }
    }

    /// The rule's name, unique in the policy.
    public var name: String
    /// Which payments it is for.
    public var condition: Condition
    /// Routes of the first choice.
    public var primary: [Route]
    /// Routes where the first choice cannot serve.
    public var secondary: [Route]
    /// What orders the routes of a group, unless upstream says otherwise.
    public var objective: RoutingWishes.Objective
    /// Where to wait when no route can serve; nil: the payment fails.
    public var offload: OffloadPlan?

    /// A rule.
    public init(
        name: String, condition: Condition, primary: [Route], secondary: [Route] = [],
        objective: RoutingWishes.Objective = .cost, offload: OffloadPlan? = nil
    ) {
        self.name = name
        self.condition = condition
        self.primary = primary
        self.secondary = secondary
        self.objective = objective
        self.offload = offload
    }
}

/// Where a payment waits that no route can serve now: a scored way of its own, with owner, deadline and release rule.
public struct OffloadPlan: Hashable, Sendable {
    /// Lane `manual`: a person decides.
    public struct Manual: Hashable, Sendable {
        /// Who.
        public var owner: String
        /// Within.
        public var deadline: Milliseconds
        /// The reasons for which a payment comes here at once, without a wait in the queue.
        public var causes: Set<EliminationCode>

        /// A manual lane.
        public init(owner: String, deadline: Milliseconds, causes: Set<EliminationCode> = []) {
            self.owner = owner
            self.deadline = deadline
            self.causes = causes
        }
    }

    /// Lane `queue`: leaves by itself when what was in the way is over.
    public struct Queue: Hashable, Sendable {
        /// Who looks after it.
        public var owner: String
        /// Becomes an entry of lane `manual` after this.
        public var deadline: Milliseconds
        /// The reasons that are waited for; only those that time can heal.
        public var causes: Set<EliminationCode>
        /// When to look again where no opening time is known (no capacity, a route that was not reached).
        public var retryAfter: Milliseconds

        /// A queue.
        public init(
            owner: String, deadline: Milliseconds, causes: Set<EliminationCode>, retryAfter: Milliseconds
        ) {
            self.owner = owner
            self.deadline = deadline
            self.causes = causes
            self.retryAfter = retryAfter
        }
    }

    /// The queue, where there is one.
    public var queue: Queue?
    /// The manual lane, which the queue runs into.
    public var manual: Manual

    /// A plan.
    public init(queue: Queue?, manual: Manual) {
        self.queue = queue
        self.manual = manual
    }
}

/// How payments with a future `requestedExecutionDate` wait: in lane `queue`, until their day begins.
public struct ExecutionDates: Hashable, Sendable {
    /// Where the day begins.
    public var zone: TimeZoneRule
    /// When on the day they are released, in local time after midnight.
    public var releaseTime: Milliseconds
    /// Who looks after them.
    public var owner: String
    /// Becomes an entry of lane `manual` so long after the release was due.
    public var grace: Milliseconds
    /// The manual lane after that.
    public var manual: OffloadPlan.Manual

    /// How future payments wait.
    public init(
        zone: TimeZoneRule, releaseTime: Milliseconds, owner: String, grace: Milliseconds, manual: OffloadPlan.Manual
    ) {
        self.zone = zone
        self.releaseTime = releaseTime
        self.owner = owner
        self.grace = grace
        self.manual = manual
    }
}
