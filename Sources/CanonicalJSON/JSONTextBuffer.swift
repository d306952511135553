/// The memory that a `JSONWriter` writes into: the end of the array that the text is for, and when that is full memory of
/// its own. All pointers of the writer are here: nothing is written before `reserve` has made room for it, and nobody
/// else uses the memory meanwhile.
struct JSONTextBuffer: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Whether the text has outgrown the memory that it began in; then it is in memory of its own.
    private(set) var isOwned: Bool
    /// How many bytes have been written. Only ever made smaller from outside.
    var count = 0

    /// Begins in memory that somebody else owns and that outlives this.
    init(_ memory: UnsafeMutableBufferPointer<UInt8>) {
        if let start = memory.baseAddress {
            (base, capacity, isOwned) = (start, memory.count, false)
        } else {
            (base, capacity, isOwned) = (.allocate(capacity: 64), 64, true)
        }
    }

    deinit {
        if isOwned { base.deallocate() }
    }

    /// Appends all that has been written.
    func append(to buffer: inout [UInt8]) {
        buffer.append(contentsOf: UnsafeBufferPointer(start: base, count: count))
    }

    /// Makes room for so many bytes more.
    @inline(__always)
    mutating func reserve(_ bytes: Int) {
        if capacity &- count < bytes { grow(bytes) }
    }

    @inline(never)
    private mutating func grow(_ bytes: Int) {
        capacity = max(2 * capacity, count + bytes)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.initialize(from: base, count: count)
        if isOwned { base.deallocate() }
        base = larger
        isOwned = true
    }

    // MARK: - Pieces for which there is room

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        base[count] = byte
        count &+= 1
    }

    /// Short pieces, which most are, are copied in two overlapping words instead of by a call.
    @inline(__always)
    mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        let from = UnsafeRawPointer(source)
        let to = UnsafeMutableRawPointer(base + count)
        let length = bytes.count
        if length > 16 {
            to.copyMemory(from: from, byteCount: length)
        } else if length >= 8 {
            let head = from.loadUnaligned(as: UInt64.self)
            let tail = from.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
            to.storeBytes(of: head, as: UInt64.self)
            to.storeBytes(of: tail, toByteOffset: length &- 8, as: UInt64.self)
        } else if length >= 4 {
            let head = from.loadUnaligned(as: UInt32.self)
            let tail = from.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
            to.storeBytes(of: head, as: UInt32.self)
            to.storeBytes(of: tail, toByteOffset: length &- 4, as: UInt32.self)
        } else {
            for index in 0..<length { base[count &+ index] = source[index] }
        }
        count &+= length
    }

    @inline(__always)
    mutating func put(literal: StaticString) { literal.withUTF8Buffer { put($0) } }

    mutating func put(decimal value: Int64) {
        if value < 0 { put(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        var digits = 1
        var bound: UInt64 = 10
        while digits < 19, magnitude >= bound {
            digits &+= 1
            bound &*= 10
        }
        var rest = magnitude
        var place = count &+ digits
        count = place
        for _ in 0..<digits {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            place &-= 1
            base[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
    }

    /// Moves what was written from a place on behind a literal.
    mutating func insert(_ literal: StaticString, at place: Int) {
        let length = literal.utf8CodeUnitCount
        let to = UnsafeMutableRawPointer(base + place)
        // Overlapping ranges: moved, not copied.
        (to + length).copyMemory(from: to, byteCount: count &- place)
        let end = count &+ length
        count = place
        put(literal: literal)
        count = end
    }

    // MARK: - Pieces that make room for themselves

    /// Makes room for a comma and so many bytes, and sets the comma where one is due.
    @inline(__always)
    mutating func separate(_ bytes: Int) {
        reserve(bytes &+ 1)
        guard count > 0 else { return }
        switch base[count &- 1] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
        default: put(UInt8(ascii: ","))
        }
    }

    /// A member's name with its comma and colon, and room for so many bytes of its value.
    @inline(__always)
    mutating func name(_ name: StaticString, _ bytes: Int) {
        separate(name.utf8CodeUnitCount &+ bytes &+ 3)
        put(UInt8(ascii: "\""))
        put(literal: name)
        put(UInt8(ascii: "\""))
        put(UInt8(ascii: ":"))
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        put(byte)
    }

    mutating func append(literal: StaticString) {
        reserve(literal.utf8CodeUnitCount)
        put(literal: literal)
    }

    /// A string in quotes, escaped where it must be.
    mutating func put(quoted value: String) {
        value.withBytes { bytes in
            reserve(bytes.count &+ 2)
            put(UInt8(ascii: "\""))
            if JSONText.mustEscape(bytes) { return putEscaped(bytes) }
            put(bytes)
            put(UInt8(ascii: "\""))
        }
    }

    /// What follows a string's first quote, with escapes.
    @inline(never)
    private mutating func putEscaped(_ bytes: UnsafeBufferPointer<UInt8>) {
        var quoted: [UInt8] = []
        JSONText.appendQuoted(bytes, to: &quoted)
        put(collection: quoted[1...])
    }

    mutating func put(collection bytes: some Collection<UInt8>) {
        reserve(bytes.count)
        for byte in bytes { put(byte) }
    }
}
