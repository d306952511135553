import CCurl

extension HTTPPoolConfiguration {
    /// Sets what holds for every exchange of the pool; the first option that curl refuses, or nil.
    func firstRefusedOption(_ easy: borrowing EasyHandle, userAgent: String) -> String? {
        let wire: [(String, CURLcode)] = [
            ("CURLOPT_PROTOCOLS_STR", easy.set(CURLOPT_PROTOCOLS_STR, "http,https")),
            ("CURLOPT_FOLLOWLOCATION", easy.set(CURLOPT_FOLLOWLOCATION, 0)),
            // The empty name also keeps curl from reading a proxy out of the environment.
            ("CURLOPT_PROXY", easy.set(CURLOPT_PROXY, "")),
            ("CURLOPT_NETRC", easy.set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))),
            ("CURLOPT_PATH_AS_IS", easy.set(CURLOPT_PATH_AS_IS, 1)),
            ("CURLOPT_HTTP09_ALLOWED", easy.set(CURLOPT_HTTP09_ALLOWED, 0)),
            ("CURLOPT_USERAGENT", easy.set(CURLOPT_USERAGENT, userAgent)),
            ("CURLOPT_NOSIGNAL", easy.set(CURLOPT_NOSIGNAL, 1)),
            // Without it, ending an exchange waits for a name that is still being resolved.
            ("CURLOPT_QUICK_EXIT", easy.set(CURLOPT_QUICK_EXIT, 1)),
        ]
        let connection: [(String, CURLcode)] = [
            ("CURLOPT_TCP_NODELAY", easy.set(CURLOPT_TCP_NODELAY, 1)),
            ("CURLOPT_MAXAGE_CONN", easy.set(CURLOPT_MAXAGE_CONN, maximumIdleTime.wholeSeconds)),
            ("CURLOPT_MAXLIFETIME_CONN", easy.set(CURLOPT_MAXLIFETIME_CONN, maximumConnectionAge.wholeSeconds)),
            ("CURLOPT_PIPEWAIT", easy.set(CURLOPT_PIPEWAIT, version == .http1 ? 0 : 1)),
            ("CURLOPT_BUFFERSIZE", easy.set(CURLOPT_BUFFERSIZE, 16_384)),
            ("CURLOPT_UPLOAD_BUFFERSIZE", easy.set(CURLOPT_UPLOAD_BUFFERSIZE, 32_768)),
        ]
        let refused = (wire + connection + trust(easy)).first { $0.1 != CURLE_OK }
        return refused?.0
    }

    private func trust(_ easy: borrowing EasyHandle) -> [(String, CURLcode)] {
        var codes: [(String, CURLcode)] = [
            ("CURLOPT_SSL_VERIFYPEER", easy.set(CURLOPT_SSL_VERIFYPEER, 1)),
            ("CURLOPT_SSL_VERIFYHOST", easy.set(CURLOPT_SSL_VERIFYHOST, 2)),
            ("CURLOPT_SSLVERSION", easy.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)),
            // Parsed authorities are kept this long: a replaced file is noticed within a minute.
            ("CURLOPT_CA_CACHE_TIMEOUT", easy.set(CURLOPT_CA_CACHE_TIMEOUT, 60)),
        ]
        if let file = tls.certificateAuthorityFile {
            codes.append(("CURLOPT_CAINFO", easy.set(CURLOPT_CAINFO, file)))
            // Only that file: the system's folder of authorities would be trusted beside it.
            codes.append(("CURLOPT_CAPATH", easy.set(CURLOPT_CAPATH, nil as String?)))
        }
        if let certificate = tls.clientCertificateFile, let key = tls.clientKeyFile {
            codes.append(("CURLOPT_SSLCERT", easy.set(CURLOPT_SSLCERT, certificate)))
            codes.append(("CURLOPT_SSLKEY", easy.set(CURLOPT_SSLKEY, key)))
        }
        if let passphrase = tls.clientKeyPassphrase {
            codes.append(("CURLOPT_KEYPASSWD", easy.set(CURLOPT_KEYPASSWD, passphrase.text)))
        }
        return codes
    }
}
