import COpenSSL
import Glibc

/// The server side of TLS, with HTTP/2 as the only protocol on offer. Unchecked: an `SSL_CTX` that is no longer changed
/// may be used by many threads.
final class TLSContext: @unchecked Sendable {
    fileprivate let raw: OpaquePointer?

    init(_ certificates: Certificates, _ name: String) {
        // A peer that resets must not end the test process.
        signal(SIGPIPE, SIG_IGN)
        raw = SSL_CTX_new(TLS_server_method())
        SSL_CTX_use_certificate_chain_file(raw, certificates.path("\(name).pem"))
        SSL_CTX_use_PrivateKey_file(raw, certificates.path("\(name).key"), SSL_FILETYPE_PEM)
        SSL_CTX_set_alpn_select_cb(
            raw,
            { _, out, length, offered, offeredLength, _ in
                let h2: [UInt8] = [2, 0x68, 0x32]
                var chosen: UnsafeMutablePointer<UInt8>?
                let found = SSL_select_next_proto(&chosen, length, h2, 3, offered, offeredLength)
                guard found == OPENSSL_NPN_NEGOTIATED, let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                // What is chosen must outlive this call: point into what the client offered.
                for index in 0..<Int(offeredLength) - 1 where offered[index] == 0x68 && offered[index + 1] == 0x32 {
                    out?.pointee = offered + index
                }
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    deinit { SSL_CTX_free(raw) }
}

/// One TLS connection; used by its own thread only.
final class TLSSession {
    private let raw: OpaquePointer?

    init(_ context: TLSContext, _ descriptor: Int32) {
        raw = SSL_new(context.raw)
        SSL_set_fd(raw, descriptor)
        SSL_accept(raw)
    }

    deinit { SSL_free(raw) }

    func read(_ chunk: inout [UInt8]) -> Int { max(0, Int(SSL_read(raw, &chunk, Int32(chunk.count)))) }

    func write(_ bytes: [UInt8]) -> Bool { SSL_write(raw, bytes, Int32(bytes.count)) > 0 }

    func end() { SSL_shutdown(raw) }
}
