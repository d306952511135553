import PaymentModel

/// The legal transitions of both machines, as data: every event of every test and simulation is checked against it
/// (`PaymentFold`), and the documentation is made from it. One row says: this event leads from any of these states to
/// that one.
public enum TransitionTable {
    /// Which machine a row belongs to.
    public enum Machine: Sendable {
        /// Payouts.
        case payout
        /// Payments by card and open banking.
        case payment
    }

    /// A row.
    public struct Row: Sendable {
        /// The event's name.
        public var event: String
        /// When, in words; empty where the event says it all.
        public var when: String
        /// From these states.
        public var from: [PaymentStatus]
        /// To this one; nil: unchanged.
        public var to: PaymentStatus?
    }

    /// The rows of a machine, in the order of a payment's life.
    public static func rows(_ machine: Machine) -> [Row] { machine == .payout ? payout : payment }

    /// Whether the event may lead from one state to the other. Cost: the rows of one event.
    public static func allows(_ event: String, kind: PaymentKind, from: PaymentStatus, to: PaymentStatus) -> Bool {
        (kind == .payout ? payout : payment).contains { row in
            row.event == event && row.from.contains(from) && (row.to ?? from) == to
        }
    }

    // MARK: - Rows

    private static let existing = PaymentStatus.allCases.filter { $0 != .none }
    private static let afterAuthorization: [PaymentStatus] = [
        .authorized, .capturing, .captured, .settled, .voided, .expired, .partiallyRefunded, .refunded, .disputed,
        .chargedBack,
    ]

    private static let common: [Row] = [
        Row(event: "command.accepted", when: "any command", from: existing, to: nil),
        Row(event: "command.rejected", when: "any command", from: existing, to: nil),
        Row(event: "screening.passed", when: "", from: [.screening, .routing], to: .routing),
        Row(event: "screening.held", when: "", from: [.screening, .routing], to: .held),
        Row(
            event: "screening.blocked", when: "a list, or hold.reject", from: [.screening, .routing, .held],
            to: .blocked),
        Row(event: "screening.released", when: "hold.release", from: [.held], to: .routing),
        Row(event: "route.selected", when: "", from: [.routing], to: nil),
        Row(event: "offload.entered", when: "or from queue to manual", from: [.routing, .offloaded], to: .offloaded),
        Row(event: "offload.left", when: "release rule, or offload.resume", from: [.offloaded], to: .routing),
        Row(event: "attempt.retried", when: "", from: existing, to: nil),
        Row(event: "attempt.inquired", when: "", from: existing, to: nil),
        Row(event: "attempt.escalated", when: "inquiries are used up", from: existing, to: nil),
        Row(event: "attempt.late-success", when: "", from: existing, to: nil),
    ]

    private static let payout: [Row] =
        common + [
            Row(event: "command.accepted", when: "payout.initiate", from: [.none], to: .received),
            Row(event: "command.accepted", when: "payout.cancel before the initiate", from: [.none], to: .cancelled),
            Row(event: "payout.received", when: "", from: [.received], to: .screening),
            Row(event: "attempt.started", when: "payout", from: [.routing], to: .attempting),
            Row(event: "attempt.started", when: "cancel", from: [.attempting, .submitted, .inDoubt], to: nil),
            Row(event: "attempt.in-doubt", when: "payout", from: [.attempting], to: .inDoubt),
            Row(event: "attempt.in-doubt", when: "cancel", from: existing, to: nil),
            Row(event: "attempt.accepted", when: "", from: existing, to: nil),
            Row(
                event: "attempt.rejected", when: "may go elsewhere",
                from: [.attempting, .inDoubt, .submitted], to: .routing),
            Row(
                event: "attempt.rejected", when: "for good, of a cancel, or a cancel is requested", from: existing,
                to: nil),
            Row(event: "attempt.not-sent", when: "payout", from: [.attempting, .inDoubt], to: .routing),
            Row(event: "attempt.not-sent", when: "of a cancel, or a cancel is requested", from: existing, to: nil),
            Row(
                event: "attempt.resolved", when: "absent, or rejected but may go elsewhere", from: [.inDoubt],
                to: .routing),
            Row(event: "attempt.resolved", when: "otherwise", from: existing, to: nil),
            Row(event: "payout.submitted", when: "", from: [.attempting, .inDoubt], to: .submitted),
            Row(event: "payout.settled", when: "", from: [.attempting, .inDoubt, .submitted], to: .settled),
            Row(
                event: "payout.settled", when: "by late success",
                from: [.held, .blocked, .routing, .offloaded, .failed, .cancelled], to: .settled),
            Row(event: "payout.returned", when: "", from: [.settled], to: .returned),
            Row(
                event: "payout.failed", when: "rejected for good, no candidate left, offload.reject",
                from: [.attempting, .inDoubt, .submitted, .routing, .offloaded], to: .failed),
            Row(event: "payout.cancel-requested", when: "", from: [.attempting, .submitted], to: nil),
            Row(
                event: "payout.cancelled", when: "no attempt open, or a requested cancel is fulfilled",
                from: [
                    .cancelled, .received, .screening, .held, .routing, .offloaded, .attempting, .inDoubt, .submitted,
                ], to: .cancelled),
        ]

