import PaymentModel
import Testing

@testable import Routing

let eur = currency("EUR")
let usd = currency("USD")

/// A currency that the tests rely on.
func currency(_ code: String) -> Currency {
    guard let currency = Currency(code) else { preconditionFailure("no currency \(code)") }
    return currency
}

func country(_ code: String) -> CountryCode {
    guard let country = CountryCode(code) else { preconditionFailure("no country \(code)") }
    return country
}

func route(_ text: String) -> Route {
    let parts = text.split(separator: "/")
    return Route(partner: PartnerName(String(parts[0])), rail: Rail(String(parts[1])))
}

/// A moment in UTC.
func utc(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0) -> Timestamp {
    guard let date = CalendarDate(year: year, month: month, day: day) else { preconditionFailure("no such day") }
    let seconds = Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    return Timestamp(milliseconds: seconds * 1_000)
}

func day(_ year: Int, _ month: Int, _ day: Int) -> CalendarDate {
    guard let date = CalendarDate(year: year, month: month, day: day) else { preconditionFailure("no such day") }
    return date
}

func time(_ hour: Int, _ minute: Int = 0) -> Milliseconds { Milliseconds(Int64(hour * 60 + minute) * 60_000) }

func at(_ wall: Timestamp, monotonic: Int64 = 1_000_000) -> Now {
    let began = MonotonicTime(milliseconds: 0)
    return Now(
        wall: wall, monotonic: MonotonicTime(milliseconds: monotonic),
        incarnation: Incarnation(number: 1, began: began, predecessor: .provenDead))
}

func zone(_ posix: String) -> TimeZoneRule {
    guard let zone = TimeZoneRule(posix: posix) else { preconditionFailure("no rule \(posix)") }
    return zone
}

let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3")
let newYork = zone("EST5EDT,M3.2.0,M11.1.0")

/// Terms that no routing test looks at.
let anyTerms: RouteTerms = {
    let day = Milliseconds.seconds(86_400)
    let key = RouteTerms.Key(
        bindsAllRequests: true, recordedOnReceipt: true, safeWithoutInquiry: false, lifetime: day, margin: .seconds(60))
    return RouteTerms(
        sendDeadline: .seconds(5), requestTimeout: .seconds(5), inFlightBound: .seconds(5), visibilityLag: .seconds(2),
        booksRetention: day, inquiry: true, inquirySlots: [.seconds(8)], acceptedInquirySlots: [.seconds(8)], key: key,
        canCancel: true, notProcessedRepeats: 3, operationRestarts: 3, authorizationLifetime: day,
        actionLifetime: day, reversalWindow: day, escalationOwner: "operations")
}()

let desk = OffloadPlan.Manual(owner: "desk", deadline: .seconds(3_600))

let executionDates = ExecutionDates(
    zone: berlin, releaseTime: time(6), owner: "treasury", grace: .seconds(3_600), manual: desk)

/// A payout route for IBANs in EUR, open always, up to EUR 1 000.00, 10 minor units + 10 basis points.
func payoutRoute(_ name: String, _ change: (inout CatalogueRoute) -> Void = { _ in }) -> CatalogueRoute {
    var entry = CatalogueRoute(
        route: route(name), kind: .payout,
        currencies: [eur: .init(maximum: 100_000, fees: FeeSchedule(fixed: 10, millionths: 1_000))],
        accountForms: [.iban], terms: anyTerms)
    change(&entry)
    return entry
}

/// A policy with one rule for everything, whose first choice are all routes, unless told otherwise.
func makePolicy(
    _ routes: [CatalogueRoute], rules: [RoutingRule]? = nil, offload: OffloadPlan? = nil,
    reached: Set<PartnerName>? = nil
) throws -> RoutingPolicy {
    let all = RoutingRule(name: "all", condition: .init(), primary: routes.map(\.route), offload: offload)
    return try RoutingPolicy(
        version: "v1", routes: routes, rules: rules ?? [all], executionDates: executionDates,
        configuredPartners: reached)
}

/// A payout of EUR 500.00 to a German IBAN.
func payout(_ change: (inout RouteQuery) -> Void = { _ in }) -> RouteQuery {
    var query = RouteQuery(kind: .payout, amount: Money(50_000, eur), country: country("DE"), accountForm: .iban)
    change(&query)
    return query
}

/// Friday, 20 November 2026, noon UTC.
let friday = utc(2026, 11, 20, 12)

extension RouteDecision {
    /// `bank/rail` of the candidates, in order.
    var names: [String] { candidates.map(\.route.description) }

    /// The code by which a route was eliminated, or nil.
    func code(_ name: String) -> EliminationCode? { eliminated.first { $0.route == route(name) }?.code }

    /// The detail with which a route was eliminated.
    func detail(_ name: String) -> String? { eliminated.first { $0.route == route(name) }?.detail }
}
