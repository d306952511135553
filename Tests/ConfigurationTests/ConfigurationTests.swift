import Credentials
import StructuredLog
import PaymentModel
import Testing
import YAMLDocument

@testable import Configuration

/// The file of the contract, section 7, as it stands there.
let contractExample = """
    log:     { kind: embedded, directory: ./data }
    http:    { listen: "127.0.0.1:8080", notificationsURL: "http://127.0.0.1:8080/v1/notifications" }
    routing: { directory: ./routing }
    shards:  2
    partners:
      bank-a: { adapter: reference, baseURL: "http://127.0.0.1:9101", webhookSecret: { file: ./secrets/bank-a.webhook } }
      bank-b: { adapter: reference, baseURL: "http://127.0.0.1:9102", webhookSecret: { environment: BANK_B_WEBHOOK } }
    screening: { provider: lists, file: ./routing/screening.yaml }   # hold: [names], block: [names]
    """

/// Files and variables that exist only in memory.
let sources = ConfigurationSources(
    file: { path throws(FileFault) in
        switch path {
        case "/etc/sw/secrets/bank-a.webhook": Array("key-of-bank-a\n".utf8)
        case "/etc/sw/token": Array("0123456789abcdef0123\r\n".utf8)
        case "/etc/sw/short": Array("short".utf8)
        case "/etc/sw/empty": Array("\n".utf8)
        case "/etc/sw/cert.pem", "/etc/sw/key.pem", "/ca.pem": Array("PEM".utf8)
        default: throw FileFault(path: path, reason: "No such file or directory")
        }
    },
    variable: { ["BANK_B_WEBHOOK": "key-of-bank-b", "KAFKA_PASSWORD": "kafka-secret", "EMPTY": ""][$0] })

func decode(_ text: String) throws(YAMLError) -> SwitchyardConfiguration {
    try SwitchyardConfiguration.decode(Array(text.utf8), file: "/etc/sw/switchyard.yaml", sources: sources)
}

/// The error of decoding `text`, or nil.
func refusal(_ text: String) -> YAMLError? {
    do throws(YAMLError) {
        _ = try decode(text)
        return nil
    } catch {
        return error
    }
}

