/// The values of secret properties, to be kept out of everything that the library says. librdkafka redacts what it knows
/// to be sensitive; an error text of a library below it (OpenSSL, SASL) need not.
struct KafkaSecrets: Sendable, CustomStringConvertible, CustomReflectable {
    private let values: [String]

    /// The secrets among these properties.
    init(_ properties: [String: String]) {
        // Shorter ones would tear ordinary words apart, and protect nothing.
        values = properties.filter { KafkaSecrets.isSecret($0.key) && $0.value.count >= 4 }.map(\.value)
            .sorted { $0.count > $1.count }
    }

    /// The text without them.
    func redacted(_ text: String) -> String {
        var text = text
        for value in values where text.contains(value) { text = text.replacing(value, with: "<redacted>") }
        return text
    }

    /// Never a value.
    var description: String { "<\(values.count) redacted>" }
    /// Never a value.
    var customMirror: Mirror { Mirror(self, children: []) }

    private static let names: Set<String> = [
        "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret", "ssl_key",
    ]

    /// Whether a property's value must not be seen.
    static func isSecret(_ name: String) -> Bool {
        names.contains(name) || name.hasSuffix("password") || name.hasSuffix("secret")
    }
}

extension KafkaConfiguration: CustomStringConvertible, CustomReflectable {
    /// Servers and properties; a secret's value is never shown.
    public var description: String {
        let shown = properties.sorted { $0.key < $1.key }.map {
            "\($0.key)=\(KafkaSecrets.isSecret($0.key) ? "<redacted>" : $0.value)"
        }
        return "\(bootstrapServers) \(shown.joined(separator: " "))"
    }

    /// The description only.
    public var customMirror: Mirror { Mirror(self, children: ["configuration": description]) }
}
