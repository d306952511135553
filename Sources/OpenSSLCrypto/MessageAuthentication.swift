import Credentials
import COpenSSL

/// Message authentication by a shared secret (RFC 2104).
public enum HMAC {
    /// The code of `message` under `key`, as long as the function's digest. Throws `CryptoError.failed`.
    public static func code(
        _ message: borrowing RawSpan, key: Secret, function: HashFunction = .sha256
    ) throws(CryptoError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: function.length)
        var length: UInt32 = 0
        let made = message.withUnsafeBytes { message in
            key.withBytes { key in
                // OpenSSL refuses a missing key, but takes an empty one that has an address.
                var none: UInt8 = 0
                return withUnsafePointer(to: &none) { empty in
                    openSSL(function, key, empty, message, &code, &length)
                }
            }
        }
        guard made, Int(length) == function.length else { throw .failed("a message authentication code") }
        return code
    }

    /// The code of `message` under `key`.
    public static func code(
        _ message: [UInt8], key: Secret, function: HashFunction = .sha256
    ) throws(CryptoError) -> [UInt8] {
        try code(message.span.bytes, key: key, function: function)
    }

    /// Whether `code` is that of `message` under `key`, in a time that does not depend on where they differ.
    public static func isValid(
        _ code: [UInt8], for message: borrowing RawSpan, key: Secret, function: HashFunction = .sha256
    ) throws(CryptoError) -> Bool {
        constantTimeEqual(try self.code(message, key: key, function: function), code)
    }

    /// Whether `code` is that of `message` under `key`, in a time that does not depend on where they differ.
    public static func isValid(
        _ code: [UInt8], for message: [UInt8], key: Secret, function: HashFunction = .sha256
    ) throws(CryptoError) -> Bool {
        try isValid(code, for: message.span.bytes, key: key, function: function)
    }

    private static func openSSL(
        _ function: HashFunction, _ key: UnsafeRawBufferPointer, _ empty: UnsafePointer<UInt8>,
        _ message: UnsafeRawBufferPointer, _ code: inout [UInt8], _ length: inout UInt32
    ) -> Bool {
        let start = key.baseAddress ?? UnsafeRawPointer(empty)
        let bytes = message.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? empty
        return COpenSSL.HMAC(
            function.algorithm, start, Int32(key.count), bytes, message.count, &code, &length) != nil
    }
}

/// Whether two byte strings are equal. The time depends on the lengths only, which are no secret.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    guard !left.isEmpty else { return true }
    return CRYPTO_memcmp(left, right, left.count) == 0
}
