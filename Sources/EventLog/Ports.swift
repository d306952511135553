import PaymentModel
import RecordFormat

/// Why the log could not do what it was asked.
public struct LogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the caller has to do.
    public enum Kind: Sendable, Equatable {
        /// Another owner has the partition, or the group has moved on. Nothing of the batch is visible. Drop
        /// everything, `recover()`.
        case fenced
        /// Nobody can say whether the batch is visible. Write nothing before `recover()` has read the log again.
        case outcomeUnknown
        /// The batch is not visible. `recover()`.
        case aborted
        /// The device is full, or the store read-only: nothing of the batch is visible; `recover()` may succeed when
        /// there is room again.
        case full
        /// No broker or store answers; try again later.
        case unavailable
        /// Stored bytes cannot be read. A person must look.
        case corrupt
        /// An appended record that the log never takes, for its size; others of the batch may be stored.
        case tooLarge
        /// The log refuses to start: settings or partition counts.
        case misconfigured
        /// Another process holds the directory. Nothing is wrong with it; try again when that one has ended.
        case heldElsewhere
        /// The log is closed.
        case closed
    }

    /// What the caller has to do.
    public var kind: Kind
    /// For the operator; holds no payment data.
    public var detail: String

    /// An error.
    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// Kind and detail.
    public var description: String { "\(kind): \(detail)" }
}

/// How much one poll may take. Backpressure: an owner that is busy polls less.
public struct PollLimit: Sendable {
    /// At most so many records.
    public var records: Int
    /// At most about so many bytes (at least one record is always taken).
    public var bytes: Int

    /// A limit.
    public init(records: Int, bytes: Int) {
        self.records = records
        self.bytes = bytes
    }
}

/// A stored entry as of the last commit. The spans are valid only inside the closure they are handed to.
public struct StoredEntry: ~Escapable {
    /// The encoded state.
    public let state: RawSpan
    /// The body, where there is one.
    public let body: RawSpan?

    /// An entry over bytes that outlive the closure.
    @_lifetime(copy state, copy body)
    public init(state: RawSpan, body: RawSpan?) {
        self.state = state
        self.body = body
    }
}

/// An entry whose timer is due.
public struct DueTimer: Sendable, Equatable {
    /// When it wanted to be woken.
    public var due: Timestamp
    /// Its partition.
    public var partition: Int32
    /// Which kind of entry.
    public var space: StateSpace
    /// Its key.
    public var key: [UInt8]

    /// A due timer.
    public init(due: Timestamp, partition: Int32, space: StateSpace, key: [UInt8]) {
        self.due = due
        self.partition = partition
        self.space = space
        self.key = key
    }
}

/// One shard's end of the log: the single owner of some partitions. All functions are called on the shard's thread and
/// return at once (a point read may take a block from disk); completions come on any thread, exactly once.
///
/// Life: `start` → `poll` gives `.assigned` for each partition, then records in the order of their offsets →
/// one `commit` at a time → after a failed commit `recover`, then `poll` gives `.revoked`/`.assigned` again and records
/// from the committed position.
public protocol ShardLog: AnyObject, Sendable {
    /// The number of partitions of every topic; recorded at the first start.
    var partitionCount: Int32 { get }

    /// Begins ownership. `wake` is called, from any thread and never while a lock of the log is held, when `poll` has
    /// something new after it returned nothing.
    func start(wake: @escaping @Sendable () -> Void, completion: @escaping @Sendable (LogError?) -> Void)

    /// Takes what is ready, without waiting: appends records to `batch` and says in order what happened. Empty: nothing
    /// is ready, `wake` will be called. Records already polled are not given again unless `recover` rewinds.
    func poll(into batch: inout RecordBatch, limit: PollLimit) throws(LogError) -> [LogEvent]

    /// Makes the batch durable and visible at once, or fails and shows nothing. One at a time. The completion gets the
    /// batch back for reuse.
    func commit(_ batch: CommitBatch, completion: @escaping @Sendable (CommitBatch, LogError?) -> Void)

    /// After a failed commit: reads the log again, as a new owner would, under a new epoch.
    func recover(completion: @escaping @Sendable (LogError?) -> Void)

    /// The entry as of the last commit, or nil. A never-seen key is answered by a bloom filter.
    func entry<Result>(
        partition: Int32, space: StateSpace, key: [UInt8], _ body: (borrowing StoredEntry) throws -> Result
    ) throws -> Result?

    /// The payment that a reference belongs to, or nil where no committed attempt has it.
    func key(reference: [UInt8], partition: Int32) throws(LogError) -> [UInt8]?

    /// Timers due at or before `through` as of the last commit, earliest first, at most `limit`, beginning after
    /// `after` (the last one already taken).
    func timers(
        partition: Int32, through: Timestamp, after: DueTimer?, limit: Int
    ) throws(LogError) -> [DueTimer]

    /// Ends ownership. In-flight commits are completed or failed first.
    func close(completion: @escaping @Sendable () -> Void)
}

/// Where inputs come in beside the owner: HTTP commands, `send`, partner notifications.
public protocol LogAppender: AnyObject, Sendable {
    /// The number of partitions of every topic.
    var partitionCount: Int32 { get }

