import EventLog
import Glibc
import PaymentModel
import RocksStore
import Synchronization

/// How a write is made to go wrong by tests: the paths that only a failing device would reach.
package enum WriteFault: Sendable, Equatable {
    /// Not written, and that is known.
    case refused
    /// Not written, but the outcome counts as unknown.
    case lost
    /// Written, but the outcome counts as unknown.
    case applied
    /// Turned away so many times, because the store's background work lags behind.
    case stalled(times: Int)
}

/// The open log: what its writer thread, its shards and its readers share.
final class LogCore: Sendable {
    let directory: String
    let options: EmbeddedLogOptions
    let partitionCount: Int32
    let queue: WorkQueue
    let board: Mutex<Board>
    let counters = Mutex(EmbeddedLogStatistics())
    /// How far the store has been acknowledged.
    let evidence: AcknowledgedWrites
    /// The store for readers; nil while it is being reopened.
    private let store: Mutex<RocksDatabase?>
    /// Held until the writer has ended and the store is closed.
    private let lock: Mutex<DirectoryLock?>
    private let thread = Mutex<pthread_t?>(nil)
    /// What shall go wrong with the next write; for tests.
    let injected = Mutex<WriteFault?>(nil)

    init(directory: String, options: EmbeddedLogOptions) throws(LogError) {
        guard mkdir(directory, 0o750) == 0 || errno == EEXIST else {
            throw LogError(.misconfigured, "cannot make \(directory): \(String(cString: strerror(errno)))")
        }
        let lock = try LogCore.lock(directory, wait: options.lockWait)
        let database = try LogCore.openStore(directory, options)
        evidence = try AcknowledgedWrites(directory)
        try evidence.check(database)
        let ledger = try LedgerStore.open(database, options.partitionCount, directory)
        self.directory = directory
        self.options = options
        self.lock = Mutex(lock)
        partitionCount = ledger.partitionCount
        queue = WorkQueue(maximumAppendedBytes: options.maximumQueuedBytes)
        board = Mutex(Board(ledger))
        store = Mutex(database)
    }

    private static func lock(_ directory: String, wait: Milliseconds) throws(LogError) -> DirectoryLock {
        var left = wait.count
        while true {
            do throws(LogError) {
                return try DirectoryLock(directory)
            } catch {
                guard left > 0 else { throw error }
                usleep(20_000)
                left -= 20
            }
        }
    }

    /// Opens the store, whose directory is ours. A handle of this process that is being let go is waited for.
    static func openStore(
        _ directory: String, _ options: EmbeddedLogOptions, access: RocksDatabase.Access = .exclusive
    ) throws(LogError) -> RocksDatabase {
        var tries = 5_000
        while true {
            do throws(RocksError) {
                return try RocksDatabase(
                    path: "\(directory)/store", families: StoreLayout.families(options),
                    options: StoreLayout.options(options), access: access)
            } catch {
                guard error.kind == .lockHeld, tries > 0 else { throw LogError(error) }
                usleep(1_000)
                tries -= 1
            }
        }
    }

    /// The store for a short read. Hold it no longer than that: reopening waits until it is let go.
    func database() throws(LogError) -> RocksDatabase {
        guard let database = store.withLock({ $0 }) else { throw LogError(.unavailable, "the store is being reopened") }
        return database
    }

    /// Changes the store that readers get; the writer's to call.
    func setDatabase(_ database: RocksDatabase?) { store.withLock { $0 = database } }

    /// Starts the writer thread. Once.
    func startWriter() throws(LogError) {
        let context = Unmanaged.passRetained(self)
        var id = pthread_t()
        let code = pthread_create(
            &id, nil,
            { context in
                guard let context else { return nil }
                let core = Unmanaged<LogCore>.fromOpaque(context).takeRetainedValue()
                LogWriter.run(core)
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw LogError(.unavailable, "no thread for the log: \(String(cString: strerror(code)))")
        }
        thread.withLock { $0 = id }
    }

    /// Ends the writer when it has done what is queued, and closes the store. Waits for it.
    func stop() {
        _ = queue.add(.stop)
        let id = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let id else { return }
        pthread_join(id, nil)
        lock.withLock { $0 = nil }
    }
}
