import OpenSSLCrypto
import PaymentModel

/// SHA-256 for the pure modules, which have none of their own.
enum Hashing {
    /// The first 16 bytes. OpenSSL can fail only for want of memory; the process cannot go on without it, because two
    /// different commands must never look the same.
    static let digest: @Sendable ([UInt8]) -> Digest = { bytes in
        guard let hash = try? SHA256.hash(bytes) else { preconditionFailure("SHA-256 is not available") }
        func word(_ start: Int) -> UInt64 { hash[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        return Digest(high: word(0), low: word(8))
    }
}
