import CRDKafka
import Glibc

/// A partition of a topic with an offset, as committed, asked for or assigned.
public struct KafkaOffset: Sendable, Equatable, Hashable {
    /// The topic's full name.
    public var topic: String
    /// The partition.
    public var partition: Int32
    /// The offset; `KafkaOffset.beginning`, `.end` and `.invalid` are logical ones.
    public var offset: Int64
    /// What was committed beside the offset; empty where nothing was.
    public var metadata: String

    /// A partition with an offset.
    public init(topic: String, partition: Int32, offset: Int64, metadata: String = "") {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
    }

    /// From the first retained record on.
    public static let beginning = Int64(RD_KAFKA_OFFSET_BEGINNING)
    /// From the end on.
    public static let end = Int64(RD_KAFKA_OFFSET_END)
    /// No offset: what a fetch of committed offsets answers where none is committed.
    public static let invalid = Int64(RD_KAFKA_OFFSET_INVALID)
}

/// A C list of partitions; freed by `deinit`.
struct TopicPartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int) { pointer = rd_kafka_topic_partition_list_new(Int32(capacity)) }

    init(_ offsets: [KafkaOffset]) {
        self.init(capacity: offsets.count)
        for entry in offsets { append(entry) }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    func append(_ entry: KafkaOffset) {
        guard let element = rd_kafka_topic_partition_list_add(pointer, entry.topic, entry.partition) else { return }
        element.pointee.offset = entry.offset
        if !entry.metadata.isEmpty {
            // The list frees the metadata with free(), so it must come from malloc().
            var text = entry.metadata
            text.withUTF8 { utf8 in
                guard let copy = malloc(utf8.count), let base = utf8.baseAddress else { return }
                memcpy(copy, base, utf8.count)
                element.pointee.metadata = copy
                element.pointee.metadata_size = utf8.count
            }
        }
    }

    var offsets: [KafkaOffset] { TopicPartitionList.offsets(pointer) }

    /// The elements without an error.
    var succeeded: [KafkaOffset] {
        zip(0..., offsets).filter { pointer.pointee.elems[$0.0].err == RD_KAFKA_RESP_ERR_NO_ERROR }.map(\.1)
    }

    /// The first error of an element, if any.
    func elementError(operation: String) -> KafkaError? {
        for index in 0..<Int(pointer.pointee.cnt) {
            let element = pointer.pointee.elems[index]
            if element.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                return KafkaError(
                    code: element.err, operation: operation,
                    detail: "\(String(cString: element.topic)) [\(element.partition)]: "
                        + String(cString: rd_kafka_err2str(element.err)))
            }
        }
        return nil
    }

    static func offsets(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> [KafkaOffset] {
        (0..<Int(list.pointee.cnt)).map { index in
            let element = list.pointee.elems[index]
            var metadata = ""
            if let bytes = element.metadata, element.metadata_size > 0 {
                metadata = String(
                    decoding: UnsafeRawBufferPointer(start: bytes, count: element.metadata_size), as: UTF8.self)
            }
            return KafkaOffset(
                topic: String(cString: element.topic), partition: element.partition, offset: element.offset,
                metadata: metadata)
        }
    }
}
