import CanonicalJSON
import DaemonTestSupport
import Foundation
import Glibc
import KafkaTransport
import TestSupport
import Testing

/// Several instances of the daemon on one broker, two banks, and a client: topics and group of their own.
final class Fleet: Sendable {
    /// How a fleet is set up.
    struct Options: Sendable {
        var instances = ["a", "b"]
        var partitions = 6
        /// Short, so that a test need not wait; not so short that a busy machine is taken for a dead one.
        var session = "3s"
        var transaction = "6s"
        /// `none`, or how long an instance may stall between its last check and its last byte (a promise of the test).
        var stallBound = "none"
        /// Instances that the banks notify, by bank; where none is named, the first.
        var notified: [String: String] = [:]
        /// Changes every instance's configuration.
        var edit: @Sendable (String) -> String = { $0 }
    }

    let kafka: TestKafka
    let world: World
    let options: Options
    let prefix: String
    let group: String
    let ports: [String: UInt16]

    init(_ options: Options = Options(), on broker: TestKafka? = nil) async throws {
        kafka = try broker ?? TestKafka.shared()
        self.options = options
        let run = UUID().uuidString.prefix(8).lowercased()
        prefix = "f\(run)."
        group = "f\(run)"
        var ports: [String: UInt16] = [:]
        for instance in options.instances { ports[instance] = FreePorts.next() }
        self.ports = ports
        let (bootstrap, prefix, group) = (kafka.bootstrap, prefix, group)
        let first = options.instances[0]
        var notify: [String: UInt16] = [:]
        for bank in ["bank-a", "bank-b"] { notify[bank] = ports[options.notified[bank] ?? first] }
        world = try await World(notify: notify) { text in
            options.edit(
                text.replacingOccurrences(
                    of: "log: { kind: embedded, directory: ./data }",
                    with: "log: { kind: kafka, bootstrapServers: \"\(bootstrap)\", topicPrefix: \"\(prefix)\", "
                        + "directory: ./data-INSTANCE, groupId: \(group), instanceId: INSTANCE, "
                        + "partitions: \(options.partitions), sessionTimeout: \(options.session), "
                        + "transactionTimeout: \(options.transaction) }"
                ) + "gates: { stallBound: \(options.stallBound) }\n")
        }
        // The world's own configuration is the client's; it names the first instance.
        let template = try String(contentsOfFile: world.configuration, encoding: .utf8)
        for instance in options.instances {
            let text = Fleet.named(template, instance, was: world.daemonPort, port: ports[instance] ?? 0)
            try Data(text.utf8).write(to: URL(fileURLWithPath: configuration(instance)))
            if instance == first { try Data(text.utf8).write(to: URL(fileURLWithPath: world.configuration)) }
        }
    }

    private static func named(_ template: String, _ instance: String, was: UInt16, port: UInt16) -> String {
        template.replacingOccurrences(of: "INSTANCE", with: instance)
            .replacingOccurrences(of: "listen: \"127.0.0.1:\(was)\"", with: "listen: \"127.0.0.1:\(port)\"")
    }

    func configuration(_ instance: String) -> String { world.folder.appending("\(instance).yaml") }

    // MARK: Instances

    /// Starts an instance; with `ready` it is waited for until it owns partitions.
    func start(_ instance: String, ready: Bool = true) async throws -> Program {
        let program = try Program(
            ["run", "--config", configuration(instance)], errors: world.folder.appending("\(instance).log"))
        if ready {
            try await eventually(90, "\(instance) is ready") {
                guard program.isRunning else { throw Unexpected("\(instance) ended: \(program.output.suffix(1_500))") }
                return try await self.isReady(instance)
            }
        }
        return program
    }

    func call(_ instance: String, _ method: String, _ target: String) async throws -> World.Answer {
        try await world.call(method, target, timeout: .seconds(15), at: ports[instance])
    }

    /// Whether it owns partitions and moves payments.
    func isReady(_ instance: String) async throws -> Bool {
        (try? await call(instance, "GET", "/readyz"))?.status == 200
    }

    /// The partitions that an instance says are its own; nil where it does not answer.
    func partitions(of instance: String) async throws -> [Int64]? {
        guard let answer = try? await call(instance, "GET", "/v1/payments?limit=1"), answer.status == 200 else {
            return nil
        }
        return answer.json?["share"]?["partitions"]?.array?.compactMap(\.integer)
    }

    /// Waits until these instances own all partitions between them, each at least one, and none twice.
    func settle(_ instances: String..., within seconds: Double = 60) async throws {
        var last = ""
        do {
            try await eventually(seconds, "\(instances) share the partitions") {
                var all: [Int64] = []
                for instance in instances {
                    guard let own = try await self.partitions(of: instance), !own.isEmpty else { return false }
                    all += own
                }
                last = "\(all)"
                return all.sorted() == Array(0..<Int64(self.options.partitions))
            }
        } catch { throw Unexpected("\(error); they say \(last)") }
    }

    /// The log of an instance: the JSON lines that it wrote.
    func log(_ instance: String) -> String {
        (try? String(contentsOfFile: world.folder.appending("\(instance).log"), encoding: .utf8)) ?? ""
    }

    // MARK: What happened

    /// Waits until so many payments are known and each is finished or parked, and the banks' books agree to the cent.
    func rests(payments: Int, within seconds: Int = 180) async throws {
        let waited = try await world.run(
            ["summary", "--wait", "--expect", "\(payments)", "--wait-limit", "\(seconds)"]
                + world.bankPorts.flatMap { ["--books", "\($0.key)=http://127.0.0.1:\($0.value)"] },
            timeout: Double(seconds) + 120)
        #expect(waited.status == 0, "\(waited)")
    }

    /// Copies the instances' logs to a folder, which is made where it is missing.
    func keepLogs(in folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for instance in options.instances {
            try Data(log(instance).utf8).write(to: URL(fileURLWithPath: "\(folder)/\(prefix)\(instance).log"))
        }
    }

    /// The time of day in UTC, as the daemons' logs have it.
    static var clock: String {
        let now = now / 1_000
        return [now / 3_600 % 24, now / 60 % 60, now % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    /// Milliseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
