import HTTPServer
import Testing

extension HTTPServerSuites {
    @Suite("Room for connections")
    struct ConnectionRoomTests {
        /// A request whose body never comes to its end.
        private let slow = "POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n"

        private func fill(_ server: HTTPServer, _ count: Int, _ start: String) async throws -> [RawClient] {
            var clients: [RawClient] = []
            for _ in 0..<count {
                let client = try #require(RawClient(port: server.port))
                client.send(start)
                clients.append(client)
            }
            #expect(await eventually { server.statistics.openConnections == count })
            return clients
        }

        @Test(
            "Slow connections do not lock out the others of their address, or of all",
            arguments: [
                (perAddress: 4, all: 100, start: "POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n"),
                (perAddress: 4, all: 100, start: "GE"), (perAddress: 4, all: 100, start: ""),
                (perAddress: 0, all: 4, start: "POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n"),
            ])
        func lockOut(perAddress: Int, all: Int, start: String) async throws {
            let notices = Shared<HTTPServerNotice>()
            let server = try makeConfigured {
                $0.limits.connections = all
                $0.limits.connectionsPerAddress = perAddress
                $0.limits.evictionAge = .milliseconds(50)
                $0.limits.requestTime = .seconds(60)
                $0.limits.idleTime = .seconds(60)
                $0.notice = { notices.append($0) }
            }
            defer { server.stop() }
            let clients = try await fill(server, 4, start)
            try await Task.sleep(for: .milliseconds(100))
            for number in 1...2 {
                let probe = try #require(RawClient(port: server.port))
                probe.send(request("GET", "/healthz", headers: "Connection: close\r\n"))
                #expect(probe.reply()?.status == 200)
                if number == 1 { #expect(server.statistics.evictedConnections == 1) }
            }
            #expect(clients.count { $0.isClosed(within: 20) } >= 1)
            #expect(await eventually { !notices.all.isEmpty })
            #expect(notices.all.first?.kind == .connectionsEvicted)
            #expect(notices.all.first?.address == "127.0.0.1")
        }

        @Test("The slowest goes first, a waiting client never, an idle one last")
        func slowestFirst() async throws {
            let mailbox = Mailbox()
            let server = try makeServer({
                $0.limits.connectionsPerAddress = 4
                $0.limits.evictionAge = .milliseconds(50)
                $0.limits.requestTime = .seconds(60)
            }) { request, responder in
                if request.target.rawPath == "/wait" {
                    mailbox.put(request, responder)
                } else {
                    echo(request, responder)
                }
            }
            defer { server.stop() }
            let idle = try #require(RawClient(port: server.port))
            idle.send(request("GET", "/"))
            #expect(idle.reply()?.status == 200)
            let waiting = try #require(RawClient(port: server.port))
            waiting.send(request("GET", "/wait"))
            #expect(await mailbox.wait(for: 1))
            let uploading = try #require(RawClient(port: server.port))
            let head = "POST /up HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n"
            uploading.send(head + String(repeating: "u", count: 900_000))
            let trickling = try #require(RawClient(port: server.port))
            trickling.send(slow + "x")
            #expect(await eventually { server.statistics.bufferedBodyBytes == 1_001_000 })
            try await Task.sleep(for: .milliseconds(300))
            // Each newcomer is answered and then waits itself, so that it takes its place for good.
            func newcomer() throws -> RawClient {
                let client = try #require(RawClient(port: server.port))
                client.send(request("GET", "/wait"))
                return client
            }
            let first = try newcomer()
            #expect(await mailbox.wait(for: 2))
            #expect(trickling.isClosed(within: 2_000))
            let second = try newcomer()
            #expect(await mailbox.wait(for: 3))
            #expect(uploading.isClosed(within: 2_000))
            let third = try newcomer()
            #expect(await mailbox.wait(for: 4))
            #expect(idle.isClosed(within: 2_000))
            // All four wait for their answers now: nobody can be ended for a fifth.
            let fifth = try #require(RawClient(port: server.port))
            #expect(fifth.isClosed(within: 2_000))
            #expect(server.statistics.refusedConnections == 1)
            #expect(server.statistics.evictedConnections == 3)
            while let (_, responder) = mailbox.takeFirst() { responder.answer(.text("done")) }
            for client in [waiting, first, second, third] { #expect(client.reply()?.text == "done") }
        }

        @Test("Notices are told once an interval, with the count")
        func notices() async throws {
            let notices = Shared<HTTPServerNotice>()
            let server = try makeConfigured {
                $0.limits.connectionsPerAddress = 1
                $0.limits.evictionAge = .seconds(60)
                $0.noticeInterval = .seconds(600)
                $0.notice = { notices.append($0) }
            }
            defer { server.stop() }
            let held = try await fill(server, 1, request("GET", "/"))
            for number in 1...5 {
                let client = try #require(RawClient(port: server.port))
                #expect(client.isClosed(within: 2_000))
                if number == 1 { #expect(await eventually { notices.all.count == 1 }) }
            }
            #expect(server.statistics.refusedConnections == 5)
            #expect(notices.all.map(\.kind) == [.connectionsRefused])
            #expect(notices.all.map(\.count) == [1])
            #expect(notices.all.map(\.address) == ["127.0.0.1"])
            #expect(held[0].reply()?.status == 200)
        }

        @Test("A new connection has the time of one request for its first line, however long others may be idle")
        func firstLine() async throws {
            let server = try makeConfigured {
                $0.limits.requestTime = .milliseconds(300)
                $0.limits.idleTime = .seconds(600)
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send("GE")
            #expect(client.isClosed(within: 5_000))
            #expect(await eventually { server.statistics.overdueConnections == 1 })
        }
    }
}
