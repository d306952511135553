import RecordFormat
import TestSupport
import Testing

@Suite("Binary coding and record frames")
struct RecordFormatTests {
    @Test("integers come back", arguments: [0, 1, 127, 128, 16_383, 16_384, Int64.max, -1, -64, -65, Int64.min])
    func integers(value: Int64) throws {
        var writer = BinaryWriter()
        writer.signed(value)
        writer.unsigned(UInt64(bitPattern: value))
        writer.fixed(UInt64(bitPattern: value))
        var reader = BinaryReader(writer.bytes.span.bytes)
        #expect(try reader.signed() == value)
        #expect(try reader.unsigned() == UInt64(bitPattern: value))
        #expect(try reader.fixed() == UInt64(bitPattern: value))
        try reader.finish()
    }

    @Test("every truncation of a frame is an error or a shorter value, never a trap")
    func truncation() throws {
        let frame = RecordFrame.encode(
            key: Array("k".utf8), timestamp: 1, headers: [(Array("ce_id".utf8), Array("1".utf8))],
            value: Array("{}".utf8))
        let layout = try RecordLayout(frame.span.bytes)
        #expect(layout.key.map { Array(frame[$0]) } == Array("k".utf8))
        #expect(layout.headers.count == 1)
        #expect(layout.value.map { Array(frame[$0]) } == Array("{}".utf8))
        for length in 0..<frame.count {
            let cut = Array(frame[..<length])
            if let layout = try? RecordLayout(cut.span.bytes) { #expect((layout.value?.count ?? 0) < 2) }
        }
    }

    @Test("a tombstone has no value, an empty value is one")
    func tombstone() throws {
        let none = RecordFrame.encode(key: [1], timestamp: 0, headers: [], value: nil)
        let empty = RecordFrame.encode(key: [1], timestamp: 0, headers: [], value: [])
        #expect(try RecordLayout(none.span.bytes).value == nil)
        #expect(try RecordLayout(empty.span.bytes).value?.isEmpty == true)
    }

    @Test("random bytes never trap", arguments: [UInt64(1), 2, 3])
    func random(seed: UInt64) {
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<20_000 {
            let bytes = (0..<Int(next() % 40)).map { _ in UInt8(truncatingIfNeeded: next()) }
            _ = try? RecordLayout(bytes.span.bytes)
            var reader = BinaryReader(bytes.span.bytes)
            _ = try? reader.text(limit: 16)
            _ = try? reader.signed()
            _ = try? reader.blob(limit: 8)
        }
    }
}
