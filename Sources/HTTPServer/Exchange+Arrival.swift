import CMicroHTTPD
import Synchronization

/// From the head to the hand-over. All of it runs on the event loop.
extension Exchange {
    /// How the length of a body is told (RFC 9112 section 6.3).
    private enum Framing {
        case none
        case length(Int)
        case chunked
    }

    /// Decides on the head alone whether the request may go on, before a byte of its body is kept.
    func headersArrived(_ handle: OpaquePointer, _ connection: Connection, version: String) -> MHD_Result {
        server.counters.requests.add(1, ordering: .relaxed)
        arrival.headers.collect(from: handle)
        let framing: Framing
        switch readFraming(version) {
        case .failure(let problem):
            var response = problem.response
            response.headers.append(("Connection", "close"))
            return queue(response, handle, connection)
        case .success(let found): framing = found
        }
        if server.asksForCertificate, case .refused = connection.client(handle) {
            server.counters.certificatesRefused.add(1, ordering: .relaxed)
            return refuse(
                Problem(403, detail: "a client certificate is required").response, framing, handle, connection)
        }
        if let refusal = overloadRefusal() ?? headerRefusal(handle) {
            return refuse(refusal, framing, handle, connection)
        }
        guard let target = RequestTarget(rawTarget) else {
            return refuse(Problem(400, detail: "the request target is malformed").response, framing, handle, connection)
        }
        arrival.target = target
        if case .none = framing { return .YES }
        switch server.admission(request(target, body: [], handle, connection)) {
        case .refuse(let response):
            return refuse(response, framing, handle, connection)
        case .accept(let bodyBytes, let proven):
            arrival.bodyLimit = min(bodyBytes, server.limits.bodyBytes)
            arrival.isProven = proven
        }
        if case .length(let length) = framing {
            guard length <= arrival.bodyLimit else { return refuse(tooLarge(), framing, handle, connection) }
            guard makeRoom(length) else { return refuse(noRoom(connection), framing, handle, connection) }
        }
        return .YES
    }

    /// Ambiguous framing is refused, never guessed at (RFC 9112 section 6.3; request smuggling).
    private func readFraming(_ version: String) -> Result<Framing, Problem> {
        let hosts = arrival.headers.count(of: "Host")
        guard hosts == 1 || (hosts == 0 && version == "HTTP/1.0") else {
            return .failure(Problem(400, detail: "exactly one Host is needed"))
        }
        guard !arrival.headers.hasMalformedName else {
            return .failure(Problem(400, detail: "the name of a header is malformed"))
        }
        let lengths = arrival.headers.count(of: "Content-Length")
        if let coding = arrival.headers["Transfer-Encoding"] {
            guard lengths == 0, arrival.headers.count(of: "Transfer-Encoding") == 1, coding.lowercased() == "chunked"
            else {
                return .failure(
                    Problem(400, detail: "Transfer-Encoding must be chunked alone, without Content-Length"))
            }
            return .success(.chunked)
        }
        guard let text = arrival.headers["Content-Length"] else { return .success(.none) }
        guard lengths == 1, let length = UInt64(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return .failure(Problem(400, detail: "Content-Length is malformed")) }
        return .success(length == 0 ? .none : .length(Int(min(length, UInt64(Int.max)))))
    }

    private func overloadRefusal() -> HTTPResponse? {
        guard server.waiting.load(ordering: .relaxed) >= server.limits.waitingRequests else { return nil }
        let path = rawTarget.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        if server.overload.exemptPaths.contains(String(path)) { return nil }
        server.counters.overloaded.add(1, ordering: .relaxed)
        var response = Problem(server.overload.status, detail: "too many requests are waiting").response
        response.headers.append(("Retry-After", String(server.overload.retryAfterSeconds)))
        return response
    }

    private func headerRefusal(_ handle: OpaquePointer) -> HTTPResponse? {
        guard switchyard_mhd_header_size(handle) > server.limits.headerBytes else { return nil }
        return Problem(431, detail: "more than \(server.limits.headerBytes) bytes of headers").response
    }

