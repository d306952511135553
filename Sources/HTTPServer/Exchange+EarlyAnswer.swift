import CGnuTLS
import CMicroHTTPD
import Glibc
import Synchronization

/// Answers in the middle of a body. The library takes an answer only before the body or after all of it
/// (`MHD_queue_response`, 0.9.75), which would make a refused upload last as long as its sender likes; but nothing else is
/// being sent at that time, so the answer is written to the socket as it is. On the event loop.
extension Exchange {
    /// Answers at once and lets go of the body. What still comes is dropped for a while, then the connection is closed.
    func answerEarly(_ response: HTTPResponse, _ handle: OpaquePointer, _ connection: Connection) -> MHD_Result {
        arrival.stage = .answeredEarly
        giveBackBodyRoom()
        if response.status >= 500 { server.counters.serverErrors.add(1, ordering: .relaxed) }
        connection.enter(.lingering)
        let bytes = earlyAnswerBytes(response, isHead: arrival.method == "HEAD", now: time(nil))
        let isSent = bytes.withUnsafeBytes { raw -> Bool in
            guard let session = switchyard_mhd_session(handle) else {
                guard Glibc.send(connection.descriptor, raw.baseAddress, raw.count, Int32(MSG_NOSIGNAL)) == raw.count
                else { return false }
                return shutdown(connection.descriptor, Int32(SHUT_WR)) == 0
            }
            guard gnutls_record_send(session, raw.baseAddress, raw.count) == raw.count else { return false }
            return gnutls_bye(session, GNUTLS_SHUT_WR) == GNUTLS_E_SUCCESS
        }
        // A client that has not even fetched its earlier answers gets no further one.
        return isSent ? .YES : .NO
    }

    /// More of a body that is answered already; 0: that was all of it.
    func surplusArrived(_ count: Int) -> MHD_Result {
        arrival.discarded += count
        return count == 0 || arrival.discarded > server.limits.discardedBodyBytes ? .NO : .YES
    }
}

/// An answer as it goes over the wire. Headers with control characters are left out, as in all answers.
func earlyAnswerBytes(_ response: HTTPResponse, isHead: Bool, now: time_t) -> [UInt8] {
    var head = "HTTP/1.1 \(response.status) \(reasonPhrase(response.status))\r\nDate: \(httpDate(now))\r\n"
    head += "Connection: close\r\nContent-Length: \(response.body.count)\r\n"
    var headers = response.headers
    if let type = response.contentType { headers.append(("Content-Type", type)) }
    for (name, value) in headers where name.lowercased() != "connection" {
        guard (name + value).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { continue }
        head += "\(name): \(value)\r\n"
    }
    return Array(head.utf8) + Array("\r\n".utf8) + (isHead ? [] : response.body)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
func httpDate(_ moment: time_t) -> String {
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    var moment = moment
    var parts = tm()
    gmtime_r(&moment, &parts)
    func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
    let date = "\(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1_900)"
    return "\(days[Int(parts.tm_wday)]), \(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
}
