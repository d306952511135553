import CurlHTTP
import Glibc
import Testing

/// Row B25 of the protocol's stories: a transport that sends again by itself doubles the money. curl does so when a
/// connection that was used before dies without an answer.
@Suite struct NeverRepeatTests {
    struct Request: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: HTTPMethod
        let size: Int
    }

    static let requests = [
        Request(testDescription: "POST", method: .post, size: 200),
        Request(testDescription: "POST without a body", method: .post, size: 0),
        Request(testDescription: "POST of 3 MB", method: .post, size: 3 << 20),
        Request(testDescription: "PUT", method: .put, size: 200),
        Request(testDescription: "GET", method: .get, size: 0),
    ]

    enum Death: String, Sendable, CaseIterable { case close, reset, closeAfterHead, resetUnread }

    @Test(arguments: requests, Death.allCases)
    func aReusedConnectionThatDies(_ request: Request, _ death: Death) async throws {
        let server = RawServer { connection in
            guard connection.request() != nil else { return }
            connection.answer()
            switch death {
            case .close: _ = connection.request()
            case .reset:
                _ = connection.request()
                connection.reset()
            case .closeAfterHead: _ = connection.head()
            case .resetUnread:
                connection.waitForBytes()
                connection.reset()
            }
        }
        let client = try makeClient(connections: 2)
        let exchange = HTTPExchange(
            pool: "partner", method: request.method, url: server.url + "/v1/transfers",
            body: [UInt8](repeating: 0x61, count: request.size))
        #expect(await client.outcome(of: exchange).answer?.status == 200)
        let outcome = await client.outcome(of: exchange)
        let doubt = try #require(outcome.doubt, "\(outcome)")
        #expect([.repeatRefused, .connectionLost].contains(doubt.cause))
        usleep(20_000)
        let whole = death == .close || death == .reset
        #expect(server.requests.count == (whole ? 2 : 1))
        // A further connection may have been made for the repeat, but not one byte went over it.
        #expect(server.requests.allSatisfy { $0.connection == 1 })
        if whole { #expect(doubt.cause == .repeatRefused) }
        client.shutdown()
    }

    @Test func manyRequestsManyDeaths() async throws {
        let server = RawServer { connection in
            for turn in 1...3 {
                guard connection.request() != nil else { return }
                if turn < 3 { connection.answer() }
            }
        }
        let client = try makeClient(connections: 4, queued: 400)
        let outcomes = Outcomes()
        let count = 300
        for tag in 0..<count { client.submit(post(server.url + "/\(tag)"), completion: outcomes.record(tag)) }
        try await outcomes.wait(for: count)
        client.shutdown()
        #expect(outcomes.list.count == count)
        let lines = server.requests.map(\.line)
        #expect(Set(lines).count == lines.count, "a request was seen twice")
        for (tag, outcome) in outcomes.list {
            let seen = lines.contains("POST /\(tag) HTTP/1.1")
            switch outcome {
            case .answered: #expect(seen)
            case .unanswered: break
            case .notSent: #expect(!seen)
            }
        }
        let doubts = outcomes.list.filter { $0.1.doubt != nil }.count
        // About every third; fewer where a stopped repeat had already pushed an idle connection out.
        #expect(doubts >= count / 5)
        #expect(client.statistics(pool: "partner")?.repeatsRefused ?? 0 > 0)
    }
}
