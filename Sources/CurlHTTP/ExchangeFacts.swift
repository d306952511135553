import CCurl

/// What really happened to one exchange, as its callbacks saw it. The outcome follows from this, not from curl's code
/// alone: once the last check has allowed the first byte, bytes may have left, whatever the code says.
struct ExchangeFacts {
    /// When the last check allowed the first byte; nil: it was never asked, or said no.
    var authorised: MonotonicTime?
    /// What the last check said no for.
    var refusal: HTTPNotSent.Cause?
    /// Why we ended the exchange ourselves after bytes may have left.
    var interruption: HTTPUnanswered.Cause?
    /// The status of the last head that began, 0 for none.
    var status = 0
    /// When all bytes of the body were with the kernel.
    var endOfUpload: MonotonicTime?
    /// When the answer's first line came.
    var answerBegan: MonotonicTime?
    /// Bytes of head lines so far, interim answers and trailers included.
    var headerBytes = 0

    /// How an exchange ended that curl reports as ended with `code`, or without a whole answer where `code` is nil.
    func failure(_ code: CURLcode?, detail: String?, ended: MonotonicTime) -> HTTPOutcome {
        guard let authorised else {
            let cause = refusal ?? code.map(Self.notSentCause) ?? .localFailure
            return .notSent(HTTPNotSent(cause: cause, detail: detail ?? Self.text(code), ended: ended))
        }
        let cause = interruption ?? code.map(unansweredCause) ?? .connectionLost
        return .unanswered(
            HTTPUnanswered(
                cause: cause, detail: detail ?? Self.text(code), status: status == 0 ? nil : status,
                authorised: authorised, endOfUpload: endOfUpload, ended: ended))
    }

    /// Why nothing was sent, for an exchange whose last check was never reached.
    static func notSentCause(_ code: CURLcode) -> HTTPNotSent.Cause {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameResolution
        case CURLE_COULDNT_CONNECT: .connectionRefused
        case CURLE_OPERATION_TIMEDOUT: .connectTimedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            .tlsFailed
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_ABORTED_BY_CALLBACK:
            .localFailure
        default: .connectionLost
        }
    }

    /// Why there is no answer, for an exchange whose last check said yes.
    private func unansweredCause(_ code: CURLcode) -> HTTPUnanswered.Cause {
        switch code {
        case CURLE_SEND_FAIL_REWIND: .repeatRefused
        case CURLE_PARTIAL_FILE: .truncated
        case CURLE_OPERATION_TIMEDOUT: .totalTimedOut
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, CURLE_OK: .unreadable
        case CURLE_RECV_ERROR where answerBegan != nil: .truncated
        default: .connectionLost
        }
    }

    private static func text(_ code: CURLcode?) -> String {
        guard let code else { return "the exchange was ended" }
        return String(cString: curl_easy_strerror(code))
    }
}
