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
                if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
                do throws(SendLine.Fault) {
                    sending.add(try SendLine(line, timestamp: Clock.milliseconds).frame, line: input.number)
                } catch {
                    try sending.flush()
                    guard case .notAnObject(let reason) = error else { return .usage }
                    throw CommandFailure(.usage, "line \(input.number): \(reason)")
                }
                try sending.flushIfFull()
            }
            try sending.flush()
        } catch {
            report(sending.durable, options)
            throw CommandFailure(error.code, "\(error.message); \(sending.standing)")
        }
        report(sending.durable, options)
        return .done
    }

    private static func report(_ sent: Int, _ options: ClientOptions) {
        if options.json {
            Terminal.json(["sent": .integer(Int64(sent))])
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
    private var lastDurableLine = 0

    init(_ reach: Reach) { self.reach = reach }

    /// The next line; where it cannot be read, what goes before it is sent first.
    mutating func next(_ input: inout LineReader) throws(CommandFailure) -> [UInt8]? {
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
        guard let first = frames.first, let last = frames.last else { return }
        let records = frames.map(\.frame)
        do throws(CommandFailure) {
            // What was not acknowledged is sent again: the daemon knows a command that comes twice.
            try reach.run { access throws(AccessFault) in try access.append(records) }
        } catch {
            let lines = first.line == last.line ? "line \(first.line)" : "lines \(first.line) to \(last.line)"
            throw CommandFailure(error.code, "\(lines): \(error.message)")
        }
        durable += frames.count
        lastDurableLine = last.line
        frames.removeAll(keepingCapacity: true)
        bytes = 0
    }

    /// What a person must know of a file that was sent in part.
    var standing: String {
        if durable == 0 { return "no command is durable" }
        return "\(durable) \(durable == 1 ? "command is" : "commands are") durable, up to line \(lastDurableLine): "
            + "send the whole file again when it is mended, what is durable is not done twice"
    }
}
