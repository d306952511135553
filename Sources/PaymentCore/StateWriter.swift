import PaymentModel
import RecordFormat

/// Writes the stored form of a state: what `BinaryWriter` writes, byte for byte, gathered in a small room of its own that
/// goes to the buffer as one piece. A state is some two hundred values of a byte or two; to append each of them to an
/// array would ask every time whether the array is shared and has room.
struct StateWriter: ~Copyable {
    private static var size: Int { 256 }
    private var bytes: [UInt8]
    private var room = InlineArray<256, UInt8>(repeating: 0)
    private var used = 0

    /// A writer that appends to `bytes`, and has them until `finish`: the buffer must have one owner, else it is copied.
    init(taking bytes: inout [UInt8]) {
        self.bytes = []
        swap(&self.bytes, &bytes)
    }

    /// Gives the buffer back with all that was written.
    mutating func finish(into bytes: inout [UInt8]) {
        flush()
        swap(&self.bytes, &bytes)
    }

    private mutating func flush() {
        guard used > 0 else { return }
        StateWriter.append(room.span.extracting(0..<used), to: &bytes)
        used = 0
    }

    private static func append(_ span: Span<UInt8>, to bytes: inout [UInt8]) {
        span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    @inline(__always)
    private mutating func need(_ count: Int) {
        if used + count > StateWriter.size { flush() }
    }

    @inline(__always)
    private mutating func put(_ value: UInt8) {
        room[used] = value
        used &+= 1
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        need(1)
        put(value)
    }

    @inline(__always)
    mutating func flag(_ value: Bool) { byte(value ? 1 : 0) }

    /// LEB128.
    @inline(__always)
    mutating func unsigned(_ value: UInt64) {
        need(10)
        var rest = value
        while rest >= 0x80 {
            put(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        put(UInt8(truncatingIfNeeded: rest))
    }

    /// Zigzag, then LEB128.
    @inline(__always)
    mutating func signed(_ value: Int64) { unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    /// Eight bytes, big-endian.
    mutating func fixed(_ value: UInt64) {
        need(8)
        var target = room.mutableSpan
        var raw = target.mutableBytes
        raw.storeBytes(of: value.bigEndian, toByteOffset: used, as: UInt64.self)
        used &+= 8
    }

    /// UTF-8 with its length before it.
    mutating func text(_ value: borrowing String) {
        let utf8 = value.utf8.span
        unsigned(UInt64(utf8.count))
        guard utf8.count <= StateWriter.size else {
            flush()
            return StateWriter.append(utf8, to: &bytes)
        }
        need(utf8.count)
        for index in utf8.indices { put(utf8[index]) }
    }

    @inline(__always)
    mutating func list<Element>(_ elements: [Element], _ write: (borrowing Element, inout StateWriter) -> Void) {
        unsigned(UInt64(elements.count))
        for index in elements.indices { write(elements[index], &self) }
    }

    mutating func text(_ value: String?) {
        flag(value != nil)
        if let value { text(value) }
    }

    @inline(__always)
    mutating func moment(_ value: Timestamp?) {
        flag(value != nil)
        if let value { signed(value.milliseconds) }
    }

    mutating func money(_ value: Money?) {
        flag(value != nil)
        guard let value else { return }
        signed(value.minorUnits)
        unsigned(UInt64(value.currency.packed))
    }

    mutating func digest(_ value: Digest) {
        fixed(value.high)
        fixed(value.low)
    }
}
