import PaymentModel

/// Everything that can happen to a payment. Whoever calls hands in what was recorded; the machine reads no clock, draws
/// no randomness and does no I/O.
public enum PaymentInput: Hashable, Sendable {
    /// A command of upstream or of a person.
    case command(Command)
    /// The answer to `Need.screening`.
    case screened(ScreeningResult)
    /// The answer to `Need.route`.
    case routed(RouteDecision)
    /// The end of a request that `Effect.submit` sent.
    case sendEnded(SendReport)
    /// The end of an inquiry that `Effect.inquire` sent.
    case inquired(InquiryReport)
    /// A verified notification of a partner.
    case notified(PartnerNotification)
    /// The timer that was set for `due` has fired: everything that is due at or before that is due, whatever the wall
    /// clock says by now.
    case timer(due: Timestamp)
}

/// A decision that the machine asks for within the same commit: the caller answers synchronously, by another step.
public enum Need: Hashable, Sendable {
    /// Compare the parties with the lists; answer by `.screened`.
    case screening
    /// Decide on a route; answer by `.routed`.
    case route(RouteNeed)
}

/// What a route decision must know of the payment beside the initiate's data.
public struct RouteNeed: Hashable, Sendable {
    /// Routes that must not be tried again.
    public var tried: [Route]
    /// Those of them that no byte ever reached: time may heal them.
    public var unreached: [Route]
    /// Whether the payment has left an offload lane: its attempts then have that role.
    public var afterOffload: Bool
    /// Since when it has been waiting in lane `queue`, leaving and entering again by release rules; nil where it has not,
    /// or a person resumed it. The lane's deadline counts from then, so that nothing circles in the queue for ever.
    public var offloadedSince: Timestamp?

    /// A need.
    public init(tried: [Route], unreached: [Route] = [], afterOffload: Bool, offloadedSince: Timestamp? = nil) {
        self.tried = tried
        self.unreached = unreached
        self.afterOffload = afterOffload
        self.offloadedSince = offloadedSince
    }
}

/// A request that may go out once the commit of this step is durable.
public struct SendOrder: Hashable, Sendable {
    /// The attempt's number.
    public var attempt: Int
    /// The request's number within the attempt, from 1.
    public var request: Int
    /// What it does.
    public var operation: Operation
    /// Where.
    public var route: Route
    /// Ours.
    public var reference: Reference
    /// The same for every request of the attempt.
    public var idempotencyKey: String
    /// The amount.
    public var amount: Money
    /// The partner's reference of what the operation is about: the authorization of a capture, refund or void, the
    /// transfer of a cancel.
    public var target: String?
    /// No byte leaves later.
    public var sendDeadline: MonotonicTime
    /// Given up after this from the start.
    public var timeout: Milliseconds

    /// An order to send.
    public init(
        attempt: Int, request: Int, operation: Operation, route: Route, reference: Reference, idempotencyKey: String,
        amount: Money, target: String?, sendDeadline: MonotonicTime, timeout: Milliseconds
    ) {
        self.attempt = attempt
        self.request = request
        self.operation = operation
        self.route = route
        self.reference = reference
        self.idempotencyKey = idempotencyKey
        self.amount = amount
        self.target = target
        self.sendDeadline = sendDeadline
        self.timeout = timeout
    }
}

/// An inquiry that may go out once the commit of this step is durable. Moves no money; may be lost and asked again.
public struct InquiryOrder: Hashable, Sendable {
    /// The attempt's number.
    public var attempt: Int
    /// The inquiry's number within the attempt, from 1.
    public var inquiry: Int
    /// What the attempt does.
    public var operation: Operation
    /// Where.
    public var route: Route
    /// Ours.
    public var reference: Reference
    /// The attempt's amount; an answer with another is no evidence.
    public var amount: Money
    /// The partner's reference of the order, where it is known.
    public var partnerReference: String?
    /// The partner's reference of what the operation is about, as in `SendOrder`.
    public var target: String?

    /// An order to inquire.
    public init(
        attempt: Int, inquiry: Int, operation: Operation, route: Route, reference: Reference, amount: Money,
        partnerReference: String?, target: String?
    ) {
        self.attempt = attempt
        self.inquiry = inquiry
        self.operation = operation
        self.route = route
        self.reference = reference
        self.amount = amount
        self.partnerReference = partnerReference
        self.target = target
    }
}

