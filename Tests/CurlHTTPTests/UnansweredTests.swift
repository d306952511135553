import CurlHTTP
import Foundation
import Glibc
import Synchronization
import Testing

/// A way in which a server can leave a request in doubt.
struct BadServer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let causes: Set<HTTPUnanswered.Cause>
    let status: Int?
    let script: RawServer.Script

    init(
        _ name: String, _ causes: Set<HTTPUnanswered.Cause>, status: Int? = nil, _ script: @escaping RawServer.Script
    ) {
        testDescription = name
        self.causes = causes
        self.status = status
        self.script = script
    }

    static let all: [BadServer] = [
        BadServer("reset before reading", [.connectionLost]) {
            $0.waitForBytes()
            $0.reset()
        },
        BadServer("reset after reading", [.connectionLost]) {
            _ = $0.request()
            $0.reset()
        },
        BadServer("closed after reading", [.connectionLost]) { _ = $0.request() },
        BadServer("silence before the head", [.firstByteTimedOut]) {
            _ = $0.request()
            $0.waitForEnd()
        },
        BadServer("silence after the head", [.totalTimedOut], status: 201) {
            _ = $0.request()
            $0.send("HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n")
            $0.waitForEnd()
        },
        BadServer("silence within the head", [.totalTimedOut], status: 201) {
            _ = $0.request()
            $0.send("HTTP/1.1 201 Created\r\nContent-Le")
            $0.waitForEnd()
        },
        BadServer("slow drip", [.totalTimedOut], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while $0.send("x") { usleep(20_000) }
        },
        BadServer("endless body", [.responseTooLarge], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\n\r\n")
            while $0.send(String(repeating: "x", count: 4096)) {}
        },
        BadServer("announced body too large", [.responseTooLarge], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000))
            $0.waitForEnd()
        },
        BadServer("endless head", [.headersTooLarge], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\n")
            while $0.send("X-More: \(String(repeating: "y", count: 500))\r\n") {}
        },
        BadServer("endless interim answers", [.headersTooLarge], status: 103) {
            _ = $0.request()
            while $0.send("HTTP/1.1 103 Early Hints\r\n\r\n") {}
        },
        BadServer("garbage", [.unreadable]) {
            _ = $0.request()
            $0.send("\u{1}\u{2}\u{3} this is not HTTP at all\r\n\r\n")
        },
        BadServer("a status line without a status", [.unreadable]) {
            _ = $0.request()
            $0.send("HTTP/1.1 twohundred OK\r\n\r\n")
        },
        BadServer("only an interim answer", [.connectionLost, .unreadable, .truncated], status: 100) {
            _ = $0.request()
            $0.send("HTTP/1.1 100 Continue\r\n\r\n")
        },
        BadServer("truncated by length", [.truncated], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        },
        BadServer("truncated in a chunk", [.truncated], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf")
        },
        BadServer("a chunk that is none", [.connectionLost, .unreadable, .truncated], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf")
            $0.waitForEnd()
        },
        BadServer("reset within the body", [.truncated], status: 200) {
            _ = $0.request()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            usleep(50_000)
            $0.reset()
        },
    ]
}

@Suite struct UnansweredTests {
    /// Rows B23 to B25: what may have reached the partner is never called `notSent`, however the connection ended.
    @Test(arguments: BadServer.all) func inDoubt(_ bad: BadServer) async throws {
        let server = RawServer(bad.script)
        let client = try makeClient()
        let timeouts = HTTPTimeouts(connect: .seconds(2), firstByte: .milliseconds(300), total: .milliseconds(700))
        let limits = HTTPLimits(maximumResponseBytes: 50_000, maximumHeaderBytes: 8_000)
        let start = MonotonicTime.now()
        let outcome = await client.outcome(of: post(server.url, timeouts: timeouts, limits: limits))
        let doubt = try #require(outcome.doubt, "\(outcome)")
        #expect(bad.causes.contains(doubt.cause), "\(doubt)")
        #expect(doubt.status == bad.status)
        #expect(start <= doubt.authorised && doubt.authorised <= doubt.ended)
        if let end = doubt.endOfUpload { #expect(doubt.authorised <= end && end <= doubt.ended) }
        #expect(server.requests.count <= 1)
        #expect(start.duration(to: doubt.ended) < .seconds(5))
        let statistics = client.statistics(pool: "partner")
        #expect(statistics?.unanswered == 1 && statistics?.openSockets == 0)
        client.shutdown()
    }

    /// The same without a body: here nothing but the last check tells that bytes may have left.
    @Test(arguments: BadServer.all) func inDoubtWithoutABody(_ bad: BadServer) async throws {
        let server = RawServer(bad.script)
        let client = try makeClient()
        let exchange = HTTPExchange(
            pool: "partner", method: .get, url: server.url + "/v1/transfers?reference=r",
            timeouts: HTTPTimeouts(connect: .seconds(2), firstByte: .milliseconds(300), total: .milliseconds(700)),
            limits: HTTPLimits(maximumResponseBytes: 50_000, maximumHeaderBytes: 8_000))
        let outcome = await client.outcome(of: exchange)
        let doubt = try #require(outcome.doubt, "\(outcome)")
        #expect(bad.causes.contains(doubt.cause), "\(doubt)")
        #expect(server.requests.count <= 1)
        client.shutdown()
    }

    /// A body that could not be delivered does not leave later: closing throws it away, and the server sees a reset.
    @Test func bytesDoNotOutliveTheirSender() async throws {
        let ended = Mutex<Int?>(nil)
        let read = Mutex(0)
        let server = RawServer { connection in
            connection.waitForBytes()
            // Long enough for the client to fill every buffer, give up and close.
            usleep(900_000)
            var last = connection.receive()
            while last > 0 {
                read.withLock { $0 += last }
                last = connection.receive()
            }
            ended.withLock { $0 = last }
        }
        let client = try makeClient()
        let size = 64 << 20
        let outcome = await client.outcome(
            of: post(
                server.url, body: [UInt8](repeating: 1, count: size),
                timeouts: HTTPTimeouts(firstByte: .milliseconds(400), total: .milliseconds(500))))
        #expect(outcome.doubt?.cause == .firstByteTimedOut)
        #expect(outcome.doubt?.endOfUpload == nil)
        try await until { ended.withLock { $0 } != nil }
        #expect(ended.withLock { $0 } == -Int(ECONNRESET))
        #expect(read.withLock { $0 } < size)
        client.shutdown()
    }

    @Test func anIdleConnectionIsClosedInOrder() async throws {
        let ended = Mutex<Int?>(nil)
        let server = RawServer { connection in
            _ = connection.request()
            connection.answer()
            let last = connection.receive()
            ended.withLock { $0 = last }
        }
        let client = try makeClient()
        #expect(await client.outcome(of: post(server.url)).answer != nil)
        client.shutdown()
        try await until { ended.withLock { $0 } != nil }
        #expect(ended.withLock { $0 } == 0)
    }
}