    private func tooLarge() -> HTTPResponse {
        server.counters.bodiesTooLarge.add(1, ordering: .relaxed)
        return Problem(413, detail: "more than \(arrival.bodyLimit) bytes of body").response
    }

    private func noRoom(_ connection: Connection) -> HTTPResponse {
        server.board.add(.bodiesWithoutRoom, connection.address)
        server.counters.bodiesWithoutRoom.add(1, ordering: .relaxed)
        var response = Problem(503, detail: "too many bodies are under way").response
        response.headers.append(("Retry-After", String(server.overload.retryAfterSeconds)))
        return response
    }

    /// Takes room for so many bytes of body in all; false where there is none.
    private func makeRoom(_ bytes: Int) -> Bool {
        let more = bytes - arrival.bodyRoom
        guard more > 0 else { return true }
        guard server.bodies.take(more, proven: arrival.isProven) else { return false }
        arrival.bodyRoom = bytes
        arrival.body.reserveCapacity(bytes)
        return true
    }

    /// Answers a request whose body is not wanted.
    private func refuse(
        _ response: HTTPResponse, _ framing: Framing, _ handle: OpaquePointer, _ connection: Connection
    ) -> MHD_Result {
        server.counters.refused.add(1, ordering: .relaxed)
        switch framing {
        case .none: return queue(response, handle, connection)
        // Nothing of the body is sent before we ask for it; the library closes the connection, as it may come after all.
        case _ where arrival.headers["Expect"] != nil: return queue(response, handle, connection)
        case .length(let length) where response.status != 413 && length <= server.limits.skippedBodyBytes:
            arrival.refusal = response
            return .YES
        case .length, .chunked: return answerEarly(response, handle, connection)
        }
    }

    /// A piece of the body.
    func bodyArrived(
        _ piece: UnsafeRawBufferPointer, _ handle: OpaquePointer, _ connection: Connection
    ) -> MHD_Result {
        connection.received(piece.count)
        if arrival.refusal != nil { return .YES }
        let count = arrival.body.count + piece.count
        guard count <= arrival.bodyLimit else {
            server.counters.refused.add(1, ordering: .relaxed)
            return answerEarly(tooLarge(), handle, connection)
        }
        // Chunked: nobody has said how much it will be.
        if count > arrival.bodyRoom, !makeRoom(min(arrival.bodyLimit, max(count, 2 * arrival.bodyRoom, 4_096))) {
            server.counters.refused.add(1, ordering: .relaxed)
            return answerEarly(noRoom(connection), handle, connection)
        }
        arrival.body.append(contentsOf: piece)
        return .YES
    }

    /// All of the request is there.
    func allArrived(_ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        if let refusal = arrival.refusal { return queue(refusal, handle, connection) }
        guard let target = arrival.target else { return .NO }
        guard server.begin(self, connection) else {
            var response = Problem(503, detail: "the server is stopping").response
            response.headers.append(("Connection", "close"))
            return queue(response, handle, connection)
        }
        let request = request(target, body: arrival.body, handle, connection)
        arrival.body = []
        connection.enter(.handling)
        guard let answer = handOver(request, connection: handle) else { return .YES }
        settleSynchronously()
        return send(answer, handle, connection)
    }

    private func request(
        _ target: RequestTarget, body: [UInt8], _ handle: OpaquePointer, _ connection: Connection
    ) -> HTTPRequest {
        var peer = HTTPPeer(address: connection.address, port: connection.port)
        if server.asksForCertificate, case .verified(let subject, let commonName) = connection.client(handle) {
            peer = HTTPPeer(
                address: connection.address, port: connection.port, certificateSubject: subject,
                certificateCommonName: commonName)
        }
        return HTTPRequest(method: arrival.method, target: target, headers: arrival.headers, body: body, peer: peer)
    }
}
