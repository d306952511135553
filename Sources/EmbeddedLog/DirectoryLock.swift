import EventLog
import Glibc

/// The right to be the only process in a log's directory, held from opening to closing.
///
/// RocksDB's own lock is not enough: it is released for a moment when the store is reopened after a full disk. The
/// kernel releases this one when its holder dies, never earlier: who gets it knows that the owner before is dead.
struct DirectoryLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock of `directory`, which must exist, without waiting.
    init(_ directory: String) throws(LogError) {
        let path = "\(directory)/owner.lock"
        let file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw LogError(.misconfigured, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = DirectoryLock.holder(file)
            close(file)
            guard code == EWOULDBLOCK else {
                throw LogError(.misconfigured, "cannot lock \(path): \(String(cString: strerror(code)))")
            }
            throw LogError(.heldElsewhere, "directory \(directory) is in use by another process\(holder)")
        }
        // For the message above only; the lock is the kernel's.
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(file, 0)
        _ = pwrite(file, text, text.count, 0)
        descriptor = file
    }

    private static func holder(_ file: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count > 1 else { return "" }
        return " (process \(String(decoding: buffer[..<(count - 1)], as: UTF8.self)))"
    }

    deinit { close(descriptor) }
}
