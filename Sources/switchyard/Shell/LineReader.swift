import Glibc
import YAMLDocument

/// Reads lines of bytes without changing them.
struct LineReader: ~Copyable {
    private let descriptor: Int32
    private let owns: Bool
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var atEnd = false
    /// Number of the line that was read last, from 1.
    private(set) var number = 0

    /// Opens a file, or standard input for `-`. A line longer than `limit` bytes is a fault: it is held in memory.
    init(_ path: String, limit: Int = 64 << 20) throws(CommandFailure) {
        self.limit = limit
        owns = path != "-"
        descriptor = owns ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        if descriptor < 0 { throw CommandFailure(.usage, "\(path): \(FileBytes.reason(errno))") }
    }

    deinit { if owns { close(descriptor) } }

    /// The next line without its end; nil at the end of the file.
    mutating func next() throws(CommandFailure) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = buffer[start..<end]
                if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
                start = end + 1
                number += 1
                return Array(line)
            }
            guard !atEnd else {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                number += 1
                return Array(buffer[start...])
            }
            guard buffer.count - start <= limit else {
                throw CommandFailure(.wrong, "line \(number + 1): longer than \(limit >> 20) MiB")
            }
            searched = buffer.count - start
            buffer.removeSubrange(..<start)
            start = 0
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                throw CommandFailure(
                    .usage, "line \(number + 1): the input cannot be read: \(FileBytes.reason(errno))")
            }
            if count == 0 { atEnd = true }
            buffer.append(contentsOf: chunk[..<max(0, count)])
        }
    }
}
