import CurlHTTP
import Synchronization
import Testing

@Suite struct AnsweredTests {
    @Test func requestAndAnswerArriveAsTheyAre() async throws {
        let server = RawServer { connection in
            while connection.request() != nil {
                connection.answer(
                    "201 Created", "{\"id\":\"t-1\"}", headers: "X-Request-ID:  abc \r\nRETRY-AFTER: 3\r\n")
            }
        }
        let client = try makeClient()
        let outcome = await client.outcome(of: post(server.url + "/v1/transfers?x=1"))
        let answer = try #require(outcome.answer)
        #expect(answer.status == 201)
        #expect(String(decoding: answer.body, as: UTF8.self) == "{\"id\":\"t-1\"}")
        #expect(answer.headers["x-request-id"] == "abc")
        #expect(answer.headers["retry-after"] == "3")
        #expect(answer.headers["absent"] == nil)
        #expect(answer.headers.all.map(\.name) == ["content-length", "x-request-id", "retry-after"])
        let end = try #require(answer.endOfUpload)
        #expect(answer.authorised <= end && end <= answer.ended)

        let seen = try #require(server.requests.first)
        #expect(seen.line == "POST /v1/transfers?x=1 HTTP/1.1")
        #expect(String(decoding: seen.body, as: UTF8.self) == "{\"reference\":\"r-1\"}")
        #expect(seen.header("idempotency-key") == "k-1")
        #expect(seen.header("content-type") == "application/json")
        #expect(seen.header("user-agent") == "switchyard")
        #expect(seen.header("expect") == nil)
        #expect(seen.header("accept-encoding") == nil)
        client.shutdown()
    }

    @Test(arguments: [
        (HTTPMethod.get, "", "GET"), (.head, "", "HEAD"), (.delete, "", "DELETE"), (.delete, "x", "DELETE"),
        (.put, "x", "PUT"), (.put, "", "PUT"), (.patch, "x", "PATCH"), (.post, "", "POST"),
        (HTTPMethod("QUERY"), "x", "QUERY"),
    ])
    func methods(_ method: HTTPMethod, _ body: String, _ line: String) async throws {
        let server = RawServer { connection in
            while let request = connection.request() {
                if request.line.hasPrefix("HEAD") {
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                } else {
                    connection.answer()
                }
            }
        }
        let client = try makeClient(connections: 1)
        let exchange = HTTPExchange(
            pool: "partner", method: method, url: server.url + "/x", headers: [HTTPHeader("X-Empty", "")],
            body: Array(body.utf8))
        // Twice over one connection, with another method between: nothing of one request sticks to the next.
        let first = await client.outcome(of: exchange)
        let between = await client.outcome(of: post(server.url))
        let second = await client.outcome(of: exchange)
        #expect(first.answer?.status == 200 && between.answer?.status == 200 && second.answer?.status == 200)
        #expect(server.requests.map(\.line) == [line + " /x HTTP/1.1", "POST / HTTP/1.1", line + " /x HTTP/1.1"])
        #expect(server.requests.map { String(decoding: $0.body, as: UTF8.self) }[2] == body)
        #expect(server.requests[2].header("content-type") == nil)
        #expect(server.requests[2].header("x-empty") == "")
        #expect(server.accepted == 1)
        client.shutdown()
    }

