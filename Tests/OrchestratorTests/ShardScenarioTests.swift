import EventLog
import Orchestrator
import Partners
import PaymentModel
import SwitchyardSimulation
import Synchronization
import Testing

/// The path of one payout, and what the shard promises about commits and effects.
@Suite struct ShardScenarioTests {
    @Test func movesAPayoutFromCommandToPosting() {
        let bench = ShardBench()
        bench.start()
        bench.send("payout", "p1", "100")
        bench.run(50)
        #expect(
            bench.events("p1") == [
                "commandAccepted", "received", "screeningPassed", "routeSelected", "attemptStarted", "attemptAccepted",
                "payoutSubmitted", "payoutSettled",
            ])
        #expect(bench.state("p1") == "settled")
        #expect(bench.records(.settlements).map(\.words) == [["1", "settlement"]])
        #expect(bench.transport.posts.count == 1)
        #expect(bench.shard.currentStatus.commits == 2)
    }

    /// S4, rows C01 and C02: what is not durable is not sent. The intent's commit is held up: no request; it fails: never one.
    @Test(arguments: [MemoryFault.aborted, .full, .unavailable, .unknownLost])
    func sendsNothingBeforeTheIntentIsDurable(fault: MemoryFault) {
        let bench = ShardBench(delayed: true)
        bench.start()
        let commits = Mutex(0)
        bench.log.injectFaults { operation in
            guard case .commit = operation else { return nil }
            // The first commit fails; the transport must not have seen anything by then.
            return commits.withLock { count in
                count += 1
                return count == 1 ? fault : nil
            }
        }
        let posts = Mutex<[Int]>([])
        bench.transport.script { _ in
            posts.withLock { $0.append(commits.withLock { $0 }) }
            return .answer(201, "settled")
        }
        bench.send("payout", "p1", "100")
        bench.run(10_000)
        #expect(bench.state("p1") == "settled")
        // Sent once, and only after the second commit, which brought the intent.
        #expect(posts.withLock { $0 } == [2])
        #expect(bench.shard.currentStatus.failedCommits == 1)
        #expect(bench.alarms.all.contains(.recovered))
    }

    /// Row C21: the outcome of the commit is unknown, and it did take effect: no effect runs on a guess, and the intent
    /// that the log now shows is in doubt, not sent.
    @Test func actsOnNoUnknownOutcome() {
        let bench = ShardBench(delayed: true)
        bench.start()
        let first = Mutex(true)
        bench.log.injectFaults { operation in
            guard case .commit = operation else { return nil }
            return first.withLock { isFirst in
                defer { isFirst = false }
                return isFirst ? .unknownApplied : nil
            }
        }
        bench.transport.script { exchange in
            exchange.call.method == "GET" ? .answer(200, "") : .answer(201, "settled")
        }
        bench.send("payout", "p1", "100")
        bench.run(1_900)
        #expect(bench.transport.posts.isEmpty)
        bench.run(60_000)
        // Doubt, an inquiry after the gate proves absence, and only then the next route.
        #expect(bench.events("p1").contains("attemptInDoubt"))
        #expect(bench.events("p1").contains("attemptResolved"))
        #expect(bench.transport.posts.map(\.exchange.partner.text) == ["bank-b"])
        #expect(bench.state("p1") == "settled")
    }

    /// Rows B18, B19: a crash between intent and result. The restart sends nothing again.
    @Test func restoreNeverSendsAgain() {
        let bench = ShardBench()
        bench.start()
        bench.transport.script { _ in .wait }
        bench.send("payout", "p1", "100")
        bench.run(20)
        #expect(bench.transport.posts.count == 1)
        bench.transport.script { exchange in
            exchange.call.method == "GET" ? .answer(200, "settled") : .answer(201, "settled")
        }
        bench.crashAndRestart()
        bench.run(60_000)
        #expect(bench.transport.posts.count == 1)
        #expect(bench.events("p1").filter { $0 == "attemptInDoubt" }.count == 1)
        #expect(bench.state("p1") == "settled")
    }

    /// Row B16: a commit fails while a request is out, its bytes gone or its connection not yet there. Its sender is
    /// withdrawn and awaited before anything is sent again, and its result is one of an earlier incarnation.
    @Test(arguments: [true, false]) func oldSendersAreAwaitedBeforeAnythingElse(isConnecting: Bool) throws {
        let bench = ShardBench(delayed: true)
        bench.start()
        bench.transport.script { _ in .wait }
        bench.transport.waitForConnections(isConnecting)
        bench.transport.keepCancelled()
        bench.send("payout", "p1", "100")
        bench.run(20)
        let old = try #require(bench.transport.open.first).exchange
        #expect(bench.transport.open.count == 1)
        #expect(old.permit.isTaken == !isConnecting)
        let fail = Mutex(true)
        bench.log.injectFaults { operation in
            guard case .commit = operation else { return nil }
            return fail.withLock { shouldFail in
                defer { shouldFail = false }
                return shouldFail ? .aborted : nil
            }
        }
        bench.transport.waitForConnections(false)
        bench.transport.script { exchange in
            exchange.call.method == "GET" ? .answer(200, "") : .answer(201, "settled")
        }
        bench.send("payout", "p2", "100")
        bench.run(20)
        #expect(bench.transport.cancelled == [old.id])
        // No byte leaves that has not left.
        #expect(old.permit.isWithdrawn == isConnecting)
        #expect(old.permit.authorize(now: bench.scheduler.monotonic) == (isConnecting ? .withdrawn : .granted))
        // The old sender has not ended: nothing begins, however long that takes.
        bench.run(30_000)
        #expect(bench.transport.begun.map(\.exchange.id) == [old.id])
        #expect(bench.state("p2") == nil)
        let end: ExchangeEnd.Outcome = isConnecting ? .notSent(.notAuthorized) : .unclear(.aborted)
        bench.transport.end(old.id, ExchangeEnd(end))
        bench.run(60_000)
        #expect(bench.events("p1").contains("attemptInDoubt"))
        #expect(bench.state("p1") == "settled")
        #expect(bench.state("p2") == "settled")
    }

    @Test func aRepeatedCommandDoesNothing() {
        let bench = ShardBench()
        bench.start()
        let id = bench.send("payout", "p1", "100")
        bench.run(50)
        let before = bench.events("p1")
        bench.send("payout", "p1", "100", id: id)
        bench.run(50)
        #expect(bench.events("p1") == before)
        #expect(bench.shard.currentStatus.duplicates == 1)
        bench.send("payout", "p1", "100")
        bench.run(50)
        #expect(bench.events("p1") == before + ["commandAccepted"])
        #expect(bench.transport.posts.count == 1)
    }

    /// Another initiate under the same payment id is refused; neither screening, nor routing, nor a request may ever see
    /// it: not in the batch that takes in the first, not later, not after a restart.
    @Test func decisionsUseOnlyTheAcceptedInitiate() throws {
        let domain = TestDomain(partners: ["bank-a", "bank-b", "bank-c"])
        let bench = ShardBench(domain: domain)
        bench.transport.script { _ in .wait }
        bench.start()
        func fail() throws {
            let open = try #require(bench.transport.open.first)
            bench.transport.end(open.exchange.id, ExchangeEnd(.notSent(.connect)))
            bench.run(50)
        }
        bench.send("payout", "p1", "100")
        bench.send("payout", "p1", "200")
        bench.run(50)
        #expect(domain.decisions.all == ["screening 100", "route 100"])
        bench.send("payout", "p1", "300")
        try fail()
        #expect(domain.decisions.all == ["screening 100", "route 100", "route 100"])
        #expect(bench.events("p1").count { $0 == "commandRejected" } == 2)
        bench.crashAndRestart()
        bench.send("payout", "p1", "400")
        bench.transport.script { exchange in
            exchange.call.method == "GET" ? .answer(200, "elsewhere") : .answer(201, "settled")
        }
        bench.run(60_000)
        #expect(domain.decisions.all == ["screening 100", "route 100", "route 100", "route 100"])
        #expect(bench.state("p1") == "settled")
        let bodies = bench.transport.posts.map { String(decoding: $0.exchange.call.body, as: UTF8.self) }
        #expect(bodies.count == 3 && bodies.allSatisfy { $0.hasSuffix("|100|100") }, "\(bodies)")
    }

    /// The same where the decision comes after the refused initiate within one batch, while that one's body is in memory:
    /// at once, or when the first is long in the store.
    @Test(arguments: [true, false]) func decisionsOfOneBatchUseOnlyTheAcceptedInitiate(together: Bool) {
        var domain = TestDomain()
        domain.screening = .held(
            owner: "compliance", deadline: Timestamp(milliseconds: 1_790_000_900_000), entry: "e", listVersion: 1)
        let bench = ShardBench(domain: domain)
        bench.start()
        bench.send("payout", "p1", "100")
        if !together { bench.run(50) }
        bench.send("payout", "p1", "200")
        bench.send("release", "p1", "1")
        bench.run(50)
        #expect(domain.decisions.all == ["screening 100", "route 100"])
        #expect(bench.events("p1").count { $0 == "commandRejected" } == 1)
        #expect(bench.state("p1") == "settled")
        let bodies = bench.transport.posts.map { String(decoding: $0.exchange.call.body, as: UTF8.self) }
        #expect(bodies.count == 1 && bodies.allSatisfy { $0.hasSuffix("|100|100") }, "\(bodies)")
    }

    /// The same attempt sends the same bytes, also when the body was read from the store again.
    @Test func aRepeatHasTheSameKeyAndBody() {
        let bench = ShardBench()
        bench.start()
        let tries = Mutex(0)
        bench.transport.script { _ in
            tries.withLock { $0 += 1 }
            return tries.withLock { $0 } == 1 ? .answer(429, "") : .answer(201, "settled")
        }
        bench.send("payout", "p1", "100")
        bench.run(30_000)
        let posts = bench.transport.posts
        #expect(posts.count == 2)
        #expect(posts.first?.exchange.call == posts.last?.exchange.call)
        #expect(bench.events("p1").contains("attemptRetried"))
        #expect(bench.state("p1") == "settled")
    }

    /// S13: a hold means no call; its release, answered by its number, lets it go on.
    @Test func aHeldPayoutIsNotSent() {
        var domain = TestDomain()
        domain.screening = .held(
            owner: "compliance", deadline: Timestamp(milliseconds: 1_790_000_900_000), entry: "e", listVersion: 1)
        let bench = ShardBench(domain: domain)
        bench.start()
        bench.send("payout", "p1", "100")
        bench.run(5_000)
        #expect(bench.state("p1") == "held")
        #expect(bench.transport.begun.isEmpty)
        bench.send("release", "p1", "1")
        bench.run(50)
        #expect(bench.state("p1") == "settled")
        #expect(bench.transport.posts.count == 1)
    }
}
