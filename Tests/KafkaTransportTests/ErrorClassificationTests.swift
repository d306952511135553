import CRDKafka
import KafkaMock
import KafkaTransport
import Testing

/// One transactional round against the mock cluster with errors injected at each call: the flags must be those of the
/// library, and after an abortable error the producer must be good again.
@Suite("Kafka error classes", .serialized)
struct ErrorClassificationTests {
    enum Kind: Sendable, Equatable {
        case success
        case abortable
        case fatal
        case retriable
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var call: MockCluster.Request
        var errors: [rd_kafka_resp_err_t]
        var operation: String
        var kind: Kind
        var stale = false
        var testDescription: String {
            "\(call) \(errors.map { String(cString: rd_kafka_err2name($0)) }) → \(operation) \(kind)"
        }
    }

    static let rows: [Row] = [
        Row(
            call: .initProducerId, errors: [RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS], operation: "", kind: .success),
        Row(
            call: .initProducerId, errors: [RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS], operation: "",
            kind: .success),
        Row(
            call: .initProducerId, errors: [RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED],
            operation: "init-transactions", kind: .fatal),
        Row(
            call: .initProducerId, errors: [RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT],
            operation: "init-transactions", kind: .fatal),
        Row(
            call: .addPartitions, errors: [RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS], operation: "", kind: .success),
        Row(
            call: .addPartitions, errors: [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH], operation: "any", kind: .fatal,
            stale: true),
        Row(
            call: .addPartitions, errors: [RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED], operation: "any",
            kind: .abortable),
        Row(call: .produce, errors: [RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS], operation: "", kind: .success),
        Row(
            call: .produce, errors: [RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED], operation: "any", kind: .abortable),
        Row(
            call: .produce, errors: [RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE], operation: "any", kind: .abortable),
        Row(call: .addOffsets, errors: [RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS], operation: "", kind: .success),
        Row(
            call: .addOffsets, errors: [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH], operation: "send-offsets",
            kind: .fatal, stale: true),
        Row(
            call: .addOffsets, errors: [RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED], operation: "send-offsets",
            kind: .abortable),
        Row(
            call: .offsetCommit, errors: [RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION], operation: "send-offsets",
            kind: .abortable, stale: true),
        Row(
            call: .offsetCommit, errors: [RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID], operation: "send-offsets",
            kind: .abortable, stale: true),
        Row(
            call: .offsetCommit, errors: [RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID], operation: "send-offsets",
            kind: .abortable, stale: true),
        Row(
            call: .offsetCommit, errors: [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH], operation: "send-offsets",
            kind: .fatal, stale: true),
        Row(
            call: .offsetCommit, errors: [RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS], operation: "", kind: .success
        ),
        Row(call: .endTransaction, errors: [RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS], operation: "", kind: .success),
        Row(
            call: .endTransaction, errors: [RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE], operation: "", kind: .success),
        Row(
            call: .endTransaction, errors: [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH], operation: "commit",
            kind: .fatal, stale: true),
        Row(
            call: .endTransaction, errors: [RD_KAFKA_RESP_ERR_PRODUCER_FENCED], operation: "commit", kind: .fatal,
            stale: true),
        Row(
            call: .endTransaction, errors: [RD_KAFKA_RESP_ERR_INVALID_TXN_STATE], operation: "commit", kind: .fatal),
    ]

    private static func round(_ producer: KafkaTransactionalProducer) throws(KafkaError) {
        try producer.begin()
        let value = Array("v".utf8)
        for partition in Int32(0)..<4 {
            do {
                try value.withUnsafeBytes { bytes in
                    try producer.produce(
                        KafkaOutgoing(topic: 0, partition: partition, timestamp: 1, key: bytes, value: bytes))
                }
            } catch let error as KafkaError {
                throw error
            } catch {
                Issue.record(error)
            }
        }
        try producer.sendOffsets(
            [KafkaOffset(topic: "in", partition: 0, offset: 1, metadata: "m")],
            group: KafkaGroupMetadata(groupID: "g", generation: 1, memberID: "m"), timeout: .seconds(5))
        try producer.commit(timeout: .seconds(5))
    }

    @Test("each error at each call", arguments: rows)
    func row(_ row: Row) throws {
        let mock = try MockCluster(topics: ["in", "out"])
        let configuration = try KafkaConfiguration(bootstrapServers: mock.bootstrap)
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: "t", clientID: "t", topics: ["out"], trackedTopic: 0)
        var thrown: KafkaError?
        do {
            if row.call == .initProducerId { mock.push(row.call, row.errors) }
            try producer.initTransactions(timeout: .seconds(5))
            if row.call != .initProducerId { mock.push(row.call, row.errors) }
            try ErrorClassificationTests.round(producer)
        } catch {
            thrown = error
        }
        if row.kind == .success {
            #expect(thrown == nil)
            #expect(producer.deliveredOffsets.count == 4)
            return
        }
        let error = try #require(thrown)
        #expect(error.isAbortable == (row.kind == .abortable), "\(error)")
        #expect(error.isFatal == (row.kind == .fatal), "\(error)")
        if row.operation != "any" { #expect(error.operation == row.operation) }
        if row.stale { #expect(error.isStaleOwner, "\(error)") }
        #expect((producer.fatalError != nil) == (row.kind == .fatal))
        if row.kind == .abortable {
            try producer.abort(timeout: .seconds(5))
            mock.clear(row.call)
            // After a failed delivery the library keeps the topic's error and the mock its sequence numbers: there the
            // owner takes a new producer anyway.
            guard row.call != .produce else { return }
            try ErrorClassificationTests.round(producer)
        }
    }

    @Test("an end of transaction that is not answered in time is retriable, its outcome unknown")
    func endTimesOut() throws {
        let mock = try MockCluster(topics: ["in", "out"])
        let configuration = try KafkaConfiguration(bootstrapServers: mock.bootstrap)
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: "t", clientID: "t", topics: ["out"])
        try producer.initTransactions(timeout: .seconds(5))
        try producer.begin()
        try producer.sendOffsets(
            [KafkaOffset(topic: "in", partition: 0, offset: 1)],
            group: KafkaGroupMetadata(groupID: "g", generation: 1, memberID: "m"), timeout: .seconds(5))
        mock.setUp(false)
        let error = #expect(throws: KafkaError.self) { try producer.commit(timeout: .milliseconds(500)) }
        #expect(error?.isRetriable == true)
        #expect(error?.isAbortable == false)
        #expect(error?.isFatal == false)
    }

    @Test("a broker that is down makes init-transactions retriable")
    func initTimesOut() throws {
        let mock = try MockCluster(topics: ["out"])
        mock.setUp(false)
        let configuration = try KafkaConfiguration(bootstrapServers: mock.bootstrap)
        let producer = try KafkaTransactionalProducer(
            configuration, transactionalID: "t", clientID: "t", topics: ["out"])
        let error = #expect(throws: KafkaError.self) { try producer.initTransactions(timeout: .milliseconds(500)) }
        #expect(error?.isRetriable == true)
        #expect(error?.code == .timedOut)
        mock.setUp(true)
        try producer.initTransactions(timeout: .seconds(10))
    }
}
