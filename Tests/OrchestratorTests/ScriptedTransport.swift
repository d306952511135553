import Orchestrator
import Partners
import PaymentModel
import Synchronization

/// A transport that does what a test says: it notes every exchange, asks the permit as a real one does, and ends it when
/// the script answers, or when the test does.
final class ScriptedTransport: PartnerTransport {
    /// An exchange that has begun.
    struct Begun: Sendable {
        var exchange: PartnerExchange
        var verdict: PermitVerdict?
        var completion: @Sendable (ExchangeEnd) -> Void
    }

    /// What the script does with an exchange.
    enum Move: Sendable {
        case answer(Int, String)
        case unclear(DoubtCause)
        case notSent(NotSentCause)
        /// The test ends it.
        case wait
    }

    private struct State {
        var begun: [Begun] = []
        var open: [UInt64: Begun] = [:]
        var script: @Sendable (PartnerExchange) -> Move = { _ in .answer(201, "settled") }
        var cancelled: [UInt64] = []
        var mostOpen = 0
        var isConnecting = false
        var keepsCancelled = false
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> MonotonicTime

    init(clock: @escaping @Sendable () -> MonotonicTime) { self.clock = clock }

    func script(_ script: @escaping @Sendable (PartnerExchange) -> Move) {
        state.withLock { $0.script = script }
    }

    /// Exchanges that begin from now on wait for their connection: their permits are not asked for yet.
    func waitForConnections(_ isConnecting: Bool) { state.withLock { $0.isConnecting = isConnecting } }

    /// A cancelled exchange from now on ends when the test ends it, not within the call.
    func keepCancelled() { state.withLock { $0.keepsCancelled = true } }

    func begin(_ exchange: PartnerExchange, completion: @escaping @Sendable (ExchangeEnd) -> Void) {
        let (script, isConnecting) = state.withLock { ($0.script, $0.isConnecting) }
        let verdict = isConnecting ? nil : exchange.permit.authorize(now: clock())
        let begun = Begun(exchange: exchange, verdict: verdict, completion: completion)
        state.withLock { state in
            state.begun.append(begun)
            state.open[exchange.id] = begun
            state.mostOpen = max(state.mostOpen, state.open.count)
        }
        if verdict == nil { return }
        guard verdict == .granted else {
            return end(exchange.id, ExchangeEnd(.notSent(verdict == .late ? .deadline : .notAuthorized)))
        }
        switch script(exchange) {
        case .answer(let status, let body):
            end(
                exchange.id,
                ExchangeEnd(.answered(PartnerAnswer(status: status, body: Array(body.utf8))), endOfUpload: clock()))
        case .unclear(let cause): end(exchange.id, ExchangeEnd(.unclear(cause), endOfUpload: clock()))
        case .notSent(let cause): end(exchange.id, ExchangeEnd(.notSent(cause)))
        case .wait: break
        }
    }

    func cancel(_ id: UInt64) {
        let isKept = state.withLock { state in
            state.cancelled.append(id)
            return state.keepsCancelled
        }
        if isKept { return }
        end(id, ExchangeEnd(.unclear(.aborted), endOfUpload: clock()))
    }

    /// Ends an exchange, unless it has ended.
    func end(_ id: UInt64, _ end: ExchangeEnd) {
        let begun = state.withLock { $0.open.removeValue(forKey: id) }
        begun?.completion(end)
    }

    /// Ends the open exchange whose target begins so.
    func answer(_ prefix: String, _ status: Int, _ body: String) {
        let found = state.withLock { state in
            state.begun.first { state.open[$0.exchange.id] != nil && $0.exchange.call.target.hasPrefix(prefix) }
        }
        guard let found else { return }
        end(
            found.exchange.id,
            ExchangeEnd(.answered(PartnerAnswer(status: status, body: Array(body.utf8))), endOfUpload: clock()))
    }

    var begun: [Begun] { state.withLock { $0.begun } }
    var open: [Begun] { state.withLock { state in state.begun.filter { state.open[$0.exchange.id] != nil } } }
    var posts: [Begun] { begun.filter { $0.exchange.call.method == "POST" } }
    var inquiries: [Begun] { begun.filter { $0.exchange.call.method == "GET" } }
    var cancelled: [UInt64] { state.withLock { $0.cancelled } }
    var mostOpen: Int { state.withLock { $0.mostOpen } }
}
