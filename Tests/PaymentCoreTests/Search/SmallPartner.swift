import PaymentCore
import PaymentModel

/// A partner that tells the truth and keeps its bounds, in the smallest form that can still lose or double money: per
/// reference the order that came of its requests, per capture the course of its dispute.
struct SmallPartner: Hashable {
    struct Order: Hashable {
        var attempt: Int
        var operation: PaymentModel.Operation
        var operationID: String?
        var about: Int
        var amount: Int64
        var status: OrderStatus
        var mayGoElsewhere = false
        var recordedAt: MonotonicTime
        /// It was executed after the partner had rejected it.
        var isLie = false
    }

    /// A request whose sender has given up or was killed, and which may still arrive until `until`.
    struct Late: Hashable {
        var attempt: Int
        var until: MonotonicTime
    }

    /// Something that became true, and that a notification may tell at any time from then on.
    struct Fact: Hashable {
        var attempt: Int
        var status: OrderStatus?
        var dispute: PartnerNotification.DisputeStatus?
    }

    struct Dispute: Hashable {
        var attempt: Int
        var status: PartnerNotification.DisputeStatus
    }

    var orders: [Order] = []
    var late: [Late] = []
    var facts: [Fact] = []
    var disputes: [Dispute] = []

    static let flight = Milliseconds.seconds(5)
    static let lag = Milliseconds.seconds(2)

    func order(_ attempt: Int) -> Order? { orders.first { $0.attempt == attempt } }

    private func sum(_ operation: PaymentModel.Operation) -> Int64 {
        orders.reduce(0) { $0 + ($1.operation == operation && $1.status == .settled ? $1.amount : 0) }
    }

    /// A request of the attempt arrives: the reference has at most one order, and the key binds. What cannot be is
    /// rejected: a capture of what is void or more than is left, a refund of more than was captured.
    mutating func take(_ attempt: Attempt, number: Int, wish: OrderStatus, mayGoElsewhere: Bool, at now: MonotonicTime)
    {
        guard order(number) == nil, attempt.operation != .cancel else { return }
        var order = Order(
            attempt: number, operation: attempt.operation, operationID: attempt.operationID, about: 0,
            amount: attempt.amount.minorUnits, status: wish, mayGoElsewhere: mayGoElsewhere, recordedAt: now)
        let authorization = orders.firstIndex {
            $0.operation == .authorize && [.settled, .actionRequired, .pending].contains($0.status)
        }
        switch attempt.operation {
        case .capture:
            let total = orders.first { $0.operation == .authorize && $0.status == .settled }?.amount ?? 0
            if sum(.capture) + order.amount > total { order.status = .rejected }
        case .refund: if sum(.refund) + order.amount > sum(.capture) { order.status = .rejected }
        case .void:
            if let authorization, orders[authorization].amount > sum(.capture), wish == .settled {
                orders[authorization].status = .voided
            } else {
                order.status = .rejected
            }
        default: break
        }
        orders.append(order)
        note(number, order.status)
    }

    mutating func change(_ attempt: Int, to status: OrderStatus, isLie: Bool = false) {
        guard let index = orders.firstIndex(where: { $0.attempt == attempt }) else { return }
        orders[index].status = status
        orders[index].isLie = isLie
        if status == .rejected { orders[index].mayGoElsewhere = true }
        note(attempt, status)
    }

    mutating func dispute(_ attempt: Int, _ status: PartnerNotification.DisputeStatus) {
        disputes.removeAll { $0.attempt == attempt }
        disputes.append(Dispute(attempt: attempt, status: status))
        facts.append(Fact(attempt: attempt, dispute: status))
    }

    private mutating func note(_ attempt: Int, _ status: OrderStatus) {
        guard status != .pending, status != .actionRequired else { return }
        facts.append(Fact(attempt: attempt, status: status))
    }

    func report(_ order: Order) -> OrderReport {
        let voided = order.operation == .authorize && order.status == .voided && sum(.capture) > 0
        return OrderReport(
            status: voided ? .settled : order.status, partnerReference: "t\(order.attempt)",
            code: order.status == .rejected ? (order.mayGoElsewhere ? "AM02" : "AC04") : nil,
            mayGoElsewhere: order.mayGoElsewhere, redirectURL: order.status == .actionRequired ? "http://r" : nil)
    }

    /// What its books say has moved in our favour, and must stand on its clearing account: captures and returns less
    /// transfers, refunds and chargebacks.
    var balance: Int64 {
        var balance: Int64 = 0
        for order in orders {
            switch (order.operation, order.status) {
            case (.payout, .settled), (.refund, .settled): balance -= order.amount
            case (.capture, .settled): balance += order.amount
            default: break
            }
        }
        for dispute in disputes where dispute.status != .won { balance -= order(dispute.attempt)?.amount ?? 0 }
        return balance
    }
}

/// A node of the search: the machine's state, the clocks, and the world outside of it.
struct Node: Hashable {
    struct Request: Hashable {
        var attempt: Int
        var number: Int
        var at: MonotonicTime
    }

    var state: PaymentState
    var now: Now
    var fold = PaymentFold()
    var partner = SmallPartner()
    /// Requests whose end is not reported.
    var sends: [Request] = []
    /// Inquiries whose answer is not reported.
    var inquiries: [Request] = []
    var told: [SmallPartner.Fact] = []
    /// Commands of the scenario that have been given: one bit each.
    var given: UInt16 = 0
    var takeovers: Int
    var faults: Int
    var lies: Int
    /// Debits less credits of the clearing account, in minor units.
    var clearing: Int64 = 0
    var isDouble = false

    /// Without the fold: it follows from the way, and another way to the same place is the same place.
    func hash(into hasher: inout Hasher) {
        hasher.combine(state)
        hasher.combine(now)
        hasher.combine(partner)
        hasher.combine(sends)
        hasher.combine(inquiries)
        hasher.combine(told)
        hasher.combine(given)
        hasher.combine(takeovers)
        hasher.combine(faults)
        hasher.combine(lies)
    }
}
