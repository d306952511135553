import CCurl

/// curl's own set-up, once per process. Since 7.84 this is safe beside other threads.
enum CurlLibrary {
    static let setUp: CURLcode = curl_global_init(Int(CURL_GLOBAL_ALL))
}

/// Owns one `CURL *`: an easy handle, which is one transfer at a time.
struct EasyHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer

    init?() {
        guard let raw = curl_easy_init() else { return nil }
        self.raw = raw
    }

    deinit { curl_easy_cleanup(raw) }

    borrowing func set(_ option: CURLoption, _ value: Int) -> CURLcode { cc_easy_set_long(raw, option, value) }

    borrowing func set(_ option: CURLoption, offset value: Int) -> CURLcode {
        cc_easy_set_offset(raw, option, curl_off_t(value))
    }

    /// curl copies the text.
    borrowing func set(_ option: CURLoption, _ value: String?) -> CURLcode {
        guard let value else { return cc_easy_set_string(raw, option, nil) }
        return cc_easy_set_string(raw, option, value)
    }

    borrowing func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer?) -> CURLcode {
        cc_easy_set_pointer(raw, option, value)
    }

    borrowing func long(_ info: CURLINFO) -> Int {
        var value = 0
        return cc_easy_get_long(raw, info, &value) == CURLE_OK ? value : 0
    }
}

/// Owns one `struct curl_slist *`: the header lines of a request.
struct HeaderList: ~Copyable {
    private(set) var raw: UnsafeMutablePointer<curl_slist>?

    init() { raw = nil }

    deinit { curl_slist_free_all(raw) }

    /// Appends a line that ends in a zero byte; false where memory is used up.
    mutating func append(zeroTerminated line: borrowing [UInt8]) -> Bool {
        let longer = line.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { curl_slist_append(raw, $0.baseAddress) }
        }
        guard let longer else { return false }
        raw = longer
        return true
    }
}

/// Owns one `CURLM *`: the transfers under way and the connections kept for later ones.
struct MultiHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer

    init?() {
        guard let raw = curl_multi_init() else { return nil }
        self.raw = raw
    }

    deinit { curl_multi_cleanup(raw) }

    borrowing func set(_ option: CURLMoption, _ value: Int) -> CURLMcode { cc_multi_set_long(raw, option, value) }

    borrowing func add(_ easy: borrowing EasyHandle) -> CURLMcode { curl_multi_add_handle(raw, easy.raw) }

    /// Ends the easy handle's part in the multi handle; an unfinished transfer's connection is closed.
    borrowing func remove(_ easy: borrowing EasyHandle) { curl_multi_remove_handle(raw, easy.raw) }

    /// Tells curl that a socket is ready; `CURL_SOCKET_TIMEOUT`: that its timer has run out.
    borrowing func act(on socket: Int32, _ what: Int32) -> CURLMcode {
        var running: Int32 = 0
        return curl_multi_socket_action(raw, socket, what, &running)
    }

    /// The next transfer that has ended, by its easy handle.
    borrowing func nextFinished() -> (easy: UnsafeMutableRawPointer, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(raw, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            return (easy, message.pointee.data.result)
        }
        return nil
    }
}
