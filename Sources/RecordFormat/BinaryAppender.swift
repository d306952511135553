/// Appends what `BinaryWriter` writes, for whoever knows how much it will be: the room is made once, a piece costs one look
/// at what is left of it and its bytes, and constant pieces are copied from where they were laid out before.
public struct BinaryAppender: ~Copyable {
    /// Where the next byte goes.
    @usableFromInline var place: UnsafeMutableRawPointer
    /// The end of the room: the only thing that keeps a piece from being written beyond it, looked at for each.
    @usableFromInline let end: UnsafeMutableRawPointer

    @usableFromInline @inline(__always)
    init(_ place: UnsafeMutableRawPointer, room: Int) {
        self.place = place
        end = place + room
    }

    /// The room that a length, a count or a signed integer takes at most.
    public static var integerBytes: Int { 10 }
    /// The room that `decimal` takes at most.
    public static var decimalBytes: Int { 20 }

    /// Appends to `bytes` what `body` writes, for which so much `room` must be enough.
    @inlinable @inline(__always)
    public static func append(to bytes: inout [UInt8], room: Int, _ body: (inout BinaryAppender) -> Void) {
        bytes.append(addingCapacity: room) { output in
            output.withUnsafeMutableBufferPointer { memory, count in
                guard let start = memory.baseAddress else { return }
                var output = BinaryAppender(UnsafeMutableRawPointer(start), room: memory.count)
                body(&output)
                count = output.place - UnsafeMutableRawPointer(start)
            }
        }
    }

    /// The text's UTF-8 with its length before it.
    public mutating func text(_ value: String) {
        value.withBytes {
            check($0.count + BinaryAppender.integerBytes)
            put(UInt64($0.count))
            put($0)
        }
    }

    /// A count, or the length of bytes that follow.
    public mutating func count(_ count: Int) {
        check(BinaryAppender.integerBytes)
        put(UInt64(count))
    }

    /// A signed integer, zigzag and LEB128.
    public mutating func signed(_ value: Int64) {
        check(BinaryAppender.integerBytes)
        put(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Eight bytes, big-endian.
    public mutating func fixed(_ value: UInt64) {
        check(8)
        place.storeBytes(of: value.bigEndian, as: UInt64.self)
        place += 8
    }

    /// One byte.
    public mutating func byte(_ value: UInt8) {
        check(1)
        place.storeBytes(of: value, as: UInt8.self)
        place += 1
    }

    /// A text's UTF-8 and nothing else.
    public mutating func copy(_ text: String) {
        text.withBytes {
            check($0.count)
            put($0)
        }
    }

    /// Bytes as they are.
    @inlinable @inline(__always)
    public mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        check(bytes.count)
        place.copyMemory(from: source, byteCount: bytes.count)
        place += bytes.count
    }

    /// An integer in decimal digits.
    public mutating func decimal(_ value: Int64) {
        check(BinaryAppender.decimalBytes)
        if value < 0 { byte(UInt8(ascii: "-")) }
        let digits = BinaryAppender.digits(value.magnitude)
        var rest = value.magnitude
        for offset in stride(from: digits - 1, through: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            let text = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            place.storeBytes(of: text, toByteOffset: offset, as: UInt8.self)
            rest = quotient
        }
        place += digits
    }

    /// How many bytes `decimal` writes.
    public static func decimalBytes(of value: Int64) -> Int { (value < 0 ? 1 : 0) + digits(value.magnitude) }

    private static func digits(_ magnitude: UInt64) -> Int {
        var count = 1
        var rest = magnitude
        while rest >= 10 {
            count &+= 1
            rest /= 10
        }
        return count
    }

    @inlinable @inline(__always)
    func check(_ bytes: Int) { precondition(bytes <= end - place, "no room") }

    // MARK: - What there is room for

    @inline(__always)
    private mutating func put(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            place.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            place += 1
            rest >>= 7
        }
        place.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        place += 1
    }

    @inline(__always)
    private mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        place.copyMemory(from: source, byteCount: bytes.count)
        place += bytes.count
    }
}

extension String {
    /// Hands the UTF-8 to `body`, where it lies: nearly always without a call.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        return Array(utf8).withUnsafeBufferPointer(body)
    }
}
