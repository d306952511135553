import Dispatch
import EventLog
import Metrics
import Operations
import PaymentModel
import Synchronization

/// Counts open payments by state and partner, and the money whose fate is not known, for the metrics: a look at the
/// log's index every few seconds, on a thread of its own. Of the partitions that this process owns.
final class ExposureWatch: Sendable {
    private struct Group: Hashable {
        var state: String
        var partner: String
    }

    private struct Count {
        var open: Int64 = 0
        var parked: Int64 = 0
        var oldest = Timestamp(milliseconds: .max)
    }

    private struct Amount: Hashable {
        var partner: String
        var currency: String
    }

    private struct Figures {
        var counts: [Group: Count] = [:]
        var inDoubt: [Amount: Int64] = [:]
        var unread: Int64 = 0
    }

    private struct State {
        var figures = Figures()
        var stopped = false
    }

    private let reader: any LogReader
    private let now: @Sendable () -> Timestamp
    private let queue = DispatchQueue(label: "exposure", qos: .utility)
    private let state = Mutex(State())
    /// At most so many payments are read for their amounts in one look.
    private static let amountLimit = 10_000
    private static let pause: Duration = .seconds(5)

    init(_ reader: any LogReader, now: @escaping @Sendable () -> Timestamp) {
        self.reader = reader
        self.now = now
    }

    /// Begins to look, and shows what it sees.
    func start(in metrics: MetricsRegistry) {
        metrics.collect { [weak self] in self?.samples ?? [] }
        queue.async { [self] in look() }
    }

    /// Ends after the look under way: then the log may be closed.
    func stop() {
        state.withLock { $0.stopped = true }
        queue.sync {}
    }

    private func look() {
        if state.withLock({ $0.stopped }) { return }
        let began = ContinuousClock.now
        // Where the log cannot be read for the moment, no figures are better than old ones.
        let figures = (try? count()) ?? Figures()
        state.withLock { $0.figures = figures }
        // With very many open payments a look takes seconds: at most a fiftieth of one core.
        let pause = max(ExposureWatch.pause, began.duration(to: .now) * 50)
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(pause / .milliseconds(1)))) { [weak self] in
            self?.look()
        }
    }

    private func count() throws(LogError) -> Figures {
        var figures = Figures()
        var after: PaymentRow?
        var read = 0
        while !state.withLock({ $0.stopped }) {
            let page = try reader.payments(PaymentListing(after: after, limit: 1_000))
            for row in page.rows {
                let status = PaymentStatus(rawValue: row.summary.status) ?? .none
                let group = Group(state: status.name.description, partner: row.summary.partner)
                figures.counts[group, default: Count()].open += 1
                figures.counts[group]?.parked += row.summary.parked ? 1 : 0
                let oldest = figures.counts[group]?.oldest ?? row.summary.since
                figures.counts[group]?.oldest = min(oldest, row.summary.since)
                guard status == .inDoubt || row.summary.parked else { continue }
                guard read < ExposureWatch.amountLimit else {
                    figures.unread += 1
                    continue
                }
                read += 1
                add(row.paymentID, to: &figures)
            }
            guard let next = page.next else { break }
            after = next
        }
        return figures
    }

    /// Adds the amounts of a payment's attempts that are in doubt.
    private func add(_ id: String, to figures: inout Figures) {
        // It may have gone to another instance, or ended, since the row was read.
        guard let entry = try? reader.entry(space: .payment, key: Array(id.utf8)),
            let described = PaymentDescription(id: id, state: entry.state)
        else { return }
        for attempt in described.attempts where attempt.status == "inDoubt" {
            let key = Amount(partner: attempt.partner, currency: attempt.currency)
            let sum = figures.inDoubt[key, default: 0].addingReportingOverflow(attempt.minorUnits)
            figures.inDoubt[key] = sum.overflow ? .max : sum.partialValue
        }
    }

    private var samples: [MetricSample] {
        let figures = state.withLock { $0.figures }
        let now = now()
        var samples: [MetricSample] = []
        for (group, count) in figures.counts.sorted(by: {
            ($0.key.state, $0.key.partner) < ($1.key.state, $1.key.partner)
        }
        ) {
            let labels = [(name: "state", value: group.state), (name: "partner", value: group.partner)]
            samples.append(
                MetricSample(
                    name: "switchyard_payments_open", help: "Payments that are not finished.", labels: labels,
                    value: count.open))
            samples.append(
                MetricSample(
                    name: "switchyard_payments_parked", help: "Payments that wait for a person.", labels: labels,
                    value: count.parked))
            samples.append(
                MetricSample(
                    name: "switchyard_payments_oldest_seconds", help: "How long the oldest is in its state.",
                    labels: labels, value: max(0, now.milliseconds - count.oldest.milliseconds), scale: 1_000))
        }
        for (key, sum) in figures.inDoubt.sorted(by: {
            ($0.key.partner, $0.key.currency) < ($1.key.partner, $1.key.currency)
        }) {
            var scale: Int64 = 1
            for _ in 0..<(Currency(key.currency)?.exponent ?? 2) { scale *= 10 }
            samples.append(
                MetricSample(
                    name: "switchyard_in_doubt_amount",
                    help: "Money of attempts whose outcome nobody knows, in the currency's units.",
                    labels: [("partner", key.partner), ("currency", key.currency)], value: sum, scale: scale))
        }
        samples.append(
            MetricSample(
                name: "switchyard_in_doubt_unread",
                help: "Payments in doubt or parked whose amounts were too many to be read.", value: figures.unread))
        return samples
    }
}
