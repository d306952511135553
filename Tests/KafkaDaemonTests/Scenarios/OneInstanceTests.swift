import CanonicalJSON
import DaemonTestSupport
import Foundation
import InvariantChecker
import TestSupport
import Testing

/// The same daemon on a real broker, by configuration alone. Skipped where `SWITCHYARD_TEST_KAFKA` names no broker.
@Suite("One instance on Kafka", .enabled(if: TestKafka.isAvailable), .serialized)
struct OneInstanceTests {
    private func world(instance: String = "a", partitions: Int = 4) async throws -> World {
        let kafka = try TestKafka.shared()
        let run = UUID().uuidString.prefix(8).lowercased()
        return try await World {
            $0.replacingOccurrences(
                of: "log: { kind: embedded, directory: ./data }",
                with: "log: { kind: kafka, bootstrapServers: \"\(kafka.bootstrap)\", topicPrefix: \"t\(run).\", "
                    + "directory: ./data-\(instance), groupId: g\(run), instanceId: \(instance), partitions: \(partitions) }"
            )
        }
    }

    @Test("send, run, events, payments and the desk work as on the embedded log, and kill -9 costs nothing")
    func onKafka() async throws {
        let world = try await world()
        // Commands are durable before any daemon runs.
        try await world.send([
            Line.payout("k-1"), Line.payment("k-2"), Line.payout("k-held", creditor: "Casimir Testholder"),
        ])
        var daemon = try await world.start()
        try await world.waits("k-1", "settled", within: 60)
        try await world.waits("k-2", "captured", within: 60)
        try await world.waits("k-held", "held", within: 60)
        let listed = try await world.run(["payments", "list"])
        #expect(listed.status == 0 && listed.out.contains("k-held"), "\(listed)")
        let released = try await world.run([
            "payments", "release", "k-held", "--entry", "k-held-hold-1", "--operator", "ann", "--reason", "checked",
        ])
        #expect(released.status == 0, "\(released)")
        try await world.waits("k-held", "settled", within: 60)
        try await world.send((1...40).map { Line.payout("k-load-\($0)") })
        try await Task.sleep(for: .milliseconds(150))
        daemon.crash()
        daemon = try await world.start()
        try await eventually(120, "all settle") { try await world.settled() == 42 }
        var commands = (1...40).map { CommandFact(subject: "k-load-\($0)", source: "urn:switchyard:send", id: "c1") }
        commands += ["k-1", "k-2", "k-held"].map { CommandFact(subject: $0, source: "urn:switchyard:send", id: "c1") }
        var checked = try await world.checked()
        // The desk's command has an id that only its outcome tells.
        for event in checked.events where event.data["commandSource"]?.text == "urn:switchyard:desk" {
            commands.append(
                CommandFact(
                    subject: event.subject, source: "urn:switchyard:desk", id: event.data["commandId"]?.text ?? ""))
        }
        checked.commands = commands
        let violations = InvariantChecker(checked).violations
        #expect(violations.isEmpty, "\(violations.prefix(10))")
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
    }

    @Test("a broker that does not answer is one line and exit code 3")
    func noBroker() async throws {
        let world = try await World(banks: false) {
            $0.replacingOccurrences(
                of: "log: { kind: embedded, directory: ./data }",
                with: "log: { kind: kafka, bootstrapServers: \"127.0.0.1:1\", directory: ./data }")
                + "timeouts: { directoryWait: 1s }\n"
        }
        let ended = try await Finished.run(
            ["run", "--config", world.configuration, "--log-format", "plain"], timeout: 60)
        #expect(ended.status == 3, "\(ended)")
        #expect(ended.err.split(separator: "\n").last?.contains("log:") == true, "\(ended)")
    }
}
