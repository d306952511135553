/// A secret (webhook key, token, password). No description, dump or interpolation of it ever shows its bytes.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where a secret comes from. It may be shown: it is a place, not the secret.
    public enum Source: Sendable, Hashable, CustomStringConvertible {
        /// A file; one line end at its end does not belong to the secret.
        case file(String)
        /// An environment variable.
        case environment(String)

        /// `file PATH` or `environment NAME`.
        public var description: String {
            switch self {
            case .file(let path): "file \(path)"
            case .environment(let name): "environment variable \(name)"
            }
        }
    }

    /// Where it comes from; a rotation reads it again from there.
    public let source: Source
    private let bytes: [UInt8]

    /// A secret that came from `source`.
    public init(_ bytes: [UInt8], source: Source) {
        self.bytes = bytes
        self.source = source
    }

    /// Hands the bytes to `body`, for the one place that needs them (a HMAC, a header).
    public func withBytes<Result, Failure: Error>(
        _ body: ([UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }

    /// `<redacted>`, always.
    public var description: String { "<redacted>" }

    /// `<redacted>`, always.
    public var debugDescription: String { "<redacted>" }

    /// Shows nothing to `dump` and to reflection.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
