import Glibc

/// A key, token or password. Never described, never dumped, overwritten when the last owner lets go.
///
/// Copies share one storage, so that there is one place to overwrite. What is taken out by `withBytes` and kept is the
/// taker's to clean.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Unchecked because of the pointer: it is written once, before anyone else can see it, read only after that,
    /// and freed with the last reference.
    private final class Storage: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer

        init(_ source: UnsafeRawBufferPointer) {
            bytes = .allocate(byteCount: source.count, alignment: 1)
            bytes.copyMemory(from: source)
        }

        deinit {
            // Unlike memset, this is not optimised away.
            if let start = bytes.baseAddress { explicit_bzero(start, bytes.count) }
            bytes.deallocate()
        }
    }

    private let storage: Storage

    /// A secret of these bytes, which are copied.
    public init(_ bytes: [UInt8]) {
        storage = bytes.withUnsafeBytes { Storage($0) }
    }

    /// A secret of a text's UTF-8 bytes.
    public init(utf8 text: String) {
        var text = text
        storage = text.withUTF8 { Storage(UnsafeRawBufferPointer($0)) }
    }

    /// How many bytes there are.
    public var count: Int { storage.bytes.count }

    /// Whether there are none.
    public var isEmpty: Bool { storage.bytes.isEmpty }

    /// Gives the bytes for the time of the call, to the one place that needs them (a HMAC, a header).
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Whether these are the secret's bytes, in a time that depends on the lengths only.
    public func matches(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { equals($0) } }

    /// Whether two secrets are equal, in a time that depends on their lengths only.
    public static func == (left: Secret, right: Secret) -> Bool {
        left.equals(UnsafeRawBufferPointer(right.storage.bytes))
    }

    private func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<count { difference |= storage.bytes[index] ^ other[index] }
        return difference == 0
    }

    /// Hashes the bytes, with the process's own seed.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes: UnsafeRawBufferPointer(storage.bytes)) }

    /// Always `<redacted>`.
    public var description: String { "<redacted>" }
    /// Always `<redacted>`.
    public var debugDescription: String { description }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
