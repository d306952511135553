import COpenSSL
import Credentials

extension Secret {
    /// A secret given in hexadecimal digits, of either case. Throws `CryptoError.notHexadecimal`.
    public init(hexadecimal text: String) throws(CryptoError) {
        var bytes = try Hexadecimal.decode(text)
        self.init(bytes)
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
