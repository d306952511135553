/// What a route would cost, all in one currency, in minor units.
public struct RouteCost: Hashable, Sendable {
    /// The part that does not depend on the amount.
    public var fixed: Int64
    /// The part that does, after minimum and maximum.
    public var variable: Int64
    /// Both together.
    public var total: Int64
    /// The currency of all three.
    public var currency: Currency

    /// A cost.
    public init(fixed: Int64, variable: Int64, total: Int64, currency: Currency) {
        self.fixed = fixed
        self.variable = variable
        self.total = total
        self.currency = currency
    }
}

/// A route that can serve, with its place in the order.
public struct RouteCandidate: Hashable, Sendable {
    /// The route.
    public var route: Route
    /// Its role under the rule that chose it.
    public var role: RouteRole
    /// What it would cost.
    public var cost: RouteCost

    /// A candidate.
    public init(route: Route, role: RouteRole, cost: RouteCost) {
        self.route = route
        self.role = role
        self.cost = cost
    }
}

/// Why a route cannot serve. The raw value is the code in `route.selected`.
public enum EliminationCode: String, Sendable, CaseIterable {
    /// Over the route's limit.
    case amountAboveLimit = "amount-above-limit"
    /// Under the route's minimum.
    case amountBelowMinimum = "amount-below-minimum"
    /// The route does not serve the currency.
    case currencyUnsupported = "currency-unsupported"
    /// The route does not serve the creditor's country.
    case countryUnsupported = "country-unsupported"
    /// The route does not serve this form of account.
    case accountFormUnsupported = "account-form-unsupported"
    /// The route does not serve this instrument, or not this kind of payment.
    case instrumentUnsupported = "instrument-unsupported"
    /// Outside of the rail's hours.
    case outsideWindow = "outside-window"
    /// After the day's cut-off.
    case afterCutOff = "after-cut-off"
    /// The rail does not work on this day.
    case calendarClosed = "calendar-closed"
    /// Would arrive after `deliverBy`.
    case tooSlow = "too-slow"
    /// Costs more than `maximumCost`.
    case costAboveMaximum = "cost-above-maximum"
    /// Upstream excludes the partner.
    case partnerExcluded = "partner-excluded"
    /// The rail is taken only on request, or another was requested.
    case railNotRequested = "rail-not-requested"
    /// No rule gives this route.
    case notInRules = "not-in-rules"
    /// The route's circuit breaker is open.
    case circuitOpen = "circuit-open"
    /// The route is set back because of its success rate, or throttled.
    case unhealthy
    /// The partner has no room.
    case noCapacity = "no-capacity"
    /// This payment has been there.
    case alreadyTried = "already-tried"
    /// The partner is not configured.
    case partnerUnknown = "partner-unknown"
}

/// A route that cannot serve, and why.
public struct Elimination: Hashable, Sendable {
    /// The route.
    public var route: Route
    /// Why.
    public var code: EliminationCode
    /// For people; numbers and names of limits, no personal data.
    public var detail: String

    /// An elimination.
    public init(route: Route, code: EliminationCode, detail: String) {
        self.route = route
        self.code = code
        self.detail = detail
    }
}

/// Where payments wait that no route may serve now.
public enum OffloadLane: UInt8, Sendable {
    /// Leaves by its release rule.
    case queue = 0
    /// Leaves by a person.
    case manual = 1

    /// The name in events.
    public var name: StaticString {
        switch self {
        case .queue: "queue"
        case .manual: "manual"
        }
    }
}

/// An entry into an offload lane, as the policy orders it.
public struct OffloadOrder: Hashable, Sendable {
    /// The lane.
    public var lane: OffloadLane
    /// Who looks after it.
    public var owner: String
    /// By when.
    public var deadline: Timestamp
    /// What lets it leave, for people: `window-opens`, `execution-date`, `operator`, …
    public var releaseRule: String
    /// When lane `queue` is left by itself; nil in lane `manual`.
    public var releaseAt: Timestamp?
    /// Owner and time of the entry of lane `manual` that follows when lane `queue` passes its deadline.
    public var manualOwner: String
    /// How long that entry may take.
    public var manualDeadline: Milliseconds