/// Something that a person should know now.
public enum Alarm: Hashable, Sendable {
    /// A partner executed what we had closed as not executed.
    case lateSuccess(attempt: Int)
    /// Money moved twice; the second execution is in suspense.
    case doubleExecution(attempt: Int)
    /// A partner shows as open what we had closed: nothing more is sent until that is clear.
    case contradiction(attempt: Int)
    /// Inquiries are used up.
    case escalated(attempt: Int)
    /// A request was refused as malformed, forbidden or unknown: something is wrong with it or with us.
    case requestRefused(attempt: Int, httpStatus: Int)
    /// The deadline of a hold or an offload entry has passed.
    case deadlinePassed
    /// A partner speaks under our reference of another amount or currency than the attempt's.
    case amountMismatch(attempt: Int)
    /// A partner notifies us, under our reference, of another order of its own than it told before.
    case referenceMismatch(attempt: Int)
    /// A partner says something that cannot be (a return of more than was paid, a dispute of an unknown capture).
    case implausible(attempt: Int)
}

/// What is to be done outside once the commit of this step is durable. One small list; timers are not in it: they
/// belong to the state (`PaymentState.timer`).
public enum Effect: Hashable, Sendable {
    /// Send a request that may move money.
    case submit(SendOrder)
    /// Ask a partner.
    case inquire(InquiryOrder)
    /// Take back the permission of the attempt's requests whose first byte has not left: late evidence has come (the
    /// architecture, section 5; row B31).
    case withdraw(attempt: Int)
    /// Tell a person.
    case alarm(Alarm)
}

/// How an input was taken.
public enum Disposition: Hashable, Sendable {
    /// It changed the payment or was answered.
    case applied
    /// It was seen before; nothing happened, not even an event.
    case duplicate
    /// It means nothing here, and why. Nothing happened.
    case ignored(IgnoreReason)
    /// No payment exists and the notification may be for one to come: the caller keeps it.
    case unmatched
}

/// Why an input from outside changed nothing.
public enum IgnoreReason: String, Hashable, Sendable, CaseIterable {
    /// The attempt that it is about does not exist.
    case unknownAttempt
    /// The attempt is over, and the input says nothing new.
    case attemptOver
    /// It comes from an earlier incarnation.
    case earlierIncarnation
    /// It steps back behind what is known.
    case stepsBack
    /// It was not asked for.
    case notAsked
    /// Nothing is due.
    case notDue
    /// An inquiry that proves nothing (too early, unanswered, older than the last send).
    case provesNothing
    /// The payment does not exist.
    case unknownPayment
    /// It is kept until it fits.
    case kept
}

/// The outcome of one step: what happened and what is to be done about it. Comparable, so that a replay can be checked.
public struct Transition: Hashable, Sendable {
    /// How the input was taken.
    public var disposition: Disposition
    /// What happened, in order.
    public var events: [PaymentEvent] = []
    /// Money that moved.
    public var postings: [Posting] = []
    /// What to do once this is durable.
    public var effects: [Effect] = []
    /// A decision that must be answered before the batch is closed.
    public var need: Need?

    /// A transition that did nothing yet.
    public init(_ disposition: Disposition) { self.disposition = disposition }

    /// Whether the state changed in any way that must be stored (also bookkeeping without an event).
    public var changedState = false

    /// What becomes of the stored entry.
    public var storage = Storage.keep

    /// What becomes of the stored entry.
    public enum Storage: Hashable, Sendable {
        /// It stays.
        case keep
        /// The body goes, a stub stays: the retention is over, but returns and disputes may still come.
        case dropBody
        /// All of it goes: a tombstone.
        case forget
    }
}

/// What the machine must know of the world beside its input: the catalogue's terms and our own promises.
public struct CoreRules: Sendable {
    /// Terms of every route, from the catalogue in force.
    public var terms: [Route: RouteTerms]
    /// Two hosts' wall clocks never differ by more.
    public var clockSkew: Milliseconds
    /// How long a finished payment stays where no money moved.
    public var retention: Milliseconds
    /// At most so many commands are remembered for one payment; more are refused as `illegal-state`.
    public var maximumCommands: Int
    /// At most so many notifications are remembered for one payment; more only prompt an inquiry.
    public var maximumNotifications: Int
    /// At most so many attempts for one payment; then it goes to lane `manual`.
    public var maximumAttempts: Int
    /// Owner and time of an offload entry that no policy ordered (too many attempts).
    public var manualOwner: String
    /// See `manualOwner`.
    public var manualDeadline: Milliseconds

    /// Rules.
    public init(
        terms: [Route: RouteTerms], clockSkew: Milliseconds = .seconds(5),
        retention: Milliseconds = .seconds(30 * 86_400), maximumCommands: Int = 1_000, maximumAttempts: Int = 64,
        manualOwner: String = "operations", manualDeadline: Milliseconds = .seconds(86_400),
        maximumNotifications: Int = 1_000
    ) {
        self.terms = terms
        self.clockSkew = clockSkew
        self.retention = retention
        self.maximumCommands = maximumCommands
        self.maximumAttempts = maximumAttempts
        self.manualOwner = manualOwner
        self.manualDeadline = manualDeadline
        self.maximumNotifications = maximumNotifications
    }
}
