/// How a command ends (the contract, section 4).
enum ExitCode: Int32 {
    /// Done.
    case done = 0
    /// The thing asked about is wrong.
    case wrong = 1
    /// The command line, or the input, is not understood.
    case usage = 2
    /// What is needed cannot be reached: the daemon, the log, a port, a disk.
    case unreachable = 3
}

/// A command's end with one line for a person.
struct CommandFailure: Error {
    var code: ExitCode
    var message: String

    init(_ code: ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }
}
