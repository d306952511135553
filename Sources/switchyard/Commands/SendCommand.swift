import Credentials
import CanonicalJSON
import CommandLineOptions
import Configuration
import Operations

/// `switchyard send FILE|-`.
enum SendCommand {
    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let options = try ClientOptions(command)
        let reach = try Reach(options, role: .send, mayCreate: true)
        var input = try LineReader(command.positional(0) ?? "-", limit: SendLine.maximumBytes)
        var sending = Sending(reach)
        do throws(CommandFailure) {
            while let line = try sending.next(&input) {
                if line.isBlank { continue }
                switch line {
                case .bytes(let bytes): try take(bytes, line: input.number, &sending)
                case .tooLong(let bytes):
                    sending.leaveOut(
                        "a line of \(bytes) bytes; one has at most \(SendLine.maximumBytes)", line: input.number)
                }
            }
            try sending.flush()
        } catch {
            report(sending, options)
            throw CommandFailure(error.code, "\(error.message); \(sending.standing)")
        }
        report(sending, options)
        return sending.leftOut.isEmpty ? .done : .wrong
    }

    private static func take(_ line: [UInt8], line number: Int, _ sending: inout Sending) throws(CommandFailure) {
        do throws(SendLine.Fault) {
            sending.add(try SendLine(line, timestamp: Clock.milliseconds).frame, line: number)
        } catch {
            try sending.flush()
            switch error {
            case .notAnObject(let reason): throw CommandFailure(.usage, "line \(number): \(reason)")
            }
        }
        try sending.flushIfFull()
    }

    /// How much is durable, and what was left out: one line each, up to a number that a terminal bears.
    private static func report(_ sending: Sending, _ options: ClientOptions) {
        for left in sending.leftOut.prefix(100) {
            Terminal.error("switchyard: line \(left.line): not sent: \(left.reason)")
        }
        let more = sending.leftOut.count - 100
        if more > 0 { Terminal.error("switchyard: \(more) more lines are too large, and not sent") }
        let sent = sending.durable
        if options.json {
            var answer: [String: JSONValue] = ["sent": .integer(Int64(sent))]
            if !sending.leftOut.isEmpty {
                answer["notSent"] = .array(
                    sending.leftOut.map { ["line": .integer(Int64($0.line)), "reason": .string($0.reason)] })
            }
            Terminal.json(.object(answer))
        } else {
            Terminal.line("\(sent) \(sent == 1 ? "command is" : "commands are") durable")
        }
    }
}

/// Commands on their way to the log, several in one request, and how far that has come.
private struct Sending {
    /// One request carries at most so many records, and about so many bytes; one that is larger goes alone.
    private static let recordsPerRequest = 500
    private static let bytesPerRequest = 512 * 1_024

    private let reach: Reach
    private var frames: [(frame: [UInt8], line: Int)] = []
    private var bytes = 0
    /// Commands that are durable.
    private(set) var durable = 0
    /// Lines that no log holds, for their size.
    private(set) var leftOut: [(line: Int, reason: String)] = []
    private var lastDurableLine = 0

    init(_ reach: Reach) { self.reach = reach }

    /// The next line; where it cannot be read, what goes before it is sent first.
    mutating func next(_ input: inout LineReader) throws(CommandFailure) -> LineReader.Line? {
        do throws(CommandFailure) {
            return try input.next()
        } catch {
            try flush()
            throw error
        }
    }

    mutating func add(_ frame: [UInt8], line: Int) {
        frames.append((frame, line))
        bytes += frame.count
    }

    /// A line that cannot be sent; those after it can.
    mutating func leaveOut(_ reason: String, line: Int) { leftOut.append((line, reason)) }

    mutating func flushIfFull() throws(CommandFailure) {
        guard frames.count >= Sending.recordsPerRequest || bytes > Sending.bytesPerRequest else { return }
        // The last one made it too much: what goes before it must not fail with it.
        if frames.count > 1, bytes > Sending.bytesPerRequest, let last = frames.popLast() {
            try flush()
            add(last.frame, line: last.line)
            guard bytes > Sending.bytesPerRequest else { return }
        }
        try flush()
    }

    mutating func flush() throws(CommandFailure) {
        let waiting = frames
        frames.removeAll(keepingCapacity: true)
        bytes = 0
        guard try append(waiting) != nil else { return }
        // One of them is too large for the log; which one shows when each goes alone. A command that was stored with
        // them and comes again is known.
        for record in waiting {
            if let reason = try append([record]) { leaveOut(reason, line: record.line) }
        }
    }

    /// Stores these; the reason where one of them is too large for the log.
    private mutating func append(_ some: [(frame: [UInt8], line: Int)]) throws(CommandFailure) -> String? {
        guard let first = some.first, let last = some.last else { return nil }
        let records = some.map(\.frame)
        let tooLarge: String?
        do throws(CommandFailure) {
            // What was not acknowledged is sent again: the daemon knows a command that comes twice.
            tooLarge = try reach.run { access throws(AccessFault) -> String? in
                do throws(AccessFault) {
                    try access.append(records)
                    return nil
                } catch {
                    guard case .tooLarge(let reason) = error else { throw error }
                    return reason
                }
            }
        } catch {
            let lines = first.line == last.line ? "line \(first.line)" : "lines \(first.line) to \(last.line)"
            throw CommandFailure(error.code, "\(lines): \(error.message)")
        }
        guard tooLarge == nil else { return tooLarge }
        durable += some.count
        lastDurableLine = last.line
        return nil
    }

    /// What a person must know of a file that was sent in part.
    var standing: String {
        if durable == 0 { return "no command is durable" }
        return "\(durable) \(durable == 1 ? "command is" : "commands are") durable, up to line \(lastDurableLine): "
            + "send the whole file again when it is mended, what is durable is not done twice"
    }
}
