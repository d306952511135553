import EventLog
import PaymentModel
import Testing

extension Conformance {
    static let fencingCases: [ConformanceCase] = [
        ConformanceCase("after fencing nothing of the old owner becomes visible (S14)") { log in
            try await log.append(.commands, 0, [Content(key: "p1", value: "c1")])
            let old = try await log.startOwner()
            let inputs = try await old.take(1)
            let new = Owner(try await log.makeShard(), patience: log.patience)
            try await log.takeOver(by: new.log, wake: new.wakes.wake)
            try await new.pollUntil("assigned to the successor") { $0.assignments.count == 2 }
            var stale = BatchDraft()
            stale.record(.events, 0, Content(key: "p1", value: "stale"))
            stale.state("p1", "stale", partition: 0, timer: 5, references: ["STALE"])
            stale.position(.commands, 0, inputs[0].offset + 1)
            #expect(await old.commit(stale) != nil)
            #expect(try log.readAll(.events, 0).isEmpty)
            #expect(try await new.entry("p1", partition: 0) == nil)
            #expect(try await new.key(reference: "STALE", partition: 0) == nil)
            let again = try await new.take(1)
            #expect(again == inputs, "the successor gets the input that the old owner had")
            #expect(await new.commit(work(again)) == nil)
            try await expectWork(of: log, new)
            await new.close()
        },
        ConformanceCase("an old epoch is refused, also from the present owner") { log in
            let owner = try await log.startOwner()
            let before = await owner.assignments.values.sorted { $0.partition < $1.partition }
            try await owner.recover()
            let after = await owner.assignments
            for old in before { #expect((after[old.partition]?.epoch ?? 0) > old.epoch) }
            var draft = work([])
            draft.epochs(before)
            #expect(await owner.commit(draft) != nil)
            try await owner.recover()
            try await expectNothing(of: log, owner)
            await owner.close()
        },
        ConformanceCase("a partition without its epoch in the batch is refused") { log in
            let owner = try await log.startOwner()
            var draft = work([])
            draft.epochs((await owner.assignments.values).filter { $0.partition == 1 })
            #expect(await owner.commit(draft) != nil)
            try await owner.recover()
            try await expectNothing(of: log, owner)
            await owner.close()
        },
        ConformanceCase("epochs grow over crashes and recoveries") { log in
            var last: UInt64 = 0
            for round in 0..<3 {
                let owner = try await log.startOwner()
                let first = try #require(await owner.assignments[0]?.epoch)
                #expect(round == 0 || first > last)
                try await owner.recover()
                last = try #require(await owner.assignments[0]?.epoch)
                #expect(last > first)
                try await log.crashAndReopen()
            }
        },
        ConformanceCase("a position never goes back and never passes the end") { log in
            try await log.append(.commands, 0, [Content(key: "p1", value: "c1"), Content(key: "p1", value: "c2")])
            let owner = try await log.startOwner()
            let inputs = try await owner.take(2)
            var draft = BatchDraft()
            draft.position(.commands, 0, inputs[1].offset + 1)
            #expect(await owner.commit(draft) == nil)
            try await log.append(.commands, 0, [Content(key: "p1", value: "c3")])
            #expect(try await owner.take(3).last?.content == Content(key: "p1", value: "c3"))
            try await owner.recover()
            #expect(try await owner.take(1).map(\.content) == [Content(key: "p1", value: "c3")])
            await owner.close()
        },
    ]
}
