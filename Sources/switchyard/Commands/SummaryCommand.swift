import Credentials
import CanonicalJSON
import CommandLineOptions
import Configuration
import CurlHTTP
import EventLog
import Glibc

/// `switchyard summary`: what happened, from what is published and from the partners' own books.
enum SummaryCommand {
    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let options = try ClientOptions(command)
        guard let limit = command["--wait-limit"].flatMap({ Int64($0) }), limit >= 0,
            let expected = Int(command["--expect"] ?? "0")
        else { throw CommandFailure(.usage, "--wait-limit and --expect need numbers") }
        let sources = try (command.options["--books"] ?? []).map { text throws(CommandFailure) in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw CommandFailure(.usage, "--books needs NAME=URL") }
            return (partner: parts[0], base: parts[1])
        }
        var followed = try Followed(options)
        let waits = command.has("--wait")
        let deadline = MonotonicTime.now().advanced(by: .seconds(limit))
        try followed.read()
        while waits, !followed.isAtRest(expected), MonotonicTime.now() < deadline {
            Terminal.progress(progress(followed.summary, expected))
            try followed.pause()
        }
        if waits {
            Terminal.progress(progress(followed.summary, expected))
            Terminal.endProgress()
        }
        var report = SummaryReport(summary: followed.summary)
        if !sources.isEmpty {
            // Money may have come back a moment ago, and the notification of it be on its way still.
            let patience = MonotonicTime.now().advanced(by: .seconds(waits ? 60 : 0))
            while true {
                var books: [String: JSONValue] = [:]
                for source in sources {
                    books[source.partner] = try BookComparison.fetch(source.base, timeout: options.timeout)
                }
                // Read after the books: what they hold had to be told by then, or is still to come.
                try followed.read()
                report = SummaryReport(summary: followed.summary)
                report.books = BookComparison(followed.summary, books: books)
                guard report.books?.agrees == false, MonotonicTime.now() < patience else { break }
                Terminal.progress("the books differ; waiting for what is on its way")
                try followed.pause()
            }
            if waits { Terminal.endProgress() }
        }
        if options.json { Terminal.json(report.json) } else { report.lines.forEach(Terminal.line) }
        return report.books?.agrees != false && (!waits || followed.isAtRest(expected)) ? .done : .wrong
    }

    private static func progress(_ summary: RunSummary, _ expected: Int) -> String {
        "\(summary.resting) of \(max(expected, summary.payments.count)) at rest: \(summary.finished) finished, "
            + "\(summary.parked) parked, \(summary.inDoubt) in doubt"
    }
}

/// Events and settlements, read on from where the last look ended.
private struct Followed {
    private(set) var summary = RunSummary()
    private let reach: Reach
    private var events: TopicCursor
    private var settlements: TopicCursor

    init(_ options: ClientOptions) throws(CommandFailure) {
        reach = try Reach(options, role: .read)
        events = try TopicCursor(reach, .events)
        settlements = try TopicCursor(reach, .settlements)
    }

    /// Takes in what is new.
    mutating func read() throws(CommandFailure) {
        var found = summary
        try events.pass(reach) { found.take(event: $0) }
        try settlements.pass(reach) { found.take(posting: $0) }
        summary = found
    }

    /// Waits a second, with the directory given free, and reads on.
    mutating func pause() throws(CommandFailure) {
        reach.release()
        usleep(1_000_000)
        try read()
    }

    /// Whether so many payments are known, and each is finished or parked.
    func isAtRest(_ expected: Int) -> Bool {
        summary.payments.count >= expected && summary.resting == summary.payments.count
    }
}
