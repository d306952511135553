import KafkaLog
import KafkaTransport
import Testing

/// Eager assignment stops everybody until everybody has joined again: the time-outs decide for how long.
@Suite("How long a group may stand still")
struct StandstillTests {
    private func settings(session: Int?, transaction: Int?) throws -> KafkaLogSettings {
        var properties: [String: String] = [:]
        if let session { properties["session.timeout.ms"] = "\(session)" }
        if let transaction { properties["transaction.timeout.ms"] = "\(transaction)" }
        return KafkaLogSettings(
            cluster: try KafkaConfiguration(bootstrapServers: "127.0.0.1:1", properties: properties), directory: "d")
    }

    @Test(
        "a dead instance, and a member that lives but does not join, cost less than the transaction time-out + 5 s (L4)",
        arguments: [(6_000, 10_000), (3_000, 10_000), (1_000, 1_000), (6_000, 15_000), (9_000, 15_000)])
    func bound(session: Int, transaction: Int) throws {
        let waits = try settings(session: session, transaction: transaction).maximumPollInterval
        #expect(.milliseconds(session) + waits < .milliseconds(transaction) + .seconds(5))
        #expect(waits >= .milliseconds(session), "the library refuses less than the session")
    }

    @Test("where the time-outs cannot keep the bound, or none are set, the session is the least")
    func least() throws {
        #expect(try settings(session: 10_000, transaction: 5_000).maximumPollInterval == .seconds(10))
        #expect(try settings(session: nil, transaction: nil).maximumPollInterval == .seconds(10))
    }
}
