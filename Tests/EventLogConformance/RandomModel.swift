import EventLog
import PaymentModel
import Testing

/// Compares an implementation with a simple model under random appends, polls, commits, failures, take-overs and
/// crashes. The model is a few arrays and dictionaries; whatever the log tells must be what they hold.
public struct RandomModel: Sendable {
    private struct Entry: Equatable {
        var state: String
        var body: String?
        var timer: Int64?
        var summary: PaymentSummary?
        var references: [String] = []
    }

    private struct Pending {
        var outputs: [(Topic, Int32, Content)] = []
        var entries: [String: Entry?] = [:]
        var positions: [Int32: Int] = [:]
    }

    private let partitions: Int32 = 2
    private var random: any RandomNumberGenerator & Sendable
    private let log: any LogUnderTest
    private var owner: Owner
    private var outputs: [[Int32: [Content]]] = Array(repeating: [:], count: 8)
    private var inputs: [Int32: [Content]] = [:]
    private var taken: [Int32: Int] = [:]
    private var entries: [String: Entry] = [:]
    private var serial = 0

    private init(_ log: any LogUnderTest, _ random: any RandomNumberGenerator & Sendable) async throws {
        self.log = log
        self.random = random
        owner = try await log.startOwner()
    }

    /// Runs so many random steps from the generator; on a difference the test fails.
    public static func run(
        _ factory: LogFactory, steps: Int, random: any RandomNumberGenerator & Sendable
    ) async throws {
        let log = try await factory.make(2)
        do {
            var model = try await RandomModel(log, random)
            for _ in 0..<steps { try await model.step() }
            try await model.restart()
            try await model.compare()
            await model.owner.close()
        } catch {
            await log.tearDown()
            throw error
        }
        await log.tearDown()
    }

