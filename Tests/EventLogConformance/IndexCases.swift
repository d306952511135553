import EventLog
import PaymentModel
import Testing

extension Conformance {
    static func summary(_ status: UInt8, since: Int64, _ partner: String = "", finished: Bool = false) -> PaymentSummary
    {
        PaymentSummary(
            status: status, parked: status == 9, finished: finished, since: Timestamp(milliseconds: since),
            partner: partner)
    }

    static let indexCases: [ConformanceCase] = [
        ConformanceCase("a state replaces the one before; the body stays until it is removed") { log in
            let owner = try await log.startOwner()
            var first = BatchDraft()
            first.state("p1", "a", partition: 0, body: "initiate")
            #expect(await owner.commit(first) == nil)
            var second = BatchDraft()
            second.state("p1", "b", partition: 0)
            #expect(await owner.commit(second) == nil)
            #expect(try await owner.entry("p1", partition: 0) == [Array("b".utf8), Array("initiate".utf8)])
            var third = BatchDraft()
            third.state("p1", "stub", partition: 0)
            third.removeBody()
            #expect(await owner.commit(third) == nil)
            #expect(try await owner.entry("p1", partition: 0) == [Array("stub".utf8), nil])
            #expect(try await owner.entry("p2", partition: 0) == nil)
            await owner.close()
        },
        ConformanceCase("kept notifications lie under their reference, apart from payments") { log in
            let owner = try await log.startOwner()
            var draft = BatchDraft()
            draft.state("S1", "kept", partition: 1, space: .kept, timer: 700)
            draft.state("S1", "payment", partition: 1)
            #expect(await owner.commit(draft) == nil)
            #expect(try await owner.entry("S1", space: .kept, partition: 1)?[0] == Array("kept".utf8))
            #expect(try await owner.entry("S1", partition: 1)?[0] == Array("payment".utf8))
            #expect(try await owner.timers(1, through: 700).map(\.space) == [.kept])
            var gone = BatchDraft()
            gone.state("S1", nil, partition: 1, space: .kept, timerBefore: 700)
            #expect(await owner.commit(gone) == nil)
            try await log.crashAndReopen()
            let next = try await log.startOwner()
            #expect(try await next.entry("S1", space: .kept, partition: 1) == nil)
            #expect(try await next.entry("S1", partition: 1)?[0] == Array("payment".utf8))
            #expect(try await next.timers(1, through: .max).isEmpty)
            await next.close()
        },
        ConformanceCase("timers come earliest first, in pages, and move with their entry") { log in
            let owner = try await log.startOwner()
            var draft = BatchDraft()
            for number in 0..<20 {
                draft.state("p\(number)", "s", partition: 0, timer: Int64(1_000 - number * 10))
            }
            draft.state("other", "s", partition: 1, timer: 1)
            #expect(await owner.commit(draft) == nil)
            var moved = BatchDraft()
            moved.state("p19", "s", partition: 0, timerBefore: 810, timer: 5_000)
            moved.state("p18", "s", partition: 0, timerBefore: 820)
            moved.state("p17", "s", partition: 0, timerBefore: 830, timer: 830)
            #expect(await owner.commit(moved) == nil)
            try await log.crashAndReopen()
            let next = try await log.startOwner()
            var pages: [String] = []
            var after: DueTimer?
            while true {
                let page = try await next.timers(0, through: 950, after: after, limit: 4)
                pages += page.map { String(decoding: $0.key, as: UTF8.self) }
                guard let last = page.last else { break }
                after = last
            }
            #expect(pages == (5...17).reversed().map { "p\($0)" })
            #expect(try await next.timers(0, through: .max).last?.due.milliseconds == 5_000)
            #expect(try await next.timers(1, through: 0).isEmpty)
            await next.close()
        },
        ConformanceCase("a tombstone takes the entry with all that leads to it") { log in
            let owner = try await log.startOwner()
            #expect(await owner.commit(work([])) == nil)
            var more = BatchDraft()
            more.state(
                "p1", "state-2", partition: 0, timerBefore: 1_000, timer: 2_000, summaryBefore: summary,
                summary: summary(4, since: 60), references: ["REF2"])
            #expect(await owner.commit(more) == nil)
            #expect(try await owner.key(reference: "REF1", partition: 0) == "p1")
            #expect(try await owner.key(reference: "REF2", partition: 0) == "p1")
            var gone = BatchDraft()
            gone.state(
                "p1", nil, partition: 0, timerBefore: 2_000, summaryBefore: summary(4, since: 60),
                references: ["REF1", "REF2"])
            #expect(await owner.commit(gone) == nil)
            try await log.crashAndReopen()
            let next = try await log.startOwner()
            #expect(try await next.entry("p1", partition: 0) == nil)
            #expect(try await next.timers(0, through: .max).isEmpty)
            #expect(try await next.key(reference: "REF1", partition: 0) == nil)
            #expect(try await next.key(reference: "REF2", partition: 0) == nil)
            #expect(
                try log.reader.payments(PaymentListing(statuses: [3, 4], limit: 10)).rows.isEmpty)
            await next.close()
        },
        ConformanceCase("an entry that comes again after its tombstone begins anew") { log in
            let owner = try await log.startOwner()
            #expect(await owner.commit(work([])) == nil)
            var gone = BatchDraft()
            gone.state("p1", nil, partition: 0, timerBefore: 1_000, summaryBefore: summary, references: ["REF1"])
            #expect(await owner.commit(gone) == nil)
            var again = BatchDraft()
            again.state("p1", "new", partition: 0)
            #expect(await owner.commit(again) == nil)
            #expect(try await owner.entry("p1", partition: 0) == [Array("new".utf8), nil])
            await owner.close()
        },
        ConformanceCase("operators find payments by status and partner, longest waiting first") { log in
            let owner = try await log.startOwner()
            let names = ["a", "b", "c", "d", "e", "f"]
            var draft = BatchDraft()
            for (place, name) in names.enumerated() {
                let partition = PartitionHash.partition(of: Array(name.utf8), count: 2)
                draft.state(
                    name, "s", partition: partition,
                    summary: summary(
                        UInt8(place % 2 == 0 ? 9 : 4), since: Int64(100 - place), place < 3 ? "x" : "y",
                        finished: name == "f"))
            }
            #expect(await owner.commit(draft) == nil)
            func list(
                _ statuses: [UInt8], _ partner: String? = nil, since: Int64? = nil, after: PaymentRow? = nil,
                limit: Int = 10
            ) throws -> [PaymentRow] {
                var listing = PaymentListing(statuses: statuses, partner: partner, after: after, limit: limit)
                listing.since = since.map { Timestamp(milliseconds: $0) }
                return try log.reader.payments(listing).rows
            }
            #expect(try list([]).map(\.paymentID) == ["e", "d", "c", "b", "a"])
            #expect(try list([9]).map(\.paymentID) == ["e", "c", "a"])
            #expect(try list([4, 9], "x").map(\.paymentID) == ["c", "b", "a"])
            #expect(try list([4]).map(\.paymentID) == ["f", "d", "b"], "asked for by status, finished ones show")
            #expect(try list([], since: 97).map(\.paymentID) == ["e", "d"])
            let first = try list([], limit: 2)
            #expect(first.map(\.paymentID) == ["e", "d"])
            #expect(
                first.allSatisfy { $0.partition == PartitionHash.partition(of: Array($0.paymentID.utf8), count: 2) })
            #expect(try list([], after: first.last, limit: 2).map(\.paymentID) == ["c", "b"])
            #expect(first.map(\.summary) == [summary(9, since: 96, "y"), summary(4, since: 97, "y")])
            var changed = BatchDraft()
            changed.state(
                "e", "t", partition: PartitionHash.partition(of: Array("e".utf8), count: 2),
                summaryBefore: summary(9, since: 96, "y"), summary: summary(4, since: 200, "x"))
            #expect(await owner.commit(changed) == nil)
            #expect(try list([]).map(\.paymentID) == ["d", "c", "b", "a", "e"])
            await owner.close()
        },
        ConformanceCase("a page of the operators' list looks at so many rows and no more, and says where to go on") {
            log in
            let owner = try await log.startOwner()
            var draft = BatchDraft()
            for number in 0..<60 {
                let name = "p\(100 + number)"
                draft.state(
                    name, "s", partition: PartitionHash.partition(of: Array(name.utf8), count: 2),
                    summary: summary(
                        UInt8(3 + number % 3), since: Int64(number / 4), number % 20 == 19 ? "rare" : "common",
                        finished: number % 3 == 2))
            }
            #expect(await owner.commit(draft) == nil)
            for statuses in [[], [3, 4, 5], [5]] as [[UInt8]] {
                for partner in [nil, "rare", "nobody"] {
                    let all = try log.reader.payments(
                        PaymentListing(statuses: statuses, partner: partner, limit: 100))
                    #expect(all.next == nil)
                    for (limit, scan) in [(100, 12), (2, 12), (2, 1_000), (1, 1), (100, 60)] {
                        var rows: [PaymentRow] = []
                        var listing = PaymentListing(statuses: statuses, partner: partner, limit: limit, scan: scan)
                        var pages = 0
                        repeat {
                            let page = try log.reader.payments(listing)
                            rows += page.rows
                            pages += 1
                            #expect(page.rows.count <= limit)
                            #expect(page.rows.count <= max(scan, 6), "\(scan) rows are looked at")
                            listing.after = page.next
                        } while listing.after != nil && pages < 200
                        #expect(rows == all.rows, "\(statuses) \(partner ?? "all") \(limit) \(scan)")
                    }
                }
            }
            let common = try log.reader.payments(PaymentListing(partner: "nobody", limit: 10, scan: 12))
            #expect(common.rows.isEmpty && common.next != nil, "it stops though nothing was found")
            await owner.close()
        },
        ConformanceCase("a reader finds an entry by its key alone") { log in
            let owner = try await log.startOwner()
            let key = Array("pay-77".utf8)
            var draft = BatchDraft()
            draft.state("pay-77", "s", partition: PartitionHash.partition(of: key, count: 2), body: "b")
            #expect(await owner.commit(draft) == nil)
            let found = try log.reader.entry(space: .payment, key: key)
            #expect(found?.state == Array("s".utf8))
            #expect(found?.body == Array("b".utf8))
            #expect(try log.reader.entry(space: .payment, key: Array("pay-78".utf8)) == nil)
            await owner.close()
        },
    ]
}
