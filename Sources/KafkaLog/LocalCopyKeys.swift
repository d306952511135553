import EventLog
import PaymentModel
import RecordFormat

/// Keys of the local copy. Numbers are big-endian and, where signed, biased, so that bytes sort as values do.
enum LocalKey {
    static func partition(_ partition: Int32) -> [UInt8] {
        let value = UInt32(bitPattern: partition)
        return [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }

    static func entry(_ partition: Int32, _ key: some Collection<UInt8>) -> [UInt8] {
        var bytes = self.partition(partition)
        bytes.append(contentsOf: key)
        return bytes
    }

    static func timer(_ partition: Int32, _ due: Timestamp, _ space: StateSpace, _ key: some Collection<UInt8>)
        -> [UInt8]
    {
        var writer = BinaryWriter(self.partition(partition))
        writer.fixed(biased(due.milliseconds))
        writer.byte(space.rawValue)
        return writer.bytes + key
    }

    /// Everything due at or before `through`: the exclusive end of the range.
    static func timersEnd(_ partition: Int32, through: Timestamp) -> [UInt8] {
        var writer = BinaryWriter(self.partition(partition))
        writer.fixed(biased(through.milliseconds))
        writer.byte(UInt8.max)
        return writer.bytes
    }

    static func row(_ finished: Bool, _ since: Timestamp, _ key: some Collection<UInt8>) -> [UInt8] {
        var writer = BinaryWriter([finished ? 1 : 0])
        writer.fixed(biased(since.milliseconds))
        return writer.bytes + key
    }

    static func biased(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ (1 << 63) }
    static func unbiased(_ value: UInt64) -> Int64 { Int64(bitPattern: value ^ (1 << 63)) }

    /// Due time, space and key of a timer's key.
    static func timerParts(_ bytes: UnsafeRawBufferPointer) -> (due: Timestamp, space: StateSpace, key: [UInt8])? {
        guard bytes.count > 13, let space = StateSpace(rawValue: bytes[12]) else { return nil }
        return (Timestamp(milliseconds: unbiased(number(bytes, 4))), space, Array(bytes[13...]))
    }

    static func number(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
