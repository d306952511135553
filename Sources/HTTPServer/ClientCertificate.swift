import CGnuTLS

/// The result of looking at a connection's client certificate.
enum ClientIdentity: Sendable, Equatable {
    /// Plain HTTP, or no client certificate is asked for.
    case notAsked
    /// None was sent, or it does not verify.
    case refused
    /// Signed by one of the authorities, valid now, and meant for clients.
    case verified(subject: String, commonName: String?)
}

/// Verifies what the client sent. The library below only *asks* for a certificate: without this call it would serve a
/// stranger's, and none at all.
func verifyClient(_ session: gnutls_session_t?) -> ClientIdentity {
    guard let session else { return .refused }
    var status: UInt32 = 0
    var purpose = Array(GNUTLS_KP_TLS_WWW_CLIENT.utf8) + [0]
    let result = purpose.withUnsafeMutableBufferPointer { purpose -> Int32 in
        var data = gnutls_typed_vdata_st(type: GNUTLS_DT_KEY_PURPOSE_OID, data: purpose.baseAddress, size: 0)
        return gnutls_certificate_verify_peers(session, &data, 1, &status)
    }
    guard result == GNUTLS_E_SUCCESS, status == 0 else { return .refused }
    return identityOfPeer(session) ?? .refused
}

private func identityOfPeer(_ session: gnutls_session_t) -> ClientIdentity? {
    var count: UInt32 = 0
    guard let certificates = gnutls_certificate_get_peers(session, &count), count > 0 else { return nil }
    var certificate: gnutls_x509_crt_t?
    guard gnutls_x509_crt_init(&certificate) == GNUTLS_E_SUCCESS, let certificate else { return nil }
    defer { gnutls_x509_crt_deinit(certificate) }
    guard gnutls_x509_crt_import(certificate, certificates, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS else {
        return nil
    }
    var name = gnutls_datum_t()
    guard gnutls_x509_crt_get_dn3(certificate, &name, 0) == GNUTLS_E_SUCCESS else { return nil }
    defer { switchyard_gnutls_free(name.data) }
    let subject = String(decoding: UnsafeBufferPointer(start: name.data, count: Int(name.size)), as: UTF8.self)
    let first = commonName(certificate, 0)
    return .verified(subject: subject, commonName: commonName(certificate, 1) == nil ? first : nil)
}

/// The `index`th common name of the subject, its value alone; nil where there is none, or it is longer than X.520 has
/// it (64 characters).
private func commonName(_ certificate: gnutls_x509_crt_t, _ index: UInt32) -> String? {
    var size = 260
    var text = [UInt8](repeating: 0, count: size)
    let result = text.withUnsafeMutableBytes {
        gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, index, 0, $0.baseAddress, &size)
    }
    // The size counts what the name holds, also a zero byte: a name that has one is equal to no configured one.
    guard result == GNUTLS_E_SUCCESS, size > 0, size <= text.count else { return nil }
    return String(validating: text[..<size], as: UTF8.self)
}
