import CCurl
import Glibc
import Testing

@testable import CurlHTTP

@Suite struct UnitTests {
    static let moment = MonotonicTime(nanoseconds: 5)

    /// Whatever curl's code says, an exchange is "not sent" exactly when the last check never said yes.
    @Test(arguments: 0...99) func theLastCheckDecides(_ code: Int) {
        let code = CURLcode(rawValue: UInt32(code))
        var facts = ExchangeFacts()
        guard case .notSent = facts.failure(code, detail: nil, ended: Self.moment) else {
            Issue.record("in doubt without a byte: \(code)")
            return
        }
        facts.authorised = Self.moment
        guard case .unanswered = facts.failure(code, detail: nil, ended: Self.moment) else {
            Issue.record("not sent after the last check: \(code)")
            return
        }
    }

    @Test func socketsAreSetUpAndClosedAsMoneySafetyWants() throws {
        let sockets = PoolSockets(
            unacknowledgedTimeout: .milliseconds(2500), counters: PoolCounters(), events: try #require(PoolEvents()))
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(sockets.opened(socket))
        var value = linger()
        var size = socklen_t(MemoryLayout<linger>.size)
        #expect(getsockopt(socket, SOL_SOCKET, SO_LINGER, &value, &size) == 0)
        #expect(value.l_onoff == 1 && value.l_linger == 0)
        #expect(Self.unacknowledgedTimeout(socket) == 2500)
        sockets.change(unacknowledgedTimeout: .milliseconds(900))
        #expect(Self.unacknowledgedTimeout(socket) == 900)
        #expect(sockets.close(socket) == 0)
        #expect(!sockets.opened(socket), "a socket that cannot be bounded is refused")
    }

    @Test func aKeptConnectionIsWatchedAgainAfterItsNumberWasUsedAnew() throws {
        let events = try #require(PoolEvents())
        func pair() -> [Int32] {
            var ends: [Int32] = [0, 0]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            return ends
        }
        func ready() -> [Int32] {
            var found: [Int32] = []
            events.wait(until: MonotonicTime.now()) { socket, what in
                if what & CURL_CSELECT_IN != 0 { found.append(socket) }
            }
            return found
        }
        let first = pair()
        events.watch(first[0], CURL_POLL_IN, stays: true)
        #expect(ready().isEmpty)
        #expect(write(first[1], "x", 1) == 1)
        #expect(ready() == [first[0]])
        // Between two exchanges nothing is told, and an event of that time does not come again and again.
        events.watch(first[0], CURL_POLL_REMOVE, stays: true)
        #expect(ready().isEmpty)
        events.watch(first[0], CURL_POLL_IN, stays: true)
        #expect(ready() == [first[0]], "still to be read")
        events.forget(first[0])
        close(first[0])
        close(first[1])
        let second = pair()
        events.watch(second[0], CURL_POLL_INOUT, stays: false)
        #expect(write(second[1], "x", 1) == 1)
        #expect(ready() == [second[0]])
        events.watch(second[0], CURL_POLL_REMOVE, stays: false)
        #expect(ready().isEmpty)
        close(second[0])
        close(second[1])
    }

    @Test func aConnectionIsFoundByItsPortsAndHeldBack() throws {
        let server = RawServer { $0.waitForEnd() }
        let sockets = PoolSockets(
            unacknowledgedTimeout: .seconds(1), counters: PoolCounters(), events: try #require(PoolEvents()))
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(sockets.opened(socket))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = server.port.bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let local = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> UInt16 in
                #expect(connect(socket, raw, size) == 0)
                #expect(getsockname(socket, raw, &size) == 0)
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }
        for _ in 0..<2 {
            #expect(sockets.hold(localPort: local, remotePort: server.port) == socket)
            #expect(Self.cork(socket) == 1)
            PoolSockets.release(socket)
            #expect(Self.cork(socket) == 0)
        }
        #expect(sockets.hold(localPort: local, remotePort: server.port &+ 1) == nil)
        #expect(sockets.close(socket) == 0)
        #expect(sockets.hold(localPort: local, remotePort: server.port) == nil)
    }

    static func cork(_ socket: Int32) -> Int32 {
        var value: Int32 = -1
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, &size)
        return value
    }

    static func unacknowledgedTimeout(_ socket: Int32) -> UInt32 {
        var value: UInt32 = 0
        var size = socklen_t(MemoryLayout<UInt32>.size)
        getsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, &size)
        return value
    }

    @Test func durationsAreRoundedAwayFromNone() {
        #expect(Duration.zero.wholeMilliseconds == 1)
        #expect(Duration.microseconds(1500).wholeMilliseconds == 2)
        #expect(Duration.seconds(1).wholeSeconds == 1)
        #expect(Duration.milliseconds(1001).wholeSeconds == 2)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        let now = MonotonicTime.now()
        #expect(now.advanced(by: .seconds(Int64.max)) == MonotonicTime(nanoseconds: .max))
        #expect(now.advanced(by: .seconds(2)).duration(to: now) == .seconds(-2))
    }

    @Test func queueKeepsOrderAndDeadlines() {
        var queue = PendingQueue()
        for number in 0..<1000 {
            var exchange = HTTPExchange(pool: "p", method: .get, url: "http://h/")
            exchange.sendDeadline = number % 3 == 0 ? MonotonicTime(nanoseconds: Int64(number)) : nil
            queue.append(
                PendingExchange(
                    token: HTTPExchangeToken(number: UInt64(number)), exchange: exchange, completion: { _ in }))
        }
        for number in 0..<600 { #expect(queue.popFirst()?.token.number == UInt64(number)) }
        #expect(queue.count == 400)
        let overdue = queue.removeOverdue(MonotonicTime(nanoseconds: 800))
        #expect(overdue.map(\.token.number) == (600..<800).filter { $0 % 3 == 0 }.map(UInt64.init))
        #expect(queue.removeOverdue(MonotonicTime(nanoseconds: 800)).isEmpty)
        #expect(queue.earliestDeadline == MonotonicTime(nanoseconds: 801))
        var left: [UInt64] = []
        while let item = queue.popFirst() { left.append(item.token.number) }
        #expect(left == (600..<1000).filter { $0 % 3 != 0 || $0 >= 800 }.map(UInt64.init))
        #expect(queue.isEmpty && queue.earliestDeadline == MonotonicTime(nanoseconds: .max))
    }
}
