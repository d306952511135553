/// Path parameters of the matched pattern, percent-decoded.
public struct PathParameters: Sendable {
    private let pairs: [(name: String, value: String)]

    init(_ pairs: [(name: String, value: String)]) { self.pairs = pairs }

    /// The value; empty for a name that is not in the pattern (our own misuse, found by the first test).
    public subscript(name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }
}

/// Method and path pattern to handler. Patterns are literal segments and `{name}`; a literal wins over a parameter, an
/// earlier route over a later one. Unknown path: 404, known path but other method: 405 with `Allow`, both as RFC 9457
/// problem documents. `HEAD` is answered by the `GET` route. Value type: build it once, before the server starts.
public struct HTTPRouter: Sendable {
    /// Answers one route.
    public typealias Handler = @Sendable (HTTPRequest, PathParameters, HTTPResponder) -> Void
    /// Decides on the head of a request of one route whether its body is taken, and how much of it.
    public typealias Admission = @Sendable (HTTPRequest, PathParameters) -> HTTPAdmission

    private enum Part: Sendable {
        case literal(String)
        case parameter(String)
    }

    private struct Route: Sendable {
        var method: String
        var parts: [Part]
        var literals: Int
        var admission: Admission?
        var handler: Handler
    }

    private enum Found {
        case route(Route, PathParameters)
        case none(HTTPResponse)
    }

    private var routesBySegmentCount: [Int: [Route]] = [:]

    /// Asked before any route: the problem to answer in its place, or nil.
    public var gate: (@Sendable (HTTPRequest) -> Problem?)?

    /// No routes.
    public init() {}

    /// Adds a route: `router.add("POST", "/v1/transfers/{id}/cancel") { request, path, responder in … }`. Without
    /// `admission` it takes no body.
    public mutating func add(
        _ method: String, _ pattern: String, admission: Admission? = nil, _ handler: @escaping Handler
    ) {
        let parts = pattern.split(separator: "/").map { part in
            part.hasPrefix("{") && part.hasSuffix("}")
                ? Part.parameter(String(part.dropFirst().dropLast())) : Part.literal(String(part))
        }
        let literals = parts.count { if case .literal = $0 { true } else { false } }
        let route = Route(method: method, parts: parts, literals: literals, admission: admission, handler: handler)
        var routes = routesBySegmentCount[parts.count] ?? []
        let place = routes.firstIndex { $0.literals < literals } ?? routes.endIndex
        routes.insert(route, at: place)
        routesBySegmentCount[parts.count] = routes
    }

    /// Whether the body of a request is taken: its route's decision; nothing where there is no route.
    public func admit(_ head: HTTPRequest) -> HTTPAdmission {
        switch find(head) {
        case .none(let response): .refuse(response)
        case .route(let route, let parameters):
            route.admission?(head, parameters) ?? .accept(bodyBytes: 0, proven: false)
        }
    }

    /// Finds the route and calls its handler, or answers 404, 405 or (OPTIONS) 204. Linear in the routes of that depth.
    public func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        switch find(request) {
        case .none(let response): responder.answer(response)
        case .route(let route, let parameters): route.handler(request, parameters, responder)
        }
    }

    private func find(_ request: HTTPRequest) -> Found {
        if let problem = gate?(request) { return .none(problem.response) }
        let segments = request.target.segments
        var allowed: [String] = []
        for route in routesBySegmentCount[segments.count] ?? [] {
            guard let parameters = match(route.parts, segments) else { continue }
            if route.method == request.method || (request.method == "HEAD" && route.method == "GET") {
                return .route(route, PathParameters(parameters))
            }
            if !allowed.contains(route.method) { allowed.append(route.method) }
        }
        guard !allowed.isEmpty else { return .none(Problem(404, detail: "no such resource").response) }
        if allowed.contains("GET") { allowed.append("HEAD") }
        let allow = (name: "Allow", value: allowed.sorted().joined(separator: ", "))
        if request.method == "OPTIONS" { return .none(HTTPResponse(status: 204, headers: [allow])) }
        var response = Problem(405, detail: "this resource does not know the method").response
        response.headers.append(allow)
        return .none(response)
    }

    private func match(_ parts: [Part], _ segments: [String]) -> [(name: String, value: String)]? {
        var parameters: [(name: String, value: String)] = []
        for (part, segment) in zip(parts, segments) {
            switch part {
            case .literal(let text): guard text == segment else { return nil }
            case .parameter(let name):
                guard !segment.isEmpty else { return nil }
                parameters.append((name, segment))
            }
        }
        return parameters
    }
}
