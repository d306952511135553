import CanonicalJSON
import CommandLineOptions
import Configuration
import Operations

/// `switchyard send FILE|-`.
enum SendCommand {
    /// One request carries at most so many records, and about so many bytes.
    private static let recordsPerRequest = 500
    private static let bytesPerRequest = 512 * 1_024

    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let options = try ClientOptions(command)
        let reach = try Reach(options, role: .send, mayCreate: true)
        var input = try LineReader(command.positional(0) ?? "-")
        var frames: [[UInt8]] = []
        var bytes = 0
        var sent = 0
        func flush() throws(CommandFailure) {
            guard !frames.isEmpty else { return }
            // What was not acknowledged is sent again: the daemon knows a command that comes twice.
            try reach.run { access throws(AccessFault) in try access.append(frames) }
            sent += frames.count
            frames.removeAll(keepingCapacity: true)
            bytes = 0
        }
        while let line = try input.next() {
            if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            let frame: [UInt8]
            do {
                frame = try SendLine(line, timestamp: Clock.milliseconds).frame
            } catch {
                try flush()
                report(sent, options)
                guard case .notAnObject(let reason) = error else { return .usage }
                throw CommandFailure(.usage, "line \(input.number): \(reason)")
            }
            if !frames.isEmpty, bytes + frame.count > bytesPerRequest { try flush() }
            frames.append(frame)
            bytes += frame.count
            if frames.count >= recordsPerRequest { try flush() }
        }
        try flush()
        report(sent, options)
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
