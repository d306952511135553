import EventLog
import PaymentModel
import Testing

extension Conformance {
    static let readingCases: [ConformanceCase] = [
        ConformanceCase("inputs of a partition come in order, each once") { log in
            let owner = try await log.startOwner()
            for number in 0..<30 {
                try await log.append(
                    number % 3 == 0 ? .notifications : .commands, Int32(number % 2),
                    [Content(key: "k", value: "\(number)")])
            }
            let inputs = try await owner.take(30)
            for partition in 0..<Int32(2) {
                for topic in [Topic.commands, .notifications] {
                    let got = inputs.filter { $0.partition == partition && $0.topic == topic }
                    let want = (0..<30).filter {
                        Int32($0 % 2) == partition && ($0 % 3 == 0) == (topic == .notifications)
                    }
                    #expect(
                        got.map { String(decoding: $0.content.value ?? [], as: UTF8.self) } == want.map(String.init))
                }
            }
            #expect(try await owner.poll().isEmpty)
            await owner.close()
        },
        ConformanceCase("one append over topics and partitions is stored whole and in order") { log in
            var batch = RecordBatch()
            for number in 0..<12 {
                batch.append(
                    topic: .commands, partition: Int32(number % 2), offset: -1,
                    frame: Content(key: "k", value: "\(number)").frame)
            }
            let appended = batch
            let appender = log.appender
            let error = await withCheckedContinuation { continuation in
                appender.append(appended) { continuation.resume(returning: $0) }
            }
            #expect(error == nil)
            let owner = try await log.startOwner()
            let inputs = try await owner.take(12)
            for partition in 0..<Int32(2) {
                let values = inputs.filter { $0.partition == partition }.map { $0.content.value ?? [] }
                let wanted = stride(from: Int(partition), to: 12, by: 2).map { Array("\($0)".utf8) }
                #expect(values == wanted)
            }
            await owner.close()
        },
        ConformanceCase("a poll keeps to its limit, and the next one goes on") { log in
            let contents = (0..<40).map { Content(key: "k", value: "\($0)") }
            let owner = try await log.startOwner()
            try await log.append(.commands, 0, contents)
            try await log.append(.commands, 1, contents)
            var largest = 0
            let deadline = ContinuousClock.now + log.patience
            while await owner.inputs.count < 80, ContinuousClock.now < deadline {
                let before = await owner.inputs.count
                try await owner.poll(PollLimit(records: 7, bytes: 1 << 20))
                let after = await owner.inputs.count
                largest = max(largest, after - before)
                if after == before { try await Task.sleep(for: .milliseconds(2)) }
            }
            #expect((1...7).contains(largest))
            for partition in 0..<Int32(2) {
                #expect(await owner.inputs.filter { $0.partition == partition }.map(\.content) == contents)
            }
            await owner.close()
        },
        ConformanceCase("a poll takes at least one record, however small its limit of bytes") { log in
            let contents = (0..<5).map { Content(key: "k", value: String(repeating: "x", count: 1_000) + "\($0)") }
            try await log.append(.commands, 0, contents)
            let owner = try await log.startOwner()
            let deadline = ContinuousClock.now + log.patience
            while await owner.inputs.count < 5, ContinuousClock.now < deadline {
                try await owner.poll(PollLimit(records: 100, bytes: 10))
                await Task.yield()
            }
            #expect(await owner.inputs.map(\.content) == contents)
            await owner.close()
        },
        ConformanceCase("an empty poll is followed by a wake-up when something comes") { log in
            let owner = try await log.startOwner()
            while try await !owner.poll().isEmpty {}
            let before = owner.wakes.count
            try await log.append(.notifications, 1, [Content(key: "k", value: "v")])
            let deadline = ContinuousClock.now + log.patience
            while owner.wakes.count == before, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(owner.wakes.count > before)
            #expect(try await owner.take(1).map(\.content) == [Content(key: "k", value: "v")])
            await owner.close()
        },
        ConformanceCase("a reader reads from any offset, within its limit") { log in
            let owner = try await log.startOwner()
            var draft = BatchDraft()
            for number in 0..<10 { draft.record(.settlements, 1, Content(key: "k", value: "\(number)")) }
            draft.record(.deadLetters, 0, Content(key: "bad", value: "raw"))
            #expect(await owner.commit(draft) == nil)
            let all = try log.readAll(.settlements, 1)
            #expect(all.map(\.content) == (0..<10).map { Content(key: "k", value: "\($0)") })
            let range = try log.reader.offsets(topic: .settlements, partition: 1)
            #expect(range.lowerBound <= all[0].offset && range.upperBound > all[9].offset)
            for start in [0, 3, 9] {
                var batch = RecordBatch()
                let next = try log.reader.read(
                    topic: .settlements, partition: 1, from: all[start].offset, into: &batch,
                    limit: PollLimit(records: 4, bytes: 1 << 20))
                #expect(batch.records.map(\.offset) == all[start..<min(10, start + 4)].map(\.offset))
                #expect(next > all[min(9, start + 3)].offset)
                if start + 4 < 10 { #expect(next <= all[start + 4].offset) }
            }
            #expect(try log.readAll(.deadLetters, 0).map(\.content) == [Content(key: "bad", value: "raw")])
            #expect(try log.readAll(.settlements, 0).isEmpty)
            await owner.close()
        },
        ConformanceCase("the history of a payment is its events, in order, and nobody else's") { log in
            let owner = try await log.startOwner()
            let mine = PartitionHash.partition(of: Array("pay-1".utf8), count: 2)
            for number in 0..<6 {
                var draft = BatchDraft()
                draft.record(.events, mine, Content(key: "pay-1", value: "\(number)a"))
                draft.record(.events, mine, Content(key: "pay-10", value: "other"))
                draft.record(.events, mine, Content(key: "pay-1", value: "\(number)b"))
                draft.record(.settlements, mine, Content(key: "pay-1", value: "posting"))
                #expect(await owner.commit(draft) == nil)
            }
            func history(_ limit: Int) throws -> [[UInt8]?] {
                var batch = RecordBatch()
                try log.reader.history(paymentID: Array("pay-1".utf8), into: &batch, limit: limit)
                return try batch.records.map { try Content(frame: batch.bytes[$0.frame]).value }
            }
            let wanted = (0..<6).flatMap { [Array("\($0)a".utf8), Array("\($0)b".utf8)] }
            #expect(try history(100) == wanted)
            #expect(try history(5) == Array(wanted.prefix(5)))
            await owner.close()
        },
    ]
}
