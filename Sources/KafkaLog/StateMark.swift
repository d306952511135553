import KafkaTransport
import RecordFormat

/// The last record of the state topic that the local copy holds, by which a topic of the same name that was created anew
/// is told from the one that the copy was made of. Offsets alone do not tell them apart, and brokers tell the topic's
/// id only to newer clients.
struct StateMark: Equatable, Sendable {
    /// Where the record lies.
    var offset: Int64
    /// FNV-1a of its key.
    var key: UInt64
    /// FNV-1a of key and value.
    var content: UInt64

    init(offset: Int64, key: UInt64, content: UInt64) {
        self.offset = offset
        self.key = key
        self.content = content
    }

    /// The mark of a record; an empty value stands for a tombstone.
    init(offset: Int64, key: some Sequence<UInt8>, value: some Sequence<UInt8>) {
        self.offset = offset
        self.key = StateMark.hash(key, StateMark.seed)
        content = StateMark.hash(value, self.key)
    }

    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    private static func hash(_ bytes: some Sequence<UInt8>, _ start: UInt64) -> UInt64 {
        var hash = start
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    /// What is known of the topic while its tail is read.
    enum Proof {
        /// It is the one, or nothing was kept that could say otherwise.
        case given
        /// Not yet known.
        case open(StateMark)
        /// The record is gone. Compaction takes it only where a later one of the same key follows.
        case gone(StateMark)
        /// Another record lies in its place.
        case refuted

        init(_ mark: StateMark?) { self = mark.map { .open($0) } ?? .given }

        /// Where to begin reading for it; nil where nothing need be read.
        var from: Int64? { if case .open(let mark) = self { mark.offset } else { nil } }

        var isGiven: Bool { if case .given = self { true } else { false } }

        /// Takes a record into account; records come in the order of their offsets, from `from` on.
        mutating func look(at message: borrowing KafkaMessage) {
            switch self {
            case .given, .refuted: return
            case .open(let mark):
                if message.offset == mark.offset {
                    self = mark == StateMark(message) ? .given : .refuted
                } else {
                    self = .gone(mark)
                    look(at: message)
                }
            case .gone(let mark):
                if StateMark(message).key == mark.key { self = .given }
            }
        }
    }

    private init(_ message: borrowing KafkaMessage) {
        var key: [UInt8] = []
        var value: [UInt8] = []
        if let bytes = message.key { key = bytes.withUnsafeBytes { Array($0) } }
        if let bytes = message.value { value = bytes.withUnsafeBytes { Array($0) } }
        self.init(offset: message.offset, key: key, value: value)
    }
}
