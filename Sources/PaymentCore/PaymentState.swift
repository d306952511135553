import PaymentModel

/// The whole committed state of one payment or payout, as a value: no body, no names, no accounts. Changed only by
/// `PaymentMachine.step`.
public struct PaymentState: Hashable, Sendable {
    // Stored widest first: the layout has no holes.

    /// The payment.
    public let id: PaymentID
    /// What identifies the accepted initiate.
    public internal(set) var initiate: AcceptedInitiate?
    /// Where it stands; `none` while only refused commands are known.
    public internal(set) var status = PaymentStatus.none
    /// Payout or payment; nil until an initiate (or a cancel before it) was accepted.
    public internal(set) var kind: PaymentKind?
    /// A decision about lists or routes that a freeze has put off.
    var pending = Pending.nothing
    /// Attempts in the order of their numbers.
    public internal(set) var attempts: [Attempt] = []
    private var boxedHold: Boxed<OpenEntry>?
    private var boxedOffload: Boxed<OpenOffload>?
    var operations: [OperationRecord] = []
    var disputes: [Dispute] = []
    var keptDisputes: [KeptDispute] = []
    var seenCommands: [Digest] = []
    var seenNotifications: [Digest] = []
    /// Since when.
    public internal(set) var since = Timestamp(milliseconds: 0)
    /// Sequence of the last event.
    public internal(set) var sequence: Int64 = 0
    /// Captured so far, in minor units.
    public internal(set) var captured: Int64 = 0
    /// Refunded so far, in minor units.
    public internal(set) var refunded: Int64 = 0
    /// Taken back by chargebacks that are open or lost, in minor units.
    public internal(set) var chargedBack: Int64 = 0
    /// Content version of the lists that the payment was last screened with.
    var listVersion: UInt64 = 0
    @Narrow<UInt32> var holds = 0
    @Narrow<UInt32> var offloads = 0
    @Narrow<UInt32> var postings = 0
    /// The authorization that captures, refunds and voids are about: its attempt's number, 0 for none.
    @Narrow<UInt32> var authorization = 0
    /// An execution of a closed attempt waits for the end of another: its number, 0 for none.
    @Narrow<UInt32> var lateExecution = 0
    /// Attempts up to this number were made before an offload lane was left: their routes may be tried again.
    @Narrow<UInt32> var forgivenAttempts = 0
    /// See `RouteNeed.offloadedSince`.
    var queuedSince: Timestamp?
    var authorizationEnd: Timestamp?
    /// When the entry shrinks or goes.
    var retention: Timestamp?
    /// Upstream wants the payout stopped, the partner has not said anything final.
    public internal(set) var cancelRequested = false
    var afterOffload = false
    var authorizationVoid = false
    var settledApart = false
    var deadlineTold = false
    var isStub = false

    /// Whether a hold waits, without looking at it.
    var isHeld: Bool { boxedHold != nil }
    /// Whether an offload entry waits, without looking at it.
    var isOffloaded: Bool { boxedOffload != nil }

    /// The hold that waits for an answer.
    public internal(set) var hold: OpenEntry? {
        get { boxedHold?.value }
        set { boxedHold = Boxed(newValue) }
    }

    /// The offload entry that waits for its rule or an answer.
    public internal(set) var offload: OpenOffload? {
        get { boxedOffload?.value }
        set { boxedOffload = Boxed(newValue) }
    }

    /// What was put off.
    enum Pending: UInt8, Sendable, CaseIterable {
        case nothing = 0
        case rescreen = 1
        case route = 2
    }

    /// A payment of which nothing is known.
    public init(id: PaymentID) { self.id = id }
}

/// What is kept of the accepted initiate; its data lies in the store.
public struct AcceptedInitiate: Hashable, Sendable {
    /// The command's id.
    public let commandID: String
    /// Stands for its data as canonical JSON.
    public let dataDigest: Digest
    /// References are made of it.
    public let seed: Digest
    /// What is to be moved.
    public let amount: Money
    /// Of payments.
    public let captureMode: CaptureMode?
    /// `correlationid`, where given.
    public let correlationID: String?
    /// `traceparent`, where given.
    public let traceparent: String?
}

/// A hold.
public struct OpenEntry: Hashable, Sendable {
    /// From 1; its id is `<paymentId>-hold-<n>`.
    public let number: Int
    /// By when somebody should have looked.
    public let deadline: Timestamp
}

/// An offload entry.
public struct OpenOffload: Hashable, Sendable {
    /// From 1; its id is `<paymentId>-offload-<n>`.
    public let number: Int
    /// The lane.
    public let lane: OffloadLane
    /// By when.
    public let deadline: Timestamp
    /// When lane `queue` is left by itself.
    public let releaseAt: Timestamp?
    let manualOwner: String
    let manualDeadline: Milliseconds
}

/// A capture or refund that was accepted under its `operationId`.
struct OperationRecord: Hashable, Sendable {
    let id: String
    let operation: Operation
    let dataDigest: Digest
    let commandID: String
    /// Minor units.
    let amount: Int64
}

