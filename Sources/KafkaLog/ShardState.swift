import EventLog
import KafkaTransport
import PaymentModel
import Synchronization

/// What the threads of one shard share: the shard's own, the poll thread and the worker. Under one lock, which is never
/// held over a call of librdkafka.
struct ShardState: Sendable {
    /// The generation in which the group gave us partitions.
    struct Membership: Sendable {
        var partitions: [Int32]
        /// Captured when they were assigned; never read afresh (the protocol's row B41).
        var metadata: KafkaGroupMetadata
    }

    /// A partition whose state is restored.
    struct Owned: Sendable {
        var note: OwnershipNote
        var commands: Int64
        var notifications: Int64
        /// Under which generation it was restored.
        var metadata: KafkaGroupMetadata
    }

    var started = false
    var closed = false
    var wake: (@Sendable () -> Void)?
    /// The last poll gave nothing: somebody must wake the shard.
    var waiting = true
    /// Changes with every assignment, revocation and recovery: work under an older one is void.
    var token: UInt64 = 0
    var membership: Membership?
    /// Since when the broker has refused this member while the client has noticed nothing.
    var staleSince: ContinuousClock.Instant?
    var owned: [Int32: Owned] = [:]
    /// Partitions that the shard believes are its own.
    var announced: Set<Int32> = []
    var events: [LogEvent] = []
    var handOver = HandOver()
    /// For the poll thread: fetch these under this token.
    var fetch: (token: UInt64, offsets: [KafkaOffset])?
    /// Records fetched under this token are handed over.
    var accepting: UInt64 = .max
    /// A commit failed: nothing is written, and nothing handed over, before recovery.
    var failed = false
    var inFlight = false

    /// Takes the wake-up, if the shard waits for one.
    mutating func wakeUp() -> (@Sendable () -> Void)? {
        guard waiting, started, !closed else { return nil }
        waiting = false
        return wake
    }

    /// Everything that was given is gone: tells the shard, forgets the records.
    mutating func revokeAll() {
        for partition in announced.sorted() { events.append(.revoked(partition: partition)) }
        announced.removeAll()
        owned.removeAll()
        handOver.removeAll()
        fetch = nil
        accepting = .max
    }
}

/// A moment within a commit that tests can watch, hold and break.
package enum CommitStep: Sendable, Equatable {
    /// The batch is checked and staged; the transaction is not begun.
    case staged
    /// The transaction is begun, its records are produced.
    case produced
    /// Positions are sent, the end of the transaction is not.
    case offsetsSent
    /// The broker has confirmed the commit; the local copy is not written.
    case committed
}

/// What a watcher makes of a step.
package enum StepAction: Sendable, Equatable {
    /// Nothing.
    case proceed
    /// The commit fails here, and it is known that nothing is visible.
    case abort
    /// The reply is lost here: nobody knows.
    case lose
    /// After the positions: the request to end the transaction is on its way, and arrives when the test wants.
    case late
}

/// A rule of the protocol whose absence a test can show to lose or double something (rows of the models). Only debug
/// builds have a way to leave one out; a release build keeps them all.
package enum ProtocolRule: Sendable, Hashable {
    /// B40: every transaction carries positions, also one that holds only results or timers.
    case offsetsInEveryTransaction
    /// B41: the generation is that of the assignment under which memory was restored.
    case metadataOfAssignment
    /// B42: no offset commit without a member and its generation.
    case checkedMetadata
    /// B43: only stable committed offsets.
    case stableOffsets
    /// B44: restored is the end with open transactions in it.
    case restoreToEnd
    /// B45: committed offsets first, then the state.
    case offsetsBeforeRestore
    /// B46: the local copy is written after the commit has returned.
    case copyAfterCommit
    /// C20: a producer that was fenced, or is finished otherwise, ends its transaction with it.
    case fencedIsTheEnd
    /// C21: an end whose reply was lost is no success.
    case unknownIsNoSuccess
    /// C22, C23: a transaction whose positions were refused is aborted, not committed without them.
    case refusedPositionsAbort
    /// C24: after an unknown end the new producer's initialisation fences the old one.
    case newProducerFences
    /// The state topic reaches at least as far as it had.
    case stateIsThere
    /// The state topic that is continued is the one that the copy was made of.
    case sameTopic
    /// The transaction is over when the revoke callback returns.
    case finishBeforeRevoke
    /// C26: what a dead owner left open is ended by its successor.
    case endDeadOwners
}

#if DEBUG
    /// The rules that a test leaves out.
    package final class Omissions: Sendable {
        private let rules = Mutex<Set<ProtocolRule>>([])

        /// Changes them.
        package func withLock<Result>(_ body: (inout sending Set<ProtocolRule>) -> sending Result) -> sending Result {
            rules.withLock(body)
        }

        /// Whether a rule is kept.
        func keeps(_ rule: ProtocolRule) -> Bool { rules.withLock { !$0.contains(rule) } }
    }

    extension KafkaShardLog {
        /// Whether a rule is kept.
        func keeps(_ rule: ProtocolRule) -> Bool { omitted.keeps(rule) }
    }
#else
    extension KafkaShardLog {
        /// Whether a rule is kept: always.
        @inline(__always) func keeps(_ rule: ProtocolRule) -> Bool { true }
    }
#endif