    @Test func connectionsAreReusedAndCounted() async throws {
        let server = RawServer { connection in while connection.request() != nil { connection.answer() } }
        let client = try makeClient(connections: 1)
        for _ in 0..<20 { #expect(await client.outcome(of: post(server.url)).answer?.status == 200) }
        let statistics = try #require(client.statistics(pool: "partner"))
        #expect(server.accepted == 1)
        #expect(statistics.connectionsOpened == 1)
        #expect(statistics.connectionsReused == 19)
        #expect(statistics.answered == 20 && statistics.submitted == 20)
        #expect(statistics.inFlight == 0 && statistics.queued == 0 && statistics.openSockets == 1)
        client.shutdown()
        #expect(client.statistics(pool: "partner")?.openSockets == 0)
    }

    @Test func anOldConnectionIsNotUsedAgain() async throws {
        let server = RawServer { connection in while connection.request() != nil { connection.answer() } }
        let client = try makeClient(connections: 1, age: .seconds(1))
        _ = await client.outcome(of: post(server.url))
        try await Task.sleep(for: .milliseconds(2200))
        #expect(await client.outcome(of: post(server.url)).answer?.status == 200)
        #expect(server.accepted == 2)
        client.shutdown()
    }

    @Test func interimAnswersAreNotTheAnswer() async throws {
        let server = RawServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
            connection.answer("202 Accepted", "later", headers: "X-Final: 1\r\n")
        }
        let client = try makeClient()
        let answer = try #require(await client.outcome(of: post(server.url)).answer)
        #expect(answer.status == 202)
        #expect(answer.headers["x-early"] == nil && answer.headers["x-final"] == "1")
        client.shutdown()
    }

    @Test func chunkedBodyWithTrailers() async throws {
        let server = RawServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n")
            connection.send("X-Trailer: no\r\n\r\n")
        }
        let client = try makeClient()
        let answer = try #require(await client.outcome(of: post(server.url)).answer)
        #expect(String(decoding: answer.body, as: UTF8.self) == "Wikipedia")
        #expect(answer.headers["x-trailer"] == nil)
        client.shutdown()
    }

    /// A redirect, a challenge and other invitations to ask again are answers like any other.
    @Test(arguments: [
        "301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect", "401 Unauthorized",
        "407 Proxy Authentication Required", "408 Request Timeout", "417 Expectation Failed", "421 Misdirected Request",
        "425 Too Early", "429 Too Many Requests", "503 Service Unavailable",
    ])
    func nothingIsFollowedOrRepeated(_ status: String) async throws {
        let elsewhere = RawServer { connection in while connection.request() != nil { connection.answer() } }
        let target = elsewhere.url
        let server = RawServer { connection in
            while connection.request() != nil {
                connection.answer(
                    status, "no",
                    headers: "Location: \(target)/\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                        + "Proxy-Authenticate: Basic realm=\"x\"\r\nRetry-After: 0\r\nSet-Cookie: a=b\r\n")
            }
        }
        let client = try makeClient()
        let first = try #require(await client.outcome(of: post(server.url)).answer)
        #expect(String(first.status) == status.prefix(3))
        #expect(first.headers["location"] == target + "/")
        _ = await client.outcome(of: HTTPExchange(pool: "partner", method: .get, url: server.url + "/"))
        #expect(server.requests.count == 2)
        #expect(server.requests.last?.header("cookie") == nil)
        #expect(elsewhere.accepted == 0)
        client.shutdown()
    }

    @Test func severalMegabytesUpAndDown() async throws {
        let server = RawServer { connection in
            guard let request = connection.request() else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n")
            connection.send(request.body)
        }
        let client = try makeClient()
        let body = (0..<(6 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let outcome = await client.outcome(
            of: post(server.url, body: body, limits: HTTPLimits(maximumResponseBytes: 8 << 20)))
        #expect(outcome.answer?.body == body)
        #expect(outcome.answer?.endOfUpload != nil)
        client.shutdown()
    }

    @Test func anAnswerBeforeTheWholeBodyIsAnAnswer() async throws {
        let server = RawServer { connection in
            _ = connection.head()
            connection.answer("413 Content Too Large", "too large", headers: "Connection: close\r\n")
            connection.waitForEnd()
        }
        let client = try makeClient()
        let outcome = await client.outcome(of: post(server.url, body: [UInt8](repeating: 7, count: 32 << 20)))
        #expect(outcome.answer?.status == 413)
        #expect(outcome.answer?.endOfUpload == nil)
        client.shutdown()
    }
}
