import PaymentModel

/// Records of one partition that became durable together, as one value of the store: each its length (4 bytes, big-endian)
/// and its frame, in the order of their offsets, the first of which is in the key.
///
/// One key for each record costs an insertion into a sorted table for each, a quarter of what a payout costs the log;
/// readers take many records anyway.
enum RecordChunk {
    /// A chunk takes no further record that would make it larger: about a block of the store (`RocksFamily.blockBytes`),
    /// which is what a read of one record has to fetch.
    static let fullBytes = 28 << 10

    static func append(_ frame: UnsafeRawBufferPointer, to chunk: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(frame.count).bigEndian) { chunk.append(contentsOf: $0) }
        chunk.append(contentsOf: frame)
    }

    /// Lends the frames from number `first` on, each with its number, until `body` answers false. False where the chunk
    /// does not hold together.
    static func forEach(
        _ chunk: UnsafeRawBufferPointer, from first: Int = 0,
        _ body: (_ number: Int, _ frame: UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        var place = 0
        var number = 0
        while place < chunk.count {
            guard let length = StoreLayout.bigEndian32(chunk, at: place) else { return false }
            let start = place + 4
            guard Int(length) <= chunk.count - start else { return false }
            place = start + Int(length)
            if number >= first, !body(number, UnsafeRawBufferPointer(rebasing: chunk[start..<place])) { return true }
            number += 1
        }
        return true
    }

    /// How many records it holds; nil where it does not hold together.
    static func count(_ chunk: UnsafeRawBufferPointer) -> Int? {
        var count = 0
        let isWhole = forEach(chunk) { _, _ in
            count += 1
            return true
        }
        return isWhole ? count : nil
    }
}
