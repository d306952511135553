/// The records of one partition of one topic in memory: chunks of frames side by side, dropped from the front when
/// they exceed the retention.
struct MemoryRecords {
    private struct Chunk {
        var first: Int64
        var bytes: [UInt8] = []
        /// Where each frame ends.
        var ends: [Int] = []

        func frame(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

        mutating func begin(at offset: Int64) {
            first = offset
            bytes.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
    }

    private static let chunkBytes = 1 << 20
    private var chunks: [Chunk] = []
    /// Offset of the next record.
    private(set) var end: Int64 = 0
    /// Bytes of all chunks.
    private var total = 0
    /// The last chunk that was dropped.
    private var spare: Chunk?

    /// Offset of the first retained record.
    var first: Int64 { chunks.first?.first ?? end }

    /// Adds a frame at the end.
    mutating func append(_ frame: UnsafeBufferPointer<UInt8>) {
        if chunks.isEmpty || chunks[chunks.count - 1].bytes.count >= Self.chunkBytes { begin() }
        let last = chunks.count - 1
        chunks[last].bytes.append(contentsOf: frame)
        chunks[last].ends.append(chunks[last].bytes.count)
        end += 1
        total += frame.count
    }

    /// A new chunk: the memory of one that was dropped, where there is any. Only the first grows step by step: most
    /// partitions of most topics never fill one.
    private mutating func begin() {
        var chunk = Chunk(first: end)
        if var dropped = spare.take() {
            dropped.begin(at: end)
            chunk = dropped
        } else if let before = chunks.last {
            chunk.bytes.reserveCapacity(before.bytes.count + before.bytes.count / 16)
            chunk.ends.reserveCapacity(before.ends.count + before.ends.count / 4)
        }
        chunks.append(chunk)
    }

    /// Hands offsets and frames from `offset` on to `body` until it answers false.
    func walk(from offset: Int64, _ body: (Int64, ArraySlice<UInt8>) -> Bool) {
        guard var index = chunks.lastIndex(where: { $0.first <= offset }) ?? chunks.indices.first else { return }
        var place = max(0, Int(offset - chunks[index].first))
        while index < chunks.count {
            while place < chunks[index].ends.count {
                let frame = chunks[index].frame(place)
                guard body(chunks[index].first + Int64(place), chunks[index].bytes[frame]) else { return }
                place += 1
            }
            index += 1
            place = 0
        }
    }

    /// Drops whole chunks from the front: those that lie below `limit` entirely, as long as more than `bytes` remain.
    mutating func trim(keepingBytes bytes: Int, below limit: Int64) {
        while chunks.count > 1, total > bytes, chunks[1].first <= limit {
            total -= chunks[0].bytes.count
            spare = chunks.removeFirst()
        }
    }
}
