import Foundation
import HTTPServer
import Testing

extension HTTPServerSuites {
    @Suite("What is decided on the head of a request")
    struct AdmissionTests {
        /// `/small` takes 100 bytes, `/large` all that the server allows, `/stranger` too but proves nothing; anything
        /// else is refused with 401.
        private func server(
            _ reached: Tally = Tally(), _ configure: (inout HTTPServerConfiguration) -> Void = { _ in }
        ) throws -> HTTPServer {
            var configuration = HTTPServerConfiguration()
            configuration.stopGrace = .milliseconds(100)
            configure(&configuration)
            return try HTTPServer(
                configuration,
                admission: { head in
                    switch head.target.rawPath {
                    case "/small": .accept(bodyBytes: 100, proven: true)
                    case "/large": .accept(bodyBytes: .max, proven: true)
                    case "/stranger": .accept(bodyBytes: .max, proven: false)
                    default: .refuse(Problem(401, detail: "who are you").response)
                    }
                },
                handler: { request, responder in
                    reached.add()
                    echo(request, responder)
                })
        }

        private func head(_ path: String, length: Int, headers: String = "") -> String {
            "POST \(path) HTTP/1.1\r\nHost: t\r\nContent-Length: \(length)\r\n\(headers)\r\n"
        }

        @Test(
            "A refused body is answered before any of it is sent, and the connection closed",
            arguments: [("/secret", 15_000_000, 401), ("/small", 101, 413), ("/large", 15_000_000, 413)])
        func onTheHead(path: String, length: Int, status: Int) throws {
            let reached = Tally()
            let server = try server(reached)
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(head(path, length: length))
            let reply = try #require(client.reply())
            #expect(reply.status == status)
            #expect(reply.header("Content-Type") == "application/problem+json")
            #expect(reply.header("Connection") == "close")
            #expect(reply.header("Date")?.hasSuffix(" GMT") == true)
            #expect(client.isClosed(within: 5_000))
            #expect(reached.value == 0)
            #expect(server.statistics.refused == 1)
            #expect(server.statistics.bodiesTooLarge == (status == 413 ? 1 : 0))
            #expect(server.statistics.bufferedBodyBytes == 0)
        }

        @Test("A chunked body is answered as soon as it is too long, though it goes on")
        func chunked() throws {
            let server = try server()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            let chunk = "40\r\n" + String(repeating: "y", count: 64) + "\r\n"
            client.send("POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)")
            #expect(client.receive(milliseconds: 200) == .timeout)
            client.send(chunk)
            let reply = try #require(client.reply())
            #expect(reply.status == 413)
            #expect(reply.header("Connection") == "close")
            #expect(client.isClosed(within: 5_000))
            #expect(server.statistics.bufferedBodyBytes == 0)
        }

        @Test("A client that sends before it reads gets to see why, and no second answer")
        func sendsFirst() throws {
            let server = try server()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            #expect(client.send(head("/secret", length: 900_000) + String(repeating: "z", count: 900_000)))
            #expect(client.reply()?.status == 401)
            #expect(client.receive() == .end)
        }

        @Test("A short body that is refused costs its sender no connection")
        func shortBody() throws {
            let server = try server()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("POST", "/secret", body: "abc") + request("POST", "/small", body: "def"))
            #expect(client.reply()?.status == 401)
            #expect(client.reply()?.text.contains("\ndef\n") == true)
        }

        @Test("Expect: 100-continue is answered with the refusal")
        func expectation() throws {
            let server = try server()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(head("/secret", length: 50, headers: "Expect: 100-continue\r\n"))
            #expect(client.receive() == .bytes)
            let reply = try #require(client.reply())
            #expect(reply.status == 401)
            #expect(!reply.head.contains(" 100 "))
        }

        @Test("Bodies together stay below the bound: 503 with Retry-After, and room again when they are answered")
        func room() async throws {
            let server = try server {
                $0.limits.bodyBytes = 6_000
                $0.limits.bufferedBodyBytes = 10_000
                $0.overload.retryAfterSeconds = 3
            }
            defer { server.stop() }
            let first = try #require(RawClient(port: server.port))
            first.send(head("/large", length: 6_000) + "x")
            #expect(await eventually { server.statistics.bufferedBodyBytes == 6_000 })
            let second = try #require(RawClient(port: server.port))
            second.send(request("POST", "/large", body: String(repeating: "y", count: 5_000)))
            let refused = try #require(second.reply())
            #expect(refused.status == 503)
            #expect(refused.header("Retry-After") == "3")
            #expect(server.statistics.bodiesWithoutRoom == 1)
            second.send(request("POST", "/large", body: String(repeating: "y", count: 4_000)))
            #expect(second.reply()?.status == 200)
            first.send(String(repeating: "x", count: 5_999))
            #expect(first.reply()?.status == 200)
            #expect(await eventually { server.statistics.bufferedBodyBytes == 0 })
            second.send(head("/large", length: 6_000) + "x")
            #expect(await eventually { server.statistics.bufferedBodyBytes == 6_000 })
            second.disconnect(reset: true)
            #expect(await eventually { server.statistics.bufferedBodyBytes == 0 })
        }

