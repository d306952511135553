import Dispatch
import HTTPServer
import Testing

extension HTTPServerSuites {
    @Suite("Answers that come later, and clients that do not wait")
    struct LifetimeTests {
        @Test("Answered later, from other threads, on many connections")
        func answeredLater() async throws {
            let server = try makeServer { request, responder in
                later(milliseconds: Int(request.body.last ?? 0) % 4) {
                    responder.answer(HTTPResponse(status: 200, body: request.body))
                }
            }
            defer { server.stop() }
            let good = Tally()
            onThreads(8) { worker in
                guard let client = RawClient(port: server.port) else { return }
                for number in 0..<100 {
                    client.send(request("POST", "/x", body: "w\(worker)n\(number)"))
                    if client.reply()?.text == "w\(worker)n\(number)" { good.add() }
                }
            }
            #expect(good.value == 800)
            #expect(server.statistics.waitingRequests == 0)
        }

        @Test("Only the first answer counts; a dropped responder answers 500", arguments: [false, true])
        func exactlyOnce(isLater: Bool) async throws {
            let results = Shared<Bool>()
            let server = try makeServer { request, responder in
                let work: @Sendable () -> Void = {
                    if request.target.rawPath == "/drop" { return }
                    let first = responder.answer(.text("first"))
                    let second = responder.answer(.text("second"))
                    results.append(first)
                    results.append(second)
                }
                if isLater {
                    later(milliseconds: 20, work)
                } else {
                    work()
                }
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/twice"))
            #expect(client.reply()?.text == "first")
            #expect(results.all == [true, false])
            client.send(request("GET", "/drop"))
            let dropped = try #require(client.reply())
            #expect(dropped.status == 500)
            #expect(dropped.header("Content-Type") == "application/problem+json")
        }

        @Test("A client that goes while its request waits harms nobody", arguments: [false, true])
        func abruptClose(reset: Bool) async throws {
            let mailbox = Mailbox()
            let server = try makeServer { mailbox.put($0, $1) }
            defer { server.stop() }
            for _ in 0..<50 {
                let client = try #require(RawClient(port: server.port))
                client.send(request("POST", "/x", body: "hello"))
                #expect(await mailbox.wait(for: 1))
                client.disconnect(reset: reset)
                let (_, responder) = try #require(mailbox.takeFirst())
                responder.answer(.text("too late"))
            }
            #expect(await eventually { server.statistics.openConnections == 0 })
            #expect(server.statistics.waitingRequests == 0)
        }

        @Test("Stopping answers what waits with 503, and responders outlive the server")
        func stopWithSuspended() async throws {
            let mailbox = Mailbox()
            let server = try makeServer { mailbox.put($0, $1) }
            var clients: [RawClient] = []
            for number in 0..<20 {
                let client = try #require(RawClient(port: server.port))
                client.send(request("GET", "/\(number)"))
                clients.append(client)
            }
            #expect(await mailbox.wait(for: 20))
            clients[0].disconnect(reset: true)
            server.stop()
            for client in clients.dropFirst() {
                #expect(client.reply()?.status == 503)
                #expect(client.isClosed(within: 2_000))
            }
            while let (_, responder) = mailbox.takeFirst() { #expect(!responder.answer(.text("late"))) }
            #expect(RawClient(port: server.port) == nil)
            server.stop()
        }

        @Test("Stopping lets a request under way finish within the grace")
        func gracefulStop() async throws {
            let mailbox = Mailbox()
            let server = try makeServer({ $0.stopGrace = .seconds(5) }) { mailbox.put($0, $1) }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/slow"))
            #expect(await mailbox.wait(for: 1))
            let stopped = DispatchGroup()
            DispatchQueue.global().async(group: stopped) { server.stop() }
            try await Task.sleep(for: .milliseconds(50))
            mailbox.takeFirst()?.1.answer(.text("finished"))
            #expect(client.reply()?.text == "finished")
            #expect(stopped.wait(timeout: .now() + 5) == .success)
        }

        @Test("Answers race with the stop: nothing is lost twice and nothing crashes")
        func stopUnderLoad() async throws {
            for round in 0..<10 {
                let server = try makeServer({ $0.stopGrace = .milliseconds(Int(round % 3)) }) { request, responder in
                    later { responder.answer(.text("x")) }
                }
                let port = server.port
                let load = DispatchGroup()
                for _ in 0..<4 {
                    DispatchQueue.global().async(group: load) {
                        guard let client = RawClient(port: port) else { return }
                        while client.send(request("GET", "/")), client.reply(milliseconds: 2_000) != nil {}
                    }
                }
                try await Task.sleep(for: .milliseconds(20))
                server.stop()
                #expect(load.wait(timeout: .now() + 10) == .success)
            }
        }

        @Test("Aborting closes without an answer", arguments: [false, true])
        func abort(reset: Bool) throws {
            let server = try makeServer { _, responder in responder.abort(reset: reset) }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/"))
            #expect(client.receive() == (reset ? .reset : .end))
        }

        @Test("Refusing connections: ECONNREFUSED, then served again on the same port")
        func refusing() async throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let open = try #require(RawClient(port: server.port))
            open.send(request("GET", "/"))
            #expect(open.reply()?.status == 200)
            server.refuseConnections(for: .milliseconds(300))
            #expect(open.isClosed(within: 2_000))
            #expect(RawClient(port: server.port) == nil)
            try await Task.sleep(for: .milliseconds(500))
            let again = try #require(RawClient(port: server.port))
            again.send(request("GET", "/"))
            #expect(again.reply()?.status == 200)
        }
    }
}

extension HTTPServerSuites {
    @Suite("Streams")
    struct StreamTests {
        @Test("Chunks go out as they are written; finish ends the body")
        func chunks() async throws {
            let writers = Shared<HTTPBodyWriter>()
            let server = try makeServer { _, responder in
                guard let writer = responder.stream(contentType: "text/plain") else { return }
                writers.append(writer)
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/follow"))
            #expect(await eventually { writers.all.count == 1 })
            let writer = try #require(writers.all.first)
            #expect(writer.write(Array("one".utf8)) == .written)
            let head = try #require(client.reply(bodyless: true))
            #expect(head.header("Transfer-Encoding") == "chunked")
            #expect(client.chunk() == Array("one".utf8))
            try await Task.sleep(for: .milliseconds(30))
            #expect(writer.write(Array("two".utf8)) == .written)
            #expect(client.chunk() == Array("two".utf8))
            writer.finish()
            #expect(client.chunk() == [])
            #expect(writer.write([1]) == .closed)
            client.send(request("GET", "/again"))
            #expect(client.reply(milliseconds: 200, bodyless: true) == nil || client.chunk(milliseconds: 100) == nil)
        }

        @Test("A slow reader fills the buffer, and no more than the buffer; nothing is lost")
        func backpressure() async throws {
            let total = 8 * 1_024 * 1_024
            let refusals = Tally()
            let server = try makeServer({ $0.limits.streamBufferBytes = 64 * 1_024 }) { _, responder in
                guard let writer = responder.stream(length: UInt64(total)) else { return }
                Task.detached {
                    let piece = [UInt8](repeating: 65, count: 16 * 1_024)
                    for _ in 0..<(total / piece.count) {
                        if writer.write(piece) == .written { continue }
                        refusals.add()
                        guard await writer.send(piece) else { return }
                    }
                    writer.finish()
                }
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port, receiveBuffer: 4_096))
            client.send(request("GET", "/large"))
            try await Task.sleep(for: .milliseconds(50))
            #expect(refusals.value > 0)
            let reply = try #require(client.reply())
            #expect(reply.body.count == total)
            #expect(reply.body.allSatisfy { $0 == 65 })
        }

