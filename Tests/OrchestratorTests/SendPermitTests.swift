import PaymentModel
import Synchronization
import Testing

@testable import Orchestrator

@Suite struct SendPermitTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(milliseconds: milliseconds) }

    @Test func grantsOnceUpToTheDeadline() {
        let permit = SendPermit(deadline: at(100))
        #expect(permit.authorize(now: at(100)) == .granted)
        #expect(permit.granted == at(100))
        #expect(!permit.withdraw())
        // Before the head and again before the body: the same request, the same answer.
        #expect(permit.authorize(now: at(101)) == .granted)
        #expect(permit.isTaken)
    }

    @Test func refusesAfterTheDeadlineForGood() {
        let permit = SendPermit(deadline: at(100))
        #expect(permit.authorize(now: at(101)) == .late)
        #expect(permit.authorize(now: at(50)) == .withdrawn)
        #expect(permit.isWithdrawn)
        #expect(permit.granted == nil)
    }

    @Test func refusesWhatWasWithdrawn() {
        let permit = SendPermit(deadline: at(100))
        #expect(permit.withdraw())
        #expect(permit.withdraw())
        #expect(permit.authorize(now: at(1)) == .withdrawn)
        #expect(!permit.isTaken)
    }

    /// Whoever withdraws and whoever writes never both win (rows B16, B31).
    @Test func withdrawingAndWritingNeverBothHappen() async {
        for _ in 0..<2_000 {
            let permit = SendPermit(deadline: at(100))
            async let granted = Task.detached { permit.authorize(now: MonotonicTime(milliseconds: 1)) == .granted }
                .value
            async let withdrawn = Task.detached { permit.withdraw() }.value
            let both = await (granted, withdrawn)
            #expect(both.0 != both.1)
        }
    }
}
