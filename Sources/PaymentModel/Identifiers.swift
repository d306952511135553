/// The identity of a payment: the upstream's idempotency key, the subject of every command and event, and the key
/// of every record. 1–128 printable ASCII characters.
public struct PaymentID: Hashable, Sendable, CustomStringConvertible {
    /// The identifier as received.
    public let text: String

    /// The identifier, or nil where it is empty, longer than 128, or not printable ASCII (0x20–0x7E).
    public init?(_ text: String) {
        guard PaymentID.isValid(text.utf8) else { return nil }
        self.text = text
    }

    /// A subject that breaks the rule, as it was received: only to answer the command that it came with (`invalid`,
    /// field `subject`). No payment ever has it.
    public init(invalid text: String) { self.text = text }

    /// Whether the bytes are a valid identifier.
    public static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.withContiguousStorageIfAvailable(isValid(contiguous:))
            ?? Array(bytes).withUnsafeBufferPointer(isValid(contiguous:))
    }

    private static func isValid(contiguous bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count >= 1, bytes.count <= 128 else { return false }
        for byte in bytes where byte < 0x20 || byte > 0x7E { return false }
        return true
    }

    /// The identifier as received.
    public var description: String { text }
}

/// The name of a partner (a provider that moves money), as in the configuration.
public struct PartnerName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name.
    public let text: String
    /// A partner with that name. Whether it exists is the catalogue's to say.
    public init(_ text: String) { self.text = text }
    /// Alphabetical.
    public static func < (left: PartnerName, right: PartnerName) -> Bool { left.text < right.text }
    /// The name.
    public var description: String { text }
}

/// The name of a rail: what moves the money (`sepa-instant`, `card`, …).
public struct Rail: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name.
    public let text: String
    /// A rail with that name. Whether it exists is the catalogue's to say.
    public init(_ text: String) { self.text = text }
    /// Alphabetical.
    public static func < (left: Rail, right: Rail) -> Bool { left.text < right.text }
    /// The name.
    public var description: String { text }
}

/// One way to move money: a rail at a partner.
public struct Route: Hashable, Sendable, CustomStringConvertible {
    /// The partner.
    public var partner: PartnerName
    /// The partner's rail.
    public var rail: Rail
    /// A route.
    public init(partner: PartnerName, rail: Rail) {
        self.partner = partner
        self.rail = rail
    }
    /// `partner/rail`.
    public var description: String { "\(partner.text)/\(rail.text)" }
}

/// 128 bits that stand for something longer: the first half of a SHA-256. Two different inputs never share one in
/// practice; used to recognise repeated commands and equal data without keeping them.
public struct Digest: Hashable, Sendable {
    /// First eight bytes, big-endian.
    public var high: UInt64
    /// Next eight bytes, big-endian.
    public var low: UInt64

    /// A digest from its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// The reference that a partner knows one attempt by: 31 characters of A–Z 0–9 (the contract allows 35), never
/// repeated. It carries the partition hash of the payment id, so that any instance finds a notification's partition,
/// and 100 bits over the payment id, the initiate's source and id and the moment of acceptance.
///
/// Layout: `S`, 7 digits base 32 of the 31-bit partition hash, 20 digits base 32 of the seed, 3 digits base 32 of the
/// attempt's number.
public struct Reference: Hashable, Sendable, CustomStringConvertible {
    /// The reference as partners see it.
    public let text: String

    /// The reference of attempt `attempt` (1…32 767) of a payment.
    public init(partitionHash: UInt32, seed: Digest, attempt: Int) {
        text = String(unsafeUninitializedCapacity: 31) { bytes in
            bytes[0] = UInt8(ascii: "S")
            Reference.write(UInt64(partitionHash), to: bytes, 1..<8)
            Reference.write(seed.high, to: bytes, 8..<20)
            Reference.write(seed.low, to: bytes, 20..<28)
            Reference.write(UInt64(clamping: attempt), to: bytes, 28..<31)
            return 31
        }
    }

    /// The lowest digits of a value, as many as the places take.
    private static func write(_ value: UInt64, to bytes: UnsafeMutableBufferPointer<UInt8>, _ places: Range<Int>) {
        var rest = value
        for place in places.reversed() {
            bytes[place] = digit(rest & 31)
            rest >>= 5
        }
    }

    /// A reference that somebody else tells us; nil where it cannot be one of ours.
    public init?(_ text: String) {
        guard text.utf8.count == 31, text.utf8.first == UInt8(ascii: "S"),
            text.utf8.allSatisfy({ Reference.value(of: $0) != nil || $0 == UInt8(ascii: "S") })
        else { return nil }
        self.text = text
    }

    /// The 31-bit partition hash of the payment id that the reference belongs to.
    public var partitionHash: UInt32 {
        text.utf8.dropFirst().prefix(7).reduce(0) { $0 << 5 | UInt32(Reference.value(of: $1) ?? 0) }
    }

    /// The reference as partners see it.
    public var description: String { text }

    /// A digit of base 32 (RFC 4648 section 7, "extended hex": 0–9 A–V).
    private static func digit(_ value: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: value) &+ (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "A") &- 10)
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "V"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Kafka's default partitioner for keyed records (Java client, `Utils.murmur2` and `toPositive`), so that producers
/// in other languages agree with us.
public enum PartitionHash {
    /// The 31-bit hash of a key.
    @inlinable
    public static func hash(_ key: some Collection<UInt8>) -> UInt32 {
        if let hash = key.withContiguousStorageIfAvailable({ hash(bytes: UnsafeRawBufferPointer($0)) }) { return hash }
        return Array(key).withUnsafeBytes { hash(bytes: $0) }
    }

    @usableFromInline
    static func hash(bytes key: UnsafeRawBufferPointer) -> UInt32 {
        let multiplier: UInt32 = 0x5bd1_e995
        let length = key.count
        var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: length)
        var index = 0
        while index &+ 4 <= length {
            var word = UInt32(littleEndian: key.loadUnaligned(fromByteOffset: index, as: UInt32.self))
            index &+= 4
            word = word &* multiplier
            word ^= word >> 24
            word = word &* multiplier
            hash = hash &* multiplier ^ word
        }
        let rest = length % 4
        if rest > 0 {
            var tail: UInt32 = 0
            for place in 0..<rest { tail |= UInt32(key[index &+ place]) << UInt32(8 &* place) }
            hash = (hash ^ tail) &* multiplier
        }
        hash ^= hash >> 13
        hash = hash &* multiplier
        hash ^= hash >> 15
        return hash & 0x7fff_ffff
    }

    /// The partition of a key among `count` partitions.
    @inlinable
    public static func partition(of key: some Collection<UInt8>, count: Int32) -> Int32 {
        partition(hash: hash(key), count: count)
    }

    /// The partition of a key with that hash among `count` partitions.
    public static func partition(hash: UInt32, count: Int32) -> Int32 {
        Int32(hash % UInt32(max(1, count)))
    }
}