        @Test("The writer learns that the client is gone, also when there is nothing to send")
        func hangUp() async throws {
            let writers = Shared<HTTPBodyWriter>()
            let server = try makeServer { _, responder in
                guard let writer = responder.stream() else { return }
                writers.append(writer)
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/follow"))
            #expect(await eventually { writers.all.count == 1 })
            let writer = try #require(writers.all.first)
            #expect(client.reply(milliseconds: 2_000, bodyless: true) != nil)
            client.disconnect()
            #expect(await eventually { writer.isClosed })
            #expect(await eventually { server.statistics.openConnections == 0 })
        }

        @Test("A failed or dropped body is broken off, so that the client sees it", arguments: [false, true])
        func brokenOff(drop: Bool) throws {
            let server = try makeServer { _, responder in
                guard let writer = responder.stream(length: 100) else { return }
                _ = writer.write(Array("half".utf8))
                if !drop {
                    later(milliseconds: 50) { writer.fail() }
                }
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/"))
            #expect(client.reply(milliseconds: 3_000) == nil)
            #expect(client.isClosed(within: 1_000))
        }

        @Test("Stopping closes open streams")
        func stopWithStream() async throws {
            let writers = Shared<HTTPBodyWriter>()
            let server = try makeServer { _, responder in
                guard let writer = responder.stream() else { return }
                writers.append(writer)
            }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/follow"))
            #expect(await eventually { writers.all.count == 1 })
            server.stop()
            #expect(client.reply(milliseconds: 1_000)?.body.isEmpty ?? true)
            #expect(writers.all.first?.write([1]) == .closed)
        }
    }
}
