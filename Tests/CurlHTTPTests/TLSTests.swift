import CurlHTTP
import Foundation
import Glibc
import Testing

/// The folder of this run's certificates, removed when the process ends.
private let certificateFolder: URL = {
    atexit { try? FileManager.default.removeItem(at: certificateFolder) }
    return FileManager.default.temporaryDirectory.appending(path: "curlhttp-\(getpid())-\(UUID().uuidString)")
}()

/// Certificates made for one run by the `openssl` program, in a folder of their own.
final class Certificates: Sendable {
    let folder = certificateFolder
    var authority: String { path("ca.pem") }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try selfSigned("ca", "/CN=Test authority")
        try selfSigned("stranger", "/CN=Another authority")
        try issue("server", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1", days: 2)
        try issue("wrong-name", "/CN=other.example", "subjectAltName=DNS:other.example", days: 2)
        try issue("expired", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1", days: -1)
        try issue("client", "/CN=switchyard", "extendedKeyUsage=clientAuth", days: 2)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    private func selfSigned(_ name: String, _ subject: String) throws {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
            "-days", "2", "-keyout", path("\(name).key"), "-out", path("\(name).pem"),
        ])
    }

    private func issue(_ name: String, _ subject: String, _ extensions: String, days: Int) throws {
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
            path("\(name).key"), "-out", path("\(name).csr"),
        ])
        try extensions.write(toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
        try openssl([
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-days", "\(days)", "-extfile", path("\(name).ext"), "-out", path("\(name).pem"),
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw HTTPClientError.unusableLibrary(reason: "openssl \(arguments[0]) failed")
        }
    }
}

/// `openssl s_server`, which answers every GET and POST with a status page.
final class TLSServer: @unchecked Sendable {
    let url: String
    private let process = Process()
    private let port: UInt16

    init(_ certificates: Certificates, _ name: String, demanding: Bool = false, options: [String] = []) {
        port = RawServer.deadPort()
        url = "https://127.0.0.1:\(port)/"
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            [
                "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-www", "-quiet", "-cert",
                certificates.path("\(name).pem"), "-key", certificates.path("\(name).key"),
            ] + options
            + (demanding ? ["-Verify", "2", "-verify_return_error", "-CAfile", certificates.authority] : [])
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
    }

    func start() async throws {
        try process.run()
        let client = try makeClient()
        try await untilAsync {
            let outcome = await client.outcome(of: HTTPExchange(pool: "partner", method: .get, url: self.url))
            return outcome.unsent?.cause != .connectionRefused
        }
        client.shutdown()
    }

    deinit {
        // Not SIGTERM: a child of a thread of the task pool inherits a mask that blocks it.
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private func untilAsync(_ condition: () async -> Bool) async throws {
        for _ in 0..<200 {
            if await condition() { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw HTTPClientError.unusableLibrary(reason: "openssl s_server did not start")
    }
}

@Suite struct TLSTests {
    static let certificates = Result { try Certificates() }

    private func get(_ url: String, _ tls: HTTPTLSConfiguration) async throws -> HTTPOutcome {
        let client = try makeClient(tls: tls)
        defer { client.shutdown() }
        return await client.outcome(of: HTTPExchange(pool: "partner", method: .get, url: url))
    }

    @Test func trustedCertificate() async throws {
        let certificates = try Self.certificates.get()
        let server = TLSServer(certificates, "server")
        try await server.start()
        let trusted = try await get(
            server.url, HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
        #expect(trusted.answer?.status == 200)
        let system = try await get(server.url, HTTPTLSConfiguration())
        #expect(system.unsent?.cause == .tlsFailed)
        let stranger = try await get(
            server.url, HTTPTLSConfiguration(certificateAuthorityFile: certificates.path("stranger.pem")))
        #expect(stranger.unsent?.cause == .tlsFailed)
    }

    @Test(arguments: ["wrong-name", "expired"]) func badCertificate(_ name: String) async throws {
        let certificates = try Self.certificates.get()
        let server = TLSServer(certificates, name)
        try await server.start()
        let outcome = try await get(
            server.url, HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
        #expect(outcome.unsent?.cause == .tlsFailed)
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"]) func clientCertificate(_ version: String) async throws {
        let certificates = try Self.certificates.get()
        let server = TLSServer(certificates, "server", demanding: true, options: [version])
        try await server.start()
        let known = try await get(
            server.url,
            HTTPTLSConfiguration(
                certificateAuthorityFile: certificates.authority,
                clientCertificateFile: certificates.path("client.pem"),
                clientKeyFile: certificates.path("client.key")))
        #expect(known.answer?.status == 200)
        let unknown = try await get(
            server.url, HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
        // TLS 1.2 refuses within the handshake. In 1.3 the refusal comes after our side has finished it, when the
        // request may have left: that is doubt, however certain a person may be.
        if version == "-tls1_2" {
            #expect(unknown.unsent?.cause == .tlsFailed)
        } else {
            #expect(unknown.doubt != nil)
        }
    }

    @Test func oldProtocolVersionsAreRefused() async throws {
        let certificates = try Self.certificates.get()
        let server = TLSServer(certificates, "server", options: ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"])
        try await server.start()
        let outcome = try await get(
            server.url, HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
        #expect(outcome.unsent?.cause == .tlsFailed)
    }
}
