import Synchronization

/// A pool's figures at one moment, for metrics. Counters never go back.
public struct HTTPPoolStatistics: Sendable, Hashable {
    /// Exchanges with curl now.
    public var inFlight = 0
    /// Exchanges waiting in the queue now.
    public var queued = 0
    /// Sockets open now.
    public var openSockets = 0
    /// Exchanges given to `submit` so far.
    public var submitted = 0
    /// Exchanges that ended answered.
    public var answered = 0
    /// Exchanges that ended unanswered.
    public var unanswered = 0
    /// Exchanges that ended not sent.
    public var notSent = 0
    /// Connections made for exchanges that got past the last check.
    public var connectionsOpened = 0
    /// Exchanges that went over a connection used before.
    public var connectionsReused = 0
    /// Repeats that curl wanted to make and that were stopped.
    public var repeatsRefused = 0
}

/// The counters behind `HTTPPoolStatistics`: written by the pool's thread and by submitters, read by anyone.
final class PoolCounters: Sendable {
    let inFlight = Atomic<Int>(0)
    let queued = Atomic<Int>(0)
    let openSockets = Atomic<Int>(0)
    let submitted = Atomic<Int>(0)
    let answered = Atomic<Int>(0)
    let unanswered = Atomic<Int>(0)
    let notSent = Atomic<Int>(0)
    let connectionsOpened = Atomic<Int>(0)
    let connectionsReused = Atomic<Int>(0)
    let repeatsRefused = Atomic<Int>(0)

    func count(_ outcome: HTTPOutcome) {
        switch outcome {
        case .notSent: notSent.add(1, ordering: .relaxed)
        case .answered: answered.add(1, ordering: .relaxed)
        case .unanswered(let doubt):
            unanswered.add(1, ordering: .relaxed)
            if doubt.cause == .repeatRefused { repeatsRefused.add(1, ordering: .relaxed) }
        }
    }

    var snapshot: HTTPPoolStatistics {
        HTTPPoolStatistics(
            inFlight: inFlight.load(ordering: .relaxed), queued: queued.load(ordering: .relaxed),
            openSockets: openSockets.load(ordering: .relaxed), submitted: submitted.load(ordering: .relaxed),
            answered: answered.load(ordering: .relaxed), unanswered: unanswered.load(ordering: .relaxed),
            notSent: notSent.load(ordering: .relaxed), connectionsOpened: connectionsOpened.load(ordering: .relaxed),
            connectionsReused: connectionsReused.load(ordering: .relaxed),
            repeatsRefused: repeatsRefused.load(ordering: .relaxed))
    }
}
