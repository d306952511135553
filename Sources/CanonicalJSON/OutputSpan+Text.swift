/// Whole pieces of text at the end of a span that is being filled: one check of the room for each piece, then one copy.
extension OutputSpan<UInt8> {
    /// Appends bytes as they are. There must be room for them.
    @inlinable @inline(__always)
    public mutating func append(copying text: Span<UInt8>) {
        text.withUnsafeBufferPointer { append(copying: $0) }
    }

    /// Appends a literal's UTF-8. There must be room for it.
    @inlinable @inline(__always)
    public mutating func append(literal text: StaticString) {
        text.withUTF8Buffer { append(copying: $0) }
    }

    /// Appends an integer in decimal digits, at most 20 bytes. There must be room for them.
    public mutating func append(decimal value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: value.magnitude)
    }

    /// Appends an unsigned integer in decimal digits, at most 20 bytes. There must be room for them.
    public mutating func append(decimal value: UInt64) {
        if value < 10 { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)) }
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var first = 20
        var rest = value
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            first &-= 1
            digits[first] &+= UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        append(copying: digits.span.extracting(first..<20))
    }

    /// The only place that writes through a pointer: never beyond the room that is left.
    @inlinable @inline(__always)
    mutating func append(copying text: UnsafeBufferPointer<UInt8>) {
        guard let source = text.baseAddress, text.count > 0 else { return }
        precondition(text.count <= freeCapacity, "no room")
        withUnsafeMutableBufferPointer { buffer, count in
            if let start = buffer.baseAddress {
                (start + count).initialize(from: source, count: text.count)
                count &+= text.count
            }
        }
    }
}

extension String {
    /// Hands the UTF-8 to `body`, where it lies.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        utf8.span.withUnsafeBufferPointer(body)
    }
}
