import MessageCodec
import Orchestrator
import Partners
import PaymentCore
import PaymentModel
import Routing

/// What a run takes out of the daemon to see whether the checker notices. Not in the daemon: each is made of a port that
/// is put in another's place.
public enum Mutation: String, Sendable, CaseIterable {
    /// Effects run although their commit may still be lost.
    case intentCommitRemoved
    /// "Not found" proves absence at once.
    case inquiryGateRemoved
    /// A repeated command is taken for a new one.
    case dedupeRemoved
    /// Repeats are not weighed against first requests.
    case retryBudgetRemoved
}

/// The daemon's domain, with what a mutation changes of it.
public struct SimulationDomain: PaymentDomain {
    /// As the daemon's.
    public typealias Health = SwitchyardDomain.Health

    let base: SwitchyardDomain
    let forgets: Bool
    let watch: Watch

    /// What the machine must know.
    public var rules: CoreRules { base.rules }

    /// See `PaymentDomain`.
    public func initialHealth() -> Health { base.initialHealth() }

    /// See `PaymentDomain`.
    public func adopt(_ health: inout Health) { base.adopt(&health) }

    /// See `PaymentDomain`.
    public func command(frame: RawSpan, partition: Int32, partitionCount: Int32, now: Timestamp) -> DecodedCommand {
        let decoded = base.command(frame: frame, partition: partition, partitionCount: partitionCount, now: now)
        guard forgets, case .command(var command, let body) = decoded else { return decoded }
        // An identity that depends on the moment: nothing is recognised.
        command.envelope.identity.low ^= UInt64(bitPattern: now.milliseconds) &* 0x9E37_79B9_7F4A_7C15
        return .command(command, body: body)
    }

    /// See `PaymentDomain`.
    public func notification(frame: RawSpan) -> DecodedNotification { base.notification(frame: frame) }

    /// See `PaymentDomain`.
    public func unexplainedMoney(frame: RawSpan, now: Timestamp) -> UnexplainedMoney? {
        base.unexplainedMoney(frame: frame, now: now)
    }

    /// See `PaymentDomain`.
    public func append(money: UnexplainedMoney, at moment: Timestamp, to bytes: inout [UInt8]) {
        base.append(money: money, at: moment, to: &bytes)
    }

    /// See `PaymentDomain`.
    public func initiation(body: RawSpan, kind: PaymentKind) -> Initiation? {
        base.initiation(body: body, kind: kind)
    }

    /// See `PaymentDomain`.
    public func append(event: PaymentEvent, _ context: EventContext, to bytes: inout [UInt8]) {
        let start = bytes.count
        base.append(event: event, context, to: &bytes)
        watch.written(event, as: bytes[start...])
    }

    /// See `PaymentDomain`.
    public func append(posting: Posting, _ context: EventContext, at moment: Timestamp, to bytes: inout [UInt8]) {
        base.append(posting: posting, context, at: moment, to: &bytes)
    }

    /// See `PaymentDomain`.
    public func screen(_ initiation: Initiation, now: Now) -> ScreeningResult { base.screen(initiation, now: now) }

    /// See `PaymentDomain`.
    public func route(
        _ initiation: Initiation, need: RouteNeed, payment: PaymentID, health: Health, now: Now
    ) -> RouteDecision {
        base.route(initiation, need: need, payment: payment, health: health, now: now)
    }

    /// See `PaymentDomain`.
    public func started(_ route: Route, health: inout Health, now: Now) {
        base.started(route, health: &health, now: now)
    }

    /// See `PaymentDomain`.
    public func ended(
        _ route: Route, _ outcome: RouteOutcome, startedAt: MonotonicTime, health: inout Health, now: Now
    ) { base.ended(route, outcome, startedAt: startedAt, health: &health, now: now) }

    /// See `PaymentDomain`.
    public func call(for order: SendOrder, initiation: Initiation?) -> PartnerHTTPRequest? {
        base.call(for: order, initiation: initiation)
    }

    /// See `PaymentDomain`.
    public func call(for order: InquiryOrder) -> PartnerHTTPRequest? { base.call(for: order) }

    /// See `PaymentDomain`.
    public func outcome(of answer: PartnerAnswer, to order: SendOrder) -> Reading<SendOutcome> {
        base.outcome(of: answer, to: order)
    }

    /// See `PaymentDomain`.
    public func outcome(of answer: PartnerAnswer, to order: InquiryOrder) -> Reading<InquiryOutcome> {
        base.outcome(of: answer, to: order)
    }
}
