import CRDKafka
import Synchronization

/// The ingress: an idempotent producer that is not transactional. Deliveries are told on a thread of its own.
public final class KafkaProducer: Sendable {
    /// Told once for every record that `produce` took. `token` is the caller's.
    public typealias Delivery = @Sendable (_ token: UInt, _ error: KafkaError?, _ offset: Int64) -> Void

    private final class Relay: Sendable {
        let delivery: Delivery
        init(_ delivery: @escaping Delivery) { self.delivery = delivery }
    }

    private let sink: KafkaRecordSink
    private let stopping = Atomic<Bool>(false)
    private let thread: Mutex<ServiceThread?>

    /// A producer for `topics`; records name their topic by index.
    public init(
        _ configuration: KafkaConfiguration, clientID: String, topics: [String], delivery: @escaping Delivery
    ) throws {
        let relay = Relay(delivery)
        let client = try KafkaClient(
            configuration, role: .idempotentProducer, clientID: clientID,
            delivered: { message in
                let report = message.pointee
                let error: KafkaError? =
                    report.err == RD_KAFKA_RESP_ERR_NO_ERROR
                    ? nil : KafkaError(code: report.err, operation: "append")
                relay.delivery(UInt(bitPattern: report._private), error, report.offset)
            })
        sink = try KafkaRecordSink(client: client, topics: topics)
        thread = Mutex(nil)
        let pointer = ClientReference(client)
        let started = ServiceThread(name: "kafka-append") { [self] in
            while !stopping.load(ordering: .acquiring) { rd_kafka_poll(pointer.client.pointer, 100) }
            // What was taken is told: delivered, or failed by its own time-out.
            rd_kafka_flush(pointer.client.pointer, 12_000)
            rd_kafka_purge(pointer.client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            rd_kafka_poll(pointer.client.pointer, 0)
        }
        thread.withLock { $0 = started }
    }

    private struct ClientReference: Sendable {
        let client: KafkaClient
        init(_ client: KafkaClient) { self.client = client }
    }

    /// Hands a record over without waiting; `queueFull` where the bounded queue is full.
    public func produce(
        _ record: KafkaOutgoing, headers: Int = 0, token: UInt, fill: (borrowing KafkaHeaders) -> Void = { _ in }
    ) throws(KafkaError) {
        let list = KafkaHeaders(capacity: headers)
        fill(list)
        try sink.produce(record, headers: list, opaque: UnsafeMutableRawPointer(bitPattern: token))
    }

    /// How many records wait for their delivery.
    public var waiting: Int { Int(rd_kafka_outq_len(sink.client.pointer)) }

    /// The error that has finished the client, if one has: it must be replaced.
    public var fatalError: KafkaError? { sink.client.fatalError }

    /// The last complaint of the library's own.
    public var lastError: KafkaError? { sink.client.lastError }

    /// Flushes, tells every delivery, stops the thread. Blocks up to 12 s.
    public func close() {
        stopping.store(true, ordering: .releasing)
        let thread = thread.withLock { value in
            defer { value = nil }
            return value
        }
        thread?.join()
    }
}
