import CurlHTTP
import Orchestrator
import Partners
import PaymentModel
import Synchronization

/// The shards' port to the partners over libcurl: base URL, credentials and pool of each partner, and the precise meaning
/// of how an exchange ended. Repeats nothing.
final class CurlPartnerTransport: PartnerTransport {
    /// Where an exchange stands, for `cancel`.
    private enum Stage {
        case waitingForToken
        case starting(cancelled: Bool)
        case onItsWay(HTTPExchangeToken, pool: String)
    }

    private let client: HTTPClient
    private let partners: [PartnerName: PartnerAccess]
    private let stages = Mutex<[UInt64: Stage]>([:])

    /// A transport over a client that has a pool for each partner (`PartnerAccess.pool`).
    init(client: HTTPClient, partners: [PartnerName: PartnerAccess]) {
        self.client = client
        self.partners = partners
    }

    func begin(_ exchange: PartnerExchange, completion: @escaping @Sendable (ExchangeEnd) -> Void) {
        guard let access = partners[exchange.partner] else {
            completion(ExchangeEnd(.notSent(.notConfigured)))
            return
        }
        let completion = measured(exchange, access, completion)
        guard let tokens = access.tokens else {
            send(exchange, access, token: nil, completion)
            return
        }
        stages.withLock { $0[exchange.id] = .waitingForToken }
        let deadline = CurlHTTP.MonotonicTime(exchange.permit.deadline)
        tokens.withToken(until: deadline) { [self] token in
            // Whoever takes the entry out goes on: this, or `cancel`.
            guard stages.withLock({ $0.removeValue(forKey: exchange.id) }) != nil else {
                completion(ExchangeEnd(.notSent(.notAuthorized)))
                return
            }
            guard let token else {
                completion(ExchangeEnd(.notSent(.credentials)))
                return
            }
            send(exchange, access, token: token, completion)
        }
    }

    func cancel(_ id: UInt64) {
        let stage = stages.withLock { stages -> Stage? in
            switch stages[id] {
            case .waitingForToken: stages[id] = nil
            case .starting: stages[id] = .starting(cancelled: true)
            case .onItsWay, nil: break
            }
            return stages[id]
        }
        if case .onItsWay(let token, let pool) = stage { client.cancel(token, pool: pool) }
    }

    /// The in-flight bound of the catalogue has changed: bytes must not outlive their sender in the kernel for longer than
    /// half of it (the architecture, section 5).
    func setUnacknowledgedTimeout(_ duration: Duration, partner: PartnerName) {
        guard let access = partners[partner] else { return }
        client.setUnacknowledgedTimeout(duration, pool: access.pool)
    }

    /// The completion, which notes the end in the metrics first.
    private func measured(
        _ exchange: PartnerExchange, _ access: PartnerAccess, _ completion: @escaping @Sendable (ExchangeEnd) -> Void
    ) -> @Sendable (ExchangeEnd) -> Void {
        guard let metrics = access.metrics else { return completion }
        let began = CurlHTTP.MonotonicTime.now()
        let purpose = ExchangeMetrics.Purpose(exchange.call)
        return { end in
            metrics.ended(purpose, end, began: began)
            completion(end)
        }
    }

    private func send(
        _ exchange: PartnerExchange, _ access: PartnerAccess, token: BearerToken?,
        _ completion: @escaping @Sendable (ExchangeEnd) -> Void
    ) {
        let check = LastCheck(exchange.permit)
        var headers = exchange.call.headers.map { HTTPHeader($0.name, $0.value) }
        if let trace = exchange.traceparent { headers.append(HTTPHeader("traceparent", trace)) }
        if let token { headers.append(token.header) }
        let timeout = Duration.milliseconds(exchange.timeout.count)
        let request = HTTPExchange(
            pool: access.pool, method: HTTPMethod(exchange.call.method), url: access.baseURL + exchange.call.target,
            headers: headers, body: exchange.call.body,
            timeouts: HTTPTimeouts(connect: min(timeout, access.connectTimeout), firstByte: timeout, total: timeout),
            limits: HTTPLimits(maximumResponseBytes: access.maximumAnswerBytes),
            sendDeadline: CurlHTTP.MonotonicTime(exchange.permit.deadline), authorise: { check.passes() })
        // The completion may come before `submit` returns, and a `cancel` too.
        stages.withLock { $0[exchange.id] = .starting(cancelled: false) }
        let ticket = client.submit(request) { [self] outcome in
            stages.withLock { $0[exchange.id] = nil }
            if case .answered(let answer) = outcome, answer.status == 401, let token {
                access.tokens?.reject(token)
            }
            completion(ExchangeEnd(outcome, check: check, hasBody: !exchange.call.body.isEmpty))
        }
        let isCancelled = stages.withLock { stages -> Bool in
            guard case .starting(let cancelled) = stages[exchange.id] else { return false }
            stages[exchange.id] = .onItsWay(ticket, pool: access.pool)
            return cancelled
        }
        if isCancelled { client.cancel(ticket, pool: access.pool) }
    }
}

/// The last check before bytes leave, as libcurl's callbacks ask it: before the head, and again before the body. The
/// permit is taken once; what was granted stays granted, because bytes may have left already.
final class LastCheck: Sendable {
    private let permit: SendPermit
    private let late = Atomic<Bool>(false)

    init(_ permit: SendPermit) { self.permit = permit }

    /// Whether the refusal was for the deadline.
    var wasLate: Bool { late.load(ordering: .acquiring) }

    func passes() -> Bool {
        if permit.isTaken { return true }
        switch permit.authorize(now: PaymentModel.MonotonicTime(CurlHTTP.MonotonicTime.now(), roundedUp: false)) {
        case .granted: return true
        case .withdrawn: return false
        case .late:
            late.store(true, ordering: .releasing)
            return false
        }
    }
}
