import CommandLineOptions
import Configuration
import Glibc
import Orchestrator
import PaymentModel
import StructuredLog

/// `switchyard run`.
enum RunCommand {
    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        Allocator.prepare()
        let sink = StreamSink(
            descriptor: STDERR_FILENO, form: command["--log-format"] == "plain" ? .plain : .json)
        defer { sink.close() }
        var log = Logger(
            component: "daemon", level: .info, clock: { SystemClock().wall().milliseconds }, sink: sink)
        do throws(CommandFailure) {
            let configuration = try SwitchyardConfiguration.forDaemon(command["--config"] ?? "")
            log.level = configuration.logLevel
            let signals = DaemonSignals()
            for warning in configuration.warnings { log.warning(warning) }
            let daemon = try Daemon(configuration, log: log, systemd: SystemdNotifier())
            return try daemon.run(signals)
        } catch {
            // The last line looks like all others: who reads them by machine must not stumble over this one.
            log.error(error.message, [("exitCode", .integer(Int64(error.code.rawValue)))])
            return error.code
        }
    }
}
