/// The records of one partition of one topic in memory: chunks of frames side by side, dropped from the front when
/// they exceed the retention.
struct MemoryRecords {
    private struct Chunk {
        var first: Int64
        var bytes: [UInt8] = []
        /// Where each frame ends.
        var ends: [Int] = []

        func frame(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }
    }

    private static let chunkBytes = 1 << 20
    private var chunks: [Chunk] = []
    /// Offset of the next record.
    private(set) var end: Int64 = 0

    /// Offset of the first retained record.
    var first: Int64 { chunks.first?.first ?? end }

    /// Adds a frame at the end.
    mutating func append(_ frame: some Collection<UInt8>) {
        if chunks.isEmpty || chunks[chunks.count - 1].bytes.count >= Self.chunkBytes {
            chunks.append(Chunk(first: end))
        }
        chunks[chunks.count - 1].bytes.append(contentsOf: frame)
        chunks[chunks.count - 1].ends.append(chunks[chunks.count - 1].bytes.count)
        end += 1
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
        var total = chunks.reduce(0) { $0 + $1.bytes.count }
        while chunks.count > 1, total > bytes, chunks[1].first <= limit {
            total -= chunks[0].bytes.count
            chunks.removeFirst()
        }
    }
}
