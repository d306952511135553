import PaymentModel

/// Every bound of a shard. Beyond one the shard stops taking in; it never queues without limit.
public struct ShardLimits: Sendable {
    /// What the names of the log's topics begin with; dead letters name their source with it.
    public var topicPrefix = "switchyard."
    /// Records taken by one poll.
    public var pollRecords = 512
    /// Bytes taken by one poll.
    public var pollBytes = 4 << 20
    /// Records in one commit, at most; the shard lowers its own limit where commits take longer than `commitTime`.
    public var batchRecords = 12_000
    /// Bytes in one commit: polling stops above.
    public var batchBytes = 16 << 20
    /// What a commit should take. Answers of the next batch wait that long.
    public var commitTime = Milliseconds(50)
    /// Requests and inquiries that wait or are under way, over all partners: polling stops at this.
    public var inFlight = 8_192
    /// Requests and inquiries under way at one partner (bulkhead).
    public var partnerActive = 256
    /// Requests and inquiries that wait for one partner: more are refused as `queue-full`.
    public var partnerWaiting = 4_096
    /// Requests of one partner, waiting or in a batch that is not durable yet, from which on polling stops, as long as
    /// the partner answers.
    public var partnerHighWater = 2_048
    /// A partner that has not answered for that long is silent: it stops nobody else.
    public var silence = Milliseconds(2_000)
    /// Repeats that a partner gets without first requests to weigh them against.
    public var retryBurst = 10
    /// One repeat for so many first requests (retry budget: 10 → 10 %).
    public var firstsPerRetry = 10
    /// An inquiry is given up after this.
    public var inquiryTimeout = Milliseconds(10_000)
    /// Payments in memory; beyond, those unused longest are passivated.
    public var hotPayments = 50_000
    /// A payment is passivated after it was not used for that long.
    public var idle = Milliseconds(30_000)
    /// Timers loaded ahead of time.
    public var timerHorizon = Milliseconds(70 * 60_000)
    /// A timer that is further off when a partition is taken over is checked with its payment: it may have been stored by
    /// a wall clock that was ahead.
    public var plausibleWait = Milliseconds(5 * 60_000)
    /// Timers in memory that came from the store; beyond, the store keeps them.
    public var timers = 100_000
    /// Timers read from the store in one turn.
    public var timerPage = 512
    /// Timers fired in one turn.
    public var timersPerTurn = 256
    /// Decisions that a payment may ask for within one step.
    public var decisionsPerStep = 8
    /// Notifications kept for one unknown reference.
    public var keptPerReference = 16
    /// How long they are kept.
    public var keptLifetime = Milliseconds(7 * 86_400_000)
    /// How long money that nothing explains is remembered after it was posted, so that a notification that comes again
    /// posts nothing: as long as the longest return or dispute window.
    public var unexplainedLifetime = Milliseconds(400 * 86_400_000)
    /// First pause after the log failed; doubles up to `recoveryMaximum`.
    public var recoveryPause = Milliseconds(100)
    /// Longest pause.
    public var recoveryMaximum = Milliseconds(5_000)
    /// How long a drain waits for requests under way.
    public var drain = Milliseconds(20_000)
    /// Given to `Incarnation`: the longest pause of a predecessor that may be alive; nil promises nothing.
    public var stallBound: Milliseconds?

    /// The defaults.
    public init() {}
}
