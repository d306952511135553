import Credentials
import PaymentModel
import YAMLDocument

extension ConfigurationDecoder {
    private enum HTTPKey: String, CaseIterable {
        case listen, hostNames, unauthenticated, notificationsURL, tls, tokens, clients, connections,
            connectionsPerAddress, idleTimeout
        case commitWait, notificationsWaiting
    }
    private enum TLSKey: String, CaseIterable { case certificateFile, keyFile, clientCAFile }
    private enum TokenKey: String, CaseIterable { case name, token, roles }
    private enum ClientKey: String, CaseIterable { case commonName, roles }

    mutating func http(_ value: YAMLValue?) throws(YAMLError) -> HTTPConfiguration {
        var http = HTTPConfiguration()
        guard let value else { return http }
        let mapping = try value.mapping(HTTPKey.self)
        if let listen = try mapping.optional(.listen) {
            guard let address = HostAndPort(try listen.text()) else {
                throw listen.fault("host:port is expected", hint: "as in 127.0.0.1:8080 or \"[::1]:8080\"")
            }
            http.listen = address
        }
        if let url = try mapping.optional(.notificationsURL) { http.notificationsURL = try self.url(url) }
        for item in try mapping.optional(.hostNames)?.items(limit: 64) ?? [] {
            http.hostNames.append(try self.name(item, limit: 253))
        }
        if let anybody = try mapping.optional(.unauthenticated) { http.allowsAnybody = try anybody.boolean() }
        if let tls = try mapping.optional(.tls) { http.tls = try serverTLS(tls) }
        if let tokens = try mapping.optional(.tokens) { http.tokens = try self.tokens(tokens) }
        if let clients = try mapping.optional(.clients) { http.clients = try self.clients(clients, tls: http.tls) }
        if let number = try mapping.optional(.connections) {
            http.connections = Int(try number.integer(in: 1...65_536))
        }
        if let number = try mapping.optional(.connectionsPerAddress) {
            http.connectionsPerAddress = Int(try number.integer(in: 1...65_536))
        }
        if let span = try mapping.optional(.idleTimeout) {
            http.idleTimeout = try milliseconds(span, in: .seconds(1) ... .seconds(3_600))
        }
        if let span = try mapping.optional(.commitWait) {
            http.commitWait = try milliseconds(span, in: .milliseconds(100) ... .seconds(60))
        }
        if let number = try mapping.optional(.notificationsWaiting) {
            http.notificationsWaiting = Int(try number.integer(in: 1...1_000_000))
        }
        if !http.listen.isLoopback { try beyondThisHost(http, at: try mapping.optional(.listen) ?? value) }
        return http
    }

    /// A port that others can reach must know its callers (the contract, section 5: loopback by default), unless the file
    /// says that it means it; a network that is walled off may be enough.
    private mutating func beyondThisHost(_ http: HTTPConfiguration, at listen: YAMLValue) throws(YAMLError) {
        let place = "\(listen.file):\(listen.mark.line): http: "
        if http.tokens.isEmpty, http.clients.isEmpty {
            guard http.allowsAnybody || http.tls?.clientCAFile != nil else {
                throw listen.fault(
                    "\(http.listen) can be reached from beyond this host, and every caller may do everything",
                    hint: "add http.tokens, or http.tls with clientCAFile; or listen on 127.0.0.1; or say "
                        + "unauthenticated: true where the network keeps others out")
            }
            warnings.append(place + "listens beyond this host, and every caller may do everything")
        }
        if http.tls == nil { warnings.append(place + "listens beyond this host without tls") }
    }

    private func serverTLS(_ value: YAMLValue) throws(YAMLError) -> ServerTLSConfiguration {
        let mapping = try value.mapping(TLSKey.self)
        let authorities = try mapping.optional(.clientCAFile)
        return ServerTLSConfiguration(
            certificateFile: try readableFile(mapping.required(.certificateFile)),
            keyFile: try readableFile(mapping.required(.keyFile)),
            clientCAFile: try authorities.map { value throws(YAMLError) in try readableFile(value) })
    }

    private func tokens(_ value: YAMLValue) throws(YAMLError) -> [TokenConfiguration] {
        var tokens: [TokenConfiguration] = []
        for item in try value.items(limit: 1_000) {
            let mapping = try item.mapping(TokenKey.self)
            let name = try mapping.required(.name)
            let token = TokenConfiguration(
                name: try self.name(name), token: try secret(mapping.required(.token)),
                roles: try roles(mapping.required(.roles)))
            guard !tokens.contains(where: { $0.name == token.name }) else {
                throw name.fault("the name '\(token.name)' is taken")
            }
            guard token.token.withBytes({ $0.count }) >= 16 else {
                throw item.fault("the token is shorter than 16 bytes", hint: "openssl rand -hex 32 makes a good one")
            }
            tokens.append(token)
        }
        return tokens
    }

    private func clients(
        _ value: YAMLValue, tls: ServerTLSConfiguration?
    ) throws(YAMLError) -> [ClientConfiguration] {
        guard tls?.clientCAFile != nil else {
            throw value.fault("client certificates need http.tls.clientCAFile")
        }
        var clients: [ClientConfiguration] = []
        for item in try value.items(limit: 1_000) {
            let mapping = try item.mapping(ClientKey.self)
            clients.append(
                ClientConfiguration(
                    commonName: try mapping.required(.commonName).text(limit: 256),
                    roles: try roles(mapping.required(.roles))))
        }
        return clients
    }

    private func roles(_ value: YAMLValue) throws(YAMLError) -> Set<AccessRole> {
        var roles: Set<AccessRole> = []
        for item in try value.items(limit: 16) { roles.insert(try item.choice(AccessRole.self)) }
        guard !roles.isEmpty else { throw value.fault("names no role") }
        return roles
    }
}