@Suite("Configuration") struct ConfigurationTests {
    @Test("The contract's example is read as it stands")
    func example() throws {
        let configuration = try decode(contractExample)
        guard case .embedded(let log) = configuration.log else {
            Issue.record("not embedded")
            return
        }
        #expect(log.directory == "/etc/sw/data")
        #expect(configuration.http.listen == HostAndPort(host: "127.0.0.1", port: 8_080))
        #expect(configuration.http.notificationsURL == "http://127.0.0.1:8080/v1/notifications")
        #expect(configuration.routingDirectory == "/etc/sw/routing")
        #expect(configuration.shards == 2)
        #expect(
            configuration.screening == ScreeningConfiguration(provider: .lists, file: "/etc/sw/routing/screening.yaml"))
        #expect(configuration.warnings.isEmpty)
        let first = try #require(configuration.partners[PartnerName("bank-a")])
        let second = try #require(configuration.partners[PartnerName("bank-b")])
        #expect(first.adapter == "reference")
        #expect(first.baseURL == "http://127.0.0.1:9101")
        #expect(first.webhookSecret.withBytes { Array($0) } == Array("key-of-bank-a".utf8))
        #expect(second.webhookSecret.withBytes { Array($0) } == Array("key-of-bank-b".utf8))
    }

    @Test("The defaults are those of the contract and the architecture")
    func defaults() throws {
        let configuration = try decode(contractExample)
        #expect(configuration.limits.maximumCommandBytes == 256 * 1_024)
        #expect(configuration.limits.forgedNotificationsKept == 1_000)
        #expect(configuration.limits.maximumNotificationBytes == 64 * 1_024)
        #expect(configuration.limits.maximumDeskBytes == 64 * 1_024)
        #expect(configuration.limits.maximumBundleBytes == 4 * 1_024 * 1_024)
        #expect(configuration.limits.maximumRecordBytes == 16 * 1_024 * 1_024)
        #expect(configuration.retention.withoutMoney == Milliseconds(30 * 86_400_000))
        #expect(configuration.retention.withMoney == Milliseconds(400 * 86_400_000))
        #expect(configuration.gates.stallBound == .automatic)
        #expect(configuration.timeouts.directoryWait == .seconds(30))
        #expect(configuration.timeouts.drain <= .seconds(30))
        #expect(configuration.logLevel == .info)
    }

    @Test("The stall bound is promised by a watchdog, by configuration, or not at all")
    func stallBound() throws {
        let automatic = GatesConfiguration()
        #expect(automatic.stallBound(watchdogMicroseconds: nil) == nil)
        #expect(automatic.stallBound(watchdogMicroseconds: 10_000_000) == .seconds(15))
        #expect(automatic.stallBound(watchdogMicroseconds: 60_000_000) == nil)
        #expect(automatic.stallBound(watchdogMicroseconds: 0) == nil)
        let none = try decode(contractExample + "\ngates: { stallBound: none }\n").gates
        #expect(none.stallBound(watchdogMicroseconds: 10_000_000) == nil)
        let bounded = try decode(contractExample + "\ngates: { stallBound: 20s, clockSkewAllowance: 500ms }\n").gates
        #expect(bounded.stallBound(watchdogMicroseconds: nil) == .seconds(20))
        #expect(bounded.clockSkewAllowance == Milliseconds(500))
    }

    @Test("Kafka: defaults, properties, secrets and paths")
    func kafka() throws {
        let text = contractExample.replacing(
            "{ kind: embedded, directory: ./data }",
            with: """
                { kind: kafka, bootstrapServers: "a:9092, b:9092", directory: ./copy, instanceId: a, partitions: 12,
                  properties: { security.protocol: SASL_SSL, ssl.ca.location: /ca.pem, sasl.mechanism: PLAIN,
                    sasl.password: { environment: KAFKA_PASSWORD }, session.timeout.ms: 8000 } }
                """)
        guard case .kafka(let log) = try decode(text).log else {
            Issue.record("not kafka")
            return
        }
        #expect(log.bootstrapServers == "a:9092, b:9092")
        #expect(log.topicPrefix == "switchyard.")
        #expect(log.groupId == "switchyard")
        #expect(log.instanceId == "a")
        #expect(log.directory == "/etc/sw/copy")
        #expect(log.partitions == 12)
        #expect(log.sessionTimeout == .seconds(8))
        #expect(log.transactionTimeout == .seconds(10))
        #expect(log.properties["security.protocol"] == .plain("SASL_SSL"))
        #expect(log.properties["ssl.ca.location"] == .plain("/ca.pem"))
        #expect(log.properties["session.timeout.ms"] == nil)
        guard case .secret(let password)? = log.properties["sasl.password"] else {
            Issue.record("the password is no secret")
            return
        }
        #expect(password.withBytes { Array($0) } == Array("kafka-secret".utf8))
        #expect(!"\(log)".contains("kafka-secret"))
    }

    @Test("HTTP: TLS, tokens and clients")
    func http() throws {
        let text = contractExample.replacing(
            "notificationsURL:",
            with: """
                tls: { certificateFile: cert.pem, keyFile: key.pem, clientCAFile: /ca.pem },
                tokens: [{ name: desk, token: { file: token }, roles: [read, desk] }],
                clients: [{ commonName: upstream, roles: [send] }], idleTimeout: 5s, notificationsURL:
                """)
        let http = try decode(text).http
        #expect(http.tls?.certificateFile == "/etc/sw/cert.pem")
        #expect(http.tls?.clientCAFile == "/ca.pem")
        #expect(http.tokens.map(\.name) == ["desk"])
        #expect(http.tokens[0].roles == [.read, .desk])
        #expect(http.tokens[0].token.withBytes { $0.count } == 20)
        #expect(http.clients == [ClientConfiguration(commonName: "upstream", roles: [.send])])
        #expect(http.idleTimeout == .seconds(5))
    }

    @Test("What is allowed but should be known is a warning")
    func warnings() throws {
        let text =
            contractExample
            .replacing("http://127.0.0.1:9101", with: "http://bank.example:9101/")
            .replacing("listen: \"127.0.0.1:8080\"", with: "listen: \"0.0.0.0:8080\", unauthenticated: true")
        let warnings = try decode(text).warnings
        #expect(warnings.count == 3)
        #expect(warnings.contains { $0.contains("partners.bank-a.baseURL: plain HTTP leaves this host") })
        #expect(try decode(text).partners[PartnerName("bank-a")]?.baseURL == "http://bank.example:9101")
    }

    @Test(
        "Paths are relative to the file",
        arguments: [
            ("./data", "a/b", "a/b/data"), ("data", ".", "./data"), ("/data", "a", "/data"), (".", "a", "a"),
            ("../x", "a", "a/../x"), (".//x", "/", "/x"), ("data", "/", "/data"),
        ])
    func paths(_ path: String, _ directory: String, _ expected: String) {
        #expect(ConfigurationDecoder(directory: directory, adapters: [], sources: sources).path(path) == expected)
    }

    @Test(
        "The directory of a file",
        arguments: [("a.yaml", "."), ("x/a.yaml", "x"), ("/a.yaml", "/"), ("/x/y/a", "/x/y")])
    func directories(_ file: String, _ expected: String) {
        #expect(ConfigurationDecoder.directory(of: file) == expected)
    }

    @Test("A file that cannot be read is one clear line")
    func missingFile() throws {
        do throws(YAMLError) {
            _ = try SwitchyardConfiguration.load("nowhere.yaml", sources: sources)
            Issue.record("loaded")
        } catch {
            #expect(
                error.description
                    == "nowhere.yaml: cannot be read: No such file or directory (--config names the configuration file)"
            )
        }
    }

    @Test("A secret is never shown by any way of printing it")
    func redaction() {
        let secret = Secret(utf8: "hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped, "\([secret])"] {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("104"), "no bytes either")
        }
    }
}
