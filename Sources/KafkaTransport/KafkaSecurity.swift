/// Whether the properties of TLS and SASL fit each other. The library takes most of what does not, and connects in the
/// clear, or fails later with a time-out that says nothing.
enum KafkaSecurity {
    /// - Throws: what would have no effect, or cannot work.
    static func check(_ properties: [String: String]) throws(KafkaConfigurationError) {
        let security = protocolName(properties)
        let isTLS = security.hasSuffix("SSL")
        let isSASL = security.hasPrefix("SASL")
        for name in properties.keys.sorted() {
            if name.hasPrefix("sasl."), !isSASL {
                throw KafkaConfigurationError(
                    property: name, detail: "has no effect: security.protocol is \(security)",
                    hint: "set security.protocol: SASL_SSL")
            }
            if name.hasPrefix("ssl."), !isTLS {
                throw KafkaConfigurationError(
                    property: name, detail: "has no effect: security.protocol is \(security)",
                    hint: "set security.protocol: SSL, or SASL_SSL with a password")
            }
        }
        if isSASL { try checkSASL(properties) }
        if isTLS { try checkCertificates(properties) }
    }

    private static func checkSASL(_ properties: [String: String]) throws(KafkaConfigurationError) {
        guard let mechanism = mechanism(properties) else {
            throw KafkaConfigurationError(
                property: "sasl.mechanism", detail: "is missing", hint: "PLAIN, OAUTHBEARER, GSSAPI or SCRAM-SHA-512")
        }
        guard mechanism == "PLAIN" || mechanism.hasPrefix("SCRAM") else { return }
        for name in ["sasl.username", "sasl.password"] where (properties[name] ?? "").isEmpty {
            throw KafkaConfigurationError(
                property: name, detail: "is missing or empty", hint: "sasl.mechanism \(mechanism) needs it")
        }
    }

    private static func checkCertificates(_ properties: [String: String]) throws(KafkaConfigurationError) {
        let certificates = ["ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location"]
        let keys = ["ssl.key.location", "ssl.key.pem", "ssl.keystore.location"]
        let hasCertificate = certificates.contains { properties[$0] != nil }
        let hasKey = keys.contains { properties[$0] != nil }
        guard hasCertificate != hasKey else { return }
        throw KafkaConfigurationError(
            property: hasKey ? "ssl.certificate.location" : "ssl.key.location", detail: "is missing",
            hint: "a client certificate and its private key belong together")
    }

    /// What works, but not as it should where money moves.
    static func warnings(_ properties: [String: String]) -> [String] {
        var warnings: [String] = []
        let security = protocolName(properties)
        if security == "SASL_PLAINTEXT", mechanism(properties) != "GSSAPI" {
            warnings.append("security.protocol is SASL_PLAINTEXT: credentials cross the network in the clear")
        }
        if security.hasSuffix("SSL") {
            if properties["enable.ssl.certificate.verification"]?.lowercased() == "false" {
                warnings.append("enable.ssl.certificate.verification is false: anybody can pretend to be a broker")
            } else if properties["ssl.endpoint.identification.algorithm"]?.lowercased() == "none" {
                warnings.append("ssl.endpoint.identification.algorithm is none: brokers' names are not checked")
            }
        }
        return warnings
    }

    private static func protocolName(_ properties: [String: String]) -> String {
        (properties["security.protocol"] ?? "plaintext").uppercased()
    }

    private static func mechanism(_ properties: [String: String]) -> String? {
        (properties["sasl.mechanism"] ?? properties["sasl.mechanisms"])?.uppercased()
    }
}
