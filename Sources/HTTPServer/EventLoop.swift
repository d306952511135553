import CMicroHTTPD
import Glibc
import Synchronization

/// The library's callbacks. They run on its threads; `cls` is the `ServerCore`, a request's context its `Exchange`, a
/// socket's context its `Connection`; the last two are retained here and released when the library reports their end.
enum EventLoop {
    static func core(_ pointer: UnsafeMutableRawPointer) -> ServerCore {
        Unmanaged<ServerCore>.fromOpaque(pointer).takeUnretainedValue()
    }

    static func connection(_ pointer: OpaquePointer) -> Connection? {
        guard let context = switchyard_mhd_socket_context(pointer) else { return nil }
        return Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
    }

    /// A socket was added, or is about to be closed.
    static let connectionChanged: MHD_NotifyConnectionCallback = { cls, handle, context, code in
        guard let cls, let handle, let context else { return }
        let core = EventLoop.core(cls)
        if code == .CONNECTION_NOTIFY_STARTED {
            let connection = Connection(handle)
            core.connections.insert(connection)
            core.counters.connections.add(1, ordering: .relaxed)
            context.pointee = Unmanaged.passRetained(connection).toOpaque()
        } else if let pointer = context.pointee {
            context.pointee = nil
            core.connections.remove(Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue())
        }
    }

    /// The request line is there. The only place that sees the target before it is taken apart.
    static let targetArrived:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?
        ) -> UnsafeMutableRawPointer? = { cls, target, handle in
            guard let cls, let target, let handle else { return nil }
            EventLoop.connection(handle)?.enter(.arriving)
            let exchange = Exchange(server: EventLoop.core(cls), rawTarget: String(cString: target))
            return Unmanaged.passRetained(exchange).toOpaque()
        }

    /// The answer is sent, or the connection lost.
    static let completed: MHD_RequestCompletedCallback = { cls, handle, context, _ in
        guard let cls, let context, let pointer = context.pointee else { return }
        context.pointee = nil
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
        exchange.completed()
        EventLoop.core(cls).end(exchange)
        if let handle { EventLoop.connection(handle)?.enter(.idle) }
    }

    /// Headers are there; a piece of the body is there; all is there; resumed with an answer.
    static let access: MHD_AccessHandlerCallback = { cls, handle, _, method, _, data, size, context in
        guard let handle, let size, let pointer = context?.pointee, let connection = EventLoop.connection(handle)
        else { return .NO }
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        switch exchange.arrival.stage {
        case .headers:
            exchange.arrival.stage = .body
            exchange.arrival.method = method.map { String(cString: $0) } ?? ""
            return exchange.headersArrived(handle, connection)
        case .body where size.pointee > 0:
            guard let data else { return .NO }
            let piece = UnsafeRawBufferPointer(start: data, count: size.pointee)
            size.pointee = 0
            return exchange.bodyArrived(piece)
        case .body:
            exchange.arrival.stage = .handedOver
            return exchange.allArrived(handle, connection)
        case .handedOver:
            // Without an answer it is a call between suspension and answer: nothing to do.
            guard let answer = exchange.takeAnswer() else { return .YES }
            return exchange.send(answer, handle, connection)
        }
    }

    /// Asks a stream for bytes.
    static let readBody: MHD_ContentReaderCallback = { cls, _, target, space in
        guard let cls, let target else { return -2 }
        let stream = Unmanaged<BodyStream>.fromOpaque(cls).takeUnretainedValue()
        return stream.read(into: UnsafeMutableRawBufferPointer(start: target, count: space))
    }

    static let releaseBody: MHD_ContentReaderFreeCallback = { cls in
        guard let cls else { return }
        Unmanaged<BodyStream>.fromOpaque(cls).release()
    }
}

extension Exchange {
    /// Decides on the headers alone whether the request may go on.
    fileprivate func headersArrived(_ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        server.counters.requests.add(1, ordering: .relaxed)
        arrival.headers.collect(from: handle)
        arrival.bodyLimit = server.bodyBytes(arrival.method, rawTarget)
        let length = arrival.headers["Content-Length"]
        let coding = arrival.headers["Transfer-Encoding"]
        var bodyLength = 0
        if let problem = framingProblem(length: length, coding: coding, &bodyLength) {
            return queue(problem.response, handle, connection)
        }
        if server.asksForCertificate, case .refused = connection.client(handle) {
            server.counters.certificatesRefused.add(1, ordering: .relaxed)
            return queue(Problem(403, detail: "a client certificate is required").response, handle, connection)
        }
        arrival.refusal = refusal(handle, bodyLength: bodyLength)
        guard let refusal = arrival.refusal else {
            arrival.body.reserveCapacity(bodyLength)
            return .YES
        }
        server.counters.refused.add(1, ordering: .relaxed)
        if bodyLength > server.limits.discardedBodyBytes || arrival.headers["Expect"] != nil {
            return queue(refusal, handle, connection)
        }
        return .YES
    }

    /// Ambiguous framing is refused, never guessed at (RFC 9112 section 6.3; request smuggling).
    private func framingProblem(length: String?, coding: String?, _ bodyLength: inout Int) -> Problem? {
        if let coding {
            guard length == nil, coding.lowercased() == "chunked",
                arrival.headers.values(of: "Transfer-Encoding").count == 1
            else { return Problem(400, detail: "Transfer-Encoding must be chunked alone, without Content-Length") }
        } else if let length {
            guard arrival.headers.values(of: "Content-Length").count == 1, let value = UInt64(length),
                length.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
            else { return Problem(400, detail: "Content-Length is malformed") }
            bodyLength = Int(min(value, UInt64(Int.max)))
        }
        return nil
    }

