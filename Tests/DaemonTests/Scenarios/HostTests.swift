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
        let manager = try ServiceManager(in: world.folder)
        let daemon = try await world.start(environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1000000"])
        let beats = try await manager.listen(milliseconds: 1_200)
        #expect(beats >= 3, "often enough for a watchdog of one second: \(manager.told)")
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
        try await manager.listen(milliseconds: 50)
        #expect(manager.told.contains { $0.contains("READY=1") })
        #expect(manager.told.last?.contains("STOPPING=1") == true)
    }

    /// The rest of the process is well and answers; still systemd must hear nothing, and restart it.
    @Test("a shard whose thread is stuck stops the watchdog's beat")
    func stuckShard() async throws {
        let world = try await World(banks: false)
        let manager = try ServiceManager(in: world.folder)
        let daemon = try await world.start(environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1500000"])
        #expect(try await manager.listen(milliseconds: 2_000) >= 2)
        guard let held = HeldThread(process: daemon.identifier, named: "shard") else {
            print("skipped: this kernel does not let a test hold another process's thread")
            return
        }
        // A beat that is owed to the turn before may still come.
        try await manager.listen(milliseconds: 1_200)
        #expect(try await manager.listen(milliseconds: 2_500) == 0, "no beat while one of two shards is stuck")
        #expect(try await world.call("GET", "/healthz").status == 200)
        held.letGo()
        #expect(try await manager.listen(milliseconds: 3_000) >= 2, "and again when it goes on")
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
    }

    @Test("a directory that another daemon holds: one clear line, and the exit code for what cannot be reached")
    func heldDirectory() async throws {
        let world = try await World(banks: false) { $0 + "timeouts: { directoryWait: 1s }\n" }
        let first = try await world.start()
        // The same directory, another port.
        let other = world.folder.appending("other.yaml")
        let text = try String(contentsOfFile: world.configuration, encoding: .utf8)
            .replacingOccurrences(of: "127.0.0.1:\(world.daemonPort)", with: "127.0.0.1:0")
        try Data(text.utf8).write(to: URL(fileURLWithPath: other))
        let second = try await Finished.run(["run", "--config", other], timeout: 30)
        #expect(second.status == 3)
        let last = second.err.split(separator: "\n").last ?? ""
        #expect(last.contains("is in use by another process (process \(first.identifier))"), "\(second.err)")
        #expect(first.isRunning)
    }

    @Test("a damaged write-ahead log: one clear line, exit code 1, and nothing acknowledged is forgotten in silence")
    func damagedLog() async throws {
        let world = try await World()
        let daemon = try await world.start()
        try await world.send((1...20).map { Line.payout("d-\($0)") })
        daemon.signal(SIGKILL)
        _ = try await daemon.exit(within: 10)
        let store = world.folder.appending("data/store")
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: store).filter { $0.hasSuffix(".log") }.max())
        let file = URL(fileURLWithPath: "\(store)/\(name)")
        let good = try Data(contentsOf: file)
        var bad = good
        bad[good.count / 2] ^= 0x10
        try bad.write(to: file)
        let refused = try await Finished.run(["run", "--config", world.configuration], timeout: 30)
        #expect(refused.status == 1, "\(refused)")
        let last = refused.err.split(separator: "\n").last ?? ""
        #expect(last.contains("is damaged") && last.contains("orrupt"), "\(refused.err)")
        // With the bytes as they were everything is there.
        try good.write(to: file)
        let again = try await world.start()
        try await eventually(60, "all settle") { try await world.settled() == 20 }
        try await world.expectInvariants()
        _ = again
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
