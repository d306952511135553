import CRDKafka

/// What librdkafka reports, with its own judgement of what may follow. The flags are facts told by the library
/// (`rd_kafka_error_is_retriable`, `…_txn_requires_abort`, `…_is_fatal`), not guesses of ours.
public struct KafkaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A code of librdkafka: negative ones are the library's own, positive ones the broker's.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// `rd_kafka_resp_err_t`.
        public let rawValue: Int32
        /// The code with that number.
        public init(rawValue: Int32) { self.rawValue = rawValue }
        /// The C code as a value.
        public init(_ code: rd_kafka_resp_err_t) { rawValue = code.rawValue }
        /// `NO_ERROR`: nothing is wrong.
        public static let none = Code(RD_KAFKA_RESP_ERR_NO_ERROR)
        /// `_TIMED_OUT`: the call's own time-out passed; what was asked may still happen.
        public static let timedOut = Code(RD_KAFKA_RESP_ERR__TIMED_OUT)
        /// `_FENCED`: a newer producer has the transactional id.
        public static let fenced = Code(RD_KAFKA_RESP_ERR__FENCED)
        /// `PRODUCER_FENCED`, as newer brokers say it.
        public static let producerFenced = Code(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
        /// `INVALID_PRODUCER_EPOCH`: older epoch than the broker's.
        public static let invalidProducerEpoch = Code(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
        /// `ILLEGAL_GENERATION`: the group has moved on.
        public static let illegalGeneration = Code(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
        /// `UNKNOWN_MEMBER_ID`: the group has forgotten this member.
        public static let unknownMember = Code(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
        /// `FENCED_INSTANCE_ID`: another process has this static membership.
        public static let fencedInstance = Code(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        /// `REBALANCE_IN_PROGRESS`: the group is choosing new owners.
        public static let rebalanceInProgress = Code(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
        /// `UNSTABLE_OFFSET_COMMIT`: a transaction that holds an offset of the partition is still open.
        public static let unstableOffset = Code(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
        /// `_PARTITION_EOF`: the end of the partition (under read_committed: its last stable offset).
        public static let partitionEnd = Code(RD_KAFKA_RESP_ERR__PARTITION_EOF)
        /// `OFFSET_OUT_OF_RANGE` as reported to the application under `auto.offset.reset=error`.
        public static let offsetReset = Code(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        /// `_QUEUE_FULL`: the producer's bounded queue is full.
        public static let queueFull = Code(RD_KAFKA_RESP_ERR__QUEUE_FULL)
        /// `_PURGE_QUEUE`: dropped before it was sent.
        public static let purged = Code(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
        /// `_AUTHENTICATION`: the broker refused the credentials.
        public static let authentication = Code(RD_KAFKA_RESP_ERR__AUTHENTICATION)
        /// `_SSL`: no TLS connection came about.
        public static let tls = Code(RD_KAFKA_RESP_ERR__SSL)
        /// `_ALL_BROKERS_DOWN`.
        public static let allBrokersDown = Code(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        /// `TOPIC_ALREADY_EXISTS`.
        public static let topicExists = Code(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        /// `INVALID_CONFIG`: a topic's setting that this broker does not know, or a value that it refuses.
        public static let invalidConfig = Code(RD_KAFKA_RESP_ERR_INVALID_CONFIG)
        /// `_STATE`: the call does not fit the state of the client.
        public static let wrongState = Code(RD_KAFKA_RESP_ERR__STATE)
        /// `_MAX_POLL_EXCEEDED`: the poll thread was away too long, the membership is lost.
        public static let maxPollExceeded = Code(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
        /// `_INVALID_ARG`.
        public static let invalidArgument = Code(RD_KAFKA_RESP_ERR__INVALID_ARG)
        /// `MSG_SIZE_TOO_LARGE`.
        public static let messageTooLarge = Code(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    }

    /// What failed, in a word ("commit", "produce", …).
    public var operation: String
    /// The code.
    public var code: Code
    /// The library's sentence. Holds no payload; values of secret settings never enter it.
    public var detail: String
    /// The same call may be repeated.
    public var isRetriable: Bool
    /// The transaction must be aborted; afterwards the producer is good again.
    public var isAbortable: Bool
    /// The client is finished and must be replaced.
    public var isFatal: Bool

    /// An error.
    public init(
        operation: String, code: Code, detail: String, isRetriable: Bool = false, isAbortable: Bool = false,
        isFatal: Bool = false
    ) {
        self.operation = operation
        self.code = code
        self.detail = detail
        self.isRetriable = isRetriable
        self.isAbortable = isAbortable
        self.isFatal = isFatal
    }

    /// The code's name as librdkafka spells it (`_TIMED_OUT`, `ILLEGAL_GENERATION`, …).
    public var name: String {
        rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: code.rawValue)).map { String(cString: $0) }
            ?? "\(code.rawValue)"
    }

    /// Operation, name, sentence, flags and, where a right is missing, which.
    public var description: String {
        let flags = [(isRetriable, "retriable"), (isAbortable, "abortable"), (isFatal, "fatal")]
            .filter(\.0).map(\.1).joined(separator: ", ")
        let text = "kafka \(operation): \(name): \(detail)\(flags.isEmpty ? "" : " (\(flags))")"
        return missingRight.map { "\(text); the user lacks \($0)" } ?? text
    }

    /// Whether the cluster's access rules forbid it: nothing helps but a change of theirs.
    public var isDenied: Bool { missingRight != nil }

    /// The right that is missing, in Kafka's words.
    private var missingRight: String? {
        switch rd_kafka_resp_err_t(rawValue: code.rawValue) {
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            "a right on the topic (Describe and Read on all, Write on all, Create and DescribeConfigs at start)"
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: "Read and Describe on the group"
        case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            "Write and Describe on transactional ids that begin with the group's id"
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            "a right on the cluster (IdempotentWrite to produce, Create to create topics)"
        default: nil
        }
    }

    /// Whether the group has moved on from this member. The producer is as good as before.
    public var isStaleMember: Bool {
        switch code {
        case .illegalGeneration, .unknownMember, .fencedInstance, .rebalanceInProgress: true
        default: false
        }
    }

    /// Whether what was asked may have happened although it failed: an answer of a broker that does not know itself, or
    /// none.
    public var isIndefinite: Bool {
        switch rd_kafka_resp_err_t(rawValue: code.rawValue) {
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__BAD_MSG,
            RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
            true
        default: false
        }
    }

    /// Whether the group has moved on from this member, or the producer was replaced: the caller is no longer the
    /// owner of what it worked on.
    public var isStaleOwner: Bool {
        switch code {
        case .fenced, .producerFenced, .invalidProducerEpoch, .illegalGeneration, .unknownMember, .fencedInstance,
            .rebalanceInProgress:
            true
        default: false
        }
    }
}

extension KafkaError {
    /// Takes ownership of a C error object: reads it and destroys it.
    init(consuming error: OpaquePointer, operation: String) {
        self.init(
            operation: operation, code: Code(rd_kafka_error_code(error)),
            detail: String(cString: rd_kafka_error_string(error)),
            isRetriable: rd_kafka_error_is_retriable(error) != 0,
            isAbortable: rd_kafka_error_txn_requires_abort(error) != 0,
            isFatal: rd_kafka_error_is_fatal(error) != 0)
        rd_kafka_error_destroy(error)
    }

    /// An error of the older functions, which answer a bare code; its flags follow the table that librdkafka's own
    /// request handlers use for the same codes.
    init(code: rd_kafka_resp_err_t, operation: String, detail: String? = nil) {
        self.init(
            operation: operation, code: Code(code), detail: detail ?? String(cString: rd_kafka_err2str(code)),
            isRetriable: KafkaError.retriableCodes.contains(code.rawValue),
            isFatal: code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__FENCED)
    }

    /// Codes that a later repetition may cure.
    private static let retriableCodes: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__QUEUE_FULL,
            RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
        ].map(\.rawValue))
}

/// A setting that is not accepted; refused before anything is connected.
public struct KafkaConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The property, as spelled by librdkafka.
    public var property: String
    /// What is wrong with it. A secret's value is never repeated here.
    public var detail: String
    /// What to do about it.
    public var hint: String

    /// An error.
    public init(property: String, detail: String, hint: String) {
        self.property = property
        self.detail = detail
        self.hint = hint
    }

    /// Property, detail and hint.
    public var description: String { "\(property): \(detail)\(hint.isEmpty ? "" : "; \(hint)")" }
}
