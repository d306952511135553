import CCurl

/// The doors from curl into a slot. curl calls them on the pool's thread only, inside
/// `curl_multi_socket_action`, `curl_multi_add_handle`, `curl_multi_remove_handle` or `curl_multi_cleanup`; the pointers are slots and sockets that outlive the multi handle.
enum CurlCallbacks {
    private static func slot(_ context: UnsafeMutableRawPointer) -> ExchangeSlot {
        Unmanaged<ExchangeSlot>.fromOpaque(context).takeUnretainedValue()
    }

    private static func sockets(_ context: UnsafeMutableRawPointer) -> PoolSockets {
        Unmanaged<PoolSockets>.fromOpaque(context).takeUnretainedValue()
    }

    private static let prerequest: curl_prereq_callback = { context, _, _, remotePort, localPort in
        let (local, remote) = (UInt16(truncatingIfNeeded: localPort), UInt16(truncatingIfNeeded: remotePort))
        guard let context, slot(context).lastCheck(localPort: local, remotePort: remote) else {
            return Int32(CURL_PREREQFUNC_ABORT)
        }
        return Int32(CURL_PREREQFUNC_OK)
    }

    private static let read: curl_read_callback = { buffer, size, count, context in
        guard let buffer, let context,
            let given = slot(context).read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
        else { return Int(CURL_READFUNC_ABORT) }
        return given
    }

    /// Rewinding a body is how curl prepares to send a request a second time: always refused.
    private static let seek: curl_seek_callback = { context, _, _ in
        if let context { slot(context).facts.interruption = .repeatRefused }
        return Int32(CURL_SEEKFUNC_FAIL)
    }

    private static let progress: curl_xferinfo_callback = { context, _, _, _, uploaded in
        if let context { slot(context).uploaded(Int(uploaded)) }
        return 0
    }

    private static let header: curl_write_callback = { bytes, size, count, context in
        guard let context, let bytes,
            slot(context).headerLine(UnsafeRawBufferPointer(start: bytes, count: size * count))
        else { return 0 }
        return size * count
    }

    private static let write: curl_write_callback = { bytes, size, count, context in
        guard let context, let bytes,
            slot(context).bodyBytes(UnsafeRawBufferPointer(start: bytes, count: size * count))
        else { return 0 }
        return size * count
    }

    private static let socketOptions: curl_sockopt_callback = { context, socket, _ in
        guard let context, sockets(context).opened(socket) else { return Int32(CURL_SOCKOPT_ERROR) }
        return Int32(CURL_SOCKOPT_OK)
    }

    private static let closeSocket: curl_closesocket_callback = { context, socket in
        guard let context else { return PoolSockets.closeAbruptly(socket) }
        return sockets(context).close(socket)
    }

    private static let socket: curl_socket_callback = { _, socket, what, context, _ in
        if let context { sockets(context).watch(socket, what) }
        return 0
    }

    private static let timer: curl_multi_timer_callback = { _, milliseconds, context in
        if let context { sockets(context).events.timer = .after(curlMilliseconds: milliseconds) }
        return 0
    }

    /// Has curl tell which sockets it waits for, and until when.
    static func install(on multi: borrowing MultiHandle, sockets: PoolSockets) -> CURLMcode {
        let context = Unmanaged.passUnretained(sockets).toOpaque()
        let code = cc_multi_set_socket(multi.raw, socket, context)
        return code == CURLM_OK ? cc_multi_set_timer(multi.raw, timer, context) : code
    }

    /// Sets the options that hold for every exchange of a pool; the first code that is not OK.
    static func install(on slot: ExchangeSlot, sockets: PoolSockets) -> CURLcode {
        let easy = slot.easy.raw
        let context = Unmanaged.passUnretained(slot).toOpaque()
        let socketContext = Unmanaged.passUnretained(sockets).toOpaque()
        let codes: [CURLcode] = [
            cc_easy_set_prerequest(easy, prerequest), slot.easy.set(CURLOPT_PREREQDATA, pointer: context),
            cc_easy_set_read(easy, read), slot.easy.set(CURLOPT_READDATA, pointer: context),
            cc_easy_set_seek(easy, seek), slot.easy.set(CURLOPT_SEEKDATA, pointer: context),
            cc_easy_set_progress(easy, progress), slot.easy.set(CURLOPT_XFERINFODATA, pointer: context),
            cc_easy_set_header(easy, header), slot.easy.set(CURLOPT_HEADERDATA, pointer: context),
            cc_easy_set_write(easy, write), slot.easy.set(CURLOPT_WRITEDATA, pointer: context),
            cc_easy_set_socket_options(easy, socketOptions),
            slot.easy.set(CURLOPT_SOCKOPTDATA, pointer: socketContext),
            cc_easy_set_close_socket(easy, closeSocket),
            slot.easy.set(CURLOPT_CLOSESOCKETDATA, pointer: socketContext),
            slot.easy.set(CURLOPT_PRIVATE, pointer: context), slot.easy.set(CURLOPT_NOPROGRESS, 0),
        ]
        return codes.first { $0 != CURLE_OK } ?? CURLE_OK
    }

    /// The slot that an easy handle belongs to.
    static func slot(of easy: UnsafeMutableRawPointer) -> ExchangeSlot? {
        var context: UnsafeMutablePointer<CChar>?
        guard cc_easy_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { return nil }
        return slot(UnsafeMutableRawPointer(context))
    }
}

extension MonotonicTime {
    /// curl's way to say when: milliseconds from now, negative for never.
    fileprivate static func after(curlMilliseconds count: Int) -> MonotonicTime {
        count < 0 ? MonotonicTime(nanoseconds: .max) : MonotonicTime.now().advanced(by: .milliseconds(count))
    }
}
