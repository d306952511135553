import InvariantChecker
import Testing

/// A payout that went well within a second, with everything looked at that liveness is judged by; each test breaks one
/// thing. Times are milliseconds of the first day of 1970.
private struct TimedStory {
    var story = Story()
    var facts = LivenessFacts(
        healedAt: 1_000_000, calmFrom: 1_000_000, lastInquirySlot: 58_000, outcomeBound: 5_000,
        transactionTimeout: 10_000)

    init() {
        for place in story.world.events.indices { setTime(place, 1_000_000 + Int64(place) * 100) }
        let command = CommandFact(subject: "p-1", source: "urn:t", id: "c-1")
        facts.publications = [PublicationFact(command: command, partition: 0, at: 1_000_000)]
        facts.lags = [
            LagFact(topic: "commands", partition: 0, committed: 1, stable: 1, end: 1),
            LagFact(topic: "events", partition: 0, committed: nil, stable: 9, end: 9),
        ]
        story.world.requests = []
    }

    mutating func setTime(_ place: Int, _ milliseconds: Int64) {
        guard case .object(var members) = story.world.events[place].data else { return }
        func padded(_ number: Int64, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)"
        }
        let seconds = milliseconds / 1_000
        let time = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        members["occurredAt"] = .text("1970-01-01T\(time).\(padded(milliseconds % 1_000, 3))Z")
        story.world.events[place].data = .object(members)
    }

    var violations: [Violation] {
        var world = story.world
        world.liveness = facts
        return InvariantChecker(world).violations
    }

    var broken: Set<String> { Set(violations.map(\.invariant)) }

    var judged: Int {
        var world = story.world
        world.liveness = facts
        return InvariantChecker(world).restartsJudged
    }
}

@Suite("The checker finds what does not live")
struct LivenessTests {
    @Test("a payout that went well in time breaks nothing")
    func good() { #expect(TimedStory().violations == []) }

    @Test("L1: at rest, but later than the last inquiry and its grace allow")
    func restedLate() {
        var late = TimedStory()
        let last = late.story.world.events.count - 1
        // The attempt starts at 1 000 400.
        late.setTime(last, 1_000_400 + 58_000 + 60_000)
        #expect(late.broken.isEmpty)
        late.setTime(last, 1_000_400 + 58_000 + 60_001)
        #expect(late.broken == ["L1"])
        // Faults were healed only later: countdowns began anew.
        late.facts.healedAt = 1_000_500
        #expect(late.broken.isEmpty)
    }

    @Test("L1: parked in time, then stirred and parked again too late")
    func parkedAgain() {
        var story = TimedStory()
        story.story.world.events.removeLast()
        story.story.world.settlements = []
        story.story.world.movements = []
        story.story.event("attempt.escalated", "submitted", ["attemptId": .text("p-1-attempt-1")])
        let last = story.story.world.events.count - 1
        story.setTime(last, 1_100_000)
        #expect(story.broken.isEmpty)
        story.setTime(last, 1_200_000)
        #expect(story.broken == ["L1"])
    }

    @Test("L2: a command of a calm time that waits behind others, or is never answered")
    func stalled() {
        var story = TimedStory()
        story.facts.publications[0].at = 994_999
        story.facts.calmFrom = 990_000
        #expect(story.broken == ["L2"])
        // Published before the calm: nobody promised.
        story.facts.calmFrom = 1_000_000
        #expect(story.broken.isEmpty)
        let other = CommandFact(subject: "p-2", source: "urn:t", id: "c-1")
        story.facts.publications.append(PublicationFact(command: other, partition: 0, at: 1_000_100))
        #expect(story.broken == ["L2"])
    }

    @Test("L3: inputs that nobody takes in, and a transaction that hangs")
    func lag() {
        var story = TimedStory()
        story.facts.lags[0].end = 2
        story.facts.lags[0].stable = 2
        #expect(story.broken == ["L3"])
        story = TimedStory()
        story.facts.lags[1].end = 10
        #expect(story.broken == ["L3"])
    }

    @Test("L4: work waits at a restart and goes on too late, or never")
    func restart() {
        var story = TimedStory()
        story.facts.publications[0].at = 980_000
        story.facts.restarts = [985_000]
        #expect(story.broken.isEmpty)
        #expect(story.judged == 1)
        story.facts.restarts = [984_999]
        #expect(story.broken == ["L4"])
        // The next fault came before the time was over: not judged. The kill before the restart is no such fault.
        story.facts.faults = [984_000...984_000, 990_000...990_000]
        #expect(story.broken.isEmpty)
        #expect(story.judged == 0)
        story.facts.faults = [984_000...984_000]
        #expect(story.broken == ["L4"])
        // A stall that was under way at the restart.
        story.facts.faults = [980_000...986_000]
        #expect(story.broken.isEmpty)
        // Never: no event at all after the restart.
        story.facts.faults = []
        story.facts.restarts = [1_100_000]
        let other = CommandFact(subject: "p-2", source: "urn:t", id: "c-1")
        story.facts.publications.append(PublicationFact(command: other, partition: 0, at: 1_050_000))
        story.facts.calmFrom = 2_000_000
        #expect(story.broken == ["L4"])
    }
}
