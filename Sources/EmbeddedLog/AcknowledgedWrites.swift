import EventLog
import Glibc
import RocksStore

/// How far the store has been acknowledged, in a small file beside it: what RocksDB alone cannot tell after a crash.
///
/// The end of a write-ahead log that was damaged afterwards can look like a write that a crash has cut short, which is
/// dropped rightly; then acknowledged commits would be dropped with it, in silence. The number in this file is written
/// after each synced write and before anybody is told of it, without a sync of its own: it survives the process, and after
/// a loss of power it is at most too low. So it never claims what was not durable.
final class AcknowledgedWrites: Sendable {
    private static let length = 16
    private let path: String
    private let descriptor: Int32

    /// Opens, or begins, the file in a log's directory.
    init(_ directory: String) throws(LogError) {
        path = "\(directory)/acknowledged"
        descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw LogError(
                errno == ENOSPC || errno == EDQUOT ? .full : .misconfigured,
                "cannot open \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Throws `.corrupt` where the store has lost something that was acknowledged.
    func check(_ database: RocksDatabase) throws(LogError) {
        guard let recorded, recorded > database.sequence else { return }
        throw LogError(
            .corrupt,
            "the store ends at write \(database.sequence), but \(recorded) was acknowledged: the end of its write-ahead log "
                + "is damaged (where an older copy was put there on purpose, remove \(path))")
    }

    /// Everything up to this write is durable.
    func note(_ sequence: UInt64) {
        var bytes: [UInt8] = []
        for number in [sequence, AcknowledgedWrites.check(of: sequence)] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        // Where this fails the number stays too low, which costs evidence and nothing else.
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    /// What the file says; nil where it says nothing, or is damaged itself.
    private var recorded: UInt64? {
        var bytes = [UInt8](repeating: 0, count: AcknowledgedWrites.length)
        guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        let sequence = number(0..<8)
        return number(8..<16) == AcknowledgedWrites.check(of: sequence) ? sequence : nil
    }

    private static func check(of sequence: UInt64) -> UInt64 {
        (sequence ^ 0x5377_6974_6368_7964) &* 0x9E37_79B9_7F4A_7C15
    }
}
