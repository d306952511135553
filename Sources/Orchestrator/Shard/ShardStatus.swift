import EventLog
import PaymentModel

/// What a shard is doing, for readyz and metrics.
public enum ShardPhase: Sendable, Equatable {
    /// Not started.
    case idle
    /// Taking ownership.
    case starting
    /// Working.
    case running
    /// The log failed; waiting to read it again.
    case degraded(reason: String)
    /// Finishing what is under way.
    case draining
    /// Ended.
    case closed
    /// Cannot go on: a person must look.
    case stopped(reason: String)
}

/// A shard's figures as of its last turn. Counters only grow.
public struct ShardStatus: Sendable, Equatable {
    /// What it is doing.
    public var phase = ShardPhase.idle
    /// Turns that it has made: whoever wakes it and sees no more of them knows that its thread is stuck.
    public var turns = 0
    /// Partitions that it owns.
    public var partitions: [Int32] = []
    /// Payments in memory.
    public var hotPayments = 0
    /// Requests and inquiries under way.
    public var underWay = 0
    /// Requests and inquiries that wait.
    public var waiting = 0
    /// Timers in memory.
    public var timers = 0
    /// Records polled.
    public var recordsTaken = 0
    /// Polls that brought something.
    public var polls = 0
    /// Commits that became durable.
    public var commits = 0
    /// Commits that failed.
    public var failedCommits = 0
    /// Events written.
    public var events = 0
    /// Commands and notifications that were seen before.
    public var duplicates = 0
    /// Dead letters.
    public var deadLetters = 0
    /// Requests handed to the transport.
    public var requests = 0
    /// Inquiries handed to the transport.
    public var inquiries = 0
    /// Repeats among the requests.
    public var repeats = 0
    /// Timers fired.
    public var timersFired = 0
    /// Payments that left memory.
    public var passivated = 0
    /// Payments read from the store.
    public var activated = 0
    /// Turns in which polling was held back.
    public var heldBack = 0
    /// How long the last commit took.
    public var lastCommit = Milliseconds.zero

    /// Nothing yet.
    public init() {}

    /// Whether it takes commands.
    public var isReady: Bool { phase == .running }
}

/// What the shard is about; see `ShardPhase` for what others see of it.
enum ShardCourse {
    case idle
    case starting
    case running
    /// Waits for its old senders, and until `until`, before it has the log read again.
    case failing(until: MonotonicTime, LogError)
    case recovering(LogError)
    case draining(until: MonotonicTime, cutShort: Bool)
    case closing
    case closed
    case stopped(String)

    var isRunning: Bool {
        if case .running = self { true } else { false }
    }

    var visible: ShardPhase {
        switch self {
        case .idle: .idle
        case .starting: .starting
        case .running: .running
        case .failing(_, let error), .recovering(let error): .degraded(reason: error.description)
        case .draining, .closing: .draining
        case .closed: .closed
        case .stopped(let reason): .stopped(reason: reason)
        }
    }
}
