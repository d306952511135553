import HTTPServer

/// What a caller may do.
public enum AccessRole: String, Sendable, Hashable, CaseIterable {
    /// Read payments, routes, records and metrics.
    case read
    /// Send commands of upstream services.
    case send
    /// Send the commands of the desk.
    case desk
}

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
    /// Roles by the subject of a verified client certificate.
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
        if let subject = request.peer.certificateSubject, let roles = clients[AccessPolicy.commonName(of: subject)] {
            return .success(Caller(name: AccessPolicy.commonName(of: subject), roles: roles))
        }
        guard let header = request.headers["authorization"] else {
            return .failure(Problem(401, detail: "a bearer token is needed"))
        }
        guard header.lowercased().hasPrefix("bearer ") else {
            return .failure(Problem(401, detail: "only bearer tokens are known"))
        }
        let presented = Array(header.utf8.dropFirst(7))
        var found: Caller?
        for token in tokens where token.matches(presented) { found = token.caller }
        guard let found else { return .failure(Problem(401, detail: "the token is not known")) }
        return .success(found)
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

    /// The common name in a distinguished name (RFC 4514), or the whole where there is none.
    static func commonName(of subject: String) -> String {
        for part in subject.split(separator: ",") {
            let trimmed = part.drop { $0 == " " }
            if trimmed.hasPrefix("CN=") { return String(trimmed.dropFirst(3)) }
        }
        return subject
    }
}
