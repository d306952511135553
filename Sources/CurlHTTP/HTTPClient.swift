import CCurl
import Synchronization

/// Names one submitted exchange, to cancel it.
public struct HTTPExchangeToken: Sendable, Hashable {
    let number: UInt64
}

/// HTTP out. Sends every request at most once and says precisely what became of it.
///
/// Each pool is a bulkhead of its own: thread, connections, queue. Completions are called on the pool's thread and must
/// return quickly; refusals by `submit` itself are called on the caller's thread before it returns.
/// Every exchange's completion is called exactly once, also at shutdown.
public final class HTTPClient: Sendable {
    private let workers: [String: PoolWorker]
    private let nextToken = Atomic<UInt64>(1)

    /// Starts a thread per pool; nothing is connected yet. Throws where a value makes no sense, a file of
    /// certificates cannot be read, or libcurl is not fit (7.85 or later with TLS and asynchronous name resolution).
    public init(_ configuration: HTTPClientConfiguration) throws(HTTPClientError) {
        guard CurlLibrary.setUp == CURLE_OK else { throw .unusableLibrary(reason: "it cannot be initialised") }
        var workers: [String: PoolWorker] = [:]
        var drivers: [PoolDriver] = []
        for pool in configuration.pools {
            try pool.validate()
            guard workers[pool.name] == nil else {
                throw .invalidConfiguration(pool: pool.name, reason: "the name is used twice")
            }
            let worker = PoolWorker(pool, counters: PoolCounters())
            drivers.append(try PoolDriver(worker, userAgent: configuration.userAgent))
            workers[pool.name] = worker
        }
        self.workers = workers
        for driver in drivers { try PoolThread.start(driver) }
    }

    deinit {
        for worker in workers.values { worker.tell(.shutDown(by: .now())) }
    }

    /// Sends `exchange` when its pool has a connection for it, at most once.
    /// - Returns: a token to cancel it with.
    @discardableResult
    public func submit(
        _ exchange: HTTPExchange, completion: @escaping @Sendable (HTTPOutcome) -> Void
    ) -> HTTPExchangeToken {
        let token = HTTPExchangeToken(number: nextToken.add(1, ordering: .relaxed).oldValue)
        guard let worker = workers[exchange.pool] else {
            completion(.notSent(HTTPNotSent(cause: .unknownPool, detail: "no pool of this name", ended: .now())))
            return token
        }
        let item = PendingExchange(token: token, exchange: exchange, completion: completion)
        if let cause = worker.submit(item) {
            let detail = cause == .queueFull ? "the pool's queue is full" : "the client is shutting down"
            let outcome = HTTPOutcome.notSent(HTTPNotSent(cause: cause, detail: detail, ended: .now()))
            worker.counters.count(outcome)
            completion(outcome)
        }
        return token
    }

    /// Sends `exchange` and waits for its outcome; cancelling the task cancels the exchange. For the edges:
    /// it costs a continuation.
    public func outcome(of exchange: HTTPExchange) async -> HTTPOutcome {
        let token = Mutex<HTTPExchangeToken?>(nil)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let submitted = submit(exchange) { continuation.resume(returning: $0) }
                token.withLock { $0 = submitted }
                if Task.isCancelled { cancel(submitted, pool: exchange.pool) }
            }
        } onCancel: {
            if let submitted = token.withLock({ $0 }) { cancel(submitted, pool: exchange.pool) }
        }
    }

    /// Ends one exchange, if it has not ended: not sent where no byte had left, else unanswered.
    public func cancel(_ token: HTTPExchangeToken, pool: String) {
        workers[pool]?.tell(.cancel(token))
    }

    /// Ends all exchanges of one owner that were submitted so far, in all pools; one submitted meanwhile may be ended,
    /// too. `whenDone` is called once, after the last of their
    /// completions has returned and their connections are closed.
    public func cancelAll(owner: UInt64, whenDone: @escaping @Sendable () -> Void) {
        let latch = CompletionLatch(count: workers.count, action: whenDone)
        for worker in workers.values where !worker.tell(.cancelOwner(owner, latch)) { latch.arrive() }
    }

    /// Ends all exchanges of one pool; `whenDone` as above.
    public func cancelAll(pool: String, whenDone: @escaping @Sendable () -> Void) {
        let latch = CompletionLatch(count: 1, action: whenDone)
        guard let worker = workers[pool], worker.tell(.cancelAll(latch)) else { return latch.arrive() }
    }

    /// Changes how long bytes may stay unacknowledged, for open connections too (the catalogue's in-flight bound
    /// may change while the daemon runs). At most half of that bound.
    public func setUnacknowledgedTimeout(_ duration: Duration, pool: String) {
        guard duration > .zero else { return }
        workers[pool]?.tell(.unacknowledgedTimeout(duration))
    }

    /// A pool's figures now, or nil where there is none of that name.
    public func statistics(pool: String) -> HTTPPoolStatistics? {
        workers[pool]?.counters.snapshot
    }

    /// Takes no more exchanges, refuses those in the queues, lets those on the way end within `grace`, cancels the rest
    /// and closes all connections. Blocks until every completion has returned; never call it from one.
    public func shutdown(grace: Duration = .zero) {
        let moment = MonotonicTime.now().advanced(by: grace)
        for worker in workers.values { worker.tell(.shutDown(by: moment)) }
        for worker in workers.values { worker.ended.wait() }
    }
}
