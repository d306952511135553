import CRDKafka
import EventLog
import KafkaLog
import KafkaMock
import KafkaTransport
import Testing

/// The rule of recovery (the architecture, section 3), against the library's mock cluster: every error at every call.
/// Whatever happens, the outcome is not claimed to be known when it is not, and the owner goes on: with the same
/// producer after an abort, with a new one otherwise. What the real brokers then show is the matter of other suites.
@Suite("Recovery: every error at every call", .serialized)
struct RecoveryMatrixTests {
    /// What the library makes of an error.
    enum Class: String, Sendable {
        /// It asks again by itself; the transaction commits.
        case repeated
        /// The transaction is aborted; the producer stays.
        case aborted
        /// The producer is finished.
        case replaced
        /// Any of these: it depends on how far the library had come.
        case any
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var call: MockCluster.Request
        var error: Int32
        var expected: Class
        var testDescription: String {
            "\(call) \(String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: error)))) → \(expected)"
        }
    }

    /// Calls of a transaction in their order.
    static let calls: [MockCluster.Request] = [
        .initProducerId, .addPartitions, .produce, .addOffsets, .offsetCommit, .endTransaction,
    ]

    static let repeated: [rd_kafka_resp_err_t] = [
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        RD_KAFKA_RESP_ERR__TRANSPORT,
    ]
    static let refused: [rd_kafka_resp_err_t] = [
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
        RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
        RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
    ]

    /// Where one class is certain.
    static func expected(_ call: MockCluster.Request, _ error: rd_kafka_resp_err_t) -> Class {
        let fences: Set<Int32> = [
            RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH.rawValue, RD_KAFKA_RESP_ERR_PRODUCER_FENCED.rawValue,
        ]
        let stale: Set<Int32> = [
            RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID.rawValue, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION.rawValue,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID.rawValue,
        ]
        switch call {
        case .offsetCommit where stale.contains(error.rawValue): return .aborted
        case .addPartitions, .addOffsets, .endTransaction:
            if fences.contains(error.rawValue) { return .replaced }
            return error == RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS ? .repeated : .any
        case .produce: return error == RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS ? .repeated : .any
        default: return .any
        }
    }

    static let rows: [Row] = calls.flatMap { call in
        (repeated + refused).map { Row(call: call, error: $0.rawValue, expected: expected(call, $0)) }
    }

    /// Limits that suit a broker that answers at once or not at all.
    static let limits: Transactor.Limits = {
        var limits = Transactor.Limits()
        limits.initialise = .milliseconds(500)
        limits.sendOffsets = .milliseconds(700)
        limits.commit = .milliseconds(900)
        limits.abort = .milliseconds(500)
        return limits
    }()

    static func transactor(_ mock: MockCluster) throws -> Transactor {
        let configuration = try KafkaConfiguration(
            bootstrapServers: mock.bootstrap, properties: ["reconnect.backoff.max.ms": "100"])
        return Transactor(
            transactionalID: "t", limits: limits,
            make: { identity in
                try KafkaTransactionalProducer(
                    configuration, transactionalID: identity, clientID: identity, topics: ["out"], trackedTopic: 0)
            }, report: { _, _ in })
    }

    static func work(_ watch: @escaping (CommitStep) -> StepAction = { _ in .proceed }) -> Transactor.Work {
        Transactor.Work(
            produce: { producer throws(KafkaError) in
                let value = Array("v".utf8)
                for partition in Int32(0)..<4 {
                    let failure: KafkaError? = value.withUnsafeBytes { bytes in
                        do throws(KafkaError) {
                            try producer.produce(
                                KafkaOutgoing(topic: 0, partition: partition, timestamp: 1, key: bytes, value: bytes))
                            return nil
                        } catch {
                            return error
                        }
                    }
                    if let failure { throw failure }
                }
            },
            sendOffsets: { producer throws(KafkaError) in
                try producer.sendOffsets(
                    [KafkaOffset(topic: "in", partition: 0, offset: 1)],
                    group: KafkaGroupMetadata(groupID: "g", generation: 1, memberID: "m"), timeout: limits.sendOffsets)
            }, watch: watch)
    }

