import OpenSSLCrypto
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4 examples and the empty message.
    static let vectors: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test(arguments: vectors) func sha256(_ text: String, _ digest: String) throws {
        #expect(Hexadecimal.encode(try SHA256.hash(Array(text.utf8))) == digest)
    }

    @Test(arguments: vectors) func firstHalf(_ text: String, _ digest: String) throws {
        let hasher = try SHA256Hasher()
        let expected = [String(digest.prefix(16)), String(digest.dropFirst(16).prefix(16))].map {
            UInt64($0, radix: 16)
        }
        // Twice: a context that was used before hashes as a new one does.
        for _ in 0..<2 {
            let half = try hasher.firstHalf(of: Array(text.utf8).span.bytes)
            #expect([half.high, half.low] == expected)
        }
    }

    @Test func hasherIsSharedByThreads() async throws {
        let hasher = try SHA256Hasher()
        let halves = try await withThrowingTaskGroup(of: (Int, UInt64, UInt64).self) { group in
            for number in 0..<64 {
                group.addTask {
                    var half: (high: UInt64, low: UInt64) = (0, 0)
                    for _ in 0..<100 { half = try hasher.firstHalf(of: Array("message \(number)".utf8).span.bytes) }
                    return (number, half.high, half.low)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (number, high, low) in halves {
            let whole = try SHA256.hash(Array("message \(number)".utf8))
            func word(_ start: Int) -> UInt64 { whole[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
            #expect(high == word(0) && low == word(8))
        }
    }

    @Test func hexadecimal() throws {
        let all = (0...255).map(UInt8.init)
        let text = Hexadecimal.encode(all)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
        #expect(try Hexadecimal.decode(text) == all)
        #expect(try Hexadecimal.decode(text.uppercased()) == all)
        #expect(try Hexadecimal.decode("").isEmpty)
        for wrong in ["0", "0g", "0x00", " 00", "00 ", "é0", "0:"] {
            #expect(throws: CryptoError.notHexadecimal) { try Hexadecimal.decode(wrong) }
        }
    }
}
