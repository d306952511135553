import Glibc

/// Names a directory on this host: device and inode. A command compares it with what the daemon on the port says, so that
/// it never talks to another daemon that has taken the port.
enum LogIdentity {
    /// The directory's name, or nil where there is none.
    static func of(_ directory: String) -> String? {
        var found = stat()
        guard stat(directory, &found) == 0 else { return nil }
        return "\(found.st_dev)-\(found.st_ino)"
    }
}
