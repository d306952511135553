import CanonicalJSON
import CurlHTTP
import DaemonTestSupport
import Foundation
import TestSupport
import Testing

@Suite("Starts, stops, reloads")
struct LifeTests {
    @Test(
        "what is wrong with the configuration is one line with file, line and key, and exit code 1",
        arguments: [
            ("shards: 2", "shards: many", "shards"),
            ("kind: embedded", "kind: embeded", "log.kind"),
            ("./bank-a.webhook", "./nowhere.webhook", "webhookSecret"),
            ("shards: 2", "shards: 2\nshrads: 3", "shrads"),
            (
                "adapter: reference, baseURL: \"http://127.0.0.1", "adapter: other, baseURL: \"http://127.0.0.1",
                "adapter"
            ),
        ])
    func configuration(before: String, after: String, key: String) async throws {
        let world = try await World(banks: false) { $0.replacingOccurrences(of: before, with: after) }
        let ended = try await Finished.run(["run", "--config", world.configuration], timeout: 20)
        #expect(ended.status == 1, "\(ended)")
        let lines = ended.err.split(separator: "\n")
        #expect(lines.count == 1, "\(ended)")
        #expect(ended.err.contains("switchyard.yaml:"), "names file and line: \(ended)")
        #expect(ended.err.contains(key), "names the key: \(ended)")
    }

    @Test("a missing file, a broken policy, unknown options: one line and the right code")
    func usage() async throws {
        let world = try await World(banks: false)
        let missing = try await Finished.run(["run", "--config", world.folder.appending("none.yaml")])
        #expect(missing.status == 1 && missing.err.split(separator: "\n").count == 1, "\(missing)")
        let unknown = try await Finished.run(["run", "--confg", "x"])
        #expect(unknown.status == 2 && unknown.err.contains("--config"), "\(unknown)")
        #expect(try await Finished.run(["rum"]).status == 2)
        #expect(try await Finished.run(["--help"]).status == 0)
        let unreachable = try await Finished.run(["events", "--config", world.configuration, "--timeout", "1"])
        #expect(unreachable.status == 3, "\(unreachable)")
        let check = try await Finished.run(["policy", "check", World.top + "/routing"])
        #expect(check.status == 0, "\(check)")
        let explain = try await Finished.run(
            ["policy", "explain", "--policy", World.top + "/routing", "-", "--output", "json"],
            input: "\(Line.payout("x"))\n")
        #expect(explain.status == 0 && explain.out.contains("\"candidates\""), "\(explain)")
        let version = try await Finished.run(["--version"])
        #expect(version.status == 0 && version.out.hasPrefix("switchyard 1."), "\(version)")
    }

    @Test("policy explain tells of every line, and names one that the daemon would refuse; the others are explained")
    func explainMany() async throws {
        let lines = [
            "\(Line.payout("first"))", "", "\(Line.payout("bad", currency: "XXQ"))", "no json",
            "\(Line.payout("second"))",
        ]
        let json = try await Finished.run(
            ["policy", "explain", "--policy", World.top + "/routing", "-", "--output", "json"],
            input: lines.joined(separator: "\n"))
        #expect(json.status == 1, "\(json)")
        let told = try json.lines.map { try JSONValue(parsing: $0)["paymentId"]?.string }
        #expect(told == ["first", "second"])
        #expect(json.err.contains("line 3: the daemon would refuse it: invalid (instructedAmount.currency)"), "\(json)")
        #expect(json.err.contains("line 4: the input is no JSON object"), "\(json)")
        let text = try await Finished.run(
            ["policy", "explain", "--policy", World.top + "/routing", "-"], input: "\(Line.payout("first"))\n")
        #expect(text.status == 0 && text.out.contains("line 1, payment first\npolicy "), "\(text)")
        let empty = try await Finished.run(["policy", "explain", "--policy", World.top + "/routing", "-"], input: "\n")
        #expect(empty.status == 2, "\(empty)")
    }

    @Test("a directory whose lock cannot be taken ends a reading command with 3, and is not waited for")
    func unusableDirectory() async throws {
        let world = try await World(banks: false)
        try FileManager.default.createDirectory(
            atPath: world.folder.appending("data/store"), withIntermediateDirectories: true)
        // As root every directory may be written; but no directory can be opened as a lock.
        try FileManager.default.createDirectory(
            atPath: world.folder.appending("data/owner.lock"), withIntermediateDirectories: true)
        // Who waited for it would wait for an hour.
        let events = try await world.run(["events", "--timeout", "3600"])
        #expect(events.status == 3 && events.err.contains("owner.lock"), "\(events)")
    }

