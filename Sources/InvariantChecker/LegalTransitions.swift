/// The machines of the contract, section 3, written down a second time from its text: a checker that shared the daemon's
/// table would share its mistakes.
enum LegalTransitions {
    /// States that are left only by what `exits` names.
    static let terminal: Set<String> = [
        "settled", "returned", "failed", "cancelled", "blocked", "voided", "expired", "captured", "partiallyRefunded",
        "refunded", "chargedBack",
    ]

    /// States in which a payment may rest though it is not finished.
    static let parked: Set<String> = ["held", "offloaded", "authorized", "actionRequired", "disputed"]

    private static let unfinishedPayout: Set<String> = [
        "none", "received", "screening", "held", "routing", "offloaded", "attempting", "inDoubt", "submitted",
    ]
    private static let fromAuthorization: Set<String> = [
        "authorized", "capturing", "captured", "settled", "partiallyRefunded", "refunded", "disputed", "chargedBack",
    ]

    /// Why this event may not lead from `from` to `to`; nil where it may.
    static func offence(_ name: String, kind: String, from: String, to: String) -> String? {
        let legal =
            switch name {
            case "command.accepted":
                from == to || (from == "none" && (to == "received" || to == "cancelled")) || moves(from, to)
                    || (from == "actionRequired" && to == "authorizing")
            case "command.rejected", "route.selected", "attempt.accepted", "attempt.inquired", "attempt.escalated",
                "attempt.late-success", "payout.cancel-requested":
                from == to || moves(from, to)
            case "payout.received", "payment.received": from == "received" && to == "screening"
            case "screening.held": ["screening", "routing"].contains(from) && to == "held"
            case "screening.blocked": ["screening", "routing", "held"].contains(from) && to == "blocked"
            case "screening.passed": ["screening", "routing"].contains(from) && to == "routing"
            case "screening.released": from == "held" && to == "routing"
            case "offload.left": from == "offloaded" && to == "routing"
            case "offload.entered": ["routing", "offloaded"].contains(from) && to == "offloaded"
            case "attempt.retried": from == to || moves(from, to)
            case "payout.submitted": ["attempting", "inDoubt"].contains(from) && to == "submitted"
            case "payout.settled":
                [
                    "attempting", "inDoubt", "submitted", "held", "blocked", "routing", "offloaded", "failed",
                    "cancelled",
                ]
                .contains(from) && to == "settled"
            case "payout.returned": from == "settled" && to == "returned"
            case "payout.failed":
                ["attempting", "inDoubt", "submitted", "routing", "offloaded"].contains(from) && to == "failed"
            case "payout.cancelled":
                (unfinishedPayout.contains(from) || from == "cancelled") && to == "cancelled"
            default: kind == "payout" ? payoutAttempt(name, from, to) : payment(name, from, to)
            }
        return legal ? nil : "\(name) leads from \(from) to \(to)"
    }

    /// A payment's displayed state is the highest that holds, and an event of one operation may show another's change:
    /// which state it must be is `DisplayedState`'s to say.
    private static func moves(_ from: String, _ to: String) -> Bool {
        fromAuthorization.contains(from) && fromAuthorization.contains(to)
    }

    private static func payoutAttempt(_ name: String, _ from: String, _ to: String) -> Bool {
        switch name {
        case "attempt.started": from == to || (from == "routing" && to == "attempting")
        case "attempt.in-doubt": from == to || (from == "attempting" && to == "inDoubt")
        case "attempt.not-sent": from == to || (from == "attempting" && ["routing", "cancelled"].contains(to))
        case "attempt.rejected", "attempt.resolved":
            from == to
                || (["attempting", "inDoubt", "submitted"].contains(from)
                    && ["routing", "failed", "cancelled", "submitted", "settled"].contains(to))
        default: false
        }
    }

    private static func payment(_ name: String, _ from: String, _ to: String) -> Bool {
        let open = ["authorizing", "inDoubt", "actionRequired"]
        switch name {
        case "attempt.started":
            return from == to || (from == "routing" && to == "authorizing") || moves(from, to)
        case "attempt.in-doubt", "attempt.not-sent", "attempt.rejected", "attempt.resolved":
            // A void that was proven while a capture was in doubt shows when that one has come to nothing.
            return from == to || moves(from, to) || (from == "capturing" && to == "voided")
                || (open.contains(from) && (open + ["routing", "failed", "authorized", "voided"]).contains(to))
        case "payment.action-required": return open.contains(from) && to == "actionRequired"
        case "payment.authorized":
            return open.contains(from) && to == "authorized"
        case "payment.captured", "payment.refunded", "payment.settled", "payment.disputed", "payment.dispute-won",
            "payment.dispute-lost":
            return moves(from, to) || (["voided", "expired"].contains(from) && fromAuthorization.contains(to))
        case "payment.voided":
            return (open + ["routing", "offloaded", "held"]).contains(from) && to == "voided"
                || (fromAuthorization.contains(from) && (to == "voided" || fromAuthorization.contains(to)))
                || from == to
        case "payment.failed": return (open + ["routing", "offloaded"]).contains(from) && to == "failed"
        case "payment.expired": return ["actionRequired", "authorized"].contains(from) && to == "expired"
        case "payment.cancelled": return false
        default: return false
        }
    }
}
