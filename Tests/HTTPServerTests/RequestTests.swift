import HTTPServer
import Testing

extension HTTPServerSuites {
    @Suite("Requests and answers")
    struct RequestTests {
        @Test("A request arrives whole: path, query, headers, body, peer")
        func echoed() throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("POST", "/v1/a%2Fb/c%20d?x=1&y=%C3%A4+z&flag", headers: "x-TEST: hi\r\n", body: "{}"))
            let reply = try #require(client.reply())
            #expect(reply.status == 200)
            #expect(reply.text == "POST\n/v1/a%2Fb/c%20d\nv1|a/b|c d\nx=1&y=ä z&flag=\nhi\n{}\n127.0.0.1")
            #expect(reply.header("Date") != nil)
        }

        @Test("Keep-alive: many requests on one connection, and pipelined ones answered in order")
        func keepAliveAndPipelining() throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            for number in 0..<50 {
                client.send(request("GET", "/n/\(number)"))
                #expect(client.reply()?.text.hasPrefix("GET\n/n/\(number)\n") == true)
            }
            client.send((0..<20).map { request("POST", "/p/\($0)", body: "b\($0)") }.joined())
            for number in 0..<20 {
                #expect(client.reply()?.text.contains("/p/\(number)\np|\(number)\n\n-\nb\(number)\n") == true)
            }
            #expect(server.statistics.connections == 1)
            #expect(server.statistics.requests == 70)
        }

        @Test("Pipelined requests that are answered later keep their order")
        func pipelinedLater() async throws {
            let mailbox = Mailbox()
            let server = try makeServer { mailbox.put($0, $1) }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send((0..<3).map { request("POST", "/p/\($0)", body: "b") }.joined())
            for number in 0..<3 {
                #expect(await mailbox.wait(for: 1))
                #expect(mailbox.count == 1)
                let (received, responder) = try #require(mailbox.takeFirst())
                #expect(received.target.rawPath == "/p/\(number)")
                responder.answer(.text("answer \(number)"))
                #expect(client.reply()?.text == "answer \(number)")
            }
        }

        @Test("Chunked body, byte by byte")
        func chunkedBody() throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            let text =
                "POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
            for byte in text.utf8 { client.send([byte]) }
            #expect(client.reply()?.text.contains("\nabcde\n") == true)
        }

        @Test("HEAD is answered without a body")
        func head() throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("HEAD", "/x") + request("GET", "/y"))
            let first = try #require(client.reply(bodyless: true))
            #expect(first.status == 200)
            #expect(client.reply()?.text.hasPrefix("GET\n/y") == true)
        }

        @Test(
            "Malformed or ambiguous requests are refused",
            arguments: [
                ("GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n", 400),
                ("GET /%00 HTTP/1.1\r\nHost: t\r\n\r\n", 400),
                ("GET /%ff HTTP/1.1\r\nHost: t\r\n\r\n", 400),
                ("GET /a?x=%1 HTTP/1.1\r\nHost: t\r\n\r\n", 400),
                ("GET nonsense HTTP/1.1\r\nHost: t\r\n\r\n", 400),
                ("GET / HTTP/1.1\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
                ("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
                ("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            ])
        func malformed(text: String, status: Int) throws {
            let server = try makeConfigured()
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(text)
            #expect(client.reply()?.status == status)
            let other = try #require(RawClient(port: server.port))
            other.send(request("GET", "/still/there"))
            #expect(other.reply()?.status == 200)
        }

        @Test(
            "Targets are split before they are decoded",
            arguments: [
                ("/", [], "/"), ("/a", ["a"], "/a"), ("/a/", ["a", ""], "/a/"), ("//", ["", ""], "//"),
                ("/a%2Fb", ["a/b"], "/a%2Fb"), ("/a?b?c", ["a"], "/a"), ("*", [], "*"),
                ("http://host:1/x/y?z", ["x", "y"], "/x/y"), ("HTTP://host", [], "/"), ("https://h?q=1", [], "/"),
            ])
        func targets(text: String, segments: [String], path: String) throws {
            let target = try #require(RequestTarget(text))
            #expect(target.segments == segments)
            #expect(target.rawPath == path)
        }

        @Test("Targets that are none", arguments: ["", "x", "a/b", "/%", "/%4", "/%g0", "?x"])
        func noTargets(text: String) { #expect(RequestTarget(text) == nil) }

        @Test("A header value with a line break is left out of the answer")
        func responseSplitting() throws {
            let server = try makeServer { _, responder in
                let headers = [(name: "X-Bad", value: "a\r\nX-Injected: 1"), (name: "X-Good", value: "b")]
                responder.answer(HTTPResponse(status: 200, headers: headers))
            }
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request("GET", "/"))
            let reply = try #require(client.reply())
            #expect(reply.header("X-Injected") == nil)
            #expect(reply.header("X-Bad") == nil)
            #expect(reply.header("X-Good") == "b")
        }

        @Test("Problem documents are JSON whatever their texts hold")
        func problems() {
            let problem = Problem(400, detail: "a \"b\"\\\n\u{1}ä", members: ["field": "x", "code": "y"])
            #expect(
                String(decoding: problem.response.body, as: UTF8.self)
                    == #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"a \"b\"\\\u000a\u0001ä","#
                    + #""code":"y","field":"x"}"#)
            #expect(problem.response.contentType == "application/problem+json")
        }
    }
}

extension HTTPServerSuites {
    @Suite("Routes")
    struct RouterTests {
        private func router() -> HTTPRouter {
            var router = HTTPRouter()
            router.add("GET", "/") { _, _, responder in responder.answer(.text("root")) }
            router.add("GET", "/v1/things/{id}") { _, path, responder in responder.answer(.text("thing \(path["id"])"))
            }
            router.add("GET", "/v1/things/all") { _, _, responder in responder.answer(.text("all")) }
            router.add("POST", "/v1/things/{id}") { _, path, responder in responder.answer(.text("made \(path["id"])"))
            }
            return router
        }

        @Test(
            "Literals win, parameters are decoded, the rest is 404 or 405",
            arguments: [
                ("GET", "/", 200, "root"), ("GET", "/v1/things/a%2Fb", 200, "thing a/b"),
                ("GET", "/v1/things/all", 200, "all"), ("POST", "/v1/things/all", 200, "made all"),
                ("GET", "/v1/things", 404, "Not Found"), ("GET", "/v1/things/", 404, "Not Found"),
                ("PUT", "/v1/things/7", 405, "Method Not Allowed"), ("OPTIONS", "/v1/things/7", 204, ""),
                ("DELETE", "/", 405, "Method Not Allowed"),
            ])
        func routes(method: String, path: String, status: Int, text: String) throws {
            let server = try HTTPServer(HTTPServerConfiguration(), router: router())
            defer { server.stop() }
            let client = try #require(RawClient(port: server.port))
            client.send(request(method, path))
            let reply = try #require(client.reply(bodyless: status == 204))
            #expect(reply.status == status)
            #expect(text.isEmpty || reply.text.contains(text))
            if status >= 400 { #expect(reply.header("Content-Type") == "application/problem+json") }
            if status == 405 || status == 204 {
                #expect(reply.header("Allow") == (path == "/" ? "GET, HEAD" : "GET, HEAD, POST"))
            }
        }
    }
}
