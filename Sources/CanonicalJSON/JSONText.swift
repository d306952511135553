/// The text inside of strings: escapes taken off, compared, put on.
enum JSONText {
    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Appends the string's UTF-8 without escapes. Half a surrogate pair becomes U+FFFD.
    static func decode(_ input: Span<UInt8>, _ range: Range<Int>, into bytes: inout [UInt8]) {
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = input[position]
            guard byte == UInt8(ascii: "\\"), position + 1 < range.upperBound else {
                bytes.append(byte)
                position += 1
                continue
            }
            let code = input[position + 1]
            position += 2
            switch code {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"): appendScalar(input, &position, range.upperBound, into: &bytes)
            default: bytes.append(code)
            }
        }
    }

    private static func unit(_ input: Span<UInt8>, _ position: Int, _ end: Int) -> UInt32? {
        guard position + 4 <= end else { return nil }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = hexDigit(input[position + offset]) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    private static func appendScalar(
        _ input: Span<UInt8>, _ position: inout Int, _ end: Int, into bytes: inout [UInt8]
    ) {
        guard var value = unit(input, position, end) else { return }
        position += 4
        if (0xD800...0xDBFF).contains(value), position + 6 <= end, input[position] == UInt8(ascii: "\\"),
            input[position + 1] == UInt8(ascii: "u"), let low = unit(input, position + 2, end),
            (0xDC00...0xDFFF).contains(low)
        {
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            position += 6
        }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        bytes.append(contentsOf: Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
    }

    /// Whether two runs of so many bytes are the same.
    @inline(__always)
    static func equal(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        let left = UnsafeRawPointer(left)
        let right = UnsafeRawPointer(right)
        if length >= 8 {
            var index = 0
            while index &+ 8 < length {
                if !equal(UInt64.self, left, right, at: index) { return false }
                index &+= 8
            }
            return equal(UInt64.self, left, right, at: length &- 8)
        }
        if length >= 4 {
            return equal(UInt32.self, left, right, at: 0) && equal(UInt32.self, left, right, at: length &- 4)
        }
        for index in 0..<length where !equal(UInt8.self, left, right, at: index) { return false }
        return true
    }

    @inline(__always)
    private static func equal<Word: FixedWidthInteger & BitwiseCopyable>(
        _: Word.Type, _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, at offset: Int
    ) -> Bool {
        left.loadUnaligned(fromByteOffset: offset, as: Word.self)
            == right.loadUnaligned(fromByteOffset: offset, as: Word.self)
    }

    /// Whether two strings are the same text.
    @inline(__always)
    static func equal(_ input: Span<UInt8>, _ left: TapeEntry, _ right: TapeEntry) -> Bool {
        if !left.special, !right.special {
            guard left.length == right.length else { return false }
            let first = Int(left.start)
            let second = Int(right.start)
            for index in 0..<Int(left.length) where input[first + index] != input[second + index] { return false }
            return true
        }
        return compare(input, left, right) == 0
    }

    /// Negative, 0 or positive by UTF-16 code units, the order of RFC 8785.
    static func compare(_ input: Span<UInt8>, _ left: TapeEntry, _ right: TapeEntry) -> Int {
        if !left.special, !right.special {
            return compare(input.extracting(left.range), input.extracting(right.range))
        }
        var first: [UInt8] = []
        var second: [UInt8] = []
        decode(input, left.range, into: &first)
        decode(input, right.range, into: &second)
        return compare(first.span, second.span)
    }

    /// Negative, 0 or positive by UTF-16 code units of two texts in UTF-8. The two orders differ in one place only:
    /// characters beyond U+FFFF are written with surrogates (U+D800…) and so come before U+E000…U+FFFF.
    static func compare(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        let shared = min(left.count, right.count)
        for index in 0..<shared where left[index] != right[index] {
            return utf16Rank(left[index]) - utf16Rank(right[index])
        }
        return left.count - right.count
    }

    /// The first eight bytes as `compare` ranks them, in one word: where two differ, the texts compare as they do.
    @inline(__always)
    static func sortedPrefix(_ text: Span<UInt8>) -> UInt64 {
        let count = min(text.count, 8)
        if count == 8 {
            // No byte above 0x7F: the bytes rank as they are.
            let word = UInt64(bigEndian: text.bytes.unsafeLoadUnaligned(as: UInt64.self))
            if word & 0x8080_8080_8080_8080 == 0 { return word }
        }
        var prefix: UInt64 = 0
        for index in 0..<count { prefix = prefix << 8 | UInt64(utf16Rank(text[index])) }
        return count == 0 ? 0 : prefix << UInt64(64 - 8 * count)
    }

    @inline(__always)
    private static func utf16Rank(_ byte: UInt8) -> Int {
        switch byte {
        case 0xEE, 0xEF: Int(byte) + 0x10
        default: Int(byte)
        }
    }

    /// Whether a byte must be escaped in a string.
    @inline(__always)
    static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// The first place from `start` on that needs a closer look in a string: a quote, a backslash, a control character
    /// or no ASCII. There must be one, and seven bytes that may be read behind it.
    @inline(__always)
    static func endOfPlain(_ text: UnsafePointer<UInt8>, from start: Int) -> Int {
        let bytes = UnsafeRawPointer(text)
        var index = start
        while true {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let marks = (escapeMarks(word) | word) & highBits
            // The lowest mark is right.
            if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
            index &+= 8
        }
    }

    /// The first eight bytes of a text in one word, fewer in its upper bytes. Eight bytes are read in any case.
    @inline(__always)
    static func firstWord(_ text: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
        let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
        return length >= 8 ? word : word << UInt64(64 &- 8 &* length)
    }

    /// Copies so many bytes; whether any of them must be escaped. Each byte is loaded once, some of the last for the
    /// second time.
    @inline(__always)
    static func copy(_ source: UnsafePointer<UInt8>, to place: UnsafeMutablePointer<UInt8>, _ length: Int) -> Bool {
        let from = UnsafeRawPointer(source)
        let to = UnsafeMutableRawPointer(place)
        var marks: UInt64 = 0
        if length >= 8 {
            var index = 0
            while index &+ 8 < length {
                let word = from.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                to.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
                marks |= escapeMarks(word)
                index &+= 8
            }
            let last = from.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
            to.storeBytes(of: last, toByteOffset: length &- 8, as: UInt64.self)
            marks |= escapeMarks(last)
        } else if length >= 4 {
            let (head, tail) = copyEnds(UInt32.self, from, to, length)
            marks = escapeMarks(UInt64(head) | UInt64(tail) << 32)
        } else {
            var mustEscape = false
            for index in 0..<length {
                let byte = source[index]
                place[index] = byte
                mustEscape = mustEscape || JSONText.mustEscape(byte)
            }
            return mustEscape
        }
        return marks & highBits != 0
    }

    /// Copies as many bytes as one word has up to as many as two have, which overlap: both of them.
    @inline(__always) @discardableResult
    static func copyEnds<Word: BitwiseCopyable>(
        _ word: Word.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ length: Int
    ) -> (head: Word, tail: Word) {
        let last = length &- MemoryLayout<Word>.size
        let head = from.loadUnaligned(as: Word.self)
        let tail = from.loadUnaligned(fromByteOffset: last, as: Word.self)
        to.storeBytes(of: head, as: Word.self)
        to.storeBytes(of: tail, toByteOffset: last, as: Word.self)
        return (head, tail)
    }

    private static let lowBits: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Eight bytes at once: sets the highest bit of each that must be escaped, perhaps of bytes above such a one too, and
    /// no other (after "Bit Twiddling Hacks", S. E. Anderson: a byte that is zero, or below a bound, borrows). The other
    /// bits mean nothing.
    @inline(__always)
    private static func escapeMarks(_ word: UInt64) -> UInt64 {
        let quote = word ^ (lowBits &* UInt64(UInt8(ascii: "\"")))
        let backslash = word ^ (lowBits &* UInt64(UInt8(ascii: "\\")))
        return ((word &- lowBits &* 0x20) | (quote &- lowBits) | (backslash &- lowBits)) & ~word
    }

    /// Appends the string's text, with the escapes of RFC 8785 and no others.
    static func appendEscaped(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        var start = 0
        var index = 0
        while index < text.count {
            if mustEscape(text[index]) {
                bytes.append(contentsOf: text[start..<index])
                appendEscape(text[index], to: &bytes)
                start = index + 1
            }
            index += 1
        }
        bytes.append(contentsOf: text[start...])
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        let short: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): short = byte
        case 0x08: short = UInt8(ascii: "b")
        case 0x09: short = UInt8(ascii: "t")
        case 0x0A: short = UInt8(ascii: "n")
        case 0x0C: short = UInt8(ascii: "f")
        case 0x0D: short = UInt8(ascii: "r")
        default:
            bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
            for digit in [byte >> 4, byte & 15] {
                bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(short)
    }
}
