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
    /// 1 where a comma is due before the next name or element, else 0.
    private var comma = 0

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

    /// Short pieces, which nearly all are, are copied in two overlapping words instead of by a call.
    @inline(__always)
    mutating func put(_ source: UnsafePointer<UInt8>, _ length: Int) {
        let from = UnsafeRawPointer(source)
        let to = UnsafeMutableRawPointer(base + count)
        count &+= length
        if length >= 8 {
            if length > 32 { return to.copyMemory(from: from, byteCount: length) }
            if length >= 16 {
                JSONText.copyEnds(SIMD2<UInt64>.self, from, to, length)
            } else {
                JSONText.copyEnds(UInt64.self, from, to, length)
            }
        } else if length >= 4 {
            JSONText.copyEnds(UInt32.self, from, to, length)
        } else {
            for index in 0..<length { to.storeBytes(of: source[index], toByteOffset: index, as: UInt8.self) }
        }
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let source = bytes.baseAddress { put(source, bytes.count) }
    }

    @inline(__always)
    mutating func put(literal: StaticString) { put(literal.utf8Start, literal.utf8CodeUnitCount) }

    mutating func put(decimal value: Int64) {
        let magnitude = value.magnitude
        if value >= 0, magnitude < 10 { return put(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude)) }
        if value < 0 { put(UInt8(ascii: "-")) }
        var digits = 1
        var bound: UInt64 = 10
        while digits < 19, magnitude >= bound {
            digits &+= 1
            bound &*= 10
        }
        var rest = magnitude
        var place = count &+ digits
        count = place
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            place &-= 1
            base[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest > 0
    }

    // MARK: - Pieces that make room for themselves

    /// Makes room for a comma and so many bytes, and sets the comma where one is due: a byte is written in any case, and
    /// kept where it counts.
    @inline(__always)
    private mutating func separate(_ bytes: Int) {
        reserve(bytes &+ 1)
        base[count] = UInt8(ascii: ",")
        count &+= comma
    }

    /// An element's comma, and room for so many bytes of it.
    @inline(__always)
    mutating func element(_ bytes: Int) {
        separate(bytes)
        comma = 1
    }

    /// A member's name with its comma and colon, and room for so many bytes of its value.
    @inline(__always)
    mutating func name(_ name: StaticString, _ bytes: Int) {
        separate(name.utf8CodeUnitCount &+ bytes &+ 3)
        put(UInt8(ascii: "\""))
        put(literal: name)
        put(UInt8(ascii: "\""))
        put(UInt8(ascii: ":"))
        comma = 1
    }

    /// A bracket that opens, for which there is room.
    @inline(__always)
    mutating func open(_ bracket: UInt8) {
        put(bracket)
        comma = 0
    }

    /// A bracket that closes.
    @inline(__always)
    mutating func close(_ bracket: UInt8) {
        append(bracket)
        comma = 1
    }

    /// The colon after a name that was written as an element.
    mutating func colon() {
        append(UInt8(ascii: ":"))
        valueIsDue()
    }

    /// After a name whose value is written as an element.
    @inline(__always)
    mutating func valueIsDue() { comma = 0 }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        put(byte)
    }

    mutating func append(literal: StaticString) {
        reserve(literal.utf8CodeUnitCount)
        put(literal: literal)
    }

    /// A string in quotes, escaped where it must be.
    @inline(__always)
    mutating func put(quoted value: String) {
        append(UInt8(ascii: "\""))
        put(text: value)
        put(UInt8(ascii: "\""))
    }

    /// A string without quotes, escaped where it must be; and room for one byte more.
    mutating func put(text value: String) {
        // Nothing is called where the text lies: only then is the string not counted up and down again.
        let isDone = value.utf8.withContiguousStorageIfAvailable { putPlain($0) }
        if isDone != true { putSlowly(Array(value.utf8)) }
    }

    /// The same for a text in UTF-8.
    mutating func put(text: UnsafeBufferPointer<UInt8>) {
        if !putPlain(text) { putSlowly(Array(text)) }
    }

    /// A text for which there is room and in which nothing has to be escaped; else nothing. It is copied and looked at in
    /// one go; what has to be escaped, hardly anything, is written anew.
    @inline(__always)
    private mutating func putPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let source = text.baseAddress, text.count < capacity &- count,
            !JSONText.copy(source, to: base + count, text.count)
        else { return false }
        count &+= text.count
        return true
    }

    @inline(never)
    private mutating func putSlowly(_ text: [UInt8]) {
        var escaped: [UInt8] = []
        text.withUnsafeBufferPointer { JSONText.appendEscaped($0, to: &escaped) }
        put(collection: escaped)
        reserve(1)
    }

    mutating func put(collection bytes: some Collection<UInt8>) {
        reserve(bytes.count)
        for byte in bytes { put(byte) }
    }
}
