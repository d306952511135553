import PaymentModel

/// Why a policy cannot be compiled. Files are checked with their places before; this guards policies made in code.
public enum RoutingPolicyFault: Error, Hashable, Sendable {
    /// More than `RoutingPolicy.maximumRoutes` routes.
    case tooManyRoutes(Int)
    /// More than `RoutingPolicy.maximumRules` rules.
    case tooManyRules(Int)
    /// The same route twice.
    case routeTwice(Route)
    /// The same rule's name twice.
    case ruleTwice(String)
    /// A rule names a route that the catalogue does not have.
    case unknownRoute(Route, rule: String)
    /// More than 64 different card networks.
    case tooManyNetworks(Int)
}

/// A policy in force: catalogue, rules and what they need, compiled for fast decisions. Immutable; copies share it.
public struct RoutingPolicy: Sendable {
    /// Most routes of a policy.
    public static let maximumRoutes = 1_024
    /// Most rules of a policy.
    public static let maximumRules = 10_000

    /// Content hash of the folder that it was made of.
    public let version: String
    /// The catalogue, in the policy's order.
    public let routes: [CatalogueRoute]
    /// The rules, in the order in which they are asked.
    public let rules: [RoutingRule]
    /// How future payments wait.
    public let executionDates: ExecutionDates
    /// Rates for comparing costs.
    public let rates: ReferenceRates
    /// The terms of every route, for the core.
    public let terms: [Route: RouteTerms]

    let compiled: CompiledPolicy
    private let configuredPartners: Set<PartnerName>?

    /// Compiles a policy. Cost: routes × rules bytes of memory, once.
    ///
    /// - Parameter configuredPartners: partners that the daemon can reach; routes of others are eliminated. Nil: all.
    public init(
        version: String, routes: [CatalogueRoute], rules: [RoutingRule], executionDates: ExecutionDates,
        rates: ReferenceRates = .init(), configuredPartners: Set<PartnerName>? = nil
    ) throws(RoutingPolicyFault) {
        self.version = version
        self.routes = routes
        self.rules = rules
        self.executionDates = executionDates
        self.rates = rates
        self.configuredPartners = configuredPartners
        compiled = try CompiledPolicy(routes: routes, rules: rules, configuredPartners: configuredPartners)
        var terms: [Route: RouteTerms] = [:]
        for route in routes { terms[route.route] = route.terms }
        self.terms = terms
    }

    /// Whether the daemon can reach a partner; the routes of others are eliminated by every decision.
    public func reaches(_ partner: PartnerName) -> Bool { configuredPartners?.contains(partner) ?? true }

    /// The place of a route in `routes`, or nil where the catalogue does not have it.
    public func index(of route: Route) -> Int? { compiled.routeIndex[route].map { Int($0) } }

    /// The catalogue's entry of a route.
    public func entry(of route: Route) -> CatalogueRoute? { index(of: route).map { routes[$0] } }
}
