import COpenSSL

/// What OpenSSL may refuse: in practice only for want of memory, or where a policy of the host forbids an algorithm.
public enum CryptoError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The named operation failed inside OpenSSL.
    case failed(String)
    /// Not an even number of hexadecimal digits.
    case notHexadecimal

    /// One sentence.
    public var description: String {
        switch self {
        case .failed(let operation): "OpenSSL: \(operation) failed"
        case .notHexadecimal: "not hexadecimal"
        }
    }
}

/// A hash function.
public enum HashFunction: Sendable, Hashable, CaseIterable {
    /// SHA-256 (FIPS 180-4), 32 bytes.
    case sha256
    /// SHA-512 (FIPS 180-4), 64 bytes.
    case sha512

    /// The digest's length in bytes.
    public var length: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        }
    }

    /// Owned by OpenSSL, never freed, never changed.
    var algorithm: OpaquePointer? {
        switch self {
        case .sha256: EVP_sha256()
        case .sha512: EVP_sha512()
        }
    }
}

/// SHA-256 in one go.
public enum SHA256 {
    /// The digest of `bytes`, 32 bytes; about 0.5 µs and then 0.5 ns a byte on a processor with SHA instructions.
    public static func hash(_ bytes: borrowing RawSpan) throws(CryptoError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let code = bytes.withUnsafeBytes {
            EVP_Digest($0.baseAddress, $0.count, &digest, &length, EVP_sha256(), nil)
        }
        guard code == 1, length == 32 else { throw .failed("a hash") }
        return digest
    }

    /// The digest of `bytes`, 32 bytes.
    public static func hash(_ bytes: [UInt8]) throws(CryptoError) -> [UInt8] { try hash(bytes.span.bytes) }
}