    private static let payment: [Row] =
        common + [
            Row(event: "command.accepted", when: "payment.initiate", from: [.none], to: .received),
            Row(event: "command.accepted", when: "payment.complete-action", from: [.actionRequired], to: .authorizing),
            Row(event: "payment.received", when: "", from: [.received], to: .screening),
            Row(event: "attempt.started", when: "authorize", from: [.routing], to: .authorizing),
            Row(event: "attempt.started", when: "void of a late or waiting authorization", from: existing, to: nil),
            Row(event: "attempt.in-doubt", when: "authorize", from: [.authorizing], to: .inDoubt),
            Row(event: "attempt.in-doubt", when: "otherwise", from: existing, to: nil),
            Row(event: "attempt.accepted", when: "", from: existing, to: nil),
            Row(event: "attempt.accepted", when: "authorize, after a repeat", from: [.inDoubt], to: .authorizing),
            Row(
                event: "attempt.rejected", when: "authorize, may go elsewhere",
                from: [.authorizing, .inDoubt, .actionRequired], to: .routing),
            Row(event: "attempt.rejected", when: "otherwise", from: existing, to: nil),
            Row(event: "attempt.not-sent", when: "authorize", from: [.authorizing, .inDoubt], to: .routing),
            Row(event: "attempt.not-sent", when: "otherwise", from: existing, to: nil),
            Row(
                event: "attempt.resolved", when: "authorize: absent, or rejected but may go elsewhere",
                from: [.inDoubt],
                to: .routing),
            Row(event: "attempt.resolved", when: "authorize: accepted", from: [.inDoubt], to: .authorizing),
            Row(event: "attempt.resolved", when: "otherwise", from: existing, to: nil),
            Row(event: "payment.action-required", when: "", from: [.authorizing, .inDoubt], to: .actionRequired),
            Row(
                event: "payment.authorized", when: "", from: [.authorizing, .inDoubt, .actionRequired], to: .authorized),
            Row(
                event: "payment.failed", when: "rejected for good, no candidate left, offload.reject",
                from: [.authorizing, .inDoubt, .actionRequired, .routing, .offloaded], to: .failed),
            Row(
                event: "payment.expired", when: "lifetime over", from: [.actionRequired, .authorized], to: .expired),
            Row(
                event: "payment.voided", when: "before an authorization, or of a waiting one",
                from: [.received, .screening, .held, .routing, .offloaded, .actionRequired, .authorizing], to: .voided),
        ] + displayed

    /// From the authorization on a payment shows the highest that holds of disputed, chargedBack, refunded,
    /// partiallyRefunded, settled, capturing, captured, authorized: an event about one operation may lead to any of
    /// them.
    private static let displayed: [Row] = [
        "attempt.started", "attempt.in-doubt", "attempt.accepted", "attempt.rejected", "attempt.not-sent",
        "attempt.resolved", "payment.captured", "payment.refunded", "payment.voided", "payment.settled",
        "payment.disputed", "payment.dispute-won", "payment.dispute-lost",
    ].flatMap { event in
        afterAuthorization.map {
            Row(event: event, when: "the highest that holds", from: afterAuthorization, to: $0)
        }
    }
}
