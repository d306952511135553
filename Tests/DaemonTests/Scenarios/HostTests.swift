import CanonicalJSON
import CurlHTTP
import DaemonTestSupport
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("What the host does to it")
struct HostTests {
    /// Whether this user may have a mount namespace of their own.
    static let mayMount: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["unshare", "-rm", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        "a full disk: nothing acknowledged is lost, it says so, and goes on when there is room", .enabled(if: mayMount))
    func fullDisk() async throws {
        let world = try await World()
        let data = world.folder.appending("data")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        // A real device of 40 MB that is seen by this daemon only, 20 of them taken up by a file.
        let script = """
            mount -t tmpfs -o size=40m tmpfs "$1" && head -c 20971520 /dev/zero > "$1/ballast" && exec "$2" run --config "$3"
            """
        let daemon = try Program(
            ["unshare", "-rm", "sh", "-c", script, "sh", data, Binary.path, world.configuration],
            errors: world.folder.appending("daemon.log"), executable: "/usr/bin/env")
        try await eventually(40, "ready") { (try? await world.call("GET", "/readyz"))?.status == 200 }
        let padding = String(repeating: "p", count: 200_000)
        var acknowledged: [String] = []
        var refused = 0
        for number in 1...300 where refused < 3 {
            let line = Line.payout("full-\(number)", extra: ["metadata": ["padding": .string(padding)]])
            let answer = try await world.call("POST", "/v1/commands", body: line.description)
            switch answer.status {
            case 202: acknowledged.append("full-\(number)")
            case 503: refused += 1
            default: Issue.record("status \(answer.status): \(answer.text)")
            }
        }
        #expect(refused == 3, "the disk did not run full after \(acknowledged.count) commands")
        #expect(daemon.isRunning)
        let full = try await world.call("GET", "/readyz")
        #expect(full.status == 503 && full.text.contains("reasons"), "\(full.text)")
        #expect(try await world.call("GET", "/healthz").status == 200)
        // Room again: the file is removed inside the daemon's own view of the file system.
        #expect(truncate("/proc/\(daemon.identifier)/root\(data)/ballast", 0) == 0)
        try await eventually(60, "it takes commands again") {
            try await world.call("POST", "/v1/commands", body: Line.payout("after").description).status == 202
        }
        try await world.waits("after", "settled", within: 60)
        for payment in acknowledged { try await world.waits(payment, "settled", within: 60) }
        #expect(try await world.call("GET", "/readyz").status == 200)
    }

    @Test("systemd is told of readiness, life and the end")
    func systemd() async throws {
        let world = try await World(banks: false)
        let path = world.folder.appending("notify")
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let daemon = try await world.start(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"])
        var told: [String] = []
        // The queue of such a socket is short: it is read as a manager reads it.
        func read() {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
                told.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
        for _ in 0..<12 {
            try await Task.sleep(for: .milliseconds(100))
            read()
        }
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
        read()
        #expect(told.contains { $0.contains("READY=1") })
        #expect(told.count { $0 == "WATCHDOG=1" } >= 3, "often enough for a watchdog of one second: \(told)")
        #expect(told.last?.contains("STOPPING=1") == true)
    }

    @Test("TLS on the daemon's port and client certificates towards a bank")
    func tls() async throws {
        let certificates = try Certificates()
        let world = try await World(
            bankFlags: [
                "--tls-certificate", certificates.path("server.pem"), "--tls-key", certificates.path("server.key"),
                "--client-ca-file", certificates.path("ca.pem"), "--notify-ca-file", certificates.path("ca.pem"),
            ], bankScheme: "https", clientTLS: certificates
        ) { text in
            text.replacingOccurrences(of: "http://127.0.0.1", with: "https://127.0.0.1").replacingOccurrences(
                of: ", webhookSecret",
                with: ", tls: { caFile: \(certificates.path("ca.pem")), "
                    + "certificateFile: \(certificates.path("client.pem")), keyFile: \(certificates.path("client.key")) }"
                    + ", webhookSecret"
            ).replacingOccurrences(
                of: "\" }\nrouting",
                with: "\", tls: { certificateFile: \(certificates.path("server.pem")), "
                    + "keyFile: \(certificates.path("server.key")) } }\nrouting")
        }
        let daemon = try await world.start(ready: false)
        let ca = ["--ca-file", certificates.path("ca.pem")]
        let sent = try await world.run(["send", "-"] + ca, input: "\(Line.payout("tls"))\n")
        #expect(sent.status == 0, "\(sent) \(daemon.output)")
        try await eventually(30, "settled") {
            try await world.run(["payments", "show", "tls"] + ca).out.contains("payout.settled")
        }
        let untrusting = try await world.run(["events", "--timeout", "1"])
        #expect(untrusting.status == 3, "without the authority nobody is trusted: \(untrusting)")
    }
}
