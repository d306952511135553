import CurlHTTP
import Foundation
import Synchronization
import Testing

@Suite struct PoolTests {
    @Test func aSilentPartnerStallsOnlyItsOwnPool() async throws {
        let silent = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let quick = RawServer { while $0.request() != nil { $0.answer() } }
        let client = try makeClient(
            connections: 2, queued: 3, others: [HTTPPoolConfiguration(name: "other", maximumConnections: 2)])
        let outcomes = Outcomes()
        for tag in 0..<2 { client.submit(post(silent.url), completion: outcomes.record(tag)) }
        try await until { silent.requests.count == 2 }
        for tag in 2..<6 { client.submit(post(silent.url), completion: outcomes.record(tag)) }
        // Two on the way, three queued, the sixth refused before `submit` returned.
        #expect(outcomes.list.map(\.0) == [5])
        #expect(outcomes.of(5).first?.unsent?.cause == .queueFull)
        #expect(client.statistics(pool: "partner")?.queued == 3)
        #expect(client.statistics(pool: "partner")?.inFlight == 2)
        for _ in 0..<50 {
            #expect(await client.outcome(of: post(quick.url, pool: "other")).answer?.status == 200)
        }
        #expect(outcomes.list.count == 1)
        client.shutdown()
        #expect(outcomes.list.count == 6)
    }

    @Test func neverMoreConnectionsThanAllowed() async throws {
        let server = RawServer {
            while $0.request() != nil {
                usleep(1000)
                $0.answer()
            }
        }
        let client = try makeClient(connections: 3, queued: 500)
        let outcomes = Outcomes()
        for tag in 0..<300 { client.submit(post(server.url), completion: outcomes.record(tag)) }
        try await outcomes.wait(for: 300)
        #expect(outcomes.list.allSatisfy { $0.1.answer?.status == 200 })
        #expect(server.mostOpen <= 3)
        #expect(server.accepted == 3)
        client.shutdown()
    }

    @Test func aPoolWithoutAQueueTakesWhatFitsOnItsConnections() async throws {
        let server = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let client = try makeClient(connections: 2, queued: 0)
        let outcomes = Outcomes()
        for tag in 0..<3 { client.submit(post(server.url), completion: outcomes.record(tag)) }
        #expect(outcomes.of(2).first?.unsent?.cause == .queueFull)
        try await until { server.requests.count == 2 }
        client.shutdown()
        #expect(outcomes.list.count == 3)
    }

    @Test func cancelling() async throws {
        let server = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let client = try makeClient(connections: 1)
        let outcomes = Outcomes()
        let onTheWay = client.submit(post(server.url), completion: outcomes.record(0))
        let queued = client.submit(post(server.url), completion: outcomes.record(1))
        try await until { server.requests.count == 1 }
        client.cancel(queued, pool: "partner")
        try await outcomes.wait(for: 1)
        #expect(outcomes.of(1).first?.unsent?.cause == .cancelled)
        client.cancel(onTheWay, pool: "partner")
        try await outcomes.wait(for: 2)
        #expect(outcomes.of(0).first?.doubt?.cause == .cancelled)
        // Cancelled in the same breath: the thread finds both at once.
        for tag in 10..<60 {
            client.cancel(client.submit(post(server.url), completion: outcomes.record(tag)), pool: "partner")
        }
        try await outcomes.wait(for: 52)
        #expect((10..<60).allSatisfy { outcomes.of($0).first?.answer == nil })
        // Once ended, a token means nothing any more.
        client.cancel(onTheWay, pool: "partner")
        client.cancel(queued, pool: "nowhere")
        client.shutdown()
        #expect(outcomes.list.count == 52)
    }

