import Spelling
import PaymentModel
import YAMLDocument

extension ConfigurationDecoder {
    private enum PartnerKey: String, CaseIterable {
        case adapter, baseURL, webhookSecret, previousWebhookSecret, oauth, tls, connections, http
    }
    private enum OAuthKey: String, CaseIterable { case tokenURL, clientId, clientSecret, scope }
    private enum TLSKey: String, CaseIterable { case caFile, certificateFile, keyFile }

    mutating func partners(_ value: YAMLValue) throws(YAMLError) -> [PartnerName: PartnerConfiguration] {
        var partners: [PartnerName: PartnerConfiguration] = [:]
        for entry in try value.entries() {
            guard let name = PartnerName(checked: entry.key) else {
                throw entry.keyFault(
                    "is no name of a partner", hint: "1 to 64 of a-z, 0-9 and '-': it stands in addresses and accounts")
            }
            partners[name] = try partner(entry.value)
        }
        guard !partners.isEmpty else { throw value.fault("names no partner") }
        return partners
    }

    private mutating func partner(_ value: YAMLValue) throws(YAMLError) -> PartnerConfiguration {
        let mapping = try value.mapping(PartnerKey.self)
        let adapter = try mapping.required(.adapter)
        let adapterName = try adapter.text()
        guard adapters.contains(adapterName) else {
            let near = Spelling.nearest(to: adapterName, among: adapters).map { "did you mean '\($0)'?" }
            throw adapter.fault(
                "there is no adapter '\(Spelling.excerpt(adapterName))'",
                hint: near ?? "known: " + adapters.sorted().joined(separator: ", "))
        }
        var partner = PartnerConfiguration(
            adapter: adapterName, baseURL: try url(mapping.required(.baseURL)),
            webhookSecret: try secret(mapping.required(.webhookSecret)))
        if let previous = try mapping.optional(.previousWebhookSecret) {
            partner.previousWebhookSecret = try secret(previous)
        }
        if let oauth = try mapping.optional(.oauth) { partner.oauth = try self.oauth(oauth) }
        if let tls = try mapping.optional(.tls) { partner.tls = try clientTLS(tls, baseURL: partner.baseURL) }
        if let connections = try mapping.optional(.connections) {
            partner.connections = Int(try connections.integer(in: 1...1_024))
        }
        if let http = try mapping.optional(.http) {
            partner.http = try http.choice(PartnerHTTPVersion.self)
            guard partner.http == .http1 || partner.baseURL.hasPrefix("https://") else {
                throw http.fault(
                    "HTTP/2 is agreed on by TLS, but baseURL is plain http", hint: "write https:// in baseURL")
            }
        }
        return partner
    }

    private mutating func oauth(_ value: YAMLValue) throws(YAMLError) -> OAuthConfiguration {
        let mapping = try value.mapping(OAuthKey.self)
        return OAuthConfiguration(
            tokenURL: try url(mapping.required(.tokenURL)),
            clientId: try mapping.required(.clientId).text(limit: 256),
            clientSecret: try secret(mapping.required(.clientSecret)),
            scope: try mapping.optional(.scope).map { value throws(YAMLError) in try value.text(limit: 1_024) })
    }

    private func clientTLS(_ value: YAMLValue, baseURL: String) throws(YAMLError) -> ClientTLSConfiguration {
        guard baseURL.hasPrefix("https://") else {
            throw value.fault("tls is given, but baseURL is plain http", hint: "write https:// in baseURL")
        }
        let mapping = try value.mapping(TLSKey.self)
        func file(_ key: TLSKey) throws(YAMLError) -> String? {
            try mapping.optional(key).map { value throws(YAMLError) in try readableFile(value) }
        }
        let tls = ClientTLSConfiguration(
            caFile: try file(.caFile), certificateFile: try file(.certificateFile), keyFile: try file(.keyFile))
        guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
            throw value.fault("certificateFile and keyFile belong together")
        }
        return tls
    }
}

extension PartnerName {
    /// The name, or nil where it is not 1 to 64 of a–z, 0–9 and `-`.
    init?(checked text: String) {
        let isName =
            (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard isName else { return nil }
        self.init(text)
    }
}