    /// An order.
    public init(
        lane: OffloadLane, owner: String, deadline: Timestamp, releaseRule: String, releaseAt: Timestamp?,
        manualOwner: String, manualDeadline: Milliseconds
    ) {
        self.lane = lane
        self.owner = owner
        self.deadline = deadline
        self.releaseRule = releaseRule
        self.releaseAt = releaseAt
        self.manualOwner = manualOwner
        self.manualDeadline = manualDeadline
    }
}

/// What a decision looked at of a route's health, where it was not plainly well: with the policy's version it makes the
/// decision explainable afterwards.
public struct RouteHealthInput: Hashable, Sendable {
    /// Where the circuit breaker stood.
    public enum Breaker: String, Hashable, Sendable {
        /// Everything may go.
        case closed
        /// Nothing may go.
        case open
        /// A bounded number may go, as trials.
        case halfOpen
    }

    /// The route.
    public var route: Route
    /// Its circuit breaker.
    public var breaker: Breaker
    /// Failures among the recent outcomes.
    public var recentFailures: Int
    /// Recent outcomes that were counted.
    public var recentOutcomes: Int
    /// The share of payments kept away in a brown-out, per mille.
    public var throttledPerMille: Int
    /// Attempts open on it.
    public var openAttempts: Int

    /// What was looked at.
    public init(
        route: Route, breaker: Breaker, recentFailures: Int, recentOutcomes: Int, throttledPerMille: Int,
        openAttempts: Int
    ) {
        self.route = route
        self.breaker = breaker
        self.recentFailures = recentFailures
        self.recentOutcomes = recentOutcomes
        self.throttledPerMille = throttledPerMille
        self.openAttempts = openAttempts
    }
}

/// A route decision: a recorded input of the payment's machine. A replay never decides again.
public struct RouteDecision: Hashable, Sendable {
    /// What comes of it.
    public enum Outcome: Hashable, Sendable {
        /// An attempt on the first candidate.
        case attempt
        /// An entry into an offload lane.
        case offload(OffloadOrder)
        /// Nothing can serve: the payment fails with this code (`no-route`, or the last rejection's where one is
        /// carried).
        case noRoute
    }

    /// Content hash of the policy that decided.
    public var policyVersion: String
    /// Routes that can serve, best first.
    public var candidates: [RouteCandidate]
    /// Routes that cannot: those that serve the payment's currency in the policy's order, then the others.
    public var eliminated: [Elimination]
    /// The health that was looked at, of routes that were not plainly well.
    public var health: [RouteHealthInput] = []
    /// What comes of it.
    public var outcome: Outcome

    /// A decision.
    public init(
        policyVersion: String, candidates: [RouteCandidate], eliminated: [Elimination], outcome: Outcome
    ) {
        self.policyVersion = policyVersion
        self.candidates = candidates
        self.eliminated = eliminated
        self.outcome = outcome
    }
}

/// What screening against the lists found.
public enum ScreeningResult: Hashable, Sendable {
    /// No hit. `listVersion` is the content hash of the lists.
    case passed(listVersion: UInt64)
    /// A hit that a person must look at.
    case held(owner: String, deadline: Timestamp, entry: String, listVersion: UInt64)
    /// A hit that forbids the payment.
    case blocked(entry: String, listVersion: UInt64)
}

