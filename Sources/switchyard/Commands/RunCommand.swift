import CommandLineOptions
import Configuration
import Glibc
import Orchestrator
import PaymentModel
import StructuredLog

/// `switchyard run`.
enum RunCommand {
    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let configuration = try SwitchyardConfiguration.forDaemon(command["--config"] ?? "")
        let signals = DaemonSignals()
        let sink = StreamSink(
            descriptor: STDERR_FILENO, form: command["--log-format"] == "plain" ? .plain : .json)
        defer { sink.close() }
        let log = Logger(
            component: "daemon", level: level(configuration.logLevel), clock: { SystemClock().wall().milliseconds },
            sink: sink)
        for warning in configuration.warnings { log.warning(warning) }
        let daemon = try Daemon(configuration, log: log, systemd: SystemdNotifier())
        return try daemon.run(signals)
    }

    private static func level(_ level: Configuration.LogLevel) -> StructuredLog.LogLevel {
        switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
