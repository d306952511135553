import MessageCodec
import Partners
import PaymentCore
import PaymentModel
import Routing
import Screening

/// The pure modules in one piece, as one version: what commands and notifications mean (MessageCodec, Partners), what lists
/// and policy say (Screening, Routing), what the machine must know of the world. A reload makes another one.
public struct SwitchyardDomain: PaymentDomain {
    /// What one shard has seen of its routes.
    public struct Health: Sendable {
        var board: RouteHealthBoard
        let shard: Int
        var shownAt = MonotonicTime(milliseconds: .min)
    }

    /// See `CoreRules`.
    public let rules: CoreRules
    /// The policy in force.
    public let policy: RoutingPolicy
    /// The lists in force.
    public let lists: ScreeningLists
    let partners: [PartnerName: PartnerAdapter]
    private let decoder: CommandDecoder
    private let encoder = EventEncoder()
    private let hash: CommandDecoder.Hash
    private let shards: Int
    private let display: RouteHealthDisplay

    /// A domain.
    ///
    /// - Parameters:
    ///   - policy: made for the configured partners, so that routes of others are eliminated.
    ///   - partners: the adapter of each.
    ///   - rules: `terms` is taken from the policy.
    ///   - shards: how many shards share every capacity.
    ///   - hash: the first 16 bytes of SHA-256.
    ///   - display: where the shards' health is shown to people; survives reloads.
    public init(
        policy: RoutingPolicy, lists: ScreeningLists, partners: [PartnerName: PartnerAdapter], rules: CoreRules,
        shards: Int, maximumCommandBytes: Int = 262_144, display: RouteHealthDisplay = RouteHealthDisplay(),
        hash: @escaping CommandDecoder.Hash
    ) {
        var rules = rules
        rules.terms = policy.terms
        self.rules = rules
        self.policy = policy
        self.lists = lists
        self.partners = partners
        self.shards = shards
        self.display = display
        self.hash = hash
        decoder = CommandDecoder(maximumCommandBytes: maximumCommandBytes, clockSkew: rules.clockSkew, hash: hash)
    }

    // MARK: Health

    /// A board on which every route is well.
    public func initialHealth() -> Health {
        Health(board: RouteHealthBoard(policy, shards: shards), shard: display.nextShard())
    }

    /// Goes over to this domain's routes.
    public func adopt(_ health: inout Health) { health.board.adopt(policy) }

    /// See `PaymentDomain`.
    public func started(_ route: Route, health: inout Health, now: Now) {
        show(&health, open: health.board.started(route, at: now.monotonic), now.monotonic)
    }

    /// See `PaymentDomain`.
    public func ended(
        _ route: Route, _ outcome: RouteOutcome, startedAt: MonotonicTime, health: inout Health, now: Now
    ) {
        let open = health.board.ended(route, outcome, startedAt: startedAt, at: now.monotonic)
        show(&health, open: open, now.monotonic)
    }

    /// People look a few times a second at most: the display gets a copy that often, not at every attempt; and one when
    /// a route has come to rest, so that it does not show for ever what was under way a moment before.
    private func show(_ health: inout Health, open: Int?, _ now: MonotonicTime) {
        guard open == 0 || now > health.shownAt + Milliseconds(250) else { return }
        health.shownAt = now
        display.show(health.board, shard: health.shard)
    }

    // MARK: Records

    /// See `PaymentDomain`.
    public func command(frame: RawSpan, partition: Int32, partitionCount: Int32, now: Timestamp) -> DecodedCommand {
        switch decoder.decode(frame, partition: partition, partitionCount: partitionCount, receivedAt: now) {
        case .command(let command, let canonicalData): .command(command, body: canonicalData)
        case .undecodable(let reason): .undecodable(code: reason.code.rawValue, detail: reason.detail)
        }
    }

    /// See `PaymentDomain`.
    public func notification(frame: RawSpan) -> DecodedNotification {
        let record: NotificationRecord
        do throws(NotificationRecord.Fault) {
            record = try NotificationRecord(frame: frame)
        } catch {
            return .undecodable(code: error.code, detail: error.detail)
        }
        guard let partner = partners[record.partner] else {
            return .undecodable(code: "unknown-partner", detail: "no such partner is configured")
        }
        guard let content = partner.notification(body: record.body), content.reference == record.reference else {
            return .undecodable(code: "unreadable-notification", detail: "the partner's adapter cannot read it")
        }
        let identity = hash(Array("\(record.partner.text)\u{0}\(content.id)".utf8))
        guard
            let notification = content.notification(
                partner: record.partner, identity: identity, fresh: record.fresh, receivedAt: record.receivedAt)
        else {
            return .undecodable(
                code: "unexplained-notification", detail: "its reference is none of ours, or its type unknown")
        }
        return .notification(notification)
    }

    /// See `PaymentDomain`.
    public func unexplainedMoney(frame: RawSpan, now: Timestamp) -> UnexplainedMoney? {
        guard let record = try? NotificationRecord(frame: frame), record.fresh,
            let content = partners[record.partner]?.notification(body: record.body),
            content.reference == record.reference, let money = content.received
        else { return nil }
        return UnexplainedMoney(
            partner: record.partner, movement: money.movement, amount: money.amount,
            valueDate: money.valueDate ?? CalendarDate(utc: now))
    }

    /// See `PaymentDomain`.
    public func append(money: UnexplainedMoney, at moment: Timestamp, to bytes: inout [UInt8]) {
        encoder.append(money, at: moment, to: &bytes)
    }

    /// See `PaymentDomain`.
    public func initiation(body: RawSpan, kind: PaymentKind) -> Initiation? {
        decoder.initiation(body: body, kind: kind)
    }

    /// See `PaymentDomain`.
    public func append(event: PaymentEvent, _ context: EventContext, to bytes: inout [UInt8]) {
        encoder.append(event, context, to: &bytes)
    }

    /// See `PaymentDomain`.
    public func append(posting: Posting, _ context: EventContext, at moment: Timestamp, to bytes: inout [UInt8]) {
        encoder.append(posting, at: moment, context, to: &bytes)
    }

    // MARK: Decisions

    /// See `PaymentDomain`.
    public func screen(_ initiation: Initiation, now: Now) -> ScreeningResult {
        lists.screen(initiation, now: now.wall)
    }

    /// See `PaymentDomain`.
    public func route(
        _ initiation: Initiation, need: RouteNeed, payment: PaymentID, health: Health, now: Now
    ) -> RouteDecision {
        var query = RouteQuery(initiation, seed: UInt64(PartitionHash.hash(payment.text.utf8)))
        query.tried = need.tried.map {
            RouteQuery.Tried(route: $0, ending: need.unreached.contains($0) ? .notSent : .rejected)
        }
        query.afterOffload = need.afterOffload
        query.offloadedSince = need.offloadedSince
        return policy.decide(query, health: health.board, now: now)
    }
}