/// What the catalogue promises about a partner's route: the terms under which doubt ends. Every duration is a
/// promise of the world (the partner's) unless it says that it is ours.
public struct RouteTerms: Hashable, Sendable {
    /// What an idempotency key is worth.
    public struct Key: Hashable, Sendable {
        /// The key binds all requests that carry it to one order, and a rejection is remembered, too.
        public var bindsAllRequests: Bool
        /// The key is stored when the request is received, not when it is done.
        public var recordedOnReceipt: Bool
        /// A repeat with the same key is safe without an inquiry before it.
        public var safeWithoutInquiry: Bool
        /// How long the partner remembers it, from the first send. Nil: unknown, never repeated by key alone.
        public var lifetime: Milliseconds?
        /// Ours: not used again within this margin before its end.
        public var margin: Milliseconds

        /// A key's worth.
        public init(
            bindsAllRequests: Bool, recordedOnReceipt: Bool, safeWithoutInquiry: Bool, lifetime: Milliseconds?,
            margin: Milliseconds
        ) {
            self.bindsAllRequests = bindsAllRequests
            self.recordedOnReceipt = recordedOnReceipt
            self.safeWithoutInquiry = safeWithoutInquiry
            self.lifetime = lifetime
            self.margin = margin
        }
    }

    /// Ours: no byte leaves later than this after the intent.
    public var sendDeadline: Milliseconds
    /// Ours: an exchange is given up after this.
    public var requestTimeout: Milliseconds
    /// Network, proxies and the partner's processing, until it has recorded the order or never will. Nil: unknown,
    /// absence never proves.
    public var inFlightBound: Milliseconds?
    /// From recorded until an inquiry shows it. Nil: unknown, absence never proves.
    public var visibilityLag: Milliseconds?
    /// How long the partner's books show a reference.
    public var booksRetention: Milliseconds
    /// Whether the partner can be asked by our reference.
    public var inquiry: Bool
    /// Ours: when to ask while in doubt, each counted from the last send's end (or its takeover).
    public var inquirySlots: [Milliseconds]
    /// Ours: when to ask about an accepted order that gives no final answer, counted from the acceptance.
    public var acceptedInquirySlots: [Milliseconds]
    /// The idempotency key.
    public var key: Key
    /// Whether a payout can be cancelled there.
    public var canCancel: Bool
    /// Ours: how often a request that was answered "not processed" (401, 429) is repeated.
    public var notProcessedRepeats: Int
    /// Ours: how often a capture, refund or void that ended notSent or absent is started anew.
    public var operationRestarts: Int
    /// How long an authorization lives.
    public var authorizationLifetime: Milliseconds
    /// How long the customer has to act.
    public var actionLifetime: Milliseconds
    /// How long a return or dispute may come: stubs stay as long.
    public var reversalWindow: Milliseconds
    /// Who looks after escalated attempts.
    public var escalationOwner: String

    /// The terms of a route.
    public init(
        sendDeadline: Milliseconds, requestTimeout: Milliseconds, inFlightBound: Milliseconds?,
        visibilityLag: Milliseconds?, booksRetention: Milliseconds, inquiry: Bool, inquirySlots: [Milliseconds],
        acceptedInquirySlots: [Milliseconds], key: Key, canCancel: Bool, notProcessedRepeats: Int,
        operationRestarts: Int, authorizationLifetime: Milliseconds, actionLifetime: Milliseconds,
        reversalWindow: Milliseconds, escalationOwner: String
    ) {
        self.sendDeadline = sendDeadline
        self.requestTimeout = requestTimeout
        self.inFlightBound = inFlightBound
        self.visibilityLag = visibilityLag
        self.booksRetention = booksRetention
        self.inquiry = inquiry
        self.inquirySlots = inquirySlots
        self.acceptedInquirySlots = acceptedInquirySlots
        self.key = key
        self.canCancel = canCancel
        self.notProcessedRepeats = notProcessedRepeats
        self.operationRestarts = operationRestarts
        self.authorizationLifetime = authorizationLifetime
        self.actionLifetime = actionLifetime
        self.reversalWindow = reversalWindow
        self.escalationOwner = escalationOwner
    }
}
