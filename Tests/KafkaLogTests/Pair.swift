#if DEBUG
    import EventLog
    import EventLogConformance
    import Foundation
    import KafkaLog
    import KafkaTransport
    import Synchronization
    import TestSupport
    import Testing

    /// Two instances with a partition between them. The group's assignor prefers the member whose id sorts first:
    /// `b` before `a` is chosen by their names.
    final class Pair: Sendable {
        let log: KafkaLogUnderTest
        let old: Owner
        let new: Owner
        let oldShard: KafkaShardLog
        let newShard: KafkaShardLog

        init(_ without: Set<ProtocolRule>, properties: [String: String] = [:]) async throws {
            let cluster = try KafkaTest.Cluster.shared()
            log = try KafkaLogUnderTest(partitions: 1, cluster: cluster, firstName: "z", properties: properties)
            oldShard = try #require(try await log.makeShard() as? KafkaShardLog)
            newShard = try #require(try await log.makeShard() as? KafkaShardLog)
            old = Owner(oldShard, patience: log.patience)
            new = Owner(newShard, patience: log.patience)
            oldShard.omitted.withLock { $0 = without }
            newShard.omitted.withLock { $0 = without }
        }

        /// The successor joins; the old owner, stalled, is not told.
        func takeOver(waits: Bool = true) async throws {
            oldShard.setStalled(true)
            try await join()
            if waits { try await new.pollUntil("assigned to the successor") { $0.assignments.count == 1 } }
        }

        func join() async throws {
            let shard = newShard
            let wake = new.wakes.wake
            let error = await withCheckedContinuation { continuation in
                shard.start(wake: wake) { continuation.resume(returning: $0) }
            }
            if let error { throw error }
        }

        /// The successor takes over and commits "new"; how the old owner's commit of "stale" ends after that.
        func staleAfterTakeOver() async throws -> LogError? {
            try await takeOver()
            #expect(await new.commit(result("new")) == nil)
            return await old.commit(result("stale"))
        }

        func values(_ topic: Topic = .events) throws -> [String] {
            // Read to the end, with whatever is still on its way.
            usleep(300_000)
            return try log.readAll(topic, 0).map { String(decoding: $0.content.value ?? [], as: UTF8.self) }
        }
    }

    /// Work on a partition that moves no position: a result of a partner, or a timer.
    func result(_ value: String) -> BatchDraft {
        var draft = BatchDraft()
        draft.record(.events, 0, Content(key: "p1", value: value))
        draft.state("p1", value, partition: 0)
        return draft
    }

    /// Work on a command.
    func command(_ input: Input, _ value: String) -> BatchDraft {
        var draft = result(value)
        draft.position(.commands, 0, input.offset + 1)
        return draft
    }

    /// Holds a commit at a step until it is opened.
    final class Gate: Sendable {
        private let step: CommitStep
        private let reached = DispatchSemaphore(value: 0)
        private let opened = DispatchSemaphore(value: 0)
        private let used = Mutex(false)

        init(_ step: CommitStep) { self.step = step }

        var watch: @Sendable (CommitStep) -> StepAction {
            { [self] step in
                let first = used.withLock { used in
                    guard step == self.step, !used else { return false }
                    used = true
                    return true
                }
                if first {
                    reached.signal()
                    opened.wait()
                }
                return .proceed
            }
        }

        func waitUntilReached() { _ = reached.wait(timeout: .now() + 30) }
        func open() { opened.signal() }
    }
#endif
