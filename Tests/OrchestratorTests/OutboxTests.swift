import PaymentCore
import PaymentModel
import Testing

@testable import Orchestrator

@Suite struct OutboxTests {
    private let none: (open: OrderedRequests, flying: OrderedRequests?) = (OrderedRequests(), nil)

    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(milliseconds: milliseconds) }

    private func job(_ id: UInt64, _ partner: String, request: Int = 1, deadline: Int64 = 1_000) -> OutboxJob {
        let order = SendOrder(
            attempt: 1, request: request, operation: .payout,
            route: Route(partner: PartnerName(partner), rail: Rail("sepa")),
            reference: Reference(partitionHash: 1, seed: Digest(high: 1, low: id), attempt: 1), idempotencyKey: "k",
            amount: Money(1, eur), target: nil, sendDeadline: at(deadline), timeout: .seconds(1))
        return make(id, .submit(order), deadline: deadline)
    }

    private func inquiry(_ id: UInt64, _ partner: String, urgent: Bool) -> OutboxJob {
        let order = InquiryOrder(
            attempt: 1, inquiry: 1, operation: .payout, route: Route(partner: PartnerName(partner), rail: Rail("sepa")),
            reference: Reference(partitionHash: 1, seed: Digest(high: 1, low: id), attempt: 1), amount: Money(1, eur),
            partnerReference: nil, target: nil)
        return make(id, .inquire(order, urgent: urgent), deadline: 1_000)
    }

    private func make(_ id: UInt64, _ order: OutboxOrder, deadline: Int64) -> OutboxJob {
        OutboxJob(
            id: id, payment: paymentID("p\(id)"), slot: 0, partition: 0, incarnation: 1, order: order,
            permit: SendPermit(deadline: at(deadline)), initiation: nil, traceparent: nil, orderedAt: at(0))
    }

    private func limits(_ change: (inout ShardLimits) -> Void) -> ShardLimits {
        var limits = ShardLimits()
        change(&limits)
        return limits
    }

    @Test func aFullPartnerLeavesRoomForOthers() {
        var outbox = Outbox(limits: limits { $0.partnerActive = 2 })
        for id in 1...5 as ClosedRange<UInt64> { #expect(outbox.accept(job(id, "slow"), now: at(0)) == nil) }
        #expect(outbox.accept(job(6, "quick"), now: at(0)) == nil)
        var started: [UInt64] = []
        while let job = outbox.next() { started.append(job.id) }
        #expect(started == [1, 2, 6])
        #expect(outbox.end(6, answered: true, now: at(1))?.id == 6)
        #expect(outbox.next() == nil)
        #expect(outbox.end(1, answered: true, now: at(1))?.id == 1)
        #expect(outbox.next()?.id == 3)
    }

    @Test func inquiriesAboutDoubtGoFirst() {
        var outbox = Outbox(limits: limits { $0.partnerActive = 1 })
        _ = outbox.accept(inquiry(1, "a", urgent: false), now: at(0))
        _ = outbox.accept(job(2, "a"), now: at(0))
        _ = outbox.accept(inquiry(3, "a", urgent: true), now: at(0))
        var order: [UInt64] = []
        while let job = outbox.next() {
            order.append(job.id)
            _ = outbox.end(job.id, answered: true, now: at(1))
        }
        #expect(order == [3, 2, 1])
    }

    @Test func refusesWhatDoesNotFit() {
        var outbox = Outbox(limits: limits { $0.partnerWaiting = 3 })
        for id in 1...3 as ClosedRange<UInt64> { #expect(outbox.accept(job(id, "a"), now: at(0)) == nil) }
        #expect(outbox.accept(job(4, "a"), now: at(0)) == .queueFull)
        #expect(outbox.count == 3)
    }

    @Test func withdrawsWhatWaitsAndWhatIsUnderWay() {
        var outbox = Outbox(limits: limits { $0.partnerActive = 1 })
        let jobs = [job(1, "a"), job(2, "a"), job(3, "b"), job(4, "b")]
        for job in jobs { _ = outbox.accept(job, now: at(0)) }
        while outbox.next() != nil {}
        #expect(outbox.withdraw { $0.id != 3 } == [1])
        #expect(jobs.map(\.permit.isWithdrawn) == [true, true, false, true])
        #expect(outbox.count == 4, "what is under way stays known until it has ended")
    }

    /// L5: after the burst, one repeat for ten first requests.
    @Test func repeatsStayWithinTheirShare() {
        var outbox = Outbox(
            limits: limits {
                $0.retryBurst = 2
                $0.firstsPerRetry = 10
            })
        var repeats = 0
        for id in 1...1_000 as ClosedRange<UInt64> {
            _ = outbox.accept(job(id * 2, "a"), now: at(0))
            if outbox.accept(job(id * 2 + 1, "a", request: 2), now: at(0)) == nil { repeats += 1 }
        }
        #expect(repeats >= 100 && repeats <= 102)
    }

    @Test func tellsWhatMayNotLeaveAnyMore() {
        var outbox = Outbox(limits: limits { $0.partnerActive = 0 })
        _ = outbox.accept(job(1, "a", deadline: 10), now: at(0))
        _ = outbox.accept(job(2, "a", deadline: 100), now: at(0))
        let third = job(3, "a", deadline: 100)
        _ = outbox.accept(third, now: at(0))
        third.permit.withdraw()
        #expect(outbox.expired(now: at(50)).map(\.id) == [1, 3])
        #expect(outbox.count == 1)
    }

    /// L2: a partner that answers may slow the daemon down to its pace; a silent one may not.
    @Test func onlyAPartnerThatAnswersHoldsPollingBack() {
        var outbox = Outbox(
            limits: limits {
                $0.partnerActive = 1
                $0.partnerHighWater = 4
                $0.silence = Milliseconds(100)
            })
        for id in 1...6 as ClosedRange<UInt64> { _ = outbox.accept(job(id, "a"), now: at(0)) }
        #expect(outbox.isPressing(now: at(50), ordered: none))
        #expect(!outbox.isPressing(now: at(150), ordered: none))
        _ = outbox.next()
        _ = outbox.end(1, answered: true, now: at(160))
        #expect(outbox.isPressing(now: at(200), ordered: none))
    }

    /// What is in batches that are not durable yet will wait here soon, whether its partner was seen before or not.
    @Test(arguments: [false, true]) func requestsOnTheirWayCount(isKnown: Bool) {
        var outbox = Outbox(limits: limits { $0.partnerHighWater = 4 })
        if isKnown { _ = outbox.accept(job(1, "a"), now: at(0)) }
        var open = OrderedRequests()
        var flying = OrderedRequests()
        for _ in 0..<2 { flying.add(PartnerName("a")) }
        for _ in 0..<3 { open.add(PartnerName("b")) }
        #expect(!outbox.isPressing(now: at(1), ordered: (open, flying)))
        #expect(!outbox.isPressing(now: at(1), ordered: (open, nil)))
        open.add(PartnerName("a"))
        if !isKnown { open.add(PartnerName("a")) }
        #expect(outbox.isPressing(now: at(1), ordered: (open, flying)))
        #expect(outbox.isPressing(now: at(10_000), ordered: (open, flying)) == !isKnown, "a silent one stops nobody")
    }

    @Test func theWholeIsBounded() {
        var outbox = Outbox(limits: limits { $0.inFlight = 3 })
        for (id, partner) in zip(1...3 as ClosedRange<UInt64>, ["a", "b", "c"]) {
            #expect(!outbox.isPressing(now: at(1_000_000), ordered: none))
            _ = outbox.accept(job(id, partner), now: at(0))
        }
        #expect(outbox.isPressing(now: at(1_000_000), ordered: none))
    }
}