    private mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: try await append()
        case 30..<80: try await commit()
        case 80..<88: try await compare()
        case 88..<92: try await recover()
        case 92..<95: try await takeOver()
        default: try await restart()
        }
    }

    private mutating func append() async throws {
        let partition = Int32.random(in: 0..<partitions, using: &random)
        var contents: [Content] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            serial += 1
            contents.append(Content(key: "in", value: "c\(serial)", timestamp: Int64(serial)))
        }
        try await log.append(.commands, partition, contents)
        inputs[partition, default: []] += contents
    }

    /// Takes what is there, and commits it with random outputs and states, perhaps with a failure.
    private mutating func commit() async throws {
        let open = (0..<partitions).reduce(0) { $0 + (inputs[$1]?.count ?? 0) - taken[$1, default: 0] }
        let got = try await owner.take(open)
        var pending = Pending()
        var draft = BatchDraft()
        for partition in 0..<partitions {
            let mine = got.filter { $0.partition == partition }
            let expected = (inputs[partition] ?? []).dropFirst(taken[partition, default: 0])
            #expect(mine.map(\.content) == Array(expected))
            guard let last = mine.indices.randomElement(using: &random) else { continue }
            draft.position(.commands, partition, mine[last].offset + 1)
            pending.positions[partition] = taken[partition, default: 0] + last + 1
        }
        addOutputs(&draft, &pending)
        addStates(&draft, &pending)
        // A draft that holds nothing writes nothing: the failure would wait for the next write.
        let fails = Int.random(in: 0..<10, using: &random) == 0 && !draft.isEmpty
        let failure = fails ? InjectedFailure.allCases.randomElement(using: &random) : nil
        let injected = failure.map { log.failNextCommit($0) } ?? false
        let error = await owner.commit(draft)
        if injected, let failure {
            #expect(error != nil)
            if failure == .unknownApplied { apply(pending) }
            try await owner.recover()
        } else {
            #expect(error == nil)
            apply(pending)
            // What was polled but not taken in is polled again only by a new owner: begin there.
            try await owner.recover()
        }
    }

    private mutating func addOutputs(_ draft: inout BatchDraft, _ pending: inout Pending) {
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            serial += 1
            let topic = [Topic.events, .settlements, .deadLetters].randomElement(using: &random) ?? .events
            let partition = Int32.random(in: 0..<partitions, using: &random)
            let length = Int.random(in: 0..<40, using: &random)
            let content = Content(
                key: "k", value: "\(serial)" + String(repeating: "x", count: length), timestamp: Int64(serial))
            draft.record(topic, partition, content)
            pending.outputs.append((topic, partition, content))
        }
    }

    private mutating func addStates(_ draft: inout BatchDraft, _ pending: inout Pending) {
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let name = "pay-\(Int.random(in: 0..<12, using: &random))"
            guard pending.entries[name] == nil else { continue }
            let partition = PartitionHash.partition(of: Array(name.utf8), count: partitions)
            let before = entries[name]
            serial += 1
            if before != nil, Int.random(in: 0..<5, using: &random) == 0 {
                draft.state(
                    name, nil, partition: partition, timerBefore: before?.timer, summaryBefore: before?.summary,
                    references: before?.references ?? [])
                pending.entries[name] = .some(nil)
                continue
            }
            var next = before ?? Entry(state: "")
            next.state = "s\(serial)"
            let body = Bool.random(using: &random) ? "b\(serial)" : nil
            if let body { next.body = body }
            next.timer = Bool.random(using: &random) ? Int64.random(in: -5..<50, using: &random) : nil
            let reference = Bool.random(using: &random) ? "R\(serial)" : nil
            if let reference { next.references.append(reference) }
            next.summary = PaymentSummary(
                status: UInt8.random(in: 0..<4, using: &random), parked: Bool.random(using: &random),
                finished: Bool.random(using: &random),
                since: Timestamp(milliseconds: Int64.random(in: 0..<30, using: &random)),
                partner: ["x", "y"].randomElement(using: &random) ?? "x")
            draft.state(
                name, next.state, partition: partition, body: body, timerBefore: before?.timer, timer: next.timer,
                summaryBefore: before?.summary, summary: next.summary, references: reference.map { [$0] } ?? [])
            pending.entries[name] = .some(next)
        }
    }

    private mutating func apply(_ pending: Pending) {
        for (topic, partition, content) in pending.outputs {
            outputs[Int(topic.rawValue)][partition, default: []].append(content)
        }
        for (name, entry) in pending.entries { entries[name] = entry }
        for (partition, position) in pending.positions { taken[partition] = position }
    }

    private mutating func recover() async throws { try await owner.recover() }

    /// A successor takes over; the old owner's commit must fail and show nothing.
    private mutating func takeOver() async throws {
        let successor = Owner(try await log.makeShard(), patience: log.patience)
        try await log.takeOver(by: successor.log, wake: successor.wakes.wake)
        try await successor.pollUntil("assigned to the successor") { $0.assignments.count == 2 }
        var stale = BatchDraft()
        stale.record(.events, 0, Content(key: "stale", value: "stale"))
        stale.state("pay-0", "stale", partition: PartitionHash.partition(of: Array("pay-0".utf8), count: partitions))
        #expect(await owner.commit(stale) != nil)
        owner = successor
    }

    private mutating func restart() async throws {
        try await log.crashAndReopen()
        owner = try await log.startOwner()
    }

    private func compare() async throws {
        for partition in 0..<partitions {
            for topic in [Topic.events, .settlements, .deadLetters] {
                let read = try log.readAll(topic, partition, pageRecords: 50)
                #expect(read.map(\.content) == outputs[Int(topic.rawValue)][partition] ?? [])
                if log.offsetsAreContiguous { #expect(read.map(\.offset) == Array(0..<Int64(read.count))) }
            }
            #expect(try log.readAll(.commands, partition, pageRecords: 50).map(\.content) == inputs[partition] ?? [])
            let timers = try await owner.timers(partition, through: .max)
            let expected = entries.filter {
                $0.value.timer != nil && PartitionHash.partition(of: Array($0.key.utf8), count: partitions) == partition
            }.sorted { ($0.value.timer ?? 0, $0.key) < ($1.value.timer ?? 0, $1.key) }
            #expect(timers.map { String(decoding: $0.key, as: UTF8.self) } == expected.map(\.key))
            #expect(timers.map(\.due.milliseconds) == expected.map { $0.value.timer ?? 0 })
        }
        for number in 0..<12 {
            let name = "pay-\(number)"
            let partition = PartitionHash.partition(of: Array(name.utf8), count: partitions)
            let wanted = entries[name].map { [Array($0.state.utf8), $0.body.map { Array($0.utf8) }] }
            #expect(try await owner.entry(name, partition: partition) == wanted)
            for reference in entries[name]?.references ?? [] {
                #expect(try await owner.key(reference: reference, partition: partition) == name)
            }
        }
        let rows = try log.reader.payments(PaymentListing(limit: 100)).rows
        let open = entries.filter { $0.value.summary?.finished == false }.sorted {
            ($0.value.summary?.since.milliseconds ?? 0, $0.key) < ($1.value.summary?.since.milliseconds ?? 0, $1.key)
        }
        #expect(rows.map(\.paymentID) == open.map(\.key))
        #expect(rows.map { Optional($0.summary) } == open.map(\.value.summary))
    }
}
