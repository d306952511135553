import CRDKafka

/// Who a consumer was in its group at one moment: what fences an owner that lives on. Captured when partitions are
/// assigned and kept with them: metadata read afresh at each transaction would carry the generation that the client
/// has now, for a memory that was restored under an older one (the protocol's row B41).
public struct KafkaGroupMetadata: Sendable, Equatable {
    /// The group.
    public var groupID: String
    /// Grows with every rebalance.
    public var generation: Int32
    /// Given by the group's coordinator.
    public var memberID: String
    /// Name of a static member; nil for ordinary ones.
    public var instanceID: String?

    /// Metadata of a member.
    public init(groupID: String, generation: Int32, memberID: String, instanceID: String? = nil) {
        self.groupID = groupID
        self.generation = generation
        self.memberID = memberID
        self.instanceID = instanceID
    }

    /// Whether the broker will check it. One without member or generation is accepted unchecked (row B42), so it
    /// must never be sent.
    public var isChecked: Bool { generation >= 0 && !memberID.isEmpty }

    /// Reads the client's metadata of this moment. Asks the client's main thread; call it from the rebalance callback,
    /// during which the generation cannot move.
    init?(of client: OpaquePointer) {
        guard let metadata = rd_kafka_consumer_group_metadata(client) else { return nil }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        var buffer: UnsafeMutableRawPointer?
        var size = 0
        if let error = rd_kafka_consumer_group_metadata_write(metadata, &buffer, &size) {
            rd_kafka_error_destroy(error)
            return nil
        }
        guard let buffer else { return nil }
        defer { rd_kafka_mem_free(nil, buffer) }
        self.init(serialized: UnsafeRawBufferPointer(start: buffer, count: size))
    }

    /// The serialised form of librdkafka 1.9–2.x: magic `CGMDv2:`, generation (host order), group, member, each ended
    /// by NUL, a flag "no instance", the instance. 2.0.2 has no accessors.
    init?(serialized: UnsafeRawBufferPointer) {
        let magic = Array("CGMDv2:".utf8)
        guard serialized.count > magic.count + 4, serialized.prefix(magic.count).elementsEqual(magic) else {
            return nil
        }
        let generation = serialized.loadUnaligned(fromByteOffset: magic.count, as: Int32.self)
        var rest = serialized[(magic.count + 4)...]
        func text() -> String? {
            guard let end = rest.firstIndex(of: 0) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
        }
        guard let group = text(), let member = text(), let flag = rest.first else { return nil }
        rest = rest.dropFirst()
        self.init(
            groupID: group, generation: generation, memberID: member, instanceID: flag == 0 ? text() : nil)
    }

    /// Runs `body` with a C object of the same content.
    func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result? {
        guard
            let pointer = rd_kafka_consumer_group_metadata_new_with_genid(groupID, generation, memberID, instanceID)
        else { return nil }
        defer { rd_kafka_consumer_group_metadata_destroy(pointer) }
        return body(pointer)
    }
}