    /// Stores the records (topic and partition as in the slots); completes when they are durable, or with the reason why
    /// none of them is. Grouped with other appends. Refuses with `.unavailable` when its bounded queue is full.
    func append(_ batch: RecordBatch, completion: @escaping @Sendable (LogError?) -> Void)
}

/// One row of the operators' list.
public struct PaymentRow: Sendable, Equatable {
    /// The payment.
    public var paymentID: String
    /// Its partition.
    public var partition: Int32
    /// What the index tells of it.
    public var summary: PaymentSummary

    /// A row.
    public init(paymentID: String, partition: Int32, summary: PaymentSummary) {
        self.paymentID = paymentID
        self.partition = partition
        self.summary = summary
    }
}

/// Which part of the payments a reader knows, where several instances share a log.
public struct LogShare: Sendable, Equatable {
    /// The name of this instance.
    public var instance: String
    /// The partitions that it owns now, in ascending order: the states of their payments are known here.
    public var partitions: [Int32]

    /// A share.
    public init(instance: String, partitions: [Int32]) {
        self.instance = instance
        self.partitions = partitions
    }
}

/// Committed records and states for readers: `events`, the desk, reconciliation. Thread-safe, may block on disk or
/// network: never called on a shard's thread.
public protocol LogReader: AnyObject, Sendable {
    /// The number of partitions of every topic.
    var partitionCount: Int32 { get }

    /// Whose states are known here, where several instances share the partitions; nil: everybody's.
    var share: LogShare? { get }

    /// The instance that owns a partition now, as far as the log tells; nil where it does not, or nobody shares it.
    func owner(partition: Int32) throws(LogError) -> String?

    /// First retained and next offset of a partition.
    func offsets(topic: Topic, partition: Int32) throws(LogError) -> Range<Int64>

    /// Appends committed records from `from` on, within the limit; returns the offset to go on from. An offset below
    /// the first retained one goes on from that.
    func read(
        topic: Topic, partition: Int32, from: Int64, into batch: inout RecordBatch, limit: PollLimit
    ) throws(LogError) -> Int64

    /// The events of one payment in order, as far as they are retained, at most `limit` records.
    func history(paymentID: [UInt8], into batch: inout RecordBatch, limit: Int) throws(LogError)

    /// The entry of a payment as of the last commit: (state, body), or nil.
    func entry(space: StateSpace, key: [UInt8]) throws(LogError) -> (state: [UInt8], body: [UInt8]?)?

    /// Payments by status, longest in their status first (then by id): one page. Cost: at most about
    /// `PaymentListing.scan` rows are looked at, whatever matches.
    func payments(_ listing: PaymentListing) throws(LogError) -> PaymentPage
}

/// A page of the operators' list that is asked for.
public struct PaymentListing: Sendable {
    /// Only payments in these; empty: all that are unfinished. A finished one is found by its status.
    public var statuses: [UInt8]
    /// Only payments whose latest attempt is there.
    public var partner: String?
    /// Only those in their status since then or longer.
    public var since: Timestamp?
    /// Where the page before ended.
    public var after: PaymentRow?
    /// At most so many rows.
    public var limit: Int
    /// About so many rows are looked at for one page: no index leads to a partner's payments.
    public var scan: Int

    /// A page; by default the first one of all unfinished payments.
    public init(
        statuses: [UInt8] = [], partner: String? = nil, since: Timestamp? = nil, after: PaymentRow? = nil, limit: Int,
        scan: Int = 50_000
    ) {
        self.statuses = statuses
        self.partner = partner
        self.since = since
        self.after = after
        self.limit = limit
        self.scan = scan
    }
}

/// A page of the operators' list.
public struct PaymentPage: Sendable, Equatable {
    /// The rows; fewer than asked for, even none, where the scan came first.
    public var rows: [PaymentRow]
    /// Where the next page begins: behind this row, which need not be one of the page's. Nil: there is none.
    public var next: PaymentRow?

    /// A page from the first rows of several streams, each in the list's order.
    ///
    /// - Parameters:
    ///   - rows: what the streams brought, one more than `limit` of each where it has that many.
    ///   - cut: where the streams that were not read to their end stopped: behind the first of these places the rows
    ///     are not all known.
    public init(_ rows: [PaymentRow], cut: [PaymentRow], limit: Int) {
        let first = cut.min { $0.isListed(before: $1) }
        var known = rows
        if let first { known.removeAll { first.isListed(before: $0) } }
        known.sort { $0.isListed(before: $1) }
        self.rows = Array(known.prefix(max(0, limit)))
        next = known.count > limit ? self.rows.last : first
    }
}

extension PaymentRow {
    /// The order of the list: longest in its status first, then by the bytes of the id.
    public func isListed(before other: PaymentRow) -> Bool {
        if summary.since != other.summary.since { return summary.since < other.summary.since }
        return paymentID.utf8.lexicographicallyPrecedes(other.paymentID.utf8)
    }
}

extension LogReader {
    /// One process owns every partition.
    public var share: LogShare? { nil }

    /// Nobody shares it.
    public func owner(partition: Int32) throws(LogError) -> String? { nil }
}
