/// Bytes compared with text where they lie: no string is made of what only has to be recognised.
extension RawSpan {
    /// Whether all bytes are ASCII.
    var isASCII: Bool {
        var high: UInt64 = 0
        var index = 0
        while index &+ 8 <= byteCount {
            high |= unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < byteCount {
            high |= UInt64(unsafeLoad(fromByteOffset: index, as: UInt8.self))
            index &+= 1
        }
        return high & 0x8080_8080_8080_8080 == 0
    }

    /// Whether the bytes are the literal's UTF-8.
    func isEqual(to text: StaticString) -> Bool {
        text.withUTF8Buffer { isEqual(to: UnsafeRawBufferPointer($0)) }
    }

    /// Whether the bytes are the text's UTF-8.
    func isEqual(to text: String) -> Bool {
        if let isEqual = text.utf8.withContiguousStorageIfAvailable({ isEqual(to: UnsafeRawBufferPointer($0)) }) {
            return isEqual
        }
        return withUnsafeBytes { $0.elementsEqual(text.utf8) }
    }

    private func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard byteCount == other.count else { return false }
        var index = 0
        while index &+ 8 <= byteCount {
            let left = unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if left != other.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
            index &+= 8
        }
        while index < byteCount {
            if unsafeLoad(fromByteOffset: index, as: UInt8.self) != other[index] { return false }
            index &+= 1
        }
        return true
    }
}
