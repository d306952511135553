import CanonicalJSON
import CurlHTTP
import HTTPServer
import PartnerSimulator
import PartnerWorld
import Synchronization
import Testing

/// A simulator, a receiver of its notifications, and a client: all over real sockets on the loopback.
final class Rig: Sendable {
    struct Received: Sendable {
        var body: [UInt8]
        var signature: String
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    }

    let simulator: PartnerSimulator
    private let receiver: HTTPServer
    private let client: HTTPClient
    private let inbox: Inbox

    /// What the receiver got, and what it answers.
    final class Inbox: Sendable {
        let received = Mutex<[Received]>([])
        let status = Atomic<Int>(204)
    }

    init(_ configure: (inout PartnerSettings) -> Void = { _ in }) throws {
        let inbox = Inbox()
        self.inbox = inbox
        receiver = try HTTPServer(HTTPServerConfiguration()) { request, responder in
            let news = Received(body: request.body, signature: request.headers["Partner-Signature"] ?? "")
            inbox.received.withLock { $0.append(news) }
            responder.answer(HTTPResponse(status: inbox.status.load(ordering: .relaxed)))
        }
        var settings = PartnerSettings(name: "bank-a")
        settings.webhookSecret = Array("secret".utf8)
        configure(&settings)
        let url = "http://127.0.0.1:\(receiver.port)/v1/notifications/bank-a"
        simulator = PartnerSimulator(PartnerSimulatorConfiguration(notifyURL: url, settings: settings))
        try simulator.start()
        client = try HTTPClient(
            HTTPClientConfiguration(pools: [HTTPPoolConfiguration(name: "p", maximumConnections: 8)]))
    }

    func stop() {
        client.shutdown()
        simulator.stop()
        receiver.stop()
    }

    var received: [Received] { inbox.received.withLock { $0 } }

    func receiverAnswers(_ status: Int) { inbox.status.store(status, ordering: .relaxed) }

    func call(_ method: HTTPMethod, _ path: String, _ body: String = "", key: String? = nil) async -> HTTPOutcome {
        var headers = [HTTPHeader("Content-Type", "application/json")]
        if let key { headers.append(HTTPHeader("Idempotency-Key", key)) }
        let times = HTTPTimeouts(connect: .seconds(2), firstByte: .seconds(3), total: .seconds(5))
        return await client.outcome(
            of: HTTPExchange(
                pool: "p", method: method, url: path.hasPrefix("http") ? path : simulator.baseURL + path,
                headers: headers, body: Array(body.utf8), timeouts: times,
                limits: HTTPLimits(maximumResponseBytes: 1 << 20)))
    }

    func json(_ outcome: HTTPOutcome) -> JSONValue {
        guard case .answered(let answer) = outcome else { return .null }
        return (try? JSONValue(parsing: answer.body)) ?? .null
    }

