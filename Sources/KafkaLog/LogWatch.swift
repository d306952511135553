import Dispatch
import EventLog
import Foundation
import KafkaTransport
import Synchronization

/// Looks at the ends of the partitions that this process is a member for, every few seconds: how far inputs are behind,
/// and whether a transaction hangs. The library's own statistics show neither: positions are committed by transactions,
/// and the topics that transactions write are not fetched. Two requests to each broker a look; on a thread of its own.
final class LogWatch: Sendable {
    private struct State {
        var figures: [KafkaPartitionFigures] = []
        /// Where the last stable offset of an output stood, and since when.
        var stood: [KafkaOffset: ContinuousClock.Instant] = [:]
        var stopped = false
        /// Made at the first look.
        var stable: KafkaReader?
    }

    /// Topics that transactions write.
    static let outputs: [Topic] = [.events, .settlements, .state, .deadLetters]
    static let inputs: [Topic] = [.commands, .notifications]

    private let log: KafkaEventLog
    private let interval: Duration
    private let queue = DispatchQueue(label: "kafka-watch")
    private let state = Mutex(State())

    init(_ log: KafkaEventLog, interval: Duration) {
        self.log = log
        self.interval = interval
    }

    /// What the last look showed.
    var figures: [KafkaPartitionFigures] { state.withLock { $0.figures } }

    func start() { queue.async { [self] in look() } }

    /// Waits for the look under way.
    func stop() {
        state.withLock { $0.stopped = true }
        queue.sync {}
    }

    private func look() {
        if state.withLock({ $0.stopped }) { return }
        do {
            let figures = try figuresNow()
            state.withLock { $0.figures = figures }
        } catch {
            // Brokers that do not answer are told by everybody else; stale figures would look like fresh ones.
            state.withLock { $0.figures = [] }
        }
        let (seconds, attoseconds) = interval.components
        let delay = DispatchTimeInterval.milliseconds(Int(seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
        queue.asyncAfter(deadline: .now() + delay) { [self] in look() }
    }

    private func figuresNow() throws -> [KafkaPartitionFigures] {
        let members = log.memberships
        let positions = Dictionary(
            members.flatMap(\.positions).map { ($0.place, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let partitions = Set(members.flatMap(\.partitions)).sorted()
        guard !partitions.isEmpty else { return [] }
        let asked = (LogWatch.inputs + LogWatch.outputs).flatMap { topic in
            partitions.map { KafkaOffset(topic: log.name(topic), partition: $0, offset: 0) }
        }
        // The stable ends first: what is written between the two questions must not look like a negative lag.
        let stable = LogWatch.byPlace(try stableReader().ends(of: asked, timeout: .seconds(5)))
        let wall = Int64(Date().timeIntervalSince1970 * 1_000)
        let whole = LogWatch.byPlace(try log.observer.ends(of: asked, timeout: .seconds(5)))
        let now = ContinuousClock.now
        var figures: [KafkaPartitionFigures] = []
        var stood: [KafkaOffset: ContinuousClock.Instant] = [:]
        let before = state.withLock { $0.stood }
        for topic in LogWatch.inputs + LogWatch.outputs {
            for partition in partitions {
                let place = KafkaOffset(topic: log.name(topic), partition: partition, offset: 0)
                guard let low = stable[place], let high = whole[place] else { continue }
                var row = KafkaPartitionFigures(topic: topic.suffix, partition: partition)
                if LogWatch.inputs.contains(topic) {
                    row.lag = positions[place].map { max(0, low - $0) }
                } else {
                    row.unstable = max(0, high - low)
                    var key = place
                    key.offset = low
                    if high > low {
                        let since = before[key] ?? now
                        stood[key] = since
                        row.stalled = since.duration(to: now)
                    } else {
                        row.stalled = .zero
                    }
                }
                figures.append(row)
            }
        }
        state.withLock { $0.stood = stood }
        let ends = partitions.compactMap { partition in
            whole[KafkaOffset(topic: log.name(.state), partition: partition, offset: 0)].map { (partition, $0) }
        }
        log.confirmCopies(ends: Dictionary(ends) { first, _ in first }, at: wall)
        return figures
    }

    private func stableReader() throws -> KafkaReader {
        if let known = state.withLock({ $0.stable }) { return known }
        let made = try KafkaReader(
            log.settings.cluster, groupID: log.settings.groupID, clientID: "\(log.settings.groupID)-watch",
            committedOnly: true)
        state.withLock { $0.stable = made }
        return made
    }

    private static func byPlace(_ offsets: [KafkaOffset]) -> [KafkaOffset: Int64] {
        Dictionary(offsets.map { ($0.place, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }
}

extension KafkaOffset {
    /// Topic and partition alone, as a key.
    var place: KafkaOffset { KafkaOffset(topic: topic, partition: partition, offset: 0) }
}
