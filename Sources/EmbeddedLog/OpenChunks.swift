import EventLog
import PaymentModel
import RocksStore

/// The chunks of a group that are being filled, one for each partition of a topic that the group concerns.
struct OpenChunks: ~Copyable {
    private struct Chunk {
        var topic: Topic
        var partition: Int32
        var first: Int64
        var bytes: [UInt8] = []
    }

    /// By slot of the ledger; the bytes of a chunk that was put away are kept for the next one.
    private var chunks: [Chunk?] = []
    private var begun: [Int] = []
    private var keys = KeyBuilder()

    /// Adds a record; a chunk that has no room for it goes into the batch.
    mutating func add(
        _ frame: UnsafeRawBufferPointer, slot: Int, _ topic: Topic, _ partition: Int32, offset: Int64,
        _ batch: borrowing WriteBatch, _ records: RocksDatabase.Family
    ) {
        while chunks.count <= slot { chunks.append(nil) }
        // Taken out while it grows, so that its bytes have one owner.
        var chunk = chunks[slot] ?? Chunk(topic: topic, partition: partition, first: offset)
        chunks[slot] = nil
        if chunk.bytes.count + 4 + frame.count > RecordChunk.fullBytes { putAway(&chunk, batch, records) }
        if chunk.bytes.isEmpty {
            chunk.first = offset
            begun.append(slot)
        }
        RecordChunk.append(frame, to: &chunk.bytes)
        chunks[slot] = chunk
    }

    /// Everything that is left goes into the batch.
    mutating func close(_ batch: borrowing WriteBatch, _ records: RocksDatabase.Family) {
        for slot in begun {
            guard var chunk = chunks[slot] else { continue }
            chunks[slot] = nil
            putAway(&chunk, batch, records)
            chunks[slot] = chunk
        }
        begun.removeAll(keepingCapacity: true)
    }

    /// Forgets everything that is left.
    mutating func clear() {
        for slot in begun { chunks[slot] = nil }
        begun.removeAll(keepingCapacity: true)
    }

    private mutating func putAway(
        _ chunk: inout Chunk, _ batch: borrowing WriteBatch, _ records: RocksDatabase.Family
    ) {
        guard !chunk.bytes.isEmpty else { return }
        keys.record(chunk.topic, chunk.partition, chunk.first)
        batch.put(records, key: keys.bytes.span.bytes, value: chunk.bytes.span.bytes)
        // The memory stays for the next one, unless a single large record has made it large.
        chunk.bytes.removeAll(keepingCapacity: chunk.bytes.capacity <= 4 * RecordChunk.fullBytes)
    }
}
