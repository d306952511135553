import Glibc

/// Why a file could not be read.
public struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path as asked for.
    public let path: String
    /// The reason in words: `No such file or directory`.
    public let reason: String

    /// A fault of a file.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// `path: reason`.
    public var description: String { "\(path): \(reason)" }
}

/// Reads whole small files, for configuration and policy. Blocks the calling thread.
public enum FileBytes {
    /// The bytes of the file at `path`, at most `limit` of them; a larger file is a fault.
    public static func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(path: path, reason: reason(errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFault(path: path, reason: reason(errno))
            }
            guard bytes.count + count <= limit else {
                throw FileFault(path: path, reason: "is larger than \(limit) bytes")
            }
            bytes.append(contentsOf: chunk[0..<count])
        }
    }

    /// What an error number of the system means.
    public static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}
