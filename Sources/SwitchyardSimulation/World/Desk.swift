import CanonicalJSON
import EventLog
import PaymentModel
import RecordFormat

/// The people: they follow the published events and answer holds and offload entries, sometimes twice and sometimes late;
/// customers follow their redirects. Doubt and escalations are `Operators`'.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Desk: @unchecked Sendable {
    private let scheduler: Scheduler
    private let log: MemoryLog
    private let upstream: Upstream
    private let partners: [String: PartnerNode]
    private let operators: Operators
    private var random: SimulationRandom
    private var next: [Int64]

    init(
        scheduler: Scheduler, log: MemoryLog, upstream: Upstream, partners: [PartnerNode], operators: Operators,
        random: SimulationRandom
    ) {
        self.scheduler = scheduler
        self.log = log
        self.upstream = upstream
        self.partners = Dictionary(uniqueKeysWithValues: partners.map { ($0.name, $0) })
        self.operators = operators
        self.random = random
        next = Array(repeating: 0, count: Int(log.partitionCount))
    }

    /// Looks now and every second.
    func work() {
        for partition in 0..<log.partitionCount {
            var batch = RecordBatch()
            guard
                let after = try? log.read(
                    topic: .events, partition: partition, from: next[Int(partition)], into: &batch,
                    limit: PollLimit(records: .max, bytes: .max))
            else { continue }
            next[Int(partition)] = after
            for slot in batch.records {
                guard let event = PublishedRecord(Array(batch.bytes[slot.frame])) else { continue }
                answer(event)
                operators.follow(event)
            }
        }
        scheduler.after(1_000) { [self] in work() }
    }

    private func answer(_ event: PublishedRecord) {
        switch event.type {
        case "io.switchyard.screening.held.v1": answerHold(event)
        case "io.switchyard.offload.entered.v1": answerOffload(event)
        case "io.switchyard.payment.action-required.v1": actAsCustomer(event)
        default: break
        }
    }

    private func send(after pause: Int64, _ type: String, _ payment: String, _ data: String) {
        scheduler.after(pause) { [upstream] in upstream.send(type, payment, data) }
    }

    private func answerHold(_ event: PublishedRecord) {
        guard let hold = event.data()["holdId"]?.string, random.happens(perMille: 800) else { return }
        let word = random.happens(perMille: 600) ? "release" : "reject"
        let data = #"{"holdId":"\#(hold)","operator":"ann","reason":"looked at"}"#
        send(after: random.number(500...6_000), "hold.\(word)", event.subject, data)
        if random.happens(perMille: 300) {
            send(after: random.number(500...9_000), "hold.release", event.subject, data)
        }
    }

    private func answerOffload(_ event: PublishedRecord) {
        let data = event.data()
        guard let entry = data["offloadId"]?.string, data["lane"]?.string == "manual", random.happens(perMille: 700)
        else { return }
        let word = random.happens(perMille: 700) ? "resume" : "reject"
        send(
            after: random.number(500...6_000), "offload.\(word)", event.subject,
            #"{"offloadId":"\#(entry)","operator":"bob","reason":"looked at"}"#)
        if random.happens(perMille: 300) {
            // A page that has grown old: the entry may be over, or another one open.
            send(
                after: random.number(500...20_000), "offload.resume", event.subject,
                #"{"offloadId":"\#(entry)","operator":"bob","reason":"clicked again"}"#)
        }
    }

    private func actAsCustomer(_ event: PublishedRecord) {
        guard let url = event.data()["redirectUrl"]?.string, random.happens(perMille: 800),
            let path = url.range(of: "/challenges/")
        else { return }
        let target = String(url[path.lowerBound...])
        let nodes = partners.values.sorted { $0.name < $1.name }
        let owner = nodes.first { target.contains($0.name) } ?? nodes[0]
        let pause = random.number(500...5_000)
        scheduler.after(pause) { owner.completeChallenge(target) }
        send(after: pause + 100, "payment.complete-action", event.subject, #"{"parameters":{}}"#)
    }
}

extension String {
    /// The first place of `part`, without Foundation.
    fileprivate func range(of part: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
