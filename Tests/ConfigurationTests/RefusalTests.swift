import PaymentModel
import Testing
import YAMLDocument

@testable import Configuration

@Suite("Configuration: what is refused") struct RefusalTests {
    /// A change of the contract's example that must be refused, and the whole message.
    struct Row: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let message: String
        var testDescription: String { message }
    }

    static let rows: [Row] = [
        Row(
            old: "shards:  2", new: "shard: 2",
            message: "/etc/sw/switchyard.yaml:4:1: shard: unknown key 'shard' (did you mean 'shards'?)"),
        Row(
            old: "shards:  2", new: "shards: 0",
            message: "/etc/sw/switchyard.yaml:4:9: shards: 0 is out of range (from 1 to 64)"),
        Row(
            old: "shards:  2", new: "shards: two",
            message: "/etc/sw/switchyard.yaml:4:9: shards: an integer is expected (decimal digits only, as in 900_000)"),
        Row(
            old: "shards:  2", new: "shards: 9",
            message: "/etc/sw/switchyard.yaml:4:9: shards: 9 shards cannot share 8 partitions (a partition belongs to "
                + "one shard: raise log.partitions before the first start, or lower shards)"),
        Row(
            old: "kind: embedded", new: "kind: embeded",
            message: "/etc/sw/switchyard.yaml:1:18: log.kind: 'embeded' is not known here (did you mean 'embedded'?)"),
        Row(
            old: "kind: embedded, ", new: "",
            message: "/etc/sw/switchyard.yaml:1:10: log: the key 'kind' is missing (kind: embedded, or kind: kafka)"),
        Row(
            old: "directory: ./data", new: "groupId: x",
            message: "/etc/sw/switchyard.yaml:1:28: log.groupId: unknown key 'groupId' (known here: directory, kind, "
                + "partitions, retention)"),
        Row(
            old: "directory: ./data", new: "directory: ./data, retention: 31d",
            message:
                "/etc/sw/switchyard.yaml:1:58: log.retention: commands would outlive finished payments (it must be "
                + "shorter than retention.withoutMoney, else an old initiate revives a payment)"),
        Row(
            old: "127.0.0.1:8080\",", new: "127.0.0.1\",",
            message: "/etc/sw/switchyard.yaml:2:20: http.listen: host:port is expected (as in 127.0.0.1:8080 or "
                + "\"[::1]:8080\")"),
        Row(
            old: "{ directory: ./routing }", new: "{}",
            message:
                "/etc/sw/switchyard.yaml:3:10: routing.directory: the key 'directory' is missing (add it to routing)"),
        Row(
            old: "{ file: ./secrets/bank-a.webhook }", new: "hunter2",
            message: "/etc/sw/switchyard.yaml:6:82: partners.bank-a.webhookSecret: a secret never stands in the file "
                + "itself (write { file: PATH } or { environment: NAME }; if this was a real secret, replace it)"),
        Row(
            old: "./secrets/bank-a.webhook", new: "./nowhere",
            message: "/etc/sw/switchyard.yaml:6:90: partners.bank-a.webhookSecret.file: the secret's file "
                + "/etc/sw/nowhere cannot be read: No such file or directory (create it, readable by the daemon only)"),
        Row(
            old: "./secrets/bank-a.webhook", new: "./empty",
            message: "/etc/sw/switchyard.yaml:6:90: partners.bank-a.webhookSecret.file: the secret's file "
                + "/etc/sw/empty is empty"),
        Row(
            old: "environment: BANK_B_WEBHOOK", new: "environment: EMPTY",
            message:
                "/etc/sw/switchyard.yaml:7:97: partners.bank-b.webhookSecret.environment: the environment variable "
                + "EMPTY is not set (set it for the daemon, or use { file: PATH })"),
        Row(
            old: "environment: BANK_B_WEBHOOK", new: "environment: A, file: b",
            message:
                "/etc/sw/switchyard.yaml:7:82: partners.bank-b.webhookSecret: needs either 'file' or 'environment' "
                + "(one of the two, not both)"),
        Row(
            old: ", webhookSecret: { environment: BANK_B_WEBHOOK }", new: "",
            message: "/etc/sw/switchyard.yaml:7:11: partners.bank-b.webhookSecret: the key 'webhookSecret' is missing "
                + "(add it to partners.bank-b)"),
        Row(
            old: "bank-b: { adapter: reference", new: "bank-b: { adapter: refrence",
            message:
                "/etc/sw/switchyard.yaml:7:22: partners.bank-b.adapter: there is no adapter 'refrence' (did you mean "
                + "'reference'?)"),
        Row(
            old: "http://127.0.0.1:9102", new: "ftp://x",
            message: "/etc/sw/switchyard.yaml:7:42: partners.bank-b.baseURL: an address is expected (as in "
                + "https://api.example.com or http://127.0.0.1:9101)"),
        Row(
            old: "http://127.0.0.1:9102", new: "http://me:hunter2@x",
            message: "/etc/sw/switchyard.yaml:7:42: partners.bank-b.baseURL: credentials do not belong into an address "
                + "(use oauth or tls of the partner)"),
        Row(
            old: "http://127.0.0.1:9102", new: "http://127.0.0.1:99999",
            message: "/etc/sw/switchyard.yaml:7:42: partners.bank-b.baseURL: the address has no valid host and port"),
        Row(
            old: "bank-b:", new: "Bank B:",
            message:
                "/etc/sw/switchyard.yaml:7:3: partners.Bank B: is no name of a partner (1 to 64 of a-z, 0-9 and '-': "
                + "it stands in addresses and accounts)"),
        Row(
            old: "bank-b:", new: "bank-a:",
            message: "/etc/sw/switchyard.yaml:7:3: the key 'bank-a' stands here twice (it was first given in line 6)"),
        Row(
            old: "provider: lists", new: "provider: list",
            message:
                "/etc/sw/switchyard.yaml:8:24: screening.provider: 'list' is not known here (did you mean 'lists'?)"),
        Row(
            old: "shards:  2", new: "limits: { maximumCommandBytes: 1KiB }",
            message:
                "/etc/sw/switchyard.yaml:4:32: limits.maximumCommandBytes: is out of range (from 4096B to 8388608B)"),
        Row(
            old: "shards:  2", new: "timeouts: { drain: 45s }",
            message: "/etc/sw/switchyard.yaml:4:20: timeouts.drain: is out of range (from 100ms to 30000ms)"),
    ]

    @Test("Each fault names file, line, column, key and a hint", arguments: rows)
    func refused(_ row: Row) throws {
        #expect(contractExample.contains(row.old))
        let error = try #require(refusal(contractExample.replacing(row.old, with: row.new)))
        #expect(error.description == row.message)
        #expect(!error.description.contains("hunter2"))
    }

    static let kafkaRows: [(String, String, String)] = [
        (
            "properties: { transactional.id: x }", "log.properties.transactional.id",
            "'transactional.id' is set by the daemon"
        ),
        (
            "properties: { enable.auto.commit: 'true' }", "log.properties.enable.auto.commit",
            "'enable.auto.commit' is set by the daemon"
        ),
        (
            "properties: { sasl.password: hunter2 }", "log.properties.sasl.password",
            "a secret never stands in the file itself"
        ),
        (
            "properties: { ssl.ca.location: nowhere.pem }", "log.properties.ssl.ca.location",
            "/etc/sw/nowhere.pem cannot be read: No such file or directory"
        ),
        (
            "properties: { transaction.timeout.ms: 60000 }", "log.properties.transaction.timeout.ms",
            "60000 is out of range"
        ),
        ("sessionTimeout: 45s", "log.sessionTimeout", "is out of range"),
        ("instanceId: 'a b'", "log.instanceId", "may hold letters, digits, '.', '_' and '-' only"),
        ("partitions: 0", "log.partitions", "0 is out of range"),
    ]

    @Test("Kafka: what the daemon must hold itself, and what would break its promises", arguments: kafkaRows)
    func kafkaRefused(_ setting: String, _ path: String, _ message: String) throws {
        let text = contractExample.replacing(
            "kind: embedded, directory: ./data",
            with: "kind: kafka, bootstrapServers: 'a:1', directory: ./d, \(setting)")
        let error = try #require(refusal(text))
        #expect(error.keyPath == path)
        #expect(error.message == message)
        #expect(error.line == 1)
        #expect(!error.description.contains("hunter2"))
    }

    @Test("Kafka: brokers are host:port", arguments: ["a", "a:0", "a:1,,b:2", "", "http://a:1"])
    func brokers(_ servers: String) throws {
        let text = contractExample.replacing(
            "kind: embedded, directory: ./data", with: "kind: kafka, bootstrapServers: '\(servers)', directory: ./d")
        #expect(try #require(refusal(text)).keyPath == "log.bootstrapServers")
    }

    @Test("A partner's HTTP: 1.1, or 2 for inquiries, which TLS must agree on")
    func partnerHTTP() throws {
        func with(_ version: String, _ scheme: String) -> String {
            contractExample.replacing(
                "adapter: reference, baseURL: \"http://127.0.0.1:9101\"",
                with: "adapter: reference, baseURL: \"\(scheme)://127.0.0.1:9101\", http: \(version)")
        }
        let name = PartnerName("bank-a")
        #expect(try decode(contractExample).partners[name]?.http == .http1)
        #expect(try decode(with("\"1.1\"", "http")).partners[name]?.http == .http1)
        #expect(try decode(with("2-for-inquiries", "https")).partners[name]?.http == .http2ForInquiries)
        let plain = try #require(refusal(with("2-for-inquiries", "http")))
        #expect(plain.keyPath == "partners.bank-a.http" && plain.message.contains("agreed on by TLS"))
        #expect(try #require(refusal(with("2", "https"))).keyPath == "partners.bank-a.http")
    }

    static let httpRows: [(String, String)] = [
        ("tls: { certificateFile: cert.pem }", "http.tls.keyFile"),
        ("tls: { certificateFile: nowhere.pem, keyFile: key.pem }", "http.tls.certificateFile"),
        ("clients: [{ commonName: x, roles: [send] }]", "http.clients"),
        ("tokens: [{ name: x, token: abcdefghijklmnopqrst, roles: [read] }]", "http.tokens[0].token"),
        ("tokens: [{ name: x, token: { file: short }, roles: [read] }]", "http.tokens[0]"),
        ("tokens: [{ name: x, token: { file: token }, roles: [root] }]", "http.tokens[0].roles[0]"),
        ("tokens: [{ name: x, token: { file: token }, roles: [] }]", "http.tokens[0].roles"),
        ("connections: 0", "http.connections"),
    ]

    @Test("HTTP: half-given TLS, weak tokens, unknown roles", arguments: httpRows)
    func httpRefused(_ setting: String, _ path: String) throws {
        let error = try #require(refusal(contractExample.replacing("listen:", with: "\(setting), listen:")))
        #expect(error.keyPath == path)
        #expect(error.line == 2)
    }

    @Test("A port that others can reach must know its callers, or the file must say that it means it")
    func beyondThisHost() throws {
        func with(_ settings: String) -> String {
            contractExample.replacing("listen: \"127.0.0.1:8080\"", with: settings)
        }
        for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "switchyard.internal:8080"] {
            let refused = try #require(refusal(with("listen: \"\(address)\"")))
            #expect(refused.keyPath == "http.listen" && refused.line == 2)
            #expect(refused.message.contains("every caller may do everything"))
            #expect(refused.hint.contains("http.tokens") && refused.hint.contains("unauthenticated: true"))
            // TLS alone tells nobody who calls.
            let tls = "tls: { certificateFile: cert.pem, keyFile: key.pem"
            #expect(refusal(with("listen: \"\(address)\", \(tls) }")) != nil)
            let token = "tokens: [{ name: x, token: { file: token }, roles: [read] }]"
            for settings in [token, "\(tls), clientCAFile: /ca.pem }", "unauthenticated: true"] {
                #expect(refusal(with("listen: \"\(address)\", \(settings)")) == nil, "\(settings)")
            }
            #expect(try !decode(with("listen: \"\(address)\", \(token)")).warnings.isEmpty)
        }
        #expect(refusal(with("listen: \"localhost:8080\"")) == nil)
    }

    @Test("The name in notificationsURL, and further names that Host may carry")
    func hostNames() throws {
        let text = contractExample.replacing(
            "notificationsURL: \"http://127.0.0.1:8080/",
            with: "hostNames: [desk.example], notificationsURL: \"https://x.example/")
        let http = try decode(text).http
        #expect(http.hostNames == ["desk.example"])
        #expect(http.notificationsHost == "x.example")
        #expect(try decode(contractExample).http.notificationsHost == "127.0.0.1")
        #expect(HTTPConfiguration().notificationsHost == nil)
        #expect(refusal(text.replacing("[desk.example]", with: "['a b']"))?.keyPath == "http.hostNames[0]")
    }

    @Test("Partners: TLS needs https, a certificate its key")
    func partnerTLS() throws {
        let plain = contractExample.replacing(
            "adapter: reference, baseURL: \"http://127.0.0.1:9101\"",
            with: "adapter: reference, baseURL: \"http://127.0.0.1:9101\", tls: { caFile: /ca.pem }")
        #expect(try #require(refusal(plain)).keyPath == "partners.bank-a.tls")
        let half = plain.replacing("http://127.0.0.1:9101", with: "https://127.0.0.1:9101")
            .replacing("caFile: /ca.pem", with: "certificateFile: cert.pem")
        #expect(try #require(refusal(half)).message == "certificateFile and keyFile belong together")
        let whole = half.replacing("certificateFile: cert.pem", with: "certificateFile: cert.pem, keyFile: key.pem")
        #expect(try decode(whole).partners[PartnerName("bank-a")]?.tls?.keyFile == "/etc/sw/key.pem")
    }

    @Test("The reading of real files: a missing one, a directory, a large one")
    func realFiles() {
        for (path, reason) in [("/nonexistent/x", "No such file or directory"), ("/", "Is a directory")] {
            do throws(FileFault) {
                _ = try FileBytes.read(path, limit: 10)
                Issue.record("read \(path)")
            } catch {
                #expect(error.reason == reason)
            }
        }
        #expect(throws: FileFault(path: "/proc/self/status", reason: "is larger than 10 bytes")) {
            try FileBytes.read("/proc/self/status", limit: 10)
        }
    }
}
