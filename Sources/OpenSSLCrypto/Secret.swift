import COpenSSL

/// Bytes that must not be seen: never described, never dumped, overwritten when the last owner lets go.
///
/// Copies share one storage, so that there is one place to overwrite. What is taken out by `withBytes` and kept is the
/// taker's to clean.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
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
            OPENSSL_cleanse(bytes.baseAddress, bytes.count)
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

    /// A secret given in hexadecimal digits, of either case. Throws `CryptoError.notHexadecimal`.
    public init(hexadecimal text: String) throws(CryptoError) {
        var bytes = try Hexadecimal.decode(text)
        self.init(bytes)
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    /// How many bytes there are.
    public var count: Int { storage.bytes.count }

    /// Whether there are none.
    public var isEmpty: Bool { storage.bytes.isEmpty }

    /// Gives the bytes for the time of the call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Whether two secrets are equal, in a time that depends on their lengths only.
    public func isEqual(to other: Secret) -> Bool {
        guard count == other.count else { return false }
        return count == 0 || CRYPTO_memcmp(storage.bytes.baseAddress, other.storage.bytes.baseAddress, count) == 0
    }

    /// Always `<redacted>`.
    public var description: String { "<redacted>" }
    /// Always `<redacted>`.
    public var debugDescription: String { description }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
