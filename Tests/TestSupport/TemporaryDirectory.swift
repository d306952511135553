import Foundation

/// A directory of its own below the system's temporary one, removed with the last reference.
public final class TemporaryDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Makes it. Traps where the temporary directory cannot be written: no test could run then.
    public init(_ purpose: String = "test") {
        let base = FileManager.default.temporaryDirectory.path
        path = "\(base)/switchyard-\(purpose)-\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            fatalError("no temporary directory: \(error)")
        }
    }

    /// The path of something inside.
    public func appending(_ name: String) -> String { "\(path)/\(name)" }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
