import CanonicalJSON
import Glibc
import Synchronization

/// The two output streams, written whole and flushed at the end of each call.
enum Terminal {
    /// A line on standard output.
    static func line(_ text: String) {
        write(Array(text.utf8) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    /// Bytes on standard output.
    static func bytes(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// A JSON value on a line of its own.
    static func json(_ value: JSONValue) { bytes(value.bytes + [UInt8(ascii: "\n")]) }

    /// A line on standard error.
    static func error(_ text: String) {
        write(Array("\(text)\n".utf8), to: STDERR_FILENO)
    }

    /// Progress that replaces itself on a terminal; elsewhere a line whenever it changes.
    static func progress(_ text: String) {
        if isatty(STDERR_FILENO) == 1 {
            write(Array("\r\u{1B}[K\(text)".utf8), to: STDERR_FILENO)
        } else if lastProgress.withLock({ last in
            defer { last = text }
            return last != text
        }) {
            error(text)
        }
    }

    private static let lastProgress = Mutex("")

    /// Ends a progress line.
    static func endProgress() {
        if isatty(STDERR_FILENO) == 1 { write([UInt8(ascii: "\n")], to: STDERR_FILENO) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            offset += count
        }
    }
}
