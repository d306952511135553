import Credentials
import Foundation
import OpenSSLCrypto
import Testing

@Suite struct MessageAuthenticationTests {
    struct Vector: Sendable {
        let key: [UInt8]
        let message: [UInt8]
        let code: String
    }

    /// RFC 4231, test cases 1 to 7 (the fifth one is cut to 128 bits there).
    static let vectors = [
        Vector(
            key: [UInt8](repeating: 0x0B, count: 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            key: [UInt8](repeating: 0xAA, count: 20), message: [UInt8](repeating: 0xDD, count: 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            key: (1...25).map(UInt8.init), message: [UInt8](repeating: 0xCD, count: 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Vector(
            key: [UInt8](repeating: 0x0C, count: 20), message: Array("Test With Truncation".utf8),
            code: "a3b6167473100ee06e0c796c2955552b"),
        Vector(
            key: [UInt8](repeating: 0xAA, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            key: [UInt8](repeating: 0xAA, count: 131),
            message: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]

    @Test(arguments: vectors) func rfc4231(_ vector: Vector) throws {
        let code = Hexadecimal.encode(try HMAC.code(vector.message, key: Secret(vector.key)))
        #expect(code.hasPrefix(vector.code))
    }

    @Test func sha512() throws {
        let code = try HMAC.code(Array("Hi There".utf8), key: Secret(Self.vectors[0].key), function: .sha512)
        #expect(
            Hexadecimal.encode(code)
                == "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854")
    }

    @Test func emptyKeyAndEmptyMessage() throws {
        let code = try HMAC.code([], key: Secret([]))
        #expect(Hexadecimal.encode(code) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func everyFlippedBitIsFound() throws {
        let key = Secret(utf8: "key")
        let message = Array("a notification".utf8)
        let code = try HMAC.code(message, key: key)
        #expect(try HMAC.isValid(code, for: message, key: key))
        for bit in 0..<256 {
            var forged = code
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(try !HMAC.isValid(forged, for: message, key: key))
        }
        #expect(try !HMAC.isValid([], for: message, key: key))
        #expect(try !HMAC.isValid(Array(code.dropLast()), for: message, key: key))
        #expect(try !HMAC.isValid(code + [0], for: message, key: key))
    }

    @Test func constantTimeComparison() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
        #expect(!constantTimeEqual([], [0]))
    }

    @Test func secretsAreNotSeen() throws {
        let secret = Secret(utf8: "whsec_very_secret")
        var seen = "\(secret) \(String(reflecting: secret)) \([secret]) "
        dump(secret, to: &seen)
        dump(["key": secret], to: &seen)
        #expect(!seen.contains("whsec") && !seen.contains("119"))
        #expect(secret.count == 17 && !secret.isEmpty)
        #expect(secret.withBytes { Array($0) } == Array("whsec_very_secret".utf8))
        #expect(secret == Secret(Array("whsec_very_secret".utf8)) && secret.matches(Array("whsec_very_secret".utf8)))
        #expect(secret != Secret(utf8: "whsec_very_secreT") && !secret.matches([]))
        #expect(Secret([]) == Secret(utf8: ""))
        #expect(try Secret(hexadecimal: "00FFa1").withBytes { Array($0) } == [0, 0xFF, 0xA1])
        #expect(throws: CryptoError.notHexadecimal) { try Secret(hexadecimal: "00F") }
    }
}

/// Signatures that partners' own libraries publish; see Vectors/ORIGIN.md.
@Suite struct PartnerSignatureTests {
    struct Entry: Decodable, Sendable {
        let scheme: String
        let key_hex: String?
        let secret: String?
        let body: String?
        let signed_string: String?
        let signature: String?
        let header: String?
        let key_b64url: String?
        let payload: String?
        let jws: String?
        let valid: Bool
    }

    static func entries() throws -> [Entry] {
        let file = try #require(
            Bundle.module.url(forResource: "signature-vectors", withExtension: "json", subdirectory: "Vectors"))
        return try JSONDecoder().decode([Entry].self, from: Data(contentsOf: file))
    }

    @Test func allVerifyAsPublished() throws {
        let entries = try Self.entries()
        #expect(entries.count == 6)
        for entry in entries {
            let (key, message, code) = try parts(entry)
            #expect(try HMAC.isValid(code, for: message, key: key) == entry.valid, "\(entry.scheme)")
        }
    }

    private func parts(_ entry: Entry) throws -> (Secret, [UInt8], [UInt8]) {
        switch entry.scheme.prefix(5) {
        case "adyen":
            let message = try #require(entry.signed_string ?? entry.body)
            let code = try #require(entry.signature.flatMap { Data(base64Encoded: $0) })
            return (try Secret(hexadecimal: try #require(entry.key_hex)), Array(message.utf8), Array(code))
        case "onfid":
            let code = try Hexadecimal.decode(try #require(entry.signature))
            return (Secret(utf8: try #require(entry.secret)), Array(try #require(entry.body).utf8), code)
        case "strip":
            let parts = try #require(entry.header).split(separator: ",").map { $0.split(separator: "=")[1] }
            let message = "\(parts[0]).\(try #require(entry.body))"
            return (Secret(utf8: try #require(entry.secret)), Array(message.utf8), try Hexadecimal.decode(parts[1]))
        default:
            let parts = try #require(entry.jws).split(separator: ".", omittingEmptySubsequences: false)
            let message = "\(parts[0]).\(try #require(entry.payload))"
            return (Secret(try base64URL(try #require(entry.key_b64url))), Array(message.utf8), try base64URL(parts[2]))
        }
    }

    private func base64URL(_ text: some StringProtocol) throws -> [UInt8] {
        var plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Array(try #require(Data(base64Encoded: plain)))
    }
}
