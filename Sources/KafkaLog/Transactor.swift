import EventLog
import KafkaTransport

/// A shard's transactional producer and the rule by which it recovers (the architecture, section 3): after a fatal, timed
/// out or indefinite error the producer is thrown away, and the initialisation of its successor fences whatever is
/// still on its way. Blocks; used by one thread at a time, the shard's worker.
package final class Transactor: @unchecked Sendable {  // confined to the shard's serial worker queue
    /// How long each call may take.
    package struct Limits: Sendable {
        /// One attempt to initialise a producer.
        package var initialise: Duration = .seconds(2)
        /// Positions.
        package var sendOffsets: Duration = .seconds(6)
        /// The end, flushing included.
        package var commit: Duration = .seconds(8)
        /// An abort.
        package var abort: Duration = .seconds(5)
        /// The defaults.
        package init() {}
    }

    /// What a transaction holds.
    package struct Work {
        /// Hands the records over.
        package var produce: (KafkaTransactionalProducer) throws(KafkaError) -> Void
        /// Hands the positions over.
        package var sendOffsets: (KafkaTransactionalProducer) throws(KafkaError) -> Void
        /// Watches and breaks steps, in tests.
        package var watch: (CommitStep) -> StepAction

        /// Work.
        package init(
            produce: @escaping (KafkaTransactionalProducer) throws(KafkaError) -> Void,
            sendOffsets: @escaping (KafkaTransactionalProducer) throws(KafkaError) -> Void,
            watch: @escaping (CommitStep) -> StepAction = { _ in .proceed }
        ) {
            self.produce = produce
            self.sendOffsets = sendOffsets
            self.watch = watch
        }
    }

    /// How long each call may take.
    package let limits: Limits
    /// How many producers were initialised.
    package private(set) var initialised = 0
    /// The broker refused the positions: the group has moved on. For the caller to take note of, and to reset.
    package var isStale = false
    /// A producer whose request to end a transaction is still on its way, in the test of row C24.
    package var late: KafkaTransactionalProducer?
    private let transactionalID: String
    private let make: (_ transactionalID: String) throws -> KafkaTransactionalProducer
    private let report: (Int, String) -> Void
    private let keeps: (ProtocolRule) -> Bool
    private var current: KafkaTransactionalProducer?

    /// A transactor without a producer.
    package init(
        transactionalID: String, limits: Limits = Limits(),
        make: @escaping (String) throws -> KafkaTransactionalProducer,
        report: @escaping (_ level: Int, _ text: String) -> Void,
        keeps: @escaping (ProtocolRule) -> Bool = { _ in true }
    ) {
        self.transactionalID = transactionalID
        self.limits = limits
        self.make = make
        self.report = report
        self.keeps = keeps
    }

    /// The producer that is initialised, if there is one.
    package var producer: KafkaTransactionalProducer? { current }

    /// The producer; a new one is initialised first, which fences every request of the one before and aborts what it
    /// left open. A time-out is repeated as long as `wanted` says so.
    package func ready(while wanted: () -> Bool) throws -> KafkaTransactionalProducer {
        if let current { return current }
        let identity = keeps(.newProducerFences) ? transactionalID : "\(transactionalID)-\(initialised)"
        let new = try make(identity)
        while let error = initialise(new) {
            guard error.isRetriable, wanted() else { throw error }
            report(4, "\(transactionalID): \(error); trying again")
        }
        initialised += 1
        current = new
        return new
    }

    private func initialise(_ producer: KafkaTransactionalProducer) -> KafkaError? {
        do throws(KafkaError) {
            try producer.initTransactions(timeout: limits.initialise)
            return nil
        } catch {
            return error
        }
    }

    /// The producer is not to be used again.
    package func discard() { current = nil }

    /// Begin, produce, positions, commit. When it throws nothing more is written before the log has been read again; the
    /// next `ready` gives a producer that is good.
    package func run(_ work: Work) throws(LogError) {
        guard let producer = current else { throw LogError(.aborted, "no producer: recover first") }
        _ = work.watch(.staged)
        do throws(KafkaError) {
            try producer.begin()
            try work.produce(producer)
        } catch {
            throw failedBeforeCommit(error, producer)
        }
        if work.watch(.produced) == .abort { throw failedBeforeCommit(injected, producer) }
        do throws(KafkaError) {
            try work.sendOffsets(producer)
        } catch {
            #if DEBUG
                if try goesOn(after: error, work, producer) { return }
            #endif
            throw failedBeforeCommit(error, producer)
        }
        switch work.watch(.offsetsSent) {
        case .proceed: break
        case .abort: throw failedBeforeCommit(injected, producer)
        case .lose:
            discard()
            throw LogError(.outcomeUnknown, "the reply was lost")
        case .late:
            late = producer
            discard()
            throw LogError(.outcomeUnknown, "the request to end is on its way")
        }
        do throws(KafkaError) {
            try producer.commit(timeout: limits.commit)
        } catch {
            throw failedCommit(error, producer)
        }
    }

    private var injected: KafkaError {
        KafkaError(operation: "commit", code: .purged, detail: "injected", isAbortable: true)
    }

    /// No end of the transaction was ever asked for: nothing of it becomes visible. Aborts where that is enough,
    /// otherwise takes the producer away; its successor's initialisation aborts.
    private func failedBeforeCommit(_ error: KafkaError, _ producer: KafkaTransactionalProducer) -> LogError {
        if error.isStaleMember { isStale = true }
        // Positions that were refused leave the producer good; records that failed, or a newer epoch, do not.
        if error.isAbortable,
            error.isStaleMember || error.isDenied && error.operation == "send-offsets"
                || error.code == .purged
        {
            do {
                try producer.abort(timeout: limits.abort)
            } catch {
                discard()
            }
        } else {
            discard()
        }
        report(error.isDenied ? 3 : 4, "\(transactionalID): \(error)")
        return LogError(error.isStaleOwner ? .fenced : .aborted, "\(error)")
    }

    /// The end was asked for, or records failed before it could be. Only a definite refusal, after which the abort
    /// succeeds, proves that it did not happen. The producer goes in any case: after a failed record its sequence, or
    /// what it believes of the topic, may be wrong.
    private func failedCommit(_ error: KafkaError, _ producer: KafkaTransactionalProducer) -> LogError {
        report(error.isDenied ? 3 : 4, "\(transactionalID): \(error)")
        var isAborted = false
        if error.isAbortable {
            do {
                try producer.abort(timeout: limits.abort)
                isAborted = !error.isIndefinite
            } catch {}
        }
        discard()
        return LogError(isAborted ? .aborted : .outcomeUnknown, "\(error)")
    }
}

#if DEBUG
    // What owners do that leave out a rule; only tests of those rules get here.
    extension Transactor {
        /// Whether an owner without rule C20 or C22 went on after refused positions, and committed.
        private func goesOn(
            after error: KafkaError, _ work: Work, _ producer: KafkaTransactionalProducer
        ) throws(LogError) -> Bool {
            do {
                if error.isFatal, !keeps(.fencedIsTheEnd) {
                    // "A new producer, and on with what is left": the records went with the old one.
                    discard()
                    let new = try ready { true }
                    try new.begin()
                    try work.sendOffsets(new)
                    try new.commit(timeout: limits.commit)
                    return true
                }
                if error.isAbortable, !keeps(.refusedPositionsAbort) {
                    // "The positions can wait": the records alone, in a transaction that nobody checks.
                    try producer.abort(timeout: limits.abort)
                    try producer.begin()
                    try work.produce(producer)
                    try producer.commit(timeout: limits.commit)
                    return true
                }
                return false
            } catch {
                throw LogError(.aborted, "\(error)")
            }
        }
    }
#endif