    func fault(_ rule: String) async {
        _ = await call(.post, "/_control/faults", #"{"rules":[\#(rule)],"replace":true}"#)
    }

    func eventually(_ condition: () async -> Bool) async -> Bool {
        for _ in 0..<500 {
            if await condition() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}

@Suite("The simulator over HTTP", .serialized)
struct SimulatorTests {
    @Test("Order, replay, inquiry, books, requests, notification with a good signature")
    func wholeWay() async throws {
        let rig = try Rig { $0.feeFixed = 30 }
        defer { rig.stop() }
        let body = WorldDriver.transferBody("R1", 4_200)
        let first = await rig.call(.post, "/v1/transfers", body, key: "k1")
        #expect(rig.json(first)["status"] == "settled")
        let replay = await rig.call(.post, "/v1/transfers", body, key: "k1")
        guard case .answered(let answer) = replay else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 201)
        #expect(answer.headers["idempotent-replayed"] == "true")
        #expect(rig.json(replay) == rig.json(first))
        let found = rig.json(await rig.call(.get, "/v1/transfers?reference=R1"))
        #expect(found["transfers"]?[0] == rig.json(first))
        #expect(rig.json(await rig.call(.get, "/_control/books"))["totals"]?["transfer"] == ["EUR": 4_200])
        #expect(rig.json(await rig.call(.get, "/_control/requests"))["requests"]?.array?.count == 3)
        #expect(await rig.eventually { rig.received.count == 1 })
        let news = try #require(rig.received.first)
        #expect(news.json["type"] == "transfer.settled")
        #expect(news.json["data"]?["reference"] == "R1")
        let parts = news.signature.split(separator: ",")
        let time = String(parts[0].dropFirst(2))
        let digest = try WorldSignature.openssl(
            ["dgst", "-sha256", "-hmac", "secret"], Array("\(time).".utf8) + news.body)
        #expect(news.signature == "t=\(time),v1=\(digest)")
    }

    @Test("Notifications are repeated until they get a 2xx")
    func repeated() async throws {
        let rig = try Rig { $0.notificationBackoff = (20, 50) }
        defer { rig.stop() }
        rig.receiverAnswers(503)
        _ = await rig.call(.post, "/v1/transfers", WorldDriver.transferBody("R1"), key: "k1")
        #expect(await rig.eventually { rig.received.count >= 3 })
        rig.receiverAnswers(200)
        let count = rig.received.count
        #expect(await rig.eventually { rig.received.count > count })
        try await Task.sleep(for: .milliseconds(300))
        #expect(rig.received.count <= count + 2)
        #expect(Set(rig.received.map(\.body)).count == 1)
    }

    @Test("A challenge over its redirect URL")
    func challenge() async throws {
        let rig = try Rig()
        defer { rig.stop() }
        let order = """
            {"reference":"A1","amount":{"currency":"EUR","minorUnits":5},"captureMode":"manual",\
            "instrument":{"type":"card","token":"tok_challenge","network":"visa"}}
            """
        let url = rig.json(await rig.call(.post, "/v1/authorizations", order, key: "k"))["redirectUrl"]?.string
        #expect(rig.json(await rig.call(.get, try #require(url)))["result"] == "completed")
        #expect(await rig.eventually { rig.received.map { $0.json["type"] } == ["authorization.accepted"] })
    }

    @Test(
        "Faults on the wire, as a client sees them; the books say whether money moved",
        arguments: [
            (#""resetBefore""#, "lost", 0), (#""resetAfter""#, "lost", 1),
            (#""timeoutBefore","milliseconds":100"#, "lost", 0),
            (#""timeoutAfter","milliseconds":60000"#, "firstByteTimedOut", 1), (#""truncated""#, "*", 1),
            (#""endless""#, "*", 1), (#""garbage""#, "201", 1), (#""error5xxAfter""#, "5", 1),
            (#""tooManyRequests""#, "429", 0), (#""refuse""#, "403", 0),
            (#""delay","milliseconds":200"#, "201", 1), (#""beforeResponse""#, "201", 1),
        ])
    func wire(rule: String, expected: String, executed: Int) async throws {
        let rig = try Rig()
        defer { rig.stop() }
        await rig.fault(#"{"route":"POST /v1/transfers","fault":\#(rule)}"#)
        let start = ContinuousClock.now
        switch await rig.call(.post, "/v1/transfers", WorldDriver.transferBody("R1"), key: "k1") {
        case .answered(let answer): #expect("\(answer.status)".hasPrefix(expected), "\(rule): \(answer.status)")
        case .unanswered(let doubt):
            // The connection was used before: curl wants to repeat, and is kept from it.
            let causes = expected == "lost" ? ["connectionLost", "repeatRefused"] : [expected]
            #expect(
                expected == "*" || causes.contains(doubt.cause.rawValue), "\(rule): \(doubt.cause) \(doubt.detail)")
        case .notSent(let failure): Issue.record("\(rule): \(failure.detail)")
        }
        if rule.contains("200") { #expect(ContinuousClock.now - start >= .milliseconds(200)) }
        if rule.contains("beforeResponse") { #expect(rig.received.count == 1) }
        let books = rig.json(await rig.call(.get, "/_control/books"))
        #expect(books["movements"]?.array?.count == executed)
    }

    @Test("Refused connections, for their time")
    func refused() async throws {
        let rig = try Rig()
        defer { rig.stop() }
        await rig.fault(#"{"fault":"refuse","milliseconds":600}"#)
        try await Task.sleep(for: .milliseconds(150))
        guard case .notSent(let failure) = await rig.call(.get, "/v1/transfers?reference=R") else {
            Issue.record("was sent")
            return
        }
        #expect(failure.cause == .connectionRefused)
        #expect(
            await rig.eventually {
                if case .answered = await rig.call(.get, "/v1/transfers?reference=R") { true } else { false }
            })
    }

    @Test("Stopping with answers held back does not hang, and a second start is refused")
    func stopping() async throws {
        let rig = try Rig()
        await rig.fault(#"{"fault":"delay","milliseconds":3600000}"#)
        async let outcome = rig.call(.post, "/v1/transfers", WorldDriver.transferBody("R1"), key: "k1")
        try await Task.sleep(for: .milliseconds(100))
        rig.simulator.stop()
        if case .answered(let answer) = await outcome { #expect(answer.status == 503) }
        #expect(throws: PartnerSimulatorError.alreadyStarted) { try rig.simulator.start() }
        rig.stop()
    }

    @Test("A port in use is one clear error")
    func portInUse() throws {
        let rig = try Rig()
        defer { rig.stop() }
        let second = PartnerSimulator(
            PartnerSimulatorConfiguration(port: rig.simulator.port, settings: PartnerSettings(name: "x")))
        #expect(throws: PartnerSimulatorError.self) { try second.start() }
    }
}
