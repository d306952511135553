import Orchestrator
import Partners
import PaymentModel

/// One process's way to the partners: the simulated network between them, and the permit asked where the first byte
/// would leave.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
public final class SimulatedTransport: PartnerTransport, @unchecked Sendable {
    private struct Open {
        var exchange: PartnerExchange
        var completion: @Sendable (ExchangeEnd) -> Void
        var sentAt: MonotonicTime?
    }

    private let scheduler: Scheduler
    private let network: Network
    private let partners: [PartnerName: PartnerNode]
    private var open: [UInt64: Open] = [:]
    private var isDead = false

    init(scheduler: Scheduler, network: Network, partners: [PartnerName: PartnerNode]) {
        self.scheduler = scheduler
        self.network = network
        self.partners = partners
    }

    /// The process is gone: what has left its host travels on, nothing else does.
    func die() {
        isDead = true
        open.removeAll()
    }

    /// Begins an exchange. See `PartnerTransport`.
    public func begin(_ exchange: PartnerExchange, completion: @escaping @Sendable (ExchangeEnd) -> Void) {
        open[exchange.id] = Open(exchange: exchange, completion: completion)
        let fate = network.fate()
        let id = exchange.id
        scheduler.after(fate.connect) { [self] in
            guard !isDead, open[id] != nil else { return }
            if fate.isRefused { return end(id, .notSent(.connect)) }
            switch exchange.permit.authorize(now: scheduler.monotonic) {
            case .withdrawn: end(id, .notSent(.notAuthorized))
            case .late: end(id, .notSent(.deadline))
            case .granted: write(exchange, fate)
            }
        }
        scheduler.after(exchange.timeout.count) { [self] in
            guard let waiting = open[id] else { return }
            end(id, waiting.sentAt == nil ? .notSent(.connect) : .unclear(.timeout))
        }
    }

    private func write(_ exchange: PartnerExchange, _ fate: Network.Fate) {
        let id = exchange.id
        open[id]?.sentAt = scheduler.monotonic
        guard !fate.isLost, let partner = partners[exchange.partner] else { return }
        scheduler.after(fate.travel) { [self] in
            partner.receive(
                method: exchange.call.method, target: exchange.call.target,
                headers: exchange.call.headers.map { ($0.name, $0.value) }, body: exchange.call.body
            ) { [self] answer in
                guard let back = fate.back else { return }
                scheduler.after(back) { [self] in end(id, SimulatedTransport.outcome(answer)) }
            }
        }
    }

    private static func outcome(_ answer: WireAnswer) -> ExchangeEnd.Outcome {
        switch answer {
        case .whole(let status, let headers, let body):
            .answered(
                PartnerAnswer(status: status, headers: headers.map { PartnerHeader($0.name, $0.value) }, body: body))
        case .broken: .unclear(.reset)
        case .truncated: .unclear(.unreadable)
        case .endless: .unclear(.oversized)
        }
    }

    /// Gives an exchange up. See `PartnerTransport`.
    public func cancel(_ id: UInt64) {
        guard let waiting = open[id] else { return }
        scheduler.after(1) { [self] in
            end(
                id,
                waiting.sentAt == nil && !waiting.exchange.permit.isTaken
                    ? .notSent(.notAuthorized) : .unclear(.aborted))
        }
    }

    private func end(_ id: UInt64, _ outcome: ExchangeEnd.Outcome) {
        guard !isDead, let ended = open.removeValue(forKey: id) else { return }
        // All bytes leave at one moment here; how long they travel is within the bound of the catalogue.
        ended.completion(ExchangeEnd(outcome, endOfUpload: ended.sentAt))
    }
}
