import Foundation
import HTTPServer
import Testing

/// Certificates made with the openssl command in a temporary folder.
struct Authority {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "switchyard-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    @discardableResult
    func openssl(_ arguments: String, input: Data = Data()) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        let output = Pipe()
        let inputPipe = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = inputPipe
        try process.run()
        try inputPipe.fileHandleForWriting.write(contentsOf: input)
        // s_client ends with its input: let the answer come first.
        if !input.isEmpty { Thread.sleep(forTimeInterval: 0.7) }
        try inputPipe.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    func makeAuthority(_ name: String) throws {
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(name).key -out \(name).pem "
                + "-days 2 -subj /CN=\(name)")
    }

    func makeCertificate(
        _ name: String, authority: String, usage: String, days: Int = 2, subject: String? = nil
    ) throws {
        try openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(name).key -out \(name).csr "
                + "-subj \(subject ?? "/O=Test/CN=\(name)")")
        try Data("extendedKeyUsage=\(usage)\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8)
            .write(to: folder.appending(path: "\(name).ext"))
        try openssl(
            "x509 -req -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -CAcreateserial "
                + "-out \(name).pem -days \(days) -extfile \(name).ext")
    }

    func text(_ file: String) throws -> String { try String(contentsOf: folder.appending(path: file), encoding: .utf8) }

    func get(_ server: HTTPServer, _ options: String) throws -> String {
        try openssl(
            "s_client -connect 127.0.0.1:\(server.port) -CAfile server-ca.pem -quiet \(options)",
            input: Data("GET /who HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".utf8))
    }
}

extension HTTPServerSuites {
    @Suite("TLS")
    struct TLSTests {
        @Test("TLS, and client certificates: none, a stranger's, an expired one, a server's, a good one")
        func clientCertificates() throws {
            let authority = try Authority()
            defer { authority.remove() }
            for name in ["server-ca", "client-ca", "stranger-ca"] { try authority.makeAuthority(name) }
            try authority.makeCertificate("server", authority: "server-ca", usage: "serverAuth")
            try authority.makeCertificate("good", authority: "client-ca", usage: "clientAuth")
            try authority.makeCertificate("wronguse", authority: "client-ca", usage: "serverAuth")
            try authority.makeCertificate("expired", authority: "client-ca", usage: "clientAuth", days: -1)
            // An organization that reads like a name, two names, none.
            try authority.makeCertificate(
                "tricky", authority: "client-ca", usage: "clientAuth", subject: "/O=x,CN=good/CN=bob")
            try authority.makeCertificate(
                "double", authority: "client-ca", usage: "clientAuth", subject: "/CN=good/CN=bob")
            try authority.makeCertificate("nameless", authority: "client-ca", usage: "clientAuth", subject: "/O=good")
            try authority.makeCertificate("stranger", authority: "stranger-ca", usage: "clientAuth")
            let plain = HTTPServerTLS(
                certificateChain: try authority.text("server.pem"), privateKey: try authority.text("server.key"))
            let handler: HTTPServer.Handler = { request, responder in
                responder.answer(
                    .text(
                        "hello \(request.peer.certificateSubject ?? "nobody"), \(request.peer.certificateCommonName ?? "nameless")."
                    ))
            }
            let open = try makeServer({ $0.tls = plain }, handler: handler)
            defer { open.stop() }
            #expect(try authority.get(open, "").contains("hello nobody"))

            var strict = plain
            strict.clientAuthorities = try authority.text("client-ca.pem")
            let closed = try makeServer({ $0.tls = strict }, handler: handler)
            defer { closed.stop() }
            #expect(try authority.get(closed, "-cert good.pem -key good.key").contains("hello CN=good,O=Test, good."))
            for (name, common) in [("tricky", "bob"), ("double", "nameless"), ("nameless", "nameless")] {
                let output = try authority.get(closed, "-cert \(name).pem -key \(name).key")
                #expect(output.contains("hello") && output.contains(", \(common)."), "\(output)")
            }
            for options in [
                "", "-cert stranger.pem -key stranger.key", "-cert wronguse.pem -key wronguse.key",
                "-cert expired.pem -key expired.key",
            ] {
                let output = try authority.get(closed, options)
                #expect(!output.contains("hello"), "\(options)")
                #expect(output.contains("403") || output.contains("alert"), "\(options): \(output)")
            }
            #expect(closed.statistics.certificatesRefused >= 3)
            #expect(!"\(strict)".contains("KEY"))
        }

        @Test("Old protocol versions are refused")
        func oldVersions() throws {
            let authority = try Authority()
            defer { authority.remove() }
            try authority.makeAuthority("server-ca")
            try authority.makeCertificate("server", authority: "server-ca", usage: "serverAuth")
            let tls = HTTPServerTLS(
                certificateChain: try authority.text("server.pem"), privateKey: try authority.text("server.key"))
            let server = try makeConfigured({ $0.tls = tls })
            defer { server.stop() }
            #expect(try authority.get(server, "-tls1_2").contains("200"))
            #expect(try !authority.get(server, "-tls1_1 -cipher DEFAULT@SECLEVEL=0").contains("200"))
        }
    }
}
