import EventLog
import PaymentModel
import Testing

/// The conformance suite: properties that every implementation of the event log must have.
public enum Conformance {
    /// All properties, without the random ones.
    public static let cases: [ConformanceCase] = commitCases + fencingCases + readingCases + indexCases

    static let summary = PaymentSummary(
        status: 3, parked: true, finished: false, since: Timestamp(milliseconds: 50), partner: "bank-a")

    /// Two inputs taken in, with events, a posting and states, in one commit on partition 0.
    static func work(_ inputs: [Input]) -> BatchDraft {
        var draft = BatchDraft()
        draft.record(.events, 0, Content(key: "p1", value: "e1"))
        draft.record(.events, 0, Content(key: "p1", value: "e2"))
        draft.record(.settlements, 0, Content(key: "p1", value: "s1"))
        draft.state(
            "p1", "state-1", partition: 0, body: "body-1", timer: 1_000, summary: summary, references: ["REF1"])
        draft.position(.commands, 0, (inputs.last?.offset ?? -1) + 1)
        return draft
    }

    static func expectNothing(of log: any LogUnderTest, _ owner: Owner) async throws {
        #expect(try log.readAll(.events, 0).isEmpty)
        #expect(try log.readAll(.settlements, 0).isEmpty)
        #expect(try await owner.entry("p1", partition: 0) == nil)
        #expect(try await owner.timers(0, through: .max).isEmpty)
        #expect(try await owner.key(reference: "REF1", partition: 0) == nil)
    }

    static func expectWork(of log: any LogUnderTest, _ owner: Owner) async throws {
        #expect(
            try log.readAll(.events, 0).map(\.content) == [
                Content(key: "p1", value: "e1"), Content(key: "p1", value: "e2"),
            ])
        #expect(try log.readAll(.settlements, 0).map(\.content) == [Content(key: "p1", value: "s1")])
        #expect(try await owner.entry("p1", partition: 0) == [Array("state-1".utf8), Array("body-1".utf8)])
        #expect(try await owner.timers(0, through: .max).map(\.due.milliseconds) == [1_000])
        #expect(try await owner.key(reference: "REF1", partition: 0) == "p1")
    }

    static let commitCases: [ConformanceCase] = [
        ConformanceCase("outputs, state and position are one commit") { log in
            try await log.append(.commands, 0, [Content(key: "p1", value: "c1"), Content(key: "p1", value: "c2")])
            let owner = try await log.startOwner()
            let inputs = try await owner.take(2)
            #expect(inputs.map(\.content) == [Content(key: "p1", value: "c1"), Content(key: "p1", value: "c2")])
            try await expectNothing(of: log, owner)
            #expect(await owner.commit(work(inputs)) == nil)
            try await expectWork(of: log, owner)
            try await log.crashAndReopen()
            let next = try await log.startOwner()
            try await expectWork(of: log, next)
            #expect(try await next.poll().isEmpty, "both inputs were taken in")
            await next.close()
        },
        ConformanceCase("what was polled but not committed comes again after a crash") { log in
            try await log.append(.commands, 0, [Content(key: "p1", value: "c1"), Content(key: "p1", value: "c2")])
            let owner = try await log.startOwner()
            let inputs = try await owner.take(2)
            #expect(await owner.commit(work([inputs[0]])) == nil)
            try await log.crashAndReopen()
            let next = try await log.startOwner()
            #expect(try await next.take(1).map(\.content) == [Content(key: "p1", value: "c2")])
            try await expectWork(of: log, next)
            await next.close()
        },
        ConformanceCase("an aborted commit shows nothing, and its inputs come again") { log in
            try await log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            let owner = try await log.startOwner()
            let inputs = try await owner.take(1)
            guard log.failNextCommit(.aborted) else { return await owner.close() }
            #expect(await owner.commit(work(inputs)) != nil)
            try await owner.recover()
            try await expectNothing(of: log, owner)
            let again = try await owner.take(1)
            #expect(again == inputs)
            #expect(await owner.commit(work(again)) == nil)
            try await expectWork(of: log, owner)
            await owner.close()
        },
        ConformanceCase("after a commit of unknown outcome the log, read again, tells the truth") { log in
            try await log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            let owner = try await log.startOwner()
            var inputs = try await owner.take(1)
            guard log.failNextCommit(.unknownLost) else { return await owner.close() }
            #expect(await owner.commit(work(inputs))?.kind == .outcomeUnknown)
            try await owner.recover()
            try await expectNothing(of: log, owner)
            inputs = try await owner.take(1)
            #expect(log.failNextCommit(.unknownApplied))
            #expect(await owner.commit(work(inputs))?.kind == .outcomeUnknown)
            try await owner.recover()
            try await expectWork(of: log, owner)
            #expect(try await owner.poll().isEmpty, "the lost reply's commit had taken the input in")
            await owner.close()
        },
        ConformanceCase("after a failed commit nothing is written before recovery") { log in
            let owner = try await log.startOwner()
            guard log.failNextCommit(.aborted) else { return await owner.close() }
            #expect(await owner.commit(work([])) != nil)
            #expect(await owner.commit(work([])) != nil, "without recovery the next one fails, too")
            try await owner.recover()
            try await expectNothing(of: log, owner)
            #expect(await owner.commit(work([])) == nil)
            try await expectWork(of: log, owner)
            await owner.close()
        },
        ConformanceCase("records of a partition keep their order over many commits") { log in
            let owner = try await log.startOwner()
            for number in 0..<20 {
                var draft = BatchDraft()
                draft.record(.events, Int32(number % 2), Content(key: "p", value: "\(number)"))
                draft.record(.events, Int32(number % 2), Content(key: "p", value: "\(number)b"))
                #expect(await owner.commit(draft) == nil)
            }
            for partition in 0..<Int32(2) {
                let read = try log.readAll(.events, partition)
                let numbers = stride(from: Int(partition), to: 20, by: 2).flatMap { ["\($0)", "\($0)b"] }
                #expect(read.map { String(decoding: $0.content.value ?? [], as: UTF8.self) } == numbers)
                #expect(zip(read, read.dropFirst()).allSatisfy { $0.offset < $1.offset })
                if log.offsetsAreContiguous { #expect(read.map(\.offset) == Array(0..<20)) }
            }
            await owner.close()
        },
        ConformanceCase("a batch over several partitions is one") { log in
            let owner = try await log.startOwner()
            guard log.failNextCommit(.aborted) else { return await owner.close() }
            func both() -> BatchDraft {
                var draft = BatchDraft()
                for partition in 0..<Int32(2) {
                    draft.record(.events, partition, Content(key: "p\(partition)", value: "x"))
                    draft.state("p\(partition)", "s", partition: partition)
                }
                return draft
            }
            #expect(await owner.commit(both()) != nil)
            try await owner.recover()
            for partition in 0..<Int32(2) {
                #expect(try log.readAll(.events, partition).isEmpty)
                #expect(try await owner.entry("p\(partition)", partition: partition) == nil)
            }
            #expect(await owner.commit(both()) == nil)
            for partition in 0..<Int32(2) {
                #expect(try log.readAll(.events, partition).count == 1)
                #expect(try await owner.entry("p\(partition)", partition: partition) != nil)
            }
            await owner.close()
        },
    ]
}
