import CanonicalJSON
import CurlHTTP
import Foundation
import Synchronization
import TestSupport
import Testing

/// A daemon, two simulated banks and a client, on free ports and in a folder of its own.
package final class World: Sendable {
    /// An HTTP answer.
    package struct Answer: Sendable {
        package var status: Int
        package var body: [UInt8]
        package var headers: HTTPHeaderFields
        package var json: JSONValue? { try? JSONValue(parsing: body) }
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package let folder: TemporaryDirectory
    package let daemonPort: UInt16
    package let bankPorts: [String: UInt16]
    private let bankScheme: String
    private let client: HTTPClient
    private let flags: [String]
    private let notify: [String: UInt16]
    private let banks = Mutex<[Program]>([])
    package var configuration: String { folder.appending("switchyard.yaml") }
    package var base: String { "http://127.0.0.1:\(daemonPort)" }

    /// The top of the package: the routing folder that is shipped lies there.
    package static let top: String = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.path
    }()

    /// - Parameters:
    ///   - edit: changes the text of the configuration before it is written.
    ///   - bankFlags: more flags for both banks; `SECRET` stands for the file with the secret of an OAuth 2 client.
    ///   - startsBanks: without them every call to a partner is refused.
    ///   - notify: the port that a bank sends its notifications to, where it is not this daemon's.
    package init(
        bankFlags: [String] = [], banks startsBanks: Bool = true, routing: String? = nil,
        bankScheme: String = "http", clientTLS: Certificates? = nil, notify: [String: UInt16] = [:],
        edit: (String) -> String = { $0 }
    ) async throws {
        folder = TemporaryDirectory("daemon")
        daemonPort = FreePorts.next()
        bankPorts = ["bank-a": FreePorts.next(), "bank-b": FreePorts.next()]
        client = try HTTPClient(
            HTTPClientConfiguration(pools: [
                HTTPPoolConfiguration(
                    name: "test", maximumConnections: 16,
                    tls: clientTLS.map {
                        HTTPTLSConfiguration(
                            certificateAuthorityFile: $0.path("ca.pem"), clientCertificateFile: $0.path("client.pem"),
                            clientKeyFile: $0.path("client.key"))
                    } ?? HTTPTLSConfiguration())
            ]))
        self.bankScheme = bankScheme
        for name in bankPorts.keys {
            try Data("\(name)-secret-of-the-tests".utf8).write(
                to: URL(fileURLWithPath: folder.appending("\(name).webhook")))
        }
        try Data("client-secret-of-the-tests".utf8).write(to: URL(fileURLWithPath: folder.appending("client.secret")))
        let text = World.configuration(
            daemonPort: daemonPort, bankPorts: bankPorts, routing: routing ?? World.top + "/routing")
        try Data(edit(text).utf8).write(to: URL(fileURLWithPath: folder.appending("switchyard.yaml")))
        let secret = folder.appending("client.secret")
        let flags = bankFlags.map { $0 == "SECRET" ? secret : $0 }
        self.flags = flags
        self.notify = notify
        if startsBanks { try await startBanks() }
    }

    /// Starts both banks and waits for them.
    package func startBanks() async throws {
        for (name, port) in bankPorts {
            let bank = try Program(
                [
                    "partner-simulator", "--listen", "127.0.0.1:\(port)", "--name", name, "--notify",
                    "\(bankScheme)://127.0.0.1:\(notify[name] ?? daemonPort)/v1/notifications/\(name)",
                    "--webhook-secret-file",
                    folder.appending("\(name).webhook"), "--visibility-lag", "1s", "--fee-fixed", "3",
                ] + flags,
                errors: folder.appending("\(name).log"))
            banks.withLock { $0.append(bank) }
        }
        for name in bankPorts.keys {
            try await eventually(20, "\(name) answers") {
                (try? await self.bank(name, "GET", "/_control/books"))?.status == 200
            }
        }
    }

    private static func configuration(daemonPort: UInt16, bankPorts: [String: UInt16], routing: String) -> String {
        """
        log: { kind: embedded, directory: ./data }
        http: { listen: "127.0.0.1:\(daemonPort)" }
        routing: { directory: \(routing) }
        shards: 2
        partners:
          bank-a: { adapter: reference, baseURL: "http://127.0.0.1:\(bankPorts["bank-a"] ?? 0)", \
        webhookSecret: { file: ./bank-a.webhook } }
          bank-b: { adapter: reference, baseURL: "http://127.0.0.1:\(bankPorts["bank-b"] ?? 0)", \
        webhookSecret: { file: ./bank-b.webhook } }
        screening: { provider: lists, file: \(routing)/screening.yaml }

        """
    }

    // MARK: The daemon

    /// Starts a daemon; with `ready` it is waited for.
    package func start(ready: Bool = true, environment: [String: String] = [:]) async throws -> Program {
        let daemon = try Program(
            ["run", "--config", configuration], errors: folder.appending("daemon.log"), environment: environment)
        if ready {
            try await eventually(40, "the daemon is ready") {
                if !daemon.isRunning { throw Unexpected("the daemon ended: \(daemon.output.suffix(1_500))") }
                return (try? await self.call("GET", "/readyz"))?.status == 200
            }
        }
        return daemon
    }

    // MARK: Calls

    package func call(
        _ method: String, _ target: String, body: String = "", headers: [(String, String)] = [],
        timeout: Duration = .seconds(30), at port: UInt16? = nil
    ) async throws -> Answer {
        try await exchange(method, (port.map { "http://127.0.0.1:\($0)" } ?? base) + target, body, headers, timeout)
    }

    package func bank(_ name: String, _ method: String, _ target: String, body: String = "") async throws -> Answer {
        try await exchange(
            method, "\(bankScheme)://127.0.0.1:\(bankPorts[name] ?? 0)\(target)", body,
            body.isEmpty ? [] : [("content-type", "application/json")], .seconds(10))
    }

    private func exchange(
        _ method: String, _ url: String, _ body: String, _ headers: [(String, String)], _ timeout: Duration
    ) async throws -> Answer {
        let outcome = await client.outcome(
            of: HTTPExchange(
                pool: "test", method: HTTPMethod(method), url: url, headers: headers.map { HTTPHeader($0.0, $0.1) },
                body: Array(body.utf8),
                timeouts: HTTPTimeouts(connect: .seconds(3), firstByte: timeout, total: timeout),
                limits: HTTPLimits(maximumResponseBytes: 256 << 20)))
        guard case .answered(let answer) = outcome else { throw Unexpected("no answer: \(outcome)") }
        return Answer(status: answer.status, body: answer.body, headers: answer.headers)
    }

    /// Orders faults at a bank.
    package func faults(_ bank: String, _ rules: [JSONValue]) async throws {
        let body: JSONValue = ["replace": true, "rules": .array(rules)]
        let answer = try await self.bank(bank, "POST", "/_control/faults", body: body.description)
        guard (200..<300).contains(answer.status) else { throw Unexpected("faults: \(answer.status) \(answer.text)") }
    }

    package func heal() async throws {
        for name in bankPorts.keys { _ = try await bank(name, "POST", "/_control/heal") }
    }

    // MARK: The command line

    package func run(_ arguments: [String], input: String? = nil, timeout: Double = 60) async throws -> Finished {
        try await Finished.run(arguments + ["--config", configuration], input: input, timeout: timeout)
    }

    /// Sends lines and expects that all of them became durable.
    package func send(_ lines: [JSONValue]) async throws {
        let input = lines.map { "\($0)\n" }.joined()
        let sent = try await run(["send", "-"], input: input)
        guard sent.status == 0 else { throw Unexpected("send: \(sent)") }
    }

    /// Everything published on a topic.
    package func records(_ topic: String = "events", payment: String? = nil) async throws -> [JSONValue] {
        var arguments = ["events", "--topic", topic, "--output", "json"]
        if let payment { arguments += ["--payment", payment] }
        let read = try await run(arguments)
        guard read.status == 0 else { throw Unexpected("events: \(read)") }
        return try read.lines.map { try JSONValue(parsing: $0) }
    }

    /// The state of a payment, nil where there is none.
    package func state(_ payment: String) async throws -> String? {
        try await call("GET", "/v1/payments/\(payment)").json?["state"]?.string
    }

    /// Waits until the payment is in one of the states.
    package func waits(_ payment: String, _ states: String..., within seconds: Double = 30) async throws {
        do {
            try await eventually(seconds, "\(payment) is \(states.joined(separator: " or "))") {
                guard let state = try await self.state(payment) else { return false }
                return states.contains(state)
            }
        } catch {
            let history = try await call("GET", "/v1/payments/\(payment)")
            throw Unexpected("\(error); it is \(history.text.prefix(4_000))")
        }
    }

    /// Names of the events of a payment, in order.
    package func history(_ payment: String) async throws -> [String] {
        let events = try await records(payment: payment)
        return events.sorted { ($0["data"]?["sequence"]?.integer ?? 0) < ($1["data"]?["sequence"]?.integer ?? 0) }
            .map { World.name($0) }
    }

    /// The outcome event of a command that was sent with the standard source.
    package func outcome(_ payment: String, _ command: String) async throws -> JSONValue {
        var found: JSONValue?
        try await eventually(20, "command \(command) of \(payment) is decided") {
            let answer = try await self.call(
                "GET", "/v1/commands/urn%3Aswitchyard%3Asend/\(command)?subject=\(payment)")
            found = answer.status == 200 ? answer.json : nil
            return found != nil
        }
        guard let found else { throw Unexpected("no outcome") }
        return found
    }

    package static func name(_ event: JSONValue) -> String {
        (event["type"]?.string ?? "?").replacingOccurrences(of: "io.switchyard.", with: "")
            .replacingOccurrences(of: ".v1", with: "")
    }
}

package struct Unexpected: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// Asks again until it holds; throws where that does not happen in time.
package func eventually(
    _ seconds: Double, _ what: String, _ condition: () async throws -> Bool
) async throws {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
        if try await condition() { return }
        guard Date() < deadline else { throw Unexpected("not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(25))
    }
}
