import EventLog
import PaymentModel
import RocksStore

/// How the log lies in RocksDB. Integers are big-endian, so that keys sort by their value; times have their sign bit
/// flipped for the same reason.
///
/// | family | key | value |
/// |---|---|---|
/// | records | topic (1), partition (4), offset of the first (8) | some records in a row (`RecordChunk`) |
/// | state | partition (4), space (1; body: + 128), entry's key | the encoded state; the body |
/// | timers | partition (4), due (8), space (1), entry's key | nothing |
/// | indexes | `P`, finished (1), status (1), since (8), payment id | parked (1), partition (4), partner |
/// | indexes | `R`, partition (4), reference | payment id |
/// | indexes | `H`, length of key (2), key, offset (8) | how many events of that key stand there in a row (1) |
/// | indexes | `M`, `v` · `M`, `n` | version of this layout (4) · number of partitions (4) |
/// | indexes | `M`, `e`, partition (4) | epoch of the last owner (8) |
/// | indexes | `M`, `p`, topic (1), partition (4) | committed input position (8) |
/// | indexes | `M`, `f`, topic (1), partition (4) | first retained offset (8) |
enum StoreLayout {
    static let version: UInt32 = 2
    static let records = 0
    static let state = 1
    static let timers = 2
    static let indexes = 3

    /// Bloom filters where a key is looked up that may never have been written: states and references.
    static func families(_ options: EmbeddedLogOptions) -> [RocksFamily] {
        let buffers = options.writeBufferBytes
        var timers = RocksFamily("timers", bloomBitsPerKey: 0, writeBufferBytes: buffers / 8)
        // Timers and the operators' index are queues: most of their keys are deleted soon.
        timers.compactsDeletions = true
        var indexes = RocksFamily("indexes", bloomBitsPerKey: 10, writeBufferBytes: buffers / 8)
        indexes.compactsDeletions = true
        return [
            RocksFamily("records", bloomBitsPerKey: 0, writeBufferBytes: buffers / 2, blockBytes: 32 << 10),
            RocksFamily("state", bloomBitsPerKey: 10, writeBufferBytes: buffers / 3),
            timers,
            indexes,
        ]
    }

    static func options(_ options: EmbeddedLogOptions) -> RocksOptions {
        var rocks = RocksOptions()
        rocks.blockCacheBytes = options.blockCacheBytes
        rocks.writeBufferBytes = options.writeBufferBytes
        rocks.maximumOpenFiles = options.maximumOpenFiles
        rocks.turnsStalledWritesAway = true
        rocks.countsOperations = options.countsSyncs
        // Bounds what the next open has to replay after a kill: the log of the write buffers, and some.
        rocks.maximumLogBytes = options.writeBufferBytes + options.writeBufferBytes / 2
        return rocks
    }
}

/// Builds keys; one value serves many, so that a key costs no allocation.
struct KeyBuilder: ~Copyable {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(256) }

    mutating func begin(_ first: UInt8) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(first)
    }

    mutating func begin(partition: Int32) {
        bytes.removeAll(keepingCapacity: true)
        append(UInt32(bitPattern: partition))
    }

    mutating func append(_ value: UInt8) { bytes.append(value) }

    mutating func append(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    mutating func append(_ value: UInt32) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func append(_ value: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func append(_ value: some Collection<UInt8>) { bytes.append(contentsOf: value) }

    mutating func append(_ value: Timestamp) { append(StoreLayout.ordered(value.milliseconds)) }

    mutating func record(_ topic: Topic, _ partition: Int32, _ offset: Int64) {
        begin(topic.rawValue)
        append(UInt32(bitPattern: partition))
        append(UInt64(bitPattern: offset))
    }

    mutating func entry(_ partition: Int32, _ space: StateSpace, body: Bool, _ key: some Collection<UInt8>) {
        begin(partition: partition)
        append(space.rawValue | (body ? 0x80 : 0))
        append(key)
    }

    mutating func timer(_ partition: Int32, _ due: Timestamp, _ space: StateSpace, _ key: some Collection<UInt8>) {
        begin(partition: partition)
        append(due)
        append(space.rawValue)
        append(key)
    }

    mutating func row(_ summary: PaymentSummary, _ key: some Collection<UInt8>) {
        begin(UInt8(ascii: "P"))
        append(UInt8(summary.finished ? 1 : 0))
        append(summary.status)
        append(summary.since)
        append(key)
    }

    mutating func reference(_ partition: Int32, _ reference: some Collection<UInt8>) {
        begin(UInt8(ascii: "R"))
        append(UInt32(bitPattern: partition))
        append(reference)
    }

    mutating func history(_ key: some Collection<UInt8>, _ offset: Int64) {
        begin(UInt8(ascii: "H"))
        append(UInt16(truncatingIfNeeded: key.count))
        append(key)
        append(UInt64(bitPattern: offset))
    }

    mutating func meta(_ kind: Character) {
        begin(UInt8(ascii: "M"))
        append(kind.asciiValue ?? 0)
    }

    mutating func meta(_ kind: Character, _ partition: Int32) {
        meta(kind)
        append(UInt32(bitPattern: partition))
    }

    mutating func meta(_ kind: Character, _ topic: Topic, _ partition: Int32) {
        meta(kind)
        append(topic.rawValue)
        append(UInt32(bitPattern: partition))
    }
}

extension StoreLayout {
    static func ordered(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ (1 << 63) }

    static func bigEndian(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64? {
        guard offset >= 0, offset + 8 <= bytes.count else { return nil }
        return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    static func bigEndian32(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32? {
        guard offset >= 0, offset + 4 <= bytes.count else { return nil }
        return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    static func timestamp(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Timestamp? {
        bigEndian(bytes, at: offset).map { Timestamp(milliseconds: Int64(bitPattern: $0 ^ (1 << 63))) }
    }

    /// The row that a key and value of the operators' index stand for.
    static func row(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> PaymentRow? {
        guard key.count > 11, value.count >= 5, let since = timestamp(key, at: 3),
            let partition = bigEndian32(value, at: 1)
        else { return nil }
        return PaymentRow(
            paymentID: String(decoding: key[11...], as: UTF8.self), partition: Int32(bitPattern: partition),
            summary: PaymentSummary(
                status: key[2], parked: value[0] == 1, finished: key[1] == 1, since: since,
                partner: String(decoding: value[5...], as: UTF8.self)))
    }
}

extension LogError {
    /// What a failed read or open of the store means at the port.
    init(_ error: RocksError) {
        let kind: Kind =
            switch error.kind {
            case .diskFull, .stalled: .full
            case .corruption: .corrupt
            case .lockHeld: .heldElsewhere
            case .missing, .invalidArgument: .misconfigured
            case .readOnly, .needsReopen, .inputOutput, .other: .unavailable
            }
        self.init(kind, error.description)
    }
}