    private func refusal(_ handle: OpaquePointer, bodyLength: Int) -> HTTPResponse? {
        let limits = server.limits
        if server.waiting.load(ordering: .relaxed) >= limits.waitingRequests {
            let path = rawTarget.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
            if !server.overload.exemptPaths.contains(String(path)) {
                server.counters.overloaded.add(1, ordering: .relaxed)
                var response = Problem(server.overload.status, detail: "too many requests are waiting").response
                response.headers.append(("Retry-After", String(server.overload.retryAfterSeconds)))
                return response
            }
        }
        if switchyard_mhd_header_size(handle) > limits.headerBytes {
            return Problem(431, detail: "more than \(limits.headerBytes) bytes of headers").response
        }
        return bodyLength > arrival.bodyLimit ? tooLarge : nil
    }

    private var tooLarge: HTTPResponse {
        Problem(413, detail: "more than \(arrival.bodyLimit) bytes of body").response
    }

    fileprivate func bodyArrived(_ piece: UnsafeRawBufferPointer) -> MHD_Result {
        if arrival.refusal == nil && arrival.body.count + piece.count > arrival.bodyLimit {
            arrival.refusal = tooLarge
            arrival.discarded = arrival.body.count
            arrival.body = []
            server.counters.refused.add(1, ordering: .relaxed)
        }
        guard arrival.refusal != nil else {
            arrival.body.append(contentsOf: piece)
            return .YES
        }
        // In the middle of a body the library takes no answer: beyond what we are willing to drop, the end.
        arrival.discarded += piece.count
        return arrival.discarded > server.limits.discardedBodyBytes + arrival.bodyLimit ? .NO : .YES
    }

    fileprivate func allArrived(_ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        if let refusal = arrival.refusal { return queue(refusal, handle, connection) }
        guard let target = RequestTarget(rawTarget) else {
            return queue(Problem(400, detail: "the request target is malformed").response, handle, connection)
        }
        guard server.begin(self, connection) else {
            var response = Problem(503, detail: "the server is stopping").response
            response.headers.append(("Connection", "close"))
            return queue(response, handle, connection)
        }
        var peer = HTTPPeer(address: connection.address, port: connection.port)
        if server.asksForCertificate, case .verified(let subject, let commonName) = connection.client(handle) {
            peer = HTTPPeer(
                address: connection.address, port: connection.port, certificateSubject: subject,
                certificateCommonName: commonName)
        }
        let request = HTTPRequest(
            method: arrival.method, target: target, headers: arrival.headers, body: arrival.body, peer: peer)
        arrival.body = []
        connection.enter(.handling)
        guard let answer = handOver(request, connection: handle) else { return .YES }
        settleSynchronously()
        return send(answer, handle, connection)
    }

    fileprivate func send(_ answer: Answer, _ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        switch answer {
        case .response(let response):
            return queue(response, handle, connection)
        case .abort(let reset):
            if reset { resetConnection(connection.descriptor) }
            return .NO
        case .stream(let head, let stream, let length):
            let context = Unmanaged.passRetained(stream)
            guard
                let response = MHD_create_response_from_callback(
                    length ?? UInt64.max, 16_384, EventLoop.readBody, context.toOpaque(), EventLoop.releaseBody)
            else {
                context.release()
                return .NO
            }
            // The time of a stream is its writer's affair.
            connection.enter(.handling)
            return queue(response, head, handle)
        }
    }

    private func queue(_ response: HTTPResponse, _ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        connection.enter(.sending)
        let made = response.body.withUnsafeBytes { bytes in
            MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
        }
        guard let made else { return .NO }
        return queue(made, response, handle)
    }

    private func queue(_ made: OpaquePointer, _ head: HTTPResponse, _ handle: OpaquePointer) -> MHD_Result {
        // A header that the library refuses (control characters) is left out, as documented.
        if let type = head.contentType { _ = MHD_add_response_header(made, "Content-Type", type) }
        for (name, value) in head.headers { _ = MHD_add_response_header(made, name, value) }
        let result = MHD_queue_response(handle, UInt32(clamping: head.status), made)
        MHD_destroy_response(made)
        return result
    }
}

extension HTTPHeaders {
    /// Copies the library's header lines, which live only as long as the request.
    mutating func collect(from handle: OpaquePointer) {
        withUnsafeMutablePointer(to: &self) { pointer in
            _ = MHD_get_connection_values_n(
                handle, .HEADER_KIND,
                { cls, _, name, nameSize, value, valueSize in
                    guard let headers = cls?.assumingMemoryBound(to: HTTPHeaders.self), let name else { return .YES }
                    let nameBytes = UnsafeRawBufferPointer(start: name, count: nameSize).bindMemory(to: UInt8.self)
                    let valueBytes = UnsafeRawBufferPointer(start: value, count: valueSize).bindMemory(to: UInt8.self)
                    headers.pointee.append(name: nameBytes.span, value: valueBytes.span)
                    return .YES
                }, UnsafeMutableRawPointer(pointer))
        }
    }
}

/// Sends a reset at once: a connect to AF_UNSPEC dissolves the association of a TCP socket (`man 2 connect`).
private func resetConnection(_ descriptor: Int32) {
    var nowhere = sockaddr()
    nowhere.sa_family = sa_family_t(AF_UNSPEC)
    _ = Glibc.connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
}
