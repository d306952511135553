/// Ways to give a child process a device that runs full.
public enum FullDisk: String, CaseIterable, Sendable, CustomStringConvertible {
    /// A small tmpfs in a mount namespace of the child's own: a real "no space left on device", gone with the child.
    /// Needs util-linux's `unshare` and the right to use it.
    case tmpfs
    /// A limit on the size of files (`setrlimit`): every process may have it; writes fail with "file too large".
    case fileSizeLimit

    /// The way's name.
    public var description: String { rawValue }

    /// Starts `program COMMAND DIRECTORY/data ROOM` where `DIRECTORY` runs full after about `mebibytes`; the program
    /// gets in `ROOM` what makes room again: `rlimit`, or a file to remove.
    public func start(
        _ program: String, _ command: String, in directory: TemporaryDirectory, mebibytes: Int
    ) throws -> ChildProcess {
        let script: String
        let room: String
        switch self {
        case .tmpfs:
            room = directory.appending("ballast")
            script = """
                mount -t tmpfs -o size=\(mebibytes + 16)m tmpfs "$1" && head -c 16777216 /dev/zero > "$1/ballast" \
                && shift && exec "$@"
                """
            return try ChildProcess(
                "/usr/bin/env",
                [
                    "unshare", "-rm", "sh", "-c", script, "sh", directory.path, program, command,
                    directory.appending("data"), room,
                ])
        case .fileSizeLimit:
            // 512-byte blocks in POSIX, 1 KiB in some shells: bash is asked for by name.
            script = "ulimit -S -f \(mebibytes * 1_024 / 8) && exec \"$@\""
            return try ChildProcess(
                "/usr/bin/env",
                ["bash", "-c", script, "bash", program, command, directory.appending("data"), "rlimit"])
        }
    }

    /// Whether this machine allows it.
    public func isAvailable() async throws -> Bool {
        guard self == .tmpfs else { return true }
        let trial = try ChildProcess("/usr/bin/env", ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        return try await trial.exitStatus(within: 10) == 0
    }
}
