import CRDKafka

/// The parts of a record to produce. The buffers are read before the call returns: the library copies them.
public struct KafkaOutgoing {
    /// Index into the producer's topics.
    public var topic: Int
    /// The partition; always explicit, so that records of a payment stay with its owner.
    public var partition: Int32
    /// Milliseconds since 1970.
    public var timestamp: Int64
    /// The key; nil for none.
    public var key: UnsafeRawBufferPointer?
    /// The value; nil for a tombstone.
    public var value: UnsafeRawBufferPointer?

    /// A record.
    public init(
        topic: Int, partition: Int32, timestamp: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?
    ) {
        self.topic = topic
        self.partition = partition
        self.timestamp = timestamp
        self.key = key
        self.value = value
    }
}

/// Headers of a record to produce: filled one by one, then owned by the library, or freed here where it does not take
/// them.
public struct KafkaHeaders: ~Copyable {
    private var pointer: OpaquePointer?

    /// Room for `capacity` headers; nothing at all for none.
    public init(capacity: Int) { pointer = capacity > 0 ? rd_kafka_headers_new(capacity) : nil }

    deinit { if let pointer { rd_kafka_headers_destroy(pointer) } }

    /// Appends a header; copies both.
    public func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard let pointer, let start = name.baseAddress else { return }
        rd_kafka_header_add(
            pointer, start.assumingMemoryBound(to: CChar.self), name.count, value.baseAddress ?? start, value.count)
    }

    /// The pointer to hand to the library.
    fileprivate var borrowed: OpaquePointer? { pointer }

    /// The library has taken the headers over.
    fileprivate mutating func release() { pointer = nil }
}

/// The topics of a producer and the one call that hands records to the library.
final class KafkaRecordSink: Sendable {
    let client: KafkaClient
    // Safe to share: opaque C objects, set once, freed in `deinit` before the client goes.
    nonisolated(unsafe) private let topics: [OpaquePointer]

    init(client: KafkaClient, topics names: [String]) throws(KafkaError) {
        self.client = client
        var topics: [OpaquePointer] = []
        for name in names {
            guard let topic = rd_kafka_topic_new(client.pointer, name, nil) else {
                for topic in topics { rd_kafka_topic_destroy(topic) }
                throw KafkaError(code: rd_kafka_last_error(), operation: "topic \(name)")
            }
            topics.append(topic)
        }
        self.topics = topics
    }

    deinit { for topic in topics { rd_kafka_topic_destroy(topic) } }

    /// A topic's object, as delivery reports name it.
    func topic(_ index: Int) -> OpaquePointer { topics[index] }

    /// Hands a record over without waiting. `queueFull` is retriable after a poll.
    func produce(
        _ record: KafkaOutgoing, headers: consuming KafkaHeaders, opaque: UnsafeMutableRawPointer?
    ) throws(KafkaError) {
        var headers = headers
        // A zero-length value is not a tombstone: the library tells them apart by the pointer.
        var nothing: UInt8 = 0
        let error = withUnsafeMutablePointer(to: &nothing) { placeholder -> OpaquePointer? in
            withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { units in
                var count = 0
                func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
                    var unit = rd_kafka_vu_t()
                    unit.vtype = type
                    fill(&unit)
                    units.initializeElement(at: count, to: unit)
                    count += 1
                }
                func memory(_ bytes: UnsafeRawBufferPointer?, _ unit: inout rd_kafka_vu_t) {
                    guard let bytes else { return }
                    unit.u.mem.ptr =
                        bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
                        ?? UnsafeMutableRawPointer(placeholder)
                    unit.u.mem.size = bytes.count
                }
                add(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topics[record.topic] }
                add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = record.partition }
                add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = record.timestamp }
                add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
                add(RD_KAFKA_VTYPE_KEY) { memory(record.key, &$0) }
                add(RD_KAFKA_VTYPE_VALUE) { memory(record.value, &$0) }
                if let list = headers.borrowed { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = list } }
                add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = opaque }
                return rd_kafka_produceva(client.pointer, units.baseAddress, count)
            }
        }
        guard let error else {
            headers.release()
            return
        }
        throw KafkaError(consuming: error, operation: "produce")
    }
}
