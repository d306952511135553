/// The resources of the partner.
enum Route: Sendable, Equatable {
    case createTransfer, findTransfers, showTransfer(String), cancelTransfer(String)
    case createAuthorization, findAuthorizations, showAuthorization(String)
    case capture(String), void(String), refund(String)
    case token, challenge(String)
    case faults, showFaults, books, requests, heal
    case unknown, wrongMethod(allowed: String)

    init(_ request: PartnerRequest) {
        let segments = request.segments
        let isGet = request.method == "GET" || request.method == "HEAD"
        let isPost = request.method == "POST"
        func pick(get: Route?, post: Route?) -> Route {
            if isGet, let get { return get }
            if isPost, let post { return post }
            let allowed = (get == nil ? [] : ["GET", "HEAD"]) + (post == nil ? [] : ["POST"])
            return .wrongMethod(allowed: allowed.joined(separator: ", "))
        }
        switch (segments.first, segments.count) {
        case ("v1", 2) where segments[1] == "transfers": self = pick(get: .findTransfers, post: .createTransfer)
        case ("v1", 3) where segments[1] == "transfers": self = pick(get: .showTransfer(segments[2]), post: nil)
        case ("v1", 4) where segments[1] == "transfers" && segments[3] == "cancel":
            self = pick(get: nil, post: .cancelTransfer(segments[2]))
        case ("v1", 2) where segments[1] == "authorizations":
            self = pick(get: .findAuthorizations, post: .createAuthorization)
        case ("v1", 3) where segments[1] == "authorizations":
            self = pick(get: .showAuthorization(segments[2]), post: nil)
        case ("v1", 4) where segments[1] == "authorizations" && segments[3] == "captures":
            self = pick(get: nil, post: .capture(segments[2]))
        case ("v1", 4) where segments[1] == "authorizations" && segments[3] == "voids":
            self = pick(get: nil, post: .void(segments[2]))
        case ("v1", 4) where segments[1] == "authorizations" && segments[3] == "refunds":
            self = pick(get: nil, post: .refund(segments[2]))
        case ("oauth", 2) where segments[1] == "token": self = pick(get: nil, post: .token)
        case ("challenges", 2): self = pick(get: .challenge(segments[1]), post: nil)
        case ("_control", 2) where segments[1] == "faults": self = pick(get: .showFaults, post: .faults)
        case ("_control", 2) where segments[1] == "books": self = pick(get: .books, post: nil)
        case ("_control", 2) where segments[1] == "requests": self = pick(get: .requests, post: nil)
        case ("_control", 2) where segments[1] == "heal": self = pick(get: nil, post: .heal)
        default: self = .unknown
        }
    }

    /// As fault rules name it; empty for what cannot be struck.
    var pattern: String {
        switch self {
        case .createTransfer: "POST /v1/transfers"
        case .findTransfers: "GET /v1/transfers"
        case .showTransfer: "GET /v1/transfers/{id}"
        case .cancelTransfer: "POST /v1/transfers/{id}/cancel"
        case .createAuthorization: "POST /v1/authorizations"
        case .findAuthorizations: "GET /v1/authorizations"
        case .showAuthorization: "GET /v1/authorizations/{id}"
        case .capture: "POST /v1/authorizations/{id}/captures"
        case .void: "POST /v1/authorizations/{id}/voids"
        case .refund: "POST /v1/authorizations/{id}/refunds"
        case .token: "POST /oauth/token"
        case .challenge, .faults, .showFaults, .books, .requests, .heal, .unknown, .wrongMethod: ""
        }
    }

    /// Whether it moves or may move something and therefore takes an `Idempotency-Key`.
    var isOrder: Bool {
        switch self {
        case .createTransfer, .cancelTransfer, .createAuthorization, .capture, .void, .refund: true
        default: false
        }
    }

    var isControl: Bool {
        switch self {
        case .faults, .showFaults, .books, .requests, .heal: true
        default: false
        }
    }
}