    @Test func cancellingATaskCancelsItsExchange() async throws {
        let server = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let client = try makeClient()
        let task = Task { await client.outcome(of: post(server.url)) }
        try await until { server.requests.count == 1 }
        task.cancel()
        #expect(await task.value.doubt?.cause == .cancelled)
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await client.outcome(of: post(server.url))
        }
        let outcome = await early.value
        // The pool's thread may have been quicker than the cancellation.
        #expect(outcome.unsent?.cause == .cancelled || outcome.doubt?.cause == .cancelled, "\(outcome)")
        client.shutdown()
    }

    /// Row B16: nothing of an earlier incarnation is on the way when the next one begins.
    @Test func cancellingAnOwnerEndsAllOfItsExchangesFirst() async throws {
        let server = RawServer {
            while let request = $0.request() {
                if request.line.contains("/slow") { return $0.waitForEnd() }
                $0.answer()
            }
        }
        let other = HTTPPoolConfiguration(name: "other", maximumConnections: 2)
        let client = try makeClient(connections: 3, others: [other])
        let outcomes = Outcomes()
        for tag in 0..<4 {
            client.submit(post(server.url + "/slow", owner: 7), completion: outcomes.record(tag))
            client.submit(post(server.url + "/slow", pool: "other", owner: 7), completion: outcomes.record(tag))
        }
        client.submit(post(server.url + "/quick", owner: 8), completion: outcomes.record(100))
        try await until { server.requests.count == 5 }
        let endedBefore = await withCheckedContinuation { continuation in
            client.cancelAll(owner: 7) {
                continuation.resume(returning: outcomes.list.filter { $0.0 < 100 }.count)
            }
        }
        #expect(endedBefore == 8)
        #expect(outcomes.list.filter { $0.1.doubt?.cause == .cancelled }.count == 5)
        #expect(outcomes.list.filter { $0.1.unsent?.cause == .cancelled }.count == 3)
        try await outcomes.wait(for: 9)
        #expect(outcomes.of(100).first?.answer?.status == 200)
        let emptied = await withCheckedContinuation { continuation in
            client.cancelAll(pool: "partner") { continuation.resume(returning: true) }
        }
        #expect(emptied)
        client.shutdown()
        let afterwards = await withCheckedContinuation { continuation in
            client.cancelAll(owner: 7) { continuation.resume(returning: true) }
        }
        #expect(afterwards)
        #expect(outcomes.list.count == 9)
    }

    @Test func shutdownEndsEverythingOnce() async throws {
        let server = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let client = try makeClient(connections: 3, queued: 100)
        let outcomes = Outcomes()
        for tag in 0..<40 { client.submit(post(server.url), completion: outcomes.record(tag)) }
        try await until { server.requests.count == 3 }
        client.shutdown()
        #expect(outcomes.list.count == 40)
        #expect(Set(outcomes.list.map(\.0)).count == 40)
        #expect(outcomes.list.filter { $0.1.doubt?.cause == .shutDown }.count == 3)
        #expect(outcomes.list.filter { $0.1.unsent?.cause == .shutDown }.count == 37)
        client.submit(post(server.url), completion: outcomes.record(40))
        #expect(outcomes.of(40).first?.unsent?.cause == .shutDown)
        client.shutdown()
        let statistics = client.statistics(pool: "partner")
        #expect(statistics?.inFlight == 0 && statistics?.queued == 0 && statistics?.openSockets == 0)
        #expect(statistics?.notSent == 38 && statistics?.unanswered == 3)
    }

    @Test func shutdownWaitsForWhatEndsWithinTheGrace() async throws {
        let server = RawServer {
            _ = $0.request()
            usleep(200_000)
            $0.answer()
        }
        let client = try makeClient()
        let outcomes = Outcomes()
        client.submit(post(server.url), completion: outcomes.record(0))
        try await until { server.requests.count == 1 }
        let start = MonotonicTime.now()
        client.shutdown(grace: .seconds(8))
        #expect(outcomes.of(0).first?.answer?.status == 200)
        #expect(start.duration(to: .now()) < .seconds(6))
    }

    @Test func aClientThatIsLetGoEndsItsExchanges() async throws {
        let server = RawServer {
            _ = $0.request()
            $0.waitForEnd()
        }
        let outcomes = Outcomes()
        do {
            let client = try makeClient()
            client.submit(post(server.url), completion: outcomes.record(0))
            try await until { server.requests.count == 1 }
        }
        try await outcomes.wait(for: 1)
        #expect(outcomes.of(0).first?.doubt?.cause == .shutDown)
    }

    /// Many threads submit and cancel while a server lives and dies: every exchange ends exactly once.
    @Test func everyExchangeEndsExactlyOnceUnderStress() async throws {
        let server = RawServer { connection in
            var left = connection.index % 7 + 1
            while connection.request() != nil {
                left -= 1
                if left == 0 { return connection.index % 2 == 0 ? connection.reset() : () }
                connection.answer()
            }
        }
        let client = try makeClient(connections: 8, queued: 100)
        let outcomes = Outcomes()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for turn in 0..<500 {
                        let tag = worker * 500 + turn
                        let deadline = turn % 5 == 0 ? MonotonicTime.now().advanced(by: .milliseconds(2)) : nil
                        let token = client.submit(
                            post(server.url + "/\(tag)", deadline: deadline), completion: outcomes.record(tag))
                        if turn % 11 == 0 { client.cancel(token, pool: "partner") }
                        if turn % 16 == 0 { await Task.yield() }
                    }
                }
            }
        }
        try await outcomes.wait(for: 2000)
        client.shutdown()
        #expect(outcomes.list.count == 2000)
        #expect(Set(outcomes.list.map(\.0)).count == 2000)
        let lines = server.requests.map(\.line)
        #expect(Set(lines).count == lines.count)
        let seen = Set(lines)
        for (tag, outcome) in outcomes.list where outcome.unsent != nil {
            #expect(!seen.contains("POST /\(tag) HTTP/1.1"))
        }
    }

    @Test(arguments: [
        HTTPPoolConfiguration(name: ""), HTTPPoolConfiguration(name: "p", maximumConnections: 0),
        HTTPPoolConfiguration(name: "p", maximumQueued: -1),
        HTTPPoolConfiguration(name: "p", unacknowledgedTimeout: .zero),
        HTTPPoolConfiguration(name: "p", maximumConnectionAge: .zero),
        HTTPPoolConfiguration(name: "p", tls: HTTPTLSConfiguration(clientKeyFile: "/tmp/k")),
        HTTPPoolConfiguration(name: "p", tls: HTTPTLSConfiguration(certificateAuthorityFile: "/nowhere/ca.pem")),
    ])
    func configurationThatMakesNoSense(_ pool: HTTPPoolConfiguration) {
        #expect(throws: HTTPClientError.self) { try HTTPClient(HTTPClientConfiguration(pools: [pool])) }
    }

    @Test func twoPoolsOfOneName() {
        let pools = [HTTPPoolConfiguration(name: "p"), HTTPPoolConfiguration(name: "p")]
        #expect(throws: HTTPClientError.invalidConfiguration(pool: "p", reason: "the name is used twice")) {
            try HTTPClient(HTTPClientConfiguration(pools: pools))
        }
    }
}
