import InvariantChecker
import Testing

/// S6 from the authorization on: the state that an event tells is the highest that holds of the amounts and the open
/// captures that the events tell.
@Suite("The checker knows which state a payment must show")
struct DisplayedStateTests {
    /// What happens after an authorization of EUR 1.00, each as `event state attempt …`.
    struct Course: Sendable, CustomTestStringConvertible {
        var steps: [String]
        /// The step that does not hold, from 0; nil where all do.
        var broken: Int?

        var testDescription: String { steps.joined(separator: ", ") }

        init(_ steps: String..., broken: Int? = nil) {
            self.steps = steps
            self.broken = broken
        }
    }

    static let courses = [
        Course("capture capturing 2", "captured captured 2 100", "refund captured 3", "refunded refunded 3 100"),
        Course(
            "capture capturing 2", "captured captured 2 100", "refund captured 3", "refunded refunded 3 100",
            "attempt.inquired authorized 3", broken: 4),
        Course("capture authorized 2", broken: 0),
        Course("capture capturing 2", "attempt.rejected capturing 2", broken: 1),
        Course("capture capturing 2", "attempt.rejected authorized 2"),
        Course("capture capturing 2", "captured capturing 2 100", broken: 1),
        Course("capture capturing 2", "captured authorized 2 100", broken: 1),
        Course("capture capturing 2", "captured captured 2 60", "capture captured 3", broken: 2),
        Course("capture capturing 2", "captured captured 2 60", "capture capturing 3", "captured captured 3 40"),
        // A part is given back while the next capture is open: all that was captured, and yet not refunded.
        Course(
            "capture capturing 2", "captured captured 2 60", "capture capturing 3", "refund capturing 4",
            "refunded partiallyRefunded 4 60", "captured partiallyRefunded 3 40"),
        Course(
            "capture capturing 2", "captured captured 2 100", "refund captured 3", "refunded refunded 3 40", broken: 3),
        Course(
            "capture capturing 2", "captured captured 2 100", "refund captured 3", "refunded partiallyRefunded 3 100",
            broken: 3),
        Course(
            "capture capturing 2", "captured captured 2 100", "refund captured 3", "refunded captured 3 40", broken: 3),
        Course(
            "capture capturing 2", "captured captured 2 100", "disputed disputed 2 100", "dispute-won captured 2 100"),
        Course(
            "capture capturing 2", "captured captured 2 100", "disputed disputed 2 100",
            "dispute-lost chargedBack 2 100"),
        Course("capture capturing 2", "captured captured 2 100", "disputed captured 2 100", broken: 2),
        Course(
            "capture capturing 2", "captured captured 2 100", "disputed disputed 2 100", "dispute-lost captured 2 100",
            broken: 3),
        Course("void authorized 2", "voided voided 2"),
        Course("void authorized 2", "voided authorized 2", broken: 1),
        Course("capture capturing 2", "captured captured 2 60", "void captured 3", "voided captured 3"),
        Course("capture capturing 2", "captured captured 2 60", "void captured 3", "voided voided 3", broken: 3),
        // Not sent: started anew, or given up. Nobody can tell from this event alone.
        Course("capture capturing 2", "attempt.not-sent capturing 2", "capture capturing 3", "captured captured 3 100"),
        Course("capture capturing 2", "attempt.not-sent authorized 2"),
        Course("capture capturing 2", "attempt.not-sent captured 2", broken: 1),
        // The first attempt was executed after all, and the second is still open.
        Course(
            "capture capturing 2", "attempt.not-sent capturing 2", "capture capturing 3",
            "attempt.late-success capturing 2", "captured captured 2 100", broken: 4),
    ]

    @Test("of captures, refunds, disputes and voids", arguments: courses)
    func holds(_ course: Course) {
        var story = Story()
        story.world = CheckedWorld()
        story.world.atRest = false
        story.event("command.accepted", "received", ["commandId": .text("c-1"), "commandSource": .text("urn:t")])
        story.event("payment.received", "screening", [:])
        story.event("screening.passed", "routing", [:])
        story.start("p-1-attempt-1", reference: "R1", state: "authorizing", operation: "authorize")
        story.event("payment.authorized", "authorized", DisplayedStateTests.data("1", 100))
        #expect(story.broken.isEmpty)
        for (place, step) in course.steps.enumerated() {
            let words = step.split(separator: " ").map(String.init)
            switch words[0] {
            case "capture", "refund", "void":
                story.start(
                    "p-1-attempt-\(words[2])", reference: "R\(words[2])", state: words[1], operation: words[0])
            default:
                let name = words[0].hasPrefix("attempt.") ? words[0] : "payment.\(words[0])"
                story.event(name, words[1], DisplayedStateTests.data(words[2], words.count > 3 ? Int64(words[3]) : nil))
            }
            #expect(story.broken == (place == course.broken ? ["S6"] : []), "\(step)")
            if place == course.broken { return }
        }
    }

    private static func data(_ attempt: String, _ units: Int64?) -> [String: FactValue] {
        var data: [String: FactValue] = [
            "attemptId": .text("p-1-attempt-\(attempt)"), "evidence": .object(["kind": .text("operator")]),
        ]
        if let units { data["amount"] = .object(["currency": .text("EUR"), "minorUnits": .integer(units)]) }
        return data
    }
}
