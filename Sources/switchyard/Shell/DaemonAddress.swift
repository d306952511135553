import Configuration
import Glibc
import YAMLDocument

/// Where the daemon that holds a directory really listens: it leaves its address there, so that commands find it also
/// where the configuration lets the system choose the port.
enum DaemonAddress {
    private static func path(_ directory: String) -> String { "\(directory)/http.address" }

    /// The address that was left, or nil.
    static func read(_ directory: String) -> HostAndPort? {
        guard let bytes = try? FileBytes.read(path(directory), limit: 1_024) else { return nil }
        return HostAndPort(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// Leaves the address, whole or not at all. A directory that cannot be written is found by the log.
    static func write(_ address: HostAndPort, directory: String) {
        let temporary = path(directory) + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        let text = Array("\(address)\n".utf8)
        let written = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        if written == text.count { rename(temporary, path(directory)) } else { unlink(temporary) }
    }

    /// Takes it away at an orderly end.
    static func remove(_ directory: String) { unlink(path(directory)) }
}
