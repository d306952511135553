import OpenSSLCrypto
import PaymentModel

/// SHA-256 for the pure modules, which have none of their own.
enum Hashing {
    private static let hasher = try? SHA256Hasher()

    /// The first 16 bytes. OpenSSL can fail only for want of memory; the process cannot go on without it, because two
    /// different commands must never look the same.
    static let digest: @Sendable ([UInt8]) -> Digest = { bytes in
        guard let half = try? hasher?.firstHalf(of: bytes.span.bytes) else {
            preconditionFailure("SHA-256 is not available")
        }
        return Digest(high: half.high, low: half.low)
    }
}
