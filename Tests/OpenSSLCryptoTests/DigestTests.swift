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

    @Test(arguments: vectors, [1, 7, 64, 4096]) func sha256InPieces(_ vector: (String, String), _ size: Int) throws {
        let bytes = Array(vector.0.utf8.prefix(10_000))
        var context = try HashContext()
        for start in stride(from: 0, to: bytes.count, by: size) {
            try context.update(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(try context.finish() == SHA256.hash(bytes))
    }

    @Test func sha512() throws {
        var context = try HashContext(.sha512)
        try context.update(Array("abc".utf8))
        let digest = try context.finish()
        #expect(
            Hexadecimal.encode(digest)
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    }

    @Test func randomBytes() throws {
        #expect(try secureRandomBytes(0).isEmpty)
        let drawn = try (0..<200).map { _ in try secureRandomBytes(16) }
        #expect(drawn.allSatisfy { $0.count == 16 })
        #expect(Set(drawn).count == 200)
        // Of 25 600 bits about half are ones; ten standard deviations are 800.
        let ones = drawn.joined().reduce(0) { $0 + $1.nonzeroBitCount }
        #expect(abs(ones - 12_800) < 800)
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
