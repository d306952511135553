import PaymentCore
import PaymentModel

/// A payment in each of the contract's states, by the shortest way.
enum States {
    static let later = Timestamp(milliseconds: 1_900_000_000_000)

    static func request(_ id: String, _ units: Int64?) -> OperationRequest {
        OperationRequest(
            operationID: id, amount: units.map { Money($0, World.euro) },
            dataDigest: Digest(high: UInt64(bitPattern: units ?? 0), low: UInt64(id.utf8.count)))
    }

    static func resolution(
        _ attempt: Int?, _ outcome: AttemptResolution.Outcome, at: Timestamp? = nil
    ) -> AttemptResolution {
        AttemptResolution(attempt: attempt, outcome: outcome, operatorName: "ann", observedAt: at, note: nil)
    }

    static func held(_ kind: PaymentKind) -> Driver {
        var payment = Driver()
        payment.screening = [.held(owner: "o", deadline: later, entry: "e", listVersion: 1)]
        payment.initiate(kind, amount: 100, capture: .manual)
        return payment
    }

    static func offloaded(_ kind: PaymentKind) -> Driver {
        var payment = held(kind)
        payment.lane = OffloadOrder(
            lane: .manual, owner: "o", deadline: later, releaseRule: "operator", releaseAt: nil, manualOwner: "o",
            manualDeadline: .seconds(60))
        payment.command(.releaseHold(DeskDecision(entry: 1, operatorName: "ann", reason: nil)))
        payment.lane = nil
        return payment
    }

    static func payout(_ change: (inout Driver) -> Void = { _ in }) -> Driver {
        var payout = Driver()
        payout.initiate(amount: 100)
        change(&payout)
        return payout
    }

    static func payment(_ capture: CaptureMode = .manual, _ change: (inout Driver) -> Void = { _ in }) -> Driver {
        var payment = Driver()
        payment.initiate(.payment, amount: 100, capture: capture)
        change(&payment)
        return payment
    }

    static func authorized(_ change: (inout Driver) -> Void = { _ in }) -> Driver {
        payment {
            $0.end(1, .order(OrderReport(status: .settled, partnerReference: "a-1")))
            change(&$0)
        }
    }

    static func captured(_ units: Int64, _ change: (inout Driver) -> Void = { _ in }) -> Driver {
        authorized {
            $0.command(.capture(request("c-first", units)))
            $0.end(2, .order(OrderReport(status: .settled, partnerReference: "c-1")))
            change(&$0)
        }
    }

    static func refunded(_ units: Int64) -> Driver {
        captured(100) {
            $0.command(.refund(request("r-first", units)))
            $0.end(3, .order(OrderReport(status: .settled)))
        }
    }

    static let accepted = SendOutcome.order(OrderReport(status: .accepted, partnerReference: "t-1"))
    static let settled = SendOutcome.order(OrderReport(status: .settled, partnerReference: "t-1"))
    static let rejected = SendOutcome.order(OrderReport(status: .rejected, code: "AC04"))

    /// Every state of the contract, and some that only bookkeeping tells apart.
    static let all: [(name: String, make: @Sendable () -> Driver)] = [
        ("none", { Driver() }),
        ("held", { held(.payout) }),
        ("offloaded", { offloaded(.payout) }),
        ("attempting", { payout() }),
        ("cancelling", { payout { $0.command(.cancel(reason: nil)) } }),
        ("inDoubt", { payout { $0.end(1, .unclear(.timeout)) } }),
        (
            "inDoubt after the gate",
            {
                payout {
                    $0.end(1, .unclear(.timeout))
                    $0.wait(.seconds(60), answering: .unanswered)
                }
            }
        ),
        ("submitted", { payout { $0.end(1, accepted) } }),
        (
            "submitted, escalated",
            {
                payout {
                    $0.end(1, accepted)
                    $0.wait(.seconds(120), answering: .unanswered)
                }
            }
        ),
        ("settled", { payout { $0.end(1, settled) } }),
        (
            "returned",
            {
                payout {
                    $0.end(1, settled)
                    $0.notify(OrderReport(status: .returned, code: "AC06"))
                }
            }
        ),
        ("failed", { payout { $0.end(1, rejected) } }),
        (
            "cancelled first",
            {
                var payout = Driver()
                payout.command(.cancel(reason: nil))
                return payout
            }
        ),
        (
            "cancelled",
            {
                var payout = held(.payout)
                payout.command(.cancel(reason: nil))
                return payout
            }
        ),
        (
            "blocked",
            {
                var payout = held(.payout)
                payout.command(.rejectHold(DeskDecision(entry: 1, operatorName: "ann", reason: nil)))
                return payout
            }
        ),
        (
            "routing, a closed attempt in question",
            {
                payout {
                    $0.end(1, .notSent(.connect))
                    $0.notify(OrderReport(status: .accepted))
                    $0.end(2, .notSent(.notAuthorized))
                }
            }
        ),
        ("payment held", { held(.payment) }),
        ("payment offloaded", { offloaded(.payment) }),
        ("authorizing", { payment() }),
        (
            "actionRequired",
            { payment { $0.end(1, .order(OrderReport(status: .actionRequired, partnerReference: "a-1"))) } }
        ),
        ("payment inDoubt", { payment { $0.end(1, .unclear(.reset)) } }),
        ("authorized", { authorized() }),
        ("capturing", { authorized { $0.command(.capture(request("c-first", 60))) } }),
        ("captured 60", { captured(60) }),
        ("captured 100", { captured(100) }),
        ("partiallyRefunded", { refunded(50) }),
        ("refunded", { refunded(100) }),
        ("disputed", { captured(100) { $0.dispute(.opened) } }),
        (
            "chargedBack",
            {
                captured(100) {
                    $0.dispute(.opened)
                    $0.dispute(.lost)
                }
            }
        ),
        ("voiding", { authorized { $0.command(.void(reason: nil)) } }),
        (
            "voided",
            {
                authorized {
                    $0.command(.void(reason: nil))
                    $0.end(2, .order(OrderReport(status: .settled)))
                }
            }
        ),
        ("expired", { authorized { $0.wait(.seconds(8 * 86_400)) } }),
        ("payment failed", { payment { $0.end(1, rejected) } }),
    ]
}
