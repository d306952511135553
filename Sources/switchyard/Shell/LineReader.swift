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
    /// Bytes of a line that is too long, and dropped as it comes.
    private var dropped = 0

    /// A line.
    enum Line: Equatable {
        /// It, without its end.
        case bytes([UInt8])
        /// It is longer than the limit, and has gone by; the next one is read as if it had not been there.
        case tooLong(bytes: Int)

        /// Whether there is nothing on it but spaces.
        var isBlank: Bool {
            guard case .bytes(let bytes) = self else { return false }
            return bytes.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }
    }

    /// Opens a file, or standard input for `-`. A line is held in memory, up to `limit` bytes of it.
    init(_ path: String, limit: Int = 64 << 20) throws(CommandFailure) {
        self.limit = limit
        owns = path != "-"
        descriptor = owns ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        if descriptor < 0 { throw CommandFailure(.usage, "\(path): \(FileBytes.reason(errno))") }
    }

    deinit { if owns { close(descriptor) } }

    /// The next line; nil at the end of the file.
    mutating func next() throws(CommandFailure) -> Line? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let place = start..<end
                start = end + 1
                return finished(place)
            }
            guard !atEnd else {
                guard start < buffer.count || dropped > 0 else { return nil }
                defer { start = buffer.count }
                return finished(start..<buffer.count)
            }
            if buffer.count - start > limit || dropped > 0 {
                dropped += buffer.count - start
                start = buffer.count
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

    /// The line that ends here.
    private mutating func finished(_ place: Range<Int>) -> Line {
        number += 1
        let bytes = dropped + place.count
        dropped = 0
        if bytes > limit { return .tooLong(bytes: bytes) }
        let line = buffer[place]
        return .bytes(Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
    }
}
