import CurlHTTP
import Foundation
import Synchronization
import Testing

@Suite struct NotSentTests {
    @Test func connectionRefused() async throws {
        let client = try makeClient()
        let unsent = try #require(
            await client.outcome(of: post("http://127.0.0.1:\(RawServer.deadPort())/")).unsent)
        #expect(unsent.cause == .connectionRefused)
        client.shutdown()
    }

    @Test func unknownHost() async throws {
        let client = try makeClient()
        let unsent = try #require(
            await client.outcome(
                of: post("http://partner.invalid/", timeouts: HTTPTimeouts(connect: .seconds(5)))
            ).unsent)
        #expect([.nameResolution, .connectTimedOut].contains(unsent.cause))
        client.shutdown()
    }

    /// A server that takes the connection and never answers the TLS handshake.
    @Test func handshakeThatNeverEnds() async throws {
        let server = RawServer { $0.waitForEnd() }
        let client = try makeClient()
        let url = server.url.replacingOccurrences(of: "http:", with: "https:")
        let timed = await client.outcome(
            of: post(url, timeouts: HTTPTimeouts(connect: .milliseconds(200), total: .seconds(5))))
        #expect(timed.unsent?.cause == .connectTimedOut)
        let total = await client.outcome(
            of: post(url, timeouts: HTTPTimeouts(connect: .seconds(5), total: .milliseconds(200))))
        #expect(total.unsent?.cause == .connectTimedOut)
        let outcomes = Outcomes()
        let token = client.submit(post(url), completion: outcomes.record(1))
        try await until { server.accepted == 3 }
        client.cancel(token, pool: "partner")
        try await outcomes.wait(for: 1)
        #expect(outcomes.of(1).first?.unsent?.cause == .cancelled)
        client.shutdown()
    }

    @Test func handshakeWithAServerOfPlainText() async throws {
        let server = RawServer {
            $0.waitForBytes()
            $0.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        let client = try makeClient()
        let url = server.url.replacingOccurrences(of: "http:", with: "https:")
        #expect(await client.outcome(of: post(url)).unsent?.cause == .tlsFailed)
        client.shutdown()
    }

    @Test func deadlinePassedBeforeItIsSubmitted() async throws {
        let server = RawServer { while $0.request() != nil { $0.answer() } }
        let client = try makeClient()
        let past = MonotonicTime.now().advanced(by: .milliseconds(-1))
        #expect(await client.outcome(of: post(server.url, deadline: past)).unsent?.cause == .deadlinePassed)
        #expect(server.requests.isEmpty)
        client.shutdown()
    }

    @Test func deadlinePassesInTheQueue() async throws {
        let server = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let client = try makeClient(connections: 1)
        let outcomes = Outcomes()
        client.submit(post(server.url), completion: outcomes.record(0))
        try await until { server.requests.count == 1 }
        let deadline = MonotonicTime.now().advanced(by: .milliseconds(150))
        client.submit(post(server.url, deadline: deadline), completion: outcomes.record(1))
        client.submit(post(server.url), completion: outcomes.record(2))
        try await outcomes.wait(for: 1)
        // Told at the deadline, although the only connection is still busy.
        let unsent = try #require(outcomes.of(1).first?.unsent)
        #expect(unsent.cause == .deadlinePassed)
        #expect(deadline <= unsent.ended && deadline.duration(to: unsent.ended) < .seconds(2))
        #expect(outcomes.list.count == 1)
        client.shutdown()
        #expect(outcomes.of(0).first?.doubt?.cause == .shutDown)
        #expect(outcomes.of(2).first?.unsent?.cause == .shutDown)
        #expect(server.requests.count == 1)
    }

    /// The check is the last thing before the head, on fresh and on reused connections.
    @Test func deadlinePassesWhileConnecting() async throws {
        let server = RawServer { while $0.request() != nil { $0.answer() } }
        let client = try makeClient(connections: 1)
        for turn in 0..<2 {
            let deadline = MonotonicTime.now().advanced(by: .milliseconds(80))
            let exchange = post(
                server.url, deadline: deadline,
                authorise: {
                    usleep(120_000)
                    return true
                })
            #expect(await client.outcome(of: exchange).unsent?.cause == .deadlinePassed)
            #expect(server.requests.count == turn)
            if turn == 0 { #expect(await client.outcome(of: post(server.url)).answer != nil) }
        }
        client.shutdown()
    }

    @Test func notAuthorisedOnFreshAndReusedConnections() async throws {
        let server = RawServer { while $0.request() != nil { $0.answer() } }
        let client = try makeClient(connections: 1)
        let fresh = await client.outcome(of: post(server.url, authorise: { false }))
        #expect(fresh.unsent?.cause == .notAuthorised)
        #expect(server.bytes == 0)
        #expect(await client.outcome(of: post(server.url, authorise: { true })).answer != nil)
        let bytes = server.bytes
        let reused = await client.outcome(of: post(server.url, authorise: { false }))
        #expect(reused.unsent?.cause == .notAuthorised)
        #expect(server.bytes == bytes && server.requests.count == 1)
        client.shutdown()
    }

    /// Withdrawn after the head was written: bytes have left, so it is in doubt, and the body never leaves.
    @Test func authorisationWithdrawnBetweenHeadAndBody() async throws {
        let body = Mutex<Int?>(nil)
        let server = RawServer { connection in
            _ = connection.head()
            let count = connection.receive()
            body.withLock { $0 = count }
        }
        let client = try makeClient()
        let asked = Mutex(0)
        let outcome = await client.outcome(
            of: post(
                server.url,
                authorise: {
                    asked.withLock {
                        $0 += 1
                        return $0 == 1
                    }
                }))
        #expect(outcome.doubt?.cause == .authorisationWithdrawn)
        try await until { body.withLock { $0 } != nil }
        #expect(body.withLock { $0 } ?? 1 <= 0)
        #expect(asked.withLock { $0 } == 2)
        client.shutdown()
    }

    @Test(arguments: [
        HTTPExchange(pool: "partner", method: .post, url: "ftp://127.0.0.1/"),
        HTTPExchange(pool: "partner", method: .post, url: "file:///etc/passwd"),
        HTTPExchange(pool: "partner", method: .post, url: "http://user:secret@127.0.0.1/"),
        HTTPExchange(pool: "partner", method: .post, url: "http://127.0.0.1/a b"),
        HTTPExchange(pool: "partner", method: .post, url: "http:///x"),
        HTTPExchange(pool: "partner", method: .post, url: "http://127.0.0.1:99999/"),
        HTTPExchange(pool: "partner", method: HTTPMethod("GET /x"), url: "http://127.0.0.1/"),
        HTTPExchange(pool: "partner", method: .get, url: "http://127.0.0.1/", headers: [HTTPHeader("A", "b\r\nC: d")]),
        HTTPExchange(pool: "partner", method: .get, url: "http://127.0.0.1/", headers: [HTTPHeader("A: b\r\nC", "d")]),
        HTTPExchange(pool: "partner", method: .get, url: "http://127.0.0.1/", headers: [HTTPHeader("", "d")]),
        HTTPExchange(
            pool: "partner", method: .post, url: "http://127.0.0.1/", headers: [HTTPHeader("Content-Length", "5")]),
        HTTPExchange(
            pool: "partner", method: .post, url: "http://127.0.0.1/", headers: [HTTPHeader("expect", "100-continue")]),
        HTTPExchange(pool: "partner", method: .head, url: "http://127.0.0.1/", body: [1]),
    ])
    func whatCannotBeSent(_ exchange: HTTPExchange) async throws {
        let client = try makeClient()
        #expect(await client.outcome(of: exchange).unsent?.cause == .invalidRequest)
        client.shutdown()
    }

    @Test func unknownPool() async throws {
        let client = try makeClient()
        #expect(await client.outcome(of: post("http://127.0.0.1/", pool: "other")).unsent?.cause == .unknownPool)
        client.shutdown()
    }

    @Test func secretsAreNotDescribed() async throws {
        let secret = "tok-very-secret"
        let exchange = HTTPExchange(
            pool: "partner", method: .post, url: "https://127.0.0.1/?key=\(secret)",
            headers: [HTTPHeader("Authorization", "Bearer \(secret)")], body: Array(secret.utf8))
        var dumped = ""
        dump(exchange, to: &dumped)
        dump(exchange.headers, to: &dumped)
        dump(HTTPKeyPassphrase(secret), to: &dumped)
        dumped += "\(exchange) \(exchange.headers) \(String(reflecting: exchange.headers[0]))"
        #expect(!dumped.contains(secret))
        let client = try makeClient()
        var refused = exchange
        refused.url = "http://127.0.0.1:\(RawServer.deadPort())/?key=\(secret)"
        #expect(await !"\(client.outcome(of: refused))".contains(secret))
        client.shutdown()
    }
}