/// A dispute about a capture.
struct Dispute: Hashable, Sendable {
    enum Course: UInt8, Sendable, CaseIterable {
        case opened = 0
        case won = 1
        case lost = 2
    }

    let attempt: Int
    let amount: Money
    /// Number of the posting that a won dispute reverses.
    let posting: Int
    /// It takes more than is left of what was captured: in suspense, for a person, and in no sum of ours (S7).
    let isSuspense: Bool
    var course: Course
}

/// What was heard of a dispute too early: about a capture that is not known to be executed, or its end before its
/// beginning.
struct KeptDispute: Hashable, Sendable {
    let attempt: Int
    let course: PartnerNotification.DisputeStatus
    let amount: Money?
    let evidence: Evidence
}

// MARK: - What others ask

extension PaymentState {
    /// Whether any attempt is so, by its index: looked at where it lies, because a copy of an attempt costs a count for
    /// each of its texts.
    @inline(__always)
    func hasAttempt(_ test: (Int) -> Bool) -> Bool {
        for index in attempts.indices where test(index) { return true }
        return false
    }

    /// The correlation id of events that no command caused.
    public var correlationID: String { initiate?.correlationID ?? id.text }

    /// Whether nothing more is expected of it: terminal, nothing in flight, nothing contradictory.
    public var isFinished: Bool {
        PaymentState.isTerminal(status) && !hasAttempt { attempts[$0].isPending || attempts[$0].contradicted }
            && !isFrozen
    }

    /// Whether it waits for a person, or for what only time or a person brings (the contract, section 3).
    public var isParked: Bool {
        switch status {
        case .held, .offloaded, .actionRequired, .disputed: true
        case .authorized:
            hasAttempt { attempts[$0].escalated }
                || !hasAttempt { attempts[$0].isPending && attempts[$0].operation != .authorize }
        default: hasAttempt { attempts[$0].escalated }
        }
    }

    /// Partner of the latest attempt; nil where there is none.
    public var currentPartner: PartnerName? { attempts.last?.route.partner }

    /// The earliest moment at which something is due, on the wall clock; nil where only the outside can move it.
    public var timer: Timestamp? {
        var earliest = retention
        func consider(_ moment: Timestamp?) {
            if let moment { earliest = earliest.map { min($0, moment) } ?? moment }
        }
        for index in attempts.indices { consider(attempts[index].due) }
        if !deadlineTold, isHeld { consider(hold?.deadline) }
        if isOffloaded, let offload {
            if !isFrozen { consider(offload.releaseAt) }
            if offload.lane == .queue || !deadlineTold { consider(offload.deadline) }
        }
        consider(authorizationEnd)
        return earliest
    }

    /// Whether the state is one of the contract's terminal ones.
    public static func isTerminal(_ status: PaymentStatus) -> Bool {
        switch status {
        case .settled, .returned, .failed, .cancelled, .blocked, .voided, .expired, .captured, .partiallyRefunded,
            .refunded, .chargedBack:
            true
        default: false
        }
    }

    /// Positive evidence against a closed attempt has come: only inquiries are sent for this payment (rows B31, B32).
    var isFrozen: Bool {
        lateExecution != 0 || hasAttempt { attempts[$0].contradicted && attempts[$0].isMain }
            || hasAttempt {
                attempts[$0].operation == .void && attempts[$0].isPending && isLateAuthorization(attempts[$0].about)
            }
    }

    /// An authorization that was granted after it had been closed, and that is not the payment's: it is given up.
    func isLateAuthorization(_ number: Int) -> Bool {
        number != authorization && attempts.indices.contains(number - 1)
            && attempts[number - 1].operation == .authorize && attempts[number - 1].phase == .executed
    }

    /// Whether there is or was one: no other authorization is asked for then.
    var hasLateAuthorization: Bool { attempts.indices.contains { isLateAuthorization($0 + 1) } }

    /// The void of that authorization which is under way or will be started anew.
    func voidUnderWay(_ authorization: Int) -> Int? {
        attempts.indices.last {
            attempts[$0].operation == .void && attempts[$0].about == authorization && attempts[$0].isPending
        }.map { $0 + 1 }
    }

    /// The attempt that stands for the payment itself, where one is open.
    var openMainAttempt: Int? {
        attempts.indices.last { attempts[$0].isOpen && attempts[$0].isMain }.map { $0 + 1 }
    }

    /// Whether captures or refunds are open or will be started anew.
    func isPending(_ operation: Operation) -> Bool {
        hasAttempt { attempts[$0].operation == operation && attempts[$0].isPending }
    }

    /// Amount of captures or refunds that are open, will be started anew, or that a partner shows as taken although we
    /// had closed them, in minor units: counted as used.
    func inFlight(_ operation: Operation) -> Int64 {
        var sum: Int64 = 0
        for index in attempts.indices
        where attempts[index].operation == operation && (attempts[index].isPending || attempts[index].contradicted) {
            sum += attempts[index].amount.minorUnits
        }
        return sum
    }
}
