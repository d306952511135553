import CRocksDB

/// Why the store refused or failed an operation.
///
/// RocksDB's C interface reports a failure as text only; `Kind` is read from the stable head of that text
/// (`Status::ToString`), the rest is kept as `detail`. Keys and values never occur in it.
public struct RocksError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The classes of failure a caller has to tell apart.
    public enum Kind: String, Sendable, Equatable {
        /// The file system has no room left (also: quota used up, file-size limit reached).
        case diskFull
        /// Background work cannot keep up, or not go on (a full disk): nothing was written; the same write may work later.
        case stalled
        /// A checksum or an invariant of the files does not hold.
        case corruption
        /// Another process, or another handle of this process, holds the directory.
        case lockHeld
        /// The database was opened for reading only.
        case readOnly
        /// An earlier write failed; nothing was written now. Close and open again, then read what is there.
        case needsReopen
        /// The directory does not exist or holds no database.
        case missing
        /// A misuse or options that do not fit the directory.
        case invalidArgument
        /// Any other error of the file system.
        case inputOutput
        /// Anything else.
        case other
    }

    /// The class of the failure.
    public let kind: Kind
    /// Which call failed.
    public let operation: String
    /// RocksDB's own words; names files, never contents.
    public let detail: String

    /// Makes an error; used by the store and by tests that inject faults.
    public init(kind: Kind, operation: String, detail: String) {
        self.kind = kind
        self.operation = operation
        self.detail = detail
    }

    /// Makes an error out of RocksDB's status text.
    public init(status: String, operation: String) {
        self.init(kind: RocksError.classify(status), operation: operation, detail: status)
    }

    /// Whether a write that failed with this error certainly left nothing behind.
    /// Every other failed write may or may not be found after the next open.
    public var nothingWasWritten: Bool {
        kind == .needsReopen || kind == .readOnly || kind == .invalidArgument || kind == .stalled
    }

    /// One line for the operator's log.
    public var description: String { "\(operation): \(kind.rawValue): \(detail)" }

    /// Reads the class out of RocksDB's status text.
    static func classify(_ text: String) -> Kind {
        if text.contains("No space left on device") || text.contains("File too large")
            || text.contains("Disk quota exceeded") || text.hasPrefix("Space limit reached")
        {
            return .diskFull
        }
        if text.hasPrefix("Result incomplete: Write stall") { return .stalled }
        if text.hasPrefix("Corruption") { return .corruption }
        if text.contains("While lock file") || text.contains("lock hold by current process") { return .lockHeld }
        if text.contains("Not supported operation in read only mode")
            || text.contains("Not supported operation in secondary mode")
        {
            return .readOnly
        }
        if text.contains("does not exist") || text.contains("No such file or directory") { return .missing }
        if text.hasPrefix("Invalid argument") { return .invalidArgument }
        if text.hasPrefix("IO error") { return .inputOutput }
        return .other
    }
}

/// Runs one C call with an error slot; frees the text and throws where the call set it.
func rocksCall<Result>(
    _ operation: StaticString, _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) throws(RocksError) -> Result {
    var text: UnsafeMutablePointer<CChar>?
    let result = body(&text)
    guard let text else { return result }
    throw consume(text, operation)
}

/// Turns RocksDB's error text into an error and frees it.
func consume(_ text: UnsafeMutablePointer<CChar>, _ operation: StaticString) -> RocksError {
    let detail = String(cString: text)
    rocksdb_free(text)
    return RocksError(status: detail, operation: "\(operation)")
}

extension RawSpan {
    /// The bytes as C wants them: a pointer that is never nil and a length.
    func withCharacters<Result>(_ body: (UnsafePointer<CChar>, Int) -> Result) -> Result {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else {
                // RocksDB asserts that a slice has an address, also an empty one.
                return withUnsafePointer(to: CChar(0)) { body($0, 0) }
            }
            return body(base.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }
}
