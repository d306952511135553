import MessageCodec
import Partners
import PaymentCore
import PaymentModel
import Routing

/// A polled command record, decoded.
public enum DecodedCommand: Sendable {
    /// A command. `body`: the initiate's canonical data, which stays in the store beside the state; nil for others.
    case command(Command, body: [UInt8]?)
    /// Not decodable: to the dead letters, with these headers.
    case undecodable(code: String, detail: String)
}

/// A polled notification record, decoded.
public enum DecodedNotification: Sendable {
    /// A verified notification.
    case notification(PartnerNotification)
    /// Not decodable: to the dead letters, with these headers.
    case undecodable(code: String, detail: String)
}

/// What an event is caused by: its CloudEvents extensions.
public struct EventCause: Sendable, Equatable {
    /// `ce_id` of the command or notification.
    public var causationID: String?
    /// The command's `correlationid`.
    public var correlationID: String?
    /// The command's `traceparent`.
    public var traceparent: String?

    /// A cause; nothing for timers and results.
    public init(causationID: String? = nil, correlationID: String? = nil, traceparent: String? = nil) {
        self.causationID = causationID
        self.correlationID = correlationID
        self.traceparent = traceparent
    }
}

/// The pure half of a shard, as one snapshot: what the records mean, what the rules, lists and policy in force say, what
/// the partners' formats look like. A value is immutable; a reload puts another in its place (`DomainBox`), and every
/// decision is made under exactly one.
public protocol PaymentDomain: Sendable {
    /// The breakers and success rates of the routes: a value that the shard keeps and hands to every decision.
    associatedtype Health: Sendable

    /// What the machine must know of the world.
    var rules: CoreRules { get }

    /// A health book in which every route is well.
    func initialHealth() -> Health

    /// Goes over to this domain's routes; what is known of routes that stay is kept.
    func adopt(_ health: inout Health)

    /// Decodes a record of the commands topic: its frame, its partition and how many there are.
    func command(frame: RawSpan, partition: Int32, partitionCount: Int32, now: Timestamp) -> DecodedCommand

    /// Decodes a record of the notifications topic.
    func notification(frame: RawSpan) -> DecodedNotification

    /// The money that a notification says came in and that no order of ours explains; nil where it says no such thing, was
    /// not fresh, or cannot be read. Asked only about a notification that led to no payment.
    func unexplainedMoney(frame: RawSpan, now: Timestamp) -> UnexplainedMoney?

    /// The initiate again, from the stored body; nil where it cannot be read.
    func initiation(body: RawSpan, kind: PaymentKind) -> Initiation?

    /// Appends an event's frame to the batch.
    func append(event: PaymentEvent, _ context: EventContext, to bytes: inout [UInt8])

    /// Appends a posting's frame to the batch.
    func append(posting: Posting, _ context: EventContext, at: Timestamp, to bytes: inout [UInt8])

    /// Appends the frame of the posting of money that nothing explains.
    func append(money: UnexplainedMoney, at: Timestamp, to bytes: inout [UInt8])

    /// Compares the parties with the lists.
    func screen(_ initiation: Initiation, now: Now) -> ScreeningResult

    /// Decides on a route.
    func route(
        _ initiation: Initiation, need: RouteNeed, payment: PaymentID, health: Health, now: Now
    ) -> RouteDecision

    /// A request to a route is ordered: takes it into the health book, so that a half-open breaker gives each trial
    /// away once.
    func started(_ route: Route, health: inout Health, now: Now)

    /// A request that was ordered at `startedAt` has ended; once for each `started`.
    func ended(_ route: Route, _ outcome: RouteOutcome, startedAt: MonotonicTime, health: inout Health, now: Now)

    /// The request of an order; nil where the partner's format cannot carry it, or the partner is not configured.
    func call(for order: SendOrder, initiation: consuming Initiation?) -> PartnerHTTPRequest?

    /// The request of an inquiry.
    func call(for order: InquiryOrder) -> PartnerHTTPRequest?

    /// What an answer to a request means, and what is strange about it.
    func outcome(of answer: PartnerAnswer, to order: SendOrder) -> Reading<SendOutcome>

    /// What an answer to an inquiry means, and what is strange about it.
    func outcome(of answer: PartnerAnswer, to order: InquiryOrder) -> Reading<InquiryOutcome>
}
