import CCurl

/// One place for an exchange on the way: an easy handle and what its callbacks have seen. Slots are used again, belong
/// to one pool's thread, and live until that pool's connections are closed: curl keeps pointers to them.
final class ExchangeSlot {
    let easy: EasyHandle
    private var lines = HeaderList()
    private var scratch: [UInt8] = []
    private(set) var pending: PendingExchange?
    private(set) var totalDue = MonotonicTime(nanoseconds: .max)
    private(set) var firstByteDue = MonotonicTime(nanoseconds: .max)

    var facts = ExchangeFacts()
    private(set) var headers = HTTPHeaderFields()
    private(set) var body: [UInt8] = []
    private var bodyOffset = 0
    private var bodyBegan = false
    private let sockets: PoolSockets
    private let mayHold: Bool
    private var held: Int32?

    init?(sockets: PoolSockets, version: HTTPVersionPolicy) {
        // A connection that several requests share must not be held back for one of them.
        mayHold = version == .http1
        self.sockets = sockets
        guard let easy = EasyHandle() else { return nil }
        self.easy = easy
    }

    /// Sets the easy handle up for `pending`; false where curl refuses or memory is used up.
    func begin(_ pending: PendingExchange, version: HTTPVersionPolicy, now: MonotonicTime) -> Bool {
        let exchange = pending.exchange
        self.pending = pending
        facts = ExchangeFacts()
        bodyOffset = 0
        bodyBegan = false
        held = nil
        totalDue = now.advanced(by: exchange.timeouts.total)
        guard setMethod(exchange), setHeaders(exchange) else { return false }
        let codes = [
            easy.set(CURLOPT_URL, exchange.url),
            easy.set(CURLOPT_CONNECTTIMEOUT_MS, exchange.timeouts.connect.wholeMilliseconds),
            easy.set(CURLOPT_HTTP_VERSION, version.curlVersion(for: exchange.method)),
        ]
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    private func setMethod(_ exchange: HTTPExchange) -> Bool {
        let method = exchange.method
        if exchange.body.isEmpty && method != .post && method != .put && method != .patch {
            guard easy.set(CURLOPT_HTTPGET, 1) == CURLE_OK else { return false }
            if method == .head { return easy.set(CURLOPT_NOBODY, 1) == CURLE_OK && setVerb(nil) }
            return setVerb(method == .get ? nil : method.name)
        }
        guard easy.set(CURLOPT_POST, 1) == CURLE_OK,
            easy.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: exchange.body.count) == CURLE_OK
        else { return false }
        return setVerb(method == .post ? nil : method.name)
    }

    private func setVerb(_ verb: String?) -> Bool { easy.set(CURLOPT_CUSTOMREQUEST, verb) == CURLE_OK }

    private func setHeaders(_ exchange: HTTPExchange) -> Bool {
        lines = HeaderList()
        var hasContentType = false
        for header in exchange.headers {
            hasContentType = hasContentType || header.isNamed("content-type")
            // curl drops a field with an empty value unless it is written with a semicolon.
            let line = append(header.name, header.value.isEmpty ? ";" : ": ", header.value)
            guard line else { return false }
        }
        // An upload would ask first whether it may send; a request without a type would be called a form.
        guard append("Expect:", "", ""), hasContentType || append("Content-Type:", "", "") else { return false }
        return cc_easy_set_headers(easy.raw, lines.raw) == CURLE_OK
    }

