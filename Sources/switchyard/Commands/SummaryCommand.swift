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
        let reach = try Reach(options, role: .read)
        var summary = RunSummary()
        var cursor = try TopicCursor(reach, .events)
        let deadline = MonotonicTime.now().advanced(by: .seconds(limit))
        try cursor.pass(reach) { summary.take(event: $0) }
        if command.has("--wait") {
            while summary.payments.count < expected || summary.resting < summary.payments.count {
                guard MonotonicTime.now() < deadline else { break }
                Terminal.progress(progress(summary, expected))
                reach.release()
                usleep(1_000_000)
                try cursor.pass(reach) { summary.take(event: $0) }
            }
            Terminal.progress(progress(summary, expected))
            Terminal.endProgress()
        }
        var settlements = try TopicCursor(reach, .settlements)
        try settlements.pass(reach) { summary.take(posting: $0) }
        var report = SummaryReport(summary: summary)
        if !sources.isEmpty {
            var books: [String: JSONValue] = [:]
            for source in sources {
                books[source.partner] = try BookComparison.fetch(source.base, timeout: options.timeout)
            }
            report.books = BookComparison(summary, books: books)
        }
        if options.json { Terminal.json(report.json) } else { report.lines.forEach(Terminal.line) }
        let waited = !command.has("--wait") || summary.resting == summary.payments.count
        return report.books?.agrees != false && waited ? .done : .wrong
    }

    private static func progress(_ summary: RunSummary, _ expected: Int) -> String {
        "\(summary.resting) of \(max(expected, summary.payments.count)) at rest: \(summary.finished) finished, "
            + "\(summary.parked) parked, \(summary.inDoubt) in doubt"
    }
}
