import CurlHTTP
import Foundation
import Glibc
import Synchronization
import Testing

/// A server that speaks just enough HTTP/2 over TLS to see every stream and to end it as a test wants.
final class H2Server: Sendable {
    enum Reply: Sendable {
        case ok
        /// RST_STREAM with this code; 7 is REFUSED_STREAM, "not processed", 13 HTTP_1_1_REQUIRED.
        case resetStream(UInt8)
        /// GOAWAY that names stream 0 as the last one taken.
        case goAway
        case close
    }

    private let raw: RawServer
    private let streams: SharedStreams
    var url: String { "https://127.0.0.1:\(raw.port)" }
    var accepted: Int { raw.accepted }
    /// Every HEADERS frame: connection and stream.
    var seen: [(connection: Int, stream: UInt32)] { streams.list }

    final class SharedStreams: Sendable {
        private let all = Mutex<[(connection: Int, stream: UInt32)]>([])
        var list: [(connection: Int, stream: UInt32)] { all.withLock { $0 } }
        /// Answers how many there are, this one included.
        func add(_ connection: Int, _ stream: UInt32) -> Int {
            all.withLock {
                $0.append((connection, stream))
                return $0.count
            }
        }
    }

    init(_ certificates: Certificates, _ reply: @escaping @Sendable (Int) -> Reply) {
        let streams = SharedStreams()
        self.streams = streams
        raw = RawServer(tls: TLSContext(certificates, "server")) { connection in
            guard connection.take(24) != nil else { return }
            connection.send(Self.frame(4, 0, 0, []))
            var number = 0
            while let head = connection.take(9) {
                let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
                guard connection.take(length) != nil else { return }
                let stream = UInt32(head[5]) << 24 | UInt32(head[6]) << 16 | UInt32(head[7]) << 8 | UInt32(head[8])
                if head[3] == 4, head[4] & 1 == 0 { connection.send(Self.frame(4, 1, 0, [])) }
                if head[3] == 1 { number = streams.add(connection.index, stream) }
                let ended = (head[3] == 0 || head[3] == 1) && head[4] & 1 == 1
                guard ended else { continue }
                switch reply(number) {
                case .ok: connection.send(Self.frame(1, 0x05, stream, [0x88]))
                case .resetStream(let code): connection.send(Self.frame(3, 0, stream, [0, 0, 0, code]))
                case .goAway:
                    connection.send(Self.frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]))
                    return
                case .close: return
                }
            }
        }
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        return [
            UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags, UInt8(stream >> 24),
            UInt8(stream >> 16 & 0xFF), UInt8(stream >> 8 & 0xFF), UInt8(stream & 0xFF),
        ] + payload
    }
}

@Suite struct HTTP2Tests {
    static let ends: [(String, H2Server.Reply)] = [
        ("REFUSED_STREAM", .resetStream(7)), ("INTERNAL_ERROR", .resetStream(2)),
        ("HTTP_1_1_REQUIRED", .resetStream(13)), ("GOAWAY", .goAway), ("close", .close),
    ]

    /// curl would send again after REFUSED_STREAM, HTTP_1_1_REQUIRED and a lost reused connection; it is stopped.
    @Test(arguments: [0, 1], 0..<ends.count)
    func neverRepeated(_ goodBefore: Int, _ index: Int) async throws {
        let end = Self.ends[index].1
        let certificates = try TLSTests.certificates.get()
        let server = H2Server(certificates) { $0 <= goodBefore ? .ok : end }
        let client = try makeClient(
            connections: 2, version: .http2,
            tls: HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
        do {
            let exchange = HTTPExchange(
                pool: "partner", method: .post, url: server.url + "/v1/transfers", body: Array("{}".utf8),
                timeouts: HTTPTimeouts(firstByte: .seconds(2), total: .seconds(3)))
            for _ in 0..<goodBefore { #expect(await client.outcome(of: exchange).answer?.status == 200) }
            let outcome = await client.outcome(of: exchange)
            #expect(outcome.doubt != nil, "\(Self.ends[index].0): \(outcome)")
            usleep(20_000)
            #expect(server.seen.count == goodBefore + 1, "\(Self.ends[index].0)")
        }
        client.shutdown()
    }

    @Test func streamsShareAConnectionUpToTheLimit() async throws {
        let certificates = try TLSTests.certificates.get()
        let server = H2Server(certificates) { _ in .ok }
        let pool = HTTPPoolConfiguration(
            name: "h2", maximumConnections: 1, maximumQueued: 200, maximumStreamsPerConnection: 10,
            version: .http2, tls: HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
        let client = try HTTPClient(HTTPClientConfiguration(pools: [pool]))
        let outcomes = Outcomes()
        for tag in 0..<100 { client.submit(post(server.url, pool: "h2"), completion: outcomes.record(tag)) }
        try await outcomes.wait(for: 100)
        #expect(outcomes.list.allSatisfy { $0.1.answer?.status == 200 })
        #expect(server.accepted == 1)
        #expect(Set(server.seen.map(\.stream)).count == 100)
        client.shutdown()
    }

    /// ALPN against a real server, where one is installed.
    @Test(.enabled(if: NGHTTPD.isInstalled, "nghttpd (Debian package nghttp2-server) is not installed"))
    func negotiatedOverTLS() async throws {
        let certificates = try TLSTests.certificates.get()
        let server = NGHTTPD(certificates)
        try await server.start()
        for version in [HTTPVersionPolicy.http2, .http2ForReads] {
            let client = try makeClient(
                version: version, tls: HTTPTLSConfiguration(certificateAuthorityFile: certificates.authority))
            for _ in 0..<3 {
                let read = await client.outcome(of: HTTPExchange(pool: "partner", method: .get, url: server.url))
                #expect(read.answer?.status == 200)
                #expect(read.answer?.headers["server"]?.hasPrefix("nghttpd") == true)
                let write = await client.outcome(of: post(server.url))
                // nghttpd speaks nothing but HTTP/2: what may move money never gets through by `http2ForReads`.
                #expect((write.answer != nil) == (version == .http2), "\(write)")
            }
            client.shutdown()
        }
    }
}

/// nghttp2's test server.
final class NGHTTPD: @unchecked Sendable {
    static let path = ["/usr/bin/nghttpd", "/usr/sbin/nghttpd"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static var isInstalled: Bool { path != nil }

    let url: String
    private let process = Process()
    private let port: UInt16

    init(_ certificates: Certificates) {
        port = RawServer.deadPort()
        url = "https://127.0.0.1:\(port)/ca.pem"
        process.executableURL = URL(filePath: Self.path ?? "/usr/bin/false")
        process.arguments = [
            "-a", "127.0.0.1", "-d", certificates.folder.path, "\(port)", certificates.path("server.key"),
            certificates.path("server.pem"),
        ]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
    }

    func start() async throws {
        try process.run()
        let client = try makeClient()
        defer { client.shutdown() }
        for _ in 0..<200 {
            let outcome = await client.outcome(of: HTTPExchange(pool: "partner", method: .get, url: url))
            if outcome.unsent?.cause != .connectionRefused { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw HTTPClientError.unusableLibrary(reason: "nghttpd did not start")
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}