        @Test("Strangers get half of the room, chunked or not; who is known gets all of it")
        func strangers() async throws {
            let server = try server {
                $0.limits.bodyBytes = 50_000
                $0.limits.bufferedBodyBytes = 50_000
            }
            defer { server.stop() }
            let stranger = try #require(RawClient(port: server.port))
            stranger.send(head("/stranger", length: 20_000) + "x")
            #expect(await eventually { server.statistics.bufferedBodyBytes == 20_000 })
            let other = try #require(RawClient(port: server.port))
            other.send(request("POST", "/stranger", body: String(repeating: "y", count: 6_000)))
            #expect(other.reply()?.status == 503)
            let piece = "1000\r\n" + String(repeating: "y", count: 4_096) + "\r\n"
            other.send("POST /stranger HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + piece)
            #expect(await eventually { server.statistics.bufferedBodyBytes == 24_096 })
            other.send(piece)
            #expect(other.reply()?.status == 503)
            #expect(server.statistics.bufferedBodyBytes == 20_000)
            let known = try #require(RawClient(port: server.port))
            known.send(request("POST", "/large", body: String(repeating: "y", count: 30_000)))
            #expect(known.reply()?.status == 200)
        }

        @Test("Over TLS, too: the answer comes in the middle of the body")
        func overTLS() throws {
            let authority = try Authority()
            defer { authority.remove() }
            try authority.makeAuthority("root")
            let folder = authority.folder
            let server = try server {
                $0.tls = HTTPServerTLS(
                    certificateChain: (try? String(contentsOf: folder.appending(path: "root.pem"), encoding: .utf8))
                        ?? "",
                    privateKey: (try? String(contentsOf: folder.appending(path: "root.key"), encoding: .utf8)) ?? "")
            }
            defer { server.stop() }
            let chunk = "80\r\n" + String(repeating: "y", count: 128) + "\r\n"
            let text = try authority.openssl(
                "s_client -connect 127.0.0.1:\(server.port) -quiet",
                input: Data("POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)".utf8))
            #expect(text.contains("HTTP/1.1 413 Content Too Large\r\n"))
            #expect(text.contains(#""detail":"more than 100 bytes of body"}"#))
        }

        @Test("A route decides for its own bodies; where there is none, or no decision, none is taken")
        func routes() throws {
            var router = HTTPRouter()
            router.add("GET", "/things") { request, _, responder in echo(request, responder) }
            router.add(
                "POST", "/things/{id}",
                admission: { _, path in
                    path["id"] == "big" ? .accept(bodyBytes: 1_000, proven: true) : .accept(bodyBytes: 1, proven: true)
                }, { request, _, responder in echo(request, responder) })
            let server = try HTTPServer(HTTPServerConfiguration(), router: router)
            defer { server.stop() }
            for (line, status) in [
                ("GET /things", 413), ("POST /things", 405), ("POST /nothing", 404), ("POST /things/small", 413),
                ("POST /things/big", 200),
            ] {
                let client = try #require(RawClient(port: server.port))
                client.send("\(line) HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n0123456789")
                #expect(client.reply()?.status == status, "\(line)")
            }
        }

        @Test(
            "What the library would answer in HTML, or twice, or not at all, is one problem document",
            arguments: [
                "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length : 3\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            ])
        func framing(text: String) throws {
            let server = try makeConfigured { $0.limits.idleTime = .seconds(1) }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(text)
            let reply = try #require(client.reply())
            #expect(reply.status == 400)
            #expect(reply.header("Content-Type") == "application/problem+json")
            #expect(client.receive() == .end)
        }

        @Test("HTTP/1.0 needs no Host")
        func oldClient() throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send("GET /old HTTP/1.0\r\n\r\n")
            #expect(client.reply()?.status == 200)
        }
    }
}
