import EventLog

/// What a suite needs of an implementation of the event log. One value is one set of topics with its storage.
public protocol LogUnderTest: AnyObject, Sendable {
    /// Where inputs come in.
    var appender: any LogAppender { get }
    /// Where readers look.
    var reader: any LogReader { get }

    /// The end of a shard that will own all partitions, not started. On Kafka: a member of the group.
    func makeShard() async throws -> any ShardLog

    /// Starts `successor` in the place of an owner that does not know of it (a stalled process, a second one):
    /// afterwards the successor owns every partition and the owner before has not been told.
    func takeOver(by successor: any ShardLog, wake: @escaping @Sendable () -> Void) async throws

    /// Ends everything as a crash does, without closing, and opens the same storage again; `appender` and `reader`
    /// are new afterwards, and shards made before are dead. In memory: a new set of shards.
    func crashAndReopen() async throws

    /// Makes the next commit fail as told; false where the implementation cannot be made to.
    func failNextCommit(_ failure: InjectedFailure) -> Bool

    /// Releases everything.
    func tearDown() async

    /// Whether offsets of a partition follow each other without holes (on Kafka markers of transactions take some).
    var offsetsAreContiguous: Bool { get }

    /// How long something may take that is asynchronous in the implementation.
    var patience: Duration { get }
}

/// How a commit fails on demand.
public enum InjectedFailure: Sendable, CaseIterable {
    /// Not visible, and that is known.
    case aborted
    /// Unknown to the caller, in truth visible.
    case unknownApplied
    /// Unknown to the caller, in truth not visible.
    case unknownLost
}

/// Makes logs for tests.
public struct LogFactory: Sendable, CustomStringConvertible {
    /// Shown in the names of tests.
    public let description: String
    /// Makes an empty log with that many partitions.
    public let make: @Sendable (_ partitions: Int32) async throws -> any LogUnderTest

    /// A factory.
    public init(
        _ description: String, _ make: @escaping @Sendable (_ partitions: Int32) async throws -> any LogUnderTest
    ) {
        self.description = description
        self.make = make
    }
}

/// One property that every implementation must have.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// The property, in words.
    public let description: String
    let partitions: Int32
    let body: @Sendable (any LogUnderTest) async throws -> Void

    init(
        _ description: String, partitions: Int32 = 2,
        _ body: @escaping @Sendable (any LogUnderTest) async throws -> Void
    ) {
        self.description = description
        self.partitions = partitions
        self.body = body
    }

    /// Runs the case on a new log of the factory.
    public func run(_ factory: LogFactory) async throws {
        let log = try await factory.make(partitions)
        do {
            try await body(log)
        } catch {
            await log.tearDown()
            throw error
        }
        await log.tearDown()
    }
}
