import PaymentModel

/// What the rules look at: the query's names turned into places and bits, once for a decision.
struct QueryFacts {
    let amount: Int64
    /// −1: nobody knows.
    let country: Int
    let accountForm: UInt8
    let instrument: UInt8
    /// 0: not told, or a network that no route names.
    let network: UInt64
    let namesNetwork: Bool
    /// −1: none; −2: one that the policy does not have.
    let requestedRail: Int32
    let excludedPartners: [Int32]
    let tried: [Int32]
    /// The moment; for payments of a later day the rules that time can change are not asked.
    let now: Now
    let isFuture: Bool

    init(_ query: RouteQuery, _ policy: CompiledPolicy, now: Now, isFuture: Bool) {
        amount = query.amount.minorUnits
        country = query.country?.index ?? -1
        accountForm = query.accountForm.map { 1 << $0.rawValue } ?? 0
        instrument = query.instrument.map { 1 << $0.rawValue } ?? 0
        namesNetwork = query.network != nil
        network = query.network.flatMap { policy.networkIndex[$0] }.map { 1 << UInt64($0) } ?? 0
        requestedRail = query.wishes.rail.map { policy.railIndex[$0] ?? -2 } ?? -1
        excludedPartners = query.wishes.excludePartners.compactMap { policy.partnerIndex[$0] }
        tried = query.tried.compactMap { policy.routeIndex[$0.route] }
        self.now = now
        self.isFuture = isFuture
    }
}

/// A rule's answer: nil where the route meets it.
typealias Failing = EliminationCode?
