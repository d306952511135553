import Credentials
import HTTPServer

/// Who calls.
public struct Caller: Sendable, Equatable {
    /// For logs and the audit.
    public var name: String
    /// What they may do.
    public var roles: Set<AccessRole>

    /// What goes with a record of theirs, so that the shard knows: their roles, where they may not act as the desk.
    var stamp: String? {
        roles.contains(.desk) ? nil : roles.map(\.rawValue).sorted().joined(separator: " ")
    }
}

/// Who may do what on the HTTP port. Where nobody is named, everybody may do everything: the port is loopback then.
public struct AccessPolicy: Sendable {
    /// A bearer token and its holder. `matches` compares in constant time and keeps the token to itself.
    public struct Token: Sendable {
        /// The holder.
        public var caller: Caller
        /// Whether the presented token is this one.
        public var matches: @Sendable (_ presented: [UInt8]) -> Bool

        /// A token.
        public init(name: String, roles: Set<AccessRole>, matches: @escaping @Sendable ([UInt8]) -> Bool) {
            caller = Caller(name: name, roles: roles)
            self.matches = matches
        }
    }

    /// Tokens.
    public var tokens: [Token]
    /// Roles by the common name of a verified client certificate.
    public var clients: [String: Set<AccessRole>]

    /// A policy; by default an open one.
    public init(tokens: [Token] = [], clients: [String: Set<AccessRole>] = [:]) {
        self.tokens = tokens
        self.clients = clients
    }

    /// Who calls, or the problem to answer.
    public func identify(_ request: HTTPRequest) -> Result<Caller, Problem> {
        if tokens.isEmpty, clients.isEmpty {
            return .success(Caller(name: "anybody", roles: Set(AccessRole.allCases)))
        }
        if let name = request.peer.certificateCommonName, let roles = clients[name] {
            return .success(Caller(name: name, roles: roles))
        }
        guard let header = request.headers["authorization"] else {
            return .failure(AccessPolicy.unknown("a bearer token is needed"))
        }
        guard header.lowercased().hasPrefix("bearer ") else {
            return .failure(AccessPolicy.unknown("only bearer tokens are known"))
        }
        let presented = Array(header.utf8.dropFirst(7))
        var found: Caller?
        for token in tokens where token.matches(presented) { found = token.caller }
        guard let found else {
            return .failure(AccessPolicy.unknown("the token is not known", error: ", error=\"invalid_token\""))
        }
        return .success(found)
    }

    /// 401 with the challenge that RFC 6750 section 3 describes.
    private static func unknown(_ detail: String, error: String = "") -> Problem {
        Problem(401, detail: detail, challenge: "Bearer realm=\"switchyard\"\(error)")
    }

    /// The caller, where they have one of the roles; else the problem to answer.
    public func require(_ roles: Set<AccessRole>, _ request: HTTPRequest) -> Result<Caller, Problem> {
        identify(request).flatMap { caller in
            caller.roles.isDisjoint(with: roles)
                ? .failure(
                    Problem(
                        403, detail: "the role \(roles.map(\.rawValue).sorted().joined(separator: " or ")) is needed"))
                : .success(caller)
        }
    }

    /// Whether the body of a request is taken: up to so many bytes where its head proves one of the roles, else not.
    func admit(_ roles: Set<AccessRole>, _ head: HTTPRequest, bodyBytes: Int) -> HTTPAdmission {
        switch require(roles, head) {
        case .failure(let problem): .refuse(problem.response)
        case .success: .accept(bodyBytes: bodyBytes, proven: true)
        }
    }
}
