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
    static let access: MHD_AccessHandlerCallback = { cls, handle, _, method, version, data, size, context in
        guard let handle, let size, let pointer = context?.pointee, let connection = EventLoop.connection(handle)
        else { return .NO }
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        switch exchange.arrival.stage {
        case .headers:
            exchange.arrival.stage = .body
            exchange.arrival.method = method.map { String(cString: $0) } ?? ""
            return exchange.headersArrived(handle, connection, version: version.map { String(cString: $0) } ?? "")
        case .body where size.pointee > 0:
            guard let data else { return .NO }
            let piece = UnsafeRawBufferPointer(start: data, count: size.pointee)
            size.pointee = 0
            return exchange.bodyArrived(piece, handle, connection)
        case .body:
            exchange.arrival.stage = .handedOver
            return exchange.allArrived(handle, connection)
        case .answeredEarly:
            let count = size.pointee
            size.pointee = 0
            return exchange.surplusArrived(count)
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
    func send(_ answer: Answer, _ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
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

    func queue(_ response: HTTPResponse, _ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        connection.enter(.sending)
        let made = response.body.withUnsafeBytes { bytes in
            MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
        }
        guard let made else { return .NO }
        return queue(made, response, handle)
    }

    private func queue(_ made: OpaquePointer, _ head: HTTPResponse, _ handle: OpaquePointer) -> MHD_Result {
        if head.status >= 500 { server.counters.serverErrors.add(1, ordering: .relaxed) }
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