    @Test("what a command line lacks is named before anything is asked for")
    func hints() async throws {
        let world = try await World(banks: false)
        let resolve = try await world.run([
            "payments", "resolve", "p", "--attempt", "a", "--outcome", "absent", "--operator", "ann",
        ])
        #expect(resolve.status == 2 && resolve.err.contains("needs --observed-at TIME"), "\(resolve)")
        let list = try await world.run(["payments", "list", "--state", "zzz"])
        #expect(
            list.status == 2 && list.err.contains("held, routing, offloaded") && !list.err.contains("none"), "\(list)")
        let half = try await world.run(["payments", "list", "--key-file", "x"])
        #expect(half.status == 2 && half.err.contains("--certificate-file"), "\(half)")
    }

    @Test("where the port wants a client certificate, commands can show one, and say so when they show none")
    func clientCertificate() async throws {
        let world = try await World(banks: false) {
            $0.replacingOccurrences(
                of: "http: { ",
                with: "http: { tls: { certificateFile: own.pem, keyFile: own.key, clientCAFile: own.pem }, "
                    + "clients: [{ commonName: ann, roles: [read] }], ")
        }
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=ann", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", world.folder.appending("own.key"), "-out",
            world.folder.appending("own.pem"),
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        let daemon = try await world.start(ready: false)
        let (certificate, key) = (world.folder.appending("own.pem"), world.folder.appending("own.key"))
        let list = ["payments", "list", "--ca-file", certificate]
        let shown = try await world.run(list + ["--certificate-file", certificate, "--key-file", key])
        #expect(shown.status == 0, "\(shown) \(daemon.output)")
        let hidden = try await world.run(list + ["--timeout", "1"])
        #expect(hidden.status == 1 && hidden.err.contains("client certificate"), "\(hidden)")
        #expect(hidden.err.contains("--certificate-file and --key-file"), "\(hidden)")
    }

    @Test("the last line of a daemon that cannot run is one of its log")
    func lastLine() async throws {
        let world = try await World(banks: false) { $0.replacingOccurrences(of: "shards: 2", with: "shards: 0") }
        let json = try await Finished.run(["run", "--config", world.configuration])
        let last = try JSONValue(parsing: try #require(json.err.split(separator: "\n").last).description)
        #expect(json.status == 1 && last["level"]?.string == "error" && last["exitCode"]?.integer == 1, "\(json)")
        #expect(last["message"]?.string?.contains("switchyard.yaml:4:9: shards:") == true, "\(json)")
        let plain = try await Finished.run(["run", "--config", world.configuration, "--log-format", "plain"])
        #expect(plain.status == 1 && plain.err.contains("switchyard.yaml:4:9: shards:"), "\(plain)")
    }

    @Test("a partner that only the configuration has is told at start, by readyz and by policy check")
    func misspelledPartner() async throws {
        let world = try await World(banks: false) { $0.replacingOccurrences(of: "  bank-b:", with: "  bank-c:") }
        let daemon = try await world.start()
        let ready = try await world.call("GET", "/readyz").json
        let notices = ready?["notices"]?.array?.compactMap(\.string) ?? []
        let check = try await world.run(["policy", "check"])
        #expect(check.status == 0, "\(check)")
        for told in [daemon.output, notices.joined(separator: "\n"), check.out] {
            #expect(told.contains("holds no bank-c.yaml") && told.contains("did you mean 'bank-b'?"), "\(told)")
            #expect(told.contains("the configuration has no partner 'bank-b'"), "\(told)")
        }
    }

    @Test("routes of a partner that the configuration does not have: eliminated with a reason, also after a reload")
    func partnerNotConfigured() async throws {
        let folder = TemporaryDirectory("policy")
        let routing = folder.appending("routing")
        try FileManager.default.copyItem(atPath: World.top + "/routing", toPath: routing)
        let world = try await World(routing: routing) { text in
            text.split(separator: "\n").filter { !$0.contains("bank-b:") }.joined(separator: "\n") + "\n"
        }
        let daemon = try await world.start()
        func expectEliminated(_ payment: String) async throws {
            try await world.send([Line.payout(payment)])
            try await world.waits(payment, "settled")
            let selected = try await world.records(payment: payment).filter { World.name($0) == "route.selected" }
            let data = try #require(selected.first?["data"])
            let gone = data["eliminated"]?.array?.filter { $0["partner"]?.string == "bank-b" } ?? []
            #expect(!gone.isEmpty && gone.allSatisfy { $0["code"]?.string == "partner-unknown" }, "\(data)")
            #expect(data["candidates"]?.array?.allSatisfy { $0["partner"]?.string == "bank-a" } == true, "\(data)")
        }
        try await expectEliminated("before")
        let routes = try await world.call("GET", "/v1/routes").json
        for route in routes?["routes"]?.array ?? [] {
            #expect(route["configured"] == .bool(route["partner"]?.string == "bank-a"), "\(route)")
        }
        let explain = try await world.run(
            ["policy", "explain", "-", "--output", "json"], input: "\(Line.payout("x"))\n")
        let said = try JSONValue(parsing: try #require(explain.lines.first))
        let gone = said["eliminated"]?.array?.filter { $0["partner"]?.string == "bank-b" } ?? []
        #expect(!gone.isEmpty && gone.allSatisfy { $0["code"]?.string == "partner-unknown" }, "\(explain)")
        let file = URL(fileURLWithPath: routing + "/screening.yaml")
        try Data((try String(contentsOf: file, encoding: .utf8) + "# read again\n").utf8).write(to: file)
        daemon.signal(SIGHUP)
        try await eventually(20, "the folder was read again") {
            try await world.call("GET", "/v1/routes").json?["policyVersion"] != routes?["policyVersion"]
        }
        try await expectEliminated("after")
    }

    @Test("a port in use and a directory that cannot be made end it with 3, one line each, and touch nothing")
    func taken() async throws {
        let world = try await World(banks: false)
        let daemon = try await world.start()
        let other = try await World(banks: false) { text in
            text.replacingOccurrences(of: "listen: \"127.0.0.1:", with: "listen: \"127.0.0.1:\(world.daemonPort)\" } #")
        }
        let second = try await Finished.run(
            ["run", "--config", other.configuration, "--log-format", "plain"], timeout: 40)
        #expect(second.status == 3, "\(second)")
        #expect(second.err.contains("http.listen"), "\(second)")
        try Data("not a directory".utf8).write(to: URL(fileURLWithPath: world.folder.appending("file")))
        let third = try await World(banks: false) {
            $0.replacingOccurrences(of: "./data", with: world.folder.appending("file/data"))
        }
        let refused = try await Finished.run(
            ["run", "--config", third.configuration, "--log-format", "plain"], timeout: 40)
        #expect(refused.status == 3 && refused.err.contains("log.directory"), "\(refused)")
        #expect(refused.err.contains("/file: Not a directory") || refused.err.contains("/file/data: Not a directory"))
        _ = daemon
    }

    @Test("a second daemon on the same directory waits, then gives up; a restart goes on where the first one stopped")
    func secondDaemon() async throws {
        let world = try await World { $0 + "timeouts: { directoryWait: 2s }\n" }
        let daemon = try await world.start()
        try await world.send([Line.payout("one")])
        try await world.waits("one", "settled")
        let text = try String(contentsOfFile: world.configuration, encoding: .utf8)
        let other = world.folder.appending("other.yaml")
        try Data(text.replacingOccurrences(of: ":\(world.daemonPort)\"", with: ":\(FreePorts.next())\"").utf8)
            .write(to: URL(fileURLWithPath: other))
        let second = try await Finished.run(["run", "--config", other, "--log-format", "plain"], timeout: 40)
        #expect(second.status == 3 && second.err.contains("in use"), "\(second)")
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0, "SIGTERM ends it with 0")
        // Without a daemon the commands open the directory themselves.
        #expect(try await world.records(payment: "one").last.map { World.name($0) } == "payout.settled")
        try await world.send([Line.payout("two")])
        let again = try await world.start()
        try await world.waits("two", "settled")
        #expect(try await world.state("one") == "settled")
        try await world.expectInvariants()
        _ = again
    }

    @Test("SIGTERM under load drains: nothing is in doubt because of it, and it ends within 30 s")
    func drain() async throws {
        let world = try await World()
        let daemon = try await world.start()
        for bank in ["bank-a", "bank-b"] {
            try await world.faults(
                bank,
                [
                    [
                        "route": "POST /v1/transfers", "fault": "delay", "count": 1_000, "ratio": 1, "seed": 1,
                        "milliseconds": 300,
                    ]
                ])
        }
        try await world.send((1...200).map { Line.payout("d-\($0)") })
        try await eventually(20, "some attempts are open") {
            (try await world.records()).contains { World.name($0) == "attempt.started" }
        }
        daemon.signal(SIGTERM)
        #expect(try await daemon.exit(within: 30) == 0)
        let doubts = try await world.records().filter { World.name($0) == "attempt.in-doubt" }
        #expect(doubts.isEmpty, "\(doubts.count) attempts in doubt after a drain")
        try await world.heal()
        let again = try await world.start()
        try await eventually(60, "all settle") { try await world.settled() == 200 }
        try await world.expectInvariants()
        _ = again
    }

    @Test("SIGHUP: a broken folder never takes effect and is told; a mended one does")
    func reload() async throws {
        let folder = TemporaryDirectory("policy")
        let routing = folder.appending("routing")
        try FileManager.default.copyItem(atPath: World.top + "/routing", toPath: routing)
        let world = try await World(routing: routing)
        let daemon = try await world.start()
        func version() async throws -> String? {
            try await world.call("GET", "/v1/routes").json?["policyVersion"]?.string
        }
        let first = try await version()
        let file = routing + "/screening.yaml"
        let original = try String(contentsOfFile: file, encoding: .utf8)
        try Data((original + "hold: [twice\n").utf8).write(to: URL(fileURLWithPath: file))
        daemon.signal(SIGHUP)
        try await eventually(20, "the broken folder is told") {
            let ready = try await world.call("GET", "/readyz")
            #expect(ready.status == 200, "the one before stays in force")
            return ready.text.contains("screening.yaml")
        }
        #expect(try await version() == first)
        try Data(original.replacingOccurrences(of: "Casimir Testholder", with: "Nora Neueintrag").utf8)
            .write(to: URL(fileURLWithPath: file))
        daemon.signal(SIGHUP)
        try await eventually(20, "the mended folder is in force") { try await version() != first }
        try await world.send([
            Line.payout("new", creditor: "Nora Neueintrag"), Line.payout("old", creditor: "Casimir Testholder"),
        ])
        try await world.waits("new", "held")
        try await world.waits("old", "settled")
        #expect(try await world.call("GET", "/readyz").json?["notices"]?.array?.isEmpty == true)
    }

    @Test("tokens with roles over HTTP and the command line; a desk command without the role is rejected, not dropped")
    func roles() async throws {
        let world = try await World {
            $0.replacingOccurrences(
                of: "\" }\nrouting",
                with: "\", tokens: [ { name: shop, token: { file: ./shop.token }, roles: [send] }, "
                    + "{ name: ann, token: { file: ./ann.token }, roles: [read, desk] } ] }\nrouting")
        }
        for name in ["shop", "ann"] {
            try Data("\(name)-token-1234567890".utf8).write(
                to: URL(fileURLWithPath: world.folder.appending("\(name).token")))
        }
        let daemon = try await world.start()
        let shop = [("authorization", "Bearer shop-token-1234567890")]
        let ann = [("authorization", "Bearer ann-token-1234567890")]
        #expect(try await world.call("GET", "/v1/payments").status == 401)
        #expect(try await world.call("GET", "/v1/payments", headers: shop).status == 403)
        #expect(try await world.call("GET", "/v1/payments", headers: ann).status == 200)
        let held = Line.payout("h", creditor: "Casimir Testholder").description
        #expect(try await world.call("POST", "/v1/commands", body: held, headers: ann).status == 403)
        #expect(try await world.call("POST", "/v1/commands", body: held, headers: shop).status == 202)
        let decision: JSONValue = ["holdId": "h-hold-1", "operator": "mallory", "reason": "let it go"]
        let release = Line.command("hold.release", "h", id: "r1", decision).description
        let taken = try await world.call("POST", "/v1/commands", body: release, headers: shop)
        #expect(taken.status == 202)
        let location = try #require(taken.headers["location"])
        var outcome: JSONValue?
        try await eventually(20, "decided") {
            let answer = try await world.call("GET", location, headers: ann)
            outcome = answer.json
            return answer.status == 200
        }
        #expect(outcome?["data"]?["code"]?.string == "not-authorized")
        #expect(outcome?["data"]?["state"]?.string == "held")
        let released = try await world.run([
            "payments", "release", "h", "--entry", "h-hold-1", "--operator", "ann", "--reason", "checked",
            "--token-file",
            world.folder.appending("ann.token"),
        ])
        #expect(released.status == 0, "\(released)")
        let refused = try await world.run([
            "events", "--token-file", world.folder.appending("shop.token"), "--timeout", "2",
        ])
        #expect(refused.status == 1 && refused.err.contains("role"), "\(refused)")
        _ = daemon
    }
}
