import Glibc
import YAMLDocument

/// Why a policy is refused: every fault that was found, in the order of the files.
public struct PolicyFaults: Error, Hashable, Sendable, CustomStringConvertible {
    /// The faults, each with file, line and key.
    public let faults: [YAMLError]

    /// A refusal.
    public init(_ faults: [YAMLError]) { self.faults = faults }

    /// One fault a line.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// The files of a policy folder, read as one: either all of one state of the folder, or a fault.
public struct PolicySources: Sendable {
    /// A file.
    public struct File: Hashable, Sendable {
        /// Its path below the folder: `partners/bank-a.yaml`.
        public let path: String
        /// Its bytes.
        public let bytes: [UInt8]

        /// A file.
        public init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// What errors put before the paths: the folder as the caller named it.
    public let directory: String
    /// The YAML files, by path.
    public let files: [File]

    /// Files from elsewhere than a folder, for tests.
    public init(directory: String, files: [File]) {
        self.directory = directory
        self.files = files.sorted { $0.path < $1.path }
    }

    /// How errors name a file.
    func name(_ path: String) -> String { directory.isEmpty ? path : "\(directory)/\(path)" }

    /// Reads the folder: all files named `*.yaml` in it and in the folders directly below; what begins with a dot is
    /// passed over. Looks again afterwards: where anything changed meanwhile it reads anew, up to five times, so that a
    /// folder that is being written or swapped is never read half and half. Blocks the calling thread.
    public static func read(_ directory: String) throws(PolicyFaults) -> PolicySources {
        for _ in 0..<5 {
            let before = try PolicyFolder.list(directory)
            var files: [File] = []
            var total = 0
            for entry in before {
                do throws(FileFault) {
                    let bytes = try FileBytes.read("\(directory)/\(entry.path)", limit: 4_194_304)
                    total += bytes.count
                    files.append(File(path: entry.path, bytes: bytes))
                } catch {
                    // Deleted since it was listed: the second look will differ. Anything else stays wrong.
                    if try PolicyFolder.list(directory) == before {
                        throw fault(error.path, "cannot be read: \(error.reason)")
                    }
                }
            }
            guard total <= 67_108_864 else { throw fault(directory, "holds more than 64 MiB of YAML") }
            if files.count == before.count, try PolicyFolder.list(directory) == before {
                return PolicySources(directory: directory, files: files)
            }
            usleep(20_000)
        }
        throw fault(directory, "changes while it is read", hint: "try again when it is written")
    }

    static func fault(_ path: String, _ message: String, hint: String = "") -> PolicyFaults {
        PolicyFaults([YAMLError(file: path, mark: nil, message: message, hint: hint)])
    }
}

/// Lists folders.
private enum PolicyFolder {
    /// A file with what changes when it does.
    struct Entry: Hashable {
        let path: String
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    static let maximumFiles = 2_000

    /// The YAML files of a folder and of those directly below, by path.
    static func list(_ directory: String) throws(PolicyFaults) -> [Entry] {
        var entries: [Entry] = []
        for name in try names(directory) {
            let path = "\(directory)/\(name)"
            if name.hasSuffix(".yaml") {
                if let entry = entry(path, as: name) { entries.append(entry) }
            } else if isDirectory(path) {
                for inner in try names(path) where inner.hasSuffix(".yaml") {
                    if let entry = entry("\(path)/\(inner)", as: "\(name)/\(inner)") { entries.append(entry) }
                }
            }
            guard entries.count <= maximumFiles else {
                throw PolicySources.fault(directory, "holds more than \(maximumFiles) YAML files")
            }
        }
        return entries.sorted { $0.path < $1.path }
    }

    private static func names(_ directory: String) throws(PolicyFaults) -> [String] {
        guard let handle = opendir(directory) else {
            throw PolicySources.fault(
                directory, "cannot be read: \(FileBytes.reason(errno))",
                hint: "the policy folder is the argument, or routing.directory of the configuration")
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func entry(_ path: String, as name: String) -> Entry? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Entry(
            path: name, inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
