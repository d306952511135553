import EventLog
import EventLogConformance
import TestSupport
import Testing

/// The same suite that the memory log and the embedded log pass, against Apache Kafka itself.
@Suite(
    "The Kafka log", .serialized,
    .enabled(if: TestKafka.isAvailable, "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts"))
struct KafkaConformanceTests {
    static let factory = LogFactory("kafka") {
        try KafkaLogUnderTest(partitions: $0, cluster: try KafkaTest.Cluster.shared())
    }

    @Test("conforms", arguments: Conformance.cases)
    func conforms(_ property: ConformanceCase) async throws {
        try await property.run(Self.factory)
    }

    @Test("agrees with a model under random work, failures, take-overs and crashes", arguments: [1, 2] as [UInt64])
    func random(seed: UInt64) async throws {
        try await RandomModel.run(Self.factory, steps: 60, random: SeededGenerator(seed: seed))
    }
}
