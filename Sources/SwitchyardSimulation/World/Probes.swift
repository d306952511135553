import InvariantChecker
import PaymentModel

/// Fresh payouts, one for each partition, right after everything has healed and a new process has begun: the first event
/// of each must come within the bound of a restart (L4), and each must be settled soon, whatever is stuck, poisoned or
/// parked beside it (L2).
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Probes: @unchecked Sendable {
    /// A transaction's time-out, at most 15 s, and 5 s (L4).
    static let firstProgress: Int64 = 20_000
    /// Request time-outs and inquiry slots are over by then.
    static let settled: Int64 = 60_000

    private let scheduler: Scheduler
    private let upstream: Upstream
    private let names: [String]
    private var sentAt: Timestamp?

    init(scheduler: Scheduler, upstream: Upstream, partitions: Int32) {
        self.scheduler = scheduler
        self.upstream = upstream
        names = (0..<partitions).map { partition in
            var number = 0
            while PartitionHash.partition(of: "probe\(number)".utf8, count: partitions) != partition { number += 1 }
            return "probe\(number)"
        }
    }

    func send() {
        sentAt = scheduler.wall
        for name in names { upstream.send("payout.initiate", name, Workload.plainPayout) }
    }

    /// What was promised and did not come.
    func violations(events: [RecordFact]) -> [Violation] {
        guard let sentAt else { return [] }
        func age(_ event: RecordFact?) -> Int64? {
            event?.data["occurredAt"]?.text.flatMap(FactTime.milliseconds).map { $0 - sentAt.milliseconds }
        }
        var found: [Violation] = []
        for name in names {
            let own = events.filter { $0.subject == name }
            if age(own.first) ?? .max > Probes.firstProgress {
                found.append(Violation("L4", name, "no event within \(Probes.firstProgress) ms of the restart"))
            }
            if age(own.first { $0.name == "payout.settled" }) ?? .max > Probes.settled {
                found.append(Violation("L2", name, "not settled within \(Probes.settled) ms in a world that is well"))
            }
        }
        return found
    }
}
