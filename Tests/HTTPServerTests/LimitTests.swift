import HTTPServer
import Testing

extension HTTPServerSuites {
    @Suite("Limits")
    struct LimitTests {
        @Test("A body above the limit: 413, whether announced or not; one at the limit is taken")
        func bodyTooLarge() throws {
            let reached = Tally()
            let server = try makeServer({ $0.limits.bodyBytes = 1_000 }) { request, responder in
                reached.add()
                echo(request, responder)
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("POST", "/", body: String(repeating: "x", count: 1_001)))
            let reply = try #require(client.reply())
            #expect(reply.status == 413)
            #expect(reply.header("Content-Type") == "application/problem+json")
            let chunk = "200\r\n" + String(repeating: "y", count: 512) + "\r\n"
            let second = try #require(RawClient(port: server.port))
            second.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)0\r\n\r\n")
            #expect(second.reply()?.status == 413)
            #expect(reached.value == 0)
            let third = try #require(RawClient(port: server.port))
            third.send(request("POST", "/", body: String(repeating: "x", count: 1_000)))
            #expect(third.reply()?.status == 200)
        }

        @Test("A huge body is refused before it is sent")
        func hugeBody() throws {
            let server = try makeConfigured({ $0.limits.bodyBytes = 1_000 })
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4000000000\r\n\r\n")
            #expect(client.reply()?.status == 413)
            #expect(client.isClosed(within: 2_000))
            let polite = try #require(RawClient(port: server.port))
            polite.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n")
            #expect(polite.reply()?.status == 413)
            let endless = try #require(RawClient(port: server.port))
            endless.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "10000\r\n" + String(repeating: "z", count: 65_536) + "\r\n"
            var sent = 0
            while sent < 1_024, endless.send(chunk) { sent += 1 }
            #expect(sent < 1_024)
        }

        @Test("Expect: 100-continue is honoured for a body that is taken")
        func expectContinue() throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send("POST /e HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.receive() == .bytes)
            client.send("ok")
            #expect(client.reply()?.text.contains("\nok\n") == true)
        }

        @Test("Headers above the limit: 431", arguments: [5_000, 200_000])
        func headersTooLarge(bytes: Int) throws {
            let server = try makeConfigured({
                $0.limits.headerBytes = 4_096
                $0.limits.connectionMemoryBytes = 32_768
            })
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            let lines = (0..<(bytes / 100)).map { "X-\($0): " + String(repeating: "v", count: 90) + "\r\n" }.joined()
            client.send("GET / HTTP/1.1\r\nHost: t\r\n" + lines + "\r\n")
            #expect(client.reply()?.status == 431)
            let other = try #require(RawClient(port: server.port))
            other.send("GET /" + String(repeating: "u", count: bytes) + " HTTP/1.1\r\nHost: t\r\n\r\n")
            let status = other.reply()?.status
            #expect(status == 431 || status == 414)
        }

        @Test(
            "A request that trickles in is ended, wherever it trickles",
            arguments: [
                "GET / HTTP/1.1\r\nHost: t\r\nX: y", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n", "GE",
            ])
        func slowLoris(start: String) async throws {
            let server = try makeConfigured({
                $0.limits.requestTime = .milliseconds(600)
                $0.limits.idleTime = .seconds(1)
            })
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(start)
            var alive = true
            for _ in 0..<100 where alive {
                try await Task.sleep(for: .milliseconds(50))
                alive = client.send("a") && client.receive(milliseconds: 1) == .timeout
            }
            #expect(!alive)
            #expect(server.statistics.overdueConnections == 1)
        }

        @Test("An idle connection is closed")
        func idle() throws {
            let server = try makeConfigured({ $0.limits.idleTime = .seconds(1) })
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/"))
            #expect(client.reply()?.status == 200)
            #expect(client.isClosed(within: 4_000))
        }