    private func run(_ transactor: Transactor, _ work: Transactor.Work) -> LogError? {
        do throws(LogError) {
            try transactor.run(work)
            return nil
        } catch {
            return error
        }
    }

    /// A producer, however often it must be asked for.
    private func ready(_ transactor: Transactor) throws {
        for _ in 0..<20 {
            do {
                _ = try transactor.ready { true }
                return
            } catch is KafkaError {}
        }
        _ = try transactor.ready { true }
    }

    @Test("an error answered", arguments: rows)
    func answered(_ row: Row) throws {
        let mock = try MockCluster(topics: ["in", "out"])
        let transactor = try Self.transactor(mock)
        let error = rd_kafka_resp_err_t(rawValue: row.error)
        if row.call == .initProducerId { mock.push(row.call, [error]) }
        // A refused initialisation is tried again, with a new producer.
        try ready(transactor)
        let before = transactor.initialised
        #expect(before == 1)
        if row.call != .initProducerId { mock.push(row.call, [error]) }
        let failure = run(transactor, Self.work())
        mock.clear(row.call)
        let indefinite = KafkaError(operation: "", code: KafkaError.Code(error), detail: "").isIndefinite
        switch failure?.kind {
        case nil: #expect(row.expected == .repeated || row.expected == .any)
        case .outcomeUnknown:
            // Nobody may say so where positions were refused. Records go in the background: what befalls them is told
            // when the end is asked for.
            #expect([.endTransaction, .produce, .addPartitions].contains(row.call), "\(String(describing: failure))")
            #expect(transactor.producer == nil)
        case .aborted, .fenced:
            // And nobody may claim to know what he does not.
            #expect(row.call != .endTransaction || !indefinite, "\(String(describing: failure))")
            #expect(row.expected != .repeated)
        default: Issue.record("\(String(describing: failure))")
        }
        if failure != nil, [.endTransaction, .produce].contains(row.call) {
            #expect(transactor.producer == nil)
        }
        if row.expected == .aborted { #expect(transactor.producer != nil && failure?.kind == .fenced) }
        if row.expected == .replaced {
            #expect(transactor.producer == nil && failure?.kind != nil, "\(String(describing: failure))")
        }
        let replaced = transactor.producer == nil
        // The owner reads the log again, and goes on.
        try ready(transactor)
        #expect(transactor.initialised == before + (replaced ? 1 : 0))
        let again = run(transactor, Self.work())
        #expect(again == nil)
    }

    @Test(
        "a broker that is away", arguments: [CommitStep.staged, .produced, .offsetsSent])
    func away(_ step: CommitStep) throws {
        let mock = try MockCluster(topics: ["in", "out"])
        let transactor = try Self.transactor(mock)
        try ready(transactor)
        let failure = run(
            transactor,
            Self.work {
                if $0 == step { mock.setUp(false) }
                return .proceed
            })
        // Before the end was asked for nothing can have become visible; afterwards nobody knows.
        #expect(failure?.kind == (step == .offsetsSent ? .outcomeUnknown : .aborted), "\(String(describing: failure))")
        #expect(transactor.producer == nil, "a time-out ends the producer")
        // It stays away for a while: initialisation is repeated.
        var attempts = 0
        let refused = #expect(throws: KafkaError.self) {
            try transactor.ready {
                attempts += 1
                return attempts < 2
            }
        }
        #expect(refused?.isRetriable == true)
        mock.setUp(true)
        try ready(transactor)
        #expect(transactor.initialised == 2)
        #expect(run(transactor, Self.work()) == nil)
    }

    @Test("an abort that fails ends the producer, too")
    func abortFails() throws {
        let mock = try MockCluster(topics: ["in", "out"])
        let transactor = try Self.transactor(mock)
        try ready(transactor)
        mock.push(.offsetCommit, [RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION])
        mock.push(.endTransaction, [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH])
        #expect(run(transactor, Self.work())?.kind == .fenced)
        #expect(transactor.isStale)
        #expect(transactor.producer == nil)
        mock.clear(.endTransaction)
        try ready(transactor)
        #expect(run(transactor, Self.work()) == nil)
    }
}