    private func append(_ name: String, _ separator: String, _ value: String) -> Bool {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: name.utf8)
        scratch.append(contentsOf: separator.utf8)
        scratch.append(contentsOf: value.utf8)
        scratch.append(0)
        return lines.append(zeroTerminated: scratch)
    }

    /// Empties the slot for the next exchange and gives the ended one back.
    func end() -> PendingExchange? {
        let ended = pending
        pending = nil
        totalDue = MonotonicTime(nanoseconds: .max)
        firstByteDue = totalDue
        headers.removeAll()
        body = []
        _ = cc_easy_set_headers(easy.raw, nil)
        lines = HeaderList()
        for index in scratch.indices { scratch[index] = 0 }
        return ended
    }

    /// When the exchange is overdue: its total or its first-byte time-out.
    var due: MonotonicTime { min(totalDue, firstByteDue) }

    // MARK: What curl tells; called from C callbacks on the pool's thread.

    /// The connection stands and the head is about to be written. A second call for the same exchange means that curl
    /// wants to send it again on another connection, which it does by itself: never allowed.
    func lastCheck(localPort: UInt16, remotePort: UInt16) -> Bool {
        guard facts.authorised == nil else {
            facts.interruption = .repeatRefused
            return false
        }
        guard let exchange = pending?.exchange else { return false }
        if let refusal = check(exchange) {
            facts.refusal = refusal
            return false
        }
        let now = MonotonicTime.now()
        facts.authorised = now
        firstByteDue = now.advanced(by: exchange.timeouts.firstByte)
        sockets.note(due: firstByteDue)
        if mayHold, !exchange.body.isEmpty { held = sockets.hold(localPort: localPort, remotePort: remotePort) }
        return true
    }

    /// The deadline is read last, so that a slow `authorise` cannot stretch it.
    private func check(_ exchange: HTTPExchange) -> HTTPNotSent.Cause? {
        if let authorise = exchange.authorise, !authorise() { return .notAuthorised }
        if let deadline = exchange.sendDeadline, MonotonicTime.now() > deadline { return .deadlinePassed }
        return nil
    }

    /// curl asks for bytes of the body; nil ends the exchange. Before the first byte the last check is made again: the
    /// head may have waited for a full send buffer.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let exchange = pending?.exchange else { return nil }
        if bodyOffset == 0, let refusal = check(exchange) {
            facts.interruption = refusal == .notAuthorised ? .authorisationWithdrawn : .deadlinePassed
            return nil
        }
        let count = min(buffer.count, exchange.body.count - bodyOffset)
        exchange.body.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[bodyOffset..<(bodyOffset + count)]))
        }
        bodyOffset += count
        return count
    }

    /// curl tells how many bytes of the body the kernel has taken.
    func uploaded(_ count: Int) {
        guard facts.endOfUpload == nil, count > 0, let exchange = pending?.exchange,
            count >= exchange.body.count
        else { return }
        if let held { PoolSockets.release(held) }
        facts.endOfUpload = MonotonicTime.now()
    }

    /// One line of a head, or of trailers; false ends the exchange.
    func headerLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let exchange = pending?.exchange else { return false }
        facts.headerBytes += line.count
        guard facts.headerBytes <= exchange.limits.maximumHeaderBytes else {
            facts.interruption = .headersTooLarge
            return false
        }
        if facts.answerBegan == nil {
            facts.answerBegan = MonotonicTime.now()
            firstByteDue = MonotonicTime(nanoseconds: .max)
        }
        if bodyBegan { return true }
        if line.starts(with: "HTTP/".utf8) {
            headers.removeAll()
            facts.status = Self.status(line)
        } else {
            headers.append(line: line)
        }
        return true
    }

    /// The three digits behind the first space, or 0.
    private static func status(_ line: UnsafeRawBufferPointer) -> Int {
        guard let space = line.firstIndex(of: 0x20), line.count >= space + 4 else { return 0 }
        var value = 0
        for byte in line[(space + 1)..<(space + 4)] {
            guard (0x30...0x39).contains(byte) else { return 0 }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// Bytes of the answer's body; false ends the exchange.
    func bodyBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let exchange = pending?.exchange else { return false }
        bodyBegan = true
        guard body.count + bytes.count <= exchange.limits.maximumResponseBytes else {
            facts.interruption = .responseTooLarge
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }
}

extension HTTPVersionPolicy {
    /// curl's number for the version that a request of `method` may use.
    fileprivate func curlVersion(for method: HTTPMethod) -> Int {
        switch self {
        case .http1: CURL_HTTP_VERSION_1_1
        case .http2ForReads: method.isSafe ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        case .http2: CURL_HTTP_VERSION_2TLS
        }
    }
}

extension ExchangeSlot {
    /// What went wrong, in curl's own words; only those of the connection phase, in which no byte of a credential
    /// and none of an answer can stand in a message.
    func detail(of code: CURLcode?) -> String? {
        switch facts.refusal {
        case .notAuthorised: return "the last check said no"
        case .deadlinePassed: return "the send deadline passed before the first byte"
        default: break
        }
        switch facts.interruption {
        case .repeatRefused: return "the connection died and curl was kept from sending the request again"
        case .responseTooLarge: return "the body is longer than \(pending?.exchange.limits.maximumResponseBytes ?? 0)"
        case .headersTooLarge: return "the head is longer than \(pending?.exchange.limits.maximumHeaderBytes ?? 0)"
        case .deadlinePassed: return "the send deadline passed between head and body"
        case .authorisationWithdrawn: return "the last check said no between head and body"
        default: break
        }
        guard let code else { return nil }
        let verification = easy.long(CURLINFO_SSL_VERIFYRESULT)
        let text = String(cString: curl_easy_strerror(code))
        if code == CURLE_PEER_FAILED_VERIFICATION, verification != 0 { return "\(text) (\(verification))" }
        let systemError = easy.long(CURLINFO_OS_ERRNO)
        return systemError == 0 ? text : "\(text) (errno \(systemError))"
    }
}
