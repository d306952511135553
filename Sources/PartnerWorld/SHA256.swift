/// SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104) in plain Swift: the partner world has no C library below it, and must
/// hash bodies and sign notifications the same way in a simulation as over a network. Speed matters, secrecy against
/// timing does not: the secrets are those of a test partner.
public struct SHA256Digest: Hashable, Sendable {
    private var words: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

    fileprivate init(_ state: [UInt32]) {
        words = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7])
    }

    private var all: [UInt32] {
        [words.0, words.1, words.2, words.3, words.4, words.5, words.6, words.7]
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        all.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
        }
    }

    /// 64 lower-case hex digits.
    public var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether all bits are the same.
    public static func == (left: SHA256Digest, right: SHA256Digest) -> Bool { left.all == right.all }

    /// Feeds 64 of the bits: they are as good as random.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

/// Hashes bytes as they come.
struct SHA256 {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var schedule = [UInt32](repeating: 0, count: 64)
    private var block: [UInt8] = []
    private var length: UInt64 = 0

    static func digest(of bytes: [UInt8]) -> SHA256Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    mutating func update(_ bytes: [UInt8]) {
        length += UInt64(bytes.count) * 8
        var index = 0
        if !block.isEmpty {
            let taken = min(64 - block.count, bytes.count)
            block.append(contentsOf: bytes[..<taken])
            index = taken
            guard block.count == 64 else { return }
            let full = block
            block.removeAll(keepingCapacity: true)
            compress(full, 0)
        }
        while bytes.count - index >= 64 {
            compress(bytes, index)
            index += 64
        }
        block.append(contentsOf: bytes[index...])
    }

    mutating func finish() -> SHA256Digest {
        let bits = length
        var tail: [UInt8] = [0x80]
        let zeros = (119 - block.count % 64) % 64
        tail.append(contentsOf: repeatElement(0, count: zeros))
        for shift in stride(from: 56, through: 0, by: -8) {
            tail.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        update(tail)
        return SHA256Digest(state)
    }

    private mutating func compress(_ bytes: [UInt8], _ offset: Int) {
        bytes.withUnsafeBufferPointer { bytes in
            SHA256.constants.withUnsafeBufferPointer { constants in
                schedule.withUnsafeMutableBufferPointer { words in
                    state.withUnsafeMutableBufferPointer { state in
                        SHA256.round(bytes, offset, constants, words, state)
                    }
                }
            }
        }
    }

    private static func round(
        _ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int, _ constants: UnsafeBufferPointer<UInt32>,
        _ words: UnsafeMutableBufferPointer<UInt32>, _ state: UnsafeMutableBufferPointer<UInt32>
    ) {
        for index in 0..<16 {
            let at = offset + index * 4
            words[index] =
                UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                | UInt32(bytes[at + 3])
        }
        for index in 16..<64 {
            let early = words[index - 15]
            let late = words[index - 2]
            let first = rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3)
            let second = rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10)
            words[index] = words[index - 16] &+ first &+ words[index - 7] &+ second
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            let choice = (e & f) ^ (~e & g)
            let one = h &+ sum1 &+ choice &+ constants[index] &+ words[index]
            let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e) = (g, f, e, d &+ one)
            (d, c, b, a) = (c, b, a, one &+ sum0 &+ majority)
        }
        for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 section 4.2.2).
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

/// HMAC-SHA256 with a key whose two blocks are prepared once.
package struct HMACSHA256: Sendable {
    private let inner: [UInt8]
    private let outer: [UInt8]

    package init(key: [UInt8]) {
        var block = key.count > 64 ? SHA256.digest(of: key).bytes : key
        block.append(contentsOf: repeatElement(0, count: 64 - block.count))
        inner = block.map { $0 ^ 0x36 }
        outer = block.map { $0 ^ 0x5c }
    }

    package func authenticate(_ bytes: [UInt8]) -> SHA256Digest {
        var first = SHA256()
        first.update(inner)
        first.update(bytes)
        var second = SHA256()
        second.update(outer)
        second.update(first.finish().bytes)
        return second.finish()
    }
}