        @Test("Too many waiting: refused before the handler, health excepted", arguments: [503, 429])
        func overload(status: Int) async throws {
            let mailbox = Mailbox()
            let server = try makeServer({
                $0.limits.waitingRequests = 2
                $0.overload.status = status
                $0.overload.retryAfterSeconds = 7
            }) { request, responder in
                if request.target.rawPath == "/healthz" {
                    responder.answer(.text("ok"))
                } else {
                    mailbox.put(request, responder)
                }
            }
            defer { server.stop() }
            let first = try #require(RawClient(port: server.port))
            let second = try #require(RawClient(port: server.port))
            first.send(request("POST", "/", body: "1"))
            second.send(request("POST", "/", body: "2"))
            #expect(await eventually { server.statistics.waitingRequests == 2 })
            let third = try #require(RawClient(port: server.port))
            third.send(request("POST", "/%zz", body: "3"))
            let refused = try #require(third.reply())
            #expect(refused.status == status)
            #expect(refused.header("Retry-After") == "7")
            #expect(refused.header("Content-Type") == "application/problem+json")
            #expect(mailbox.count == 2)
            third.send(request("GET", "/healthz?x=1"))
            #expect(third.reply()?.status == 200)
            while let (_, responder) = mailbox.takeFirst() { responder.answer(.text("done")) }
            #expect(first.reply()?.status == 200)
            third.send(request("POST", "/", body: "3"))
            #expect(await mailbox.wait(for: 1))
            #expect(server.statistics.overloaded == 1)
            #expect(server.statistics.serverErrors == (status >= 500 ? 1 : 0))
            while let (_, responder) = mailbox.takeFirst() { responder.answer(.text("done")) }
            #expect(third.reply()?.text == "done")
        }

        @Test("A handler that forgets its request: 503 after answerTime")
        func forgotten() async throws {
            let mailbox = Mailbox()
            let server = try makeServer({ $0.limits.answerTime = .milliseconds(200) }) { mailbox.put($0, $1) }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/"))
            #expect(client.reply()?.status == 503)
            // Counted after the answer is on its way.
            #expect(await eventually { server.statistics.overdueAnswers == 1 })
            #expect(server.statistics.serverErrors == 1)
        }

        @Test("Connections above the limit wait; above the limit per address they are closed")
        func connectionLimits() async throws {
            let server = try makeConfigured({ $0.limits.connections = 3 })
            defer { server.stop() }
            var clients: [RawClient] = []
            for _ in 0..<3 {
                let client = try #require(RawClient(port: server.port))
                client.send(request("GET", "/"))
                #expect(client.reply()?.status == 200)
                clients.append(client)
            }
            let fourth = try #require(RawClient(port: server.port))
            fourth.send(request("GET", "/fourth"))
            #expect(fourth.receive(milliseconds: 200) == .timeout)
            clients[0].disconnect()
            #expect(fourth.reply()?.status == 200)

            let strict = try makeConfigured({ $0.limits.connectionsPerAddress = 1 })
            defer { strict.stop() }
            let one = try #require(RawClient(port: strict.port))
            one.send(request("GET", "/"))
            #expect(one.reply()?.status == 200)
            let two = try #require(RawClient(port: strict.port))
            #expect(two.isClosed(within: 2_000))
        }

        @Test("Bad limits and addresses are refused with a reason")
        func refusedConfigurations() throws {
            func failure(_ change: (inout HTTPServerConfiguration) -> Void) -> HTTPServerError? {
                var configuration = HTTPServerConfiguration()
                change(&configuration)
                do throws(HTTPServerError) {
                    try HTTPServer(configuration) { _, responder in responder.answer(.text("")) }.stop()
                    return nil
                } catch { return error }
            }
            #expect(failure { $0.limits.connections = 0 } == .badLimit("connections"))
            #expect(failure { $0.limits.waitingRequests = 0 } == .badLimit("waitingRequests"))
            #expect(failure { $0.limits.bufferedBodyBytes = 1 }?.description.contains("bufferedBodyBytes") == true)
            #expect(
                failure { $0.limits.connectionMemoryBytes = 1_024 }?.description.contains("connectionMemory") == true)
            #expect(failure { $0.host = "no.such.host.invalid" } == .unresolvable(host: "no.such.host.invalid"))
            #expect(
                failure { $0.tls = HTTPServerTLS(certificateChain: "x", privateKey: "y") } == .notStarted(tls: true))
            let server = try makeConfigured()
            defer { server.stop() }
            #expect(failure { $0.port = server.port }?.description.contains("in use") == true)
        }
    }
}
