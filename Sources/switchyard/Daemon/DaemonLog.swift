import Configuration
import EmbeddedLog
import EventLog
import Glibc
import KafkaLog
import Metrics
import Orchestrator
import PaymentModel
import StructuredLog
import YAMLDocument

/// The open event log of the daemon, whatever its kind.
struct DaemonLog {
    /// Where inputs come in.
    let appender: any LogAppender
    /// What is published.
    let reader: any LogReader
    /// Whether this process owns every partition.
    let ownsAll: Bool
    /// Makes the shards.
    let start: (Daemon) -> any RunningShards
    /// Closes the log.
    let close: () -> Void

    /// Makes the directory, with those above it, where it is missing.
    static func prepare(_ directory: String) throws(CommandFailure) {
        var end = directory.startIndex
        while end < directory.endIndex {
            end = directory[directory.index(after: end)...].firstIndex(of: "/") ?? directory.endIndex
            // What is there already is found below, whatever it is; what cannot be made has a reason here.
            guard mkdir(String(directory[..<end]), 0o777) == 0 || errno == EEXIST || errno == EISDIR else {
                throw CommandFailure(
                    .unreachable,
                    "log.directory \(directory) cannot be made: \(directory[..<end]): \(FileBytes.reason(errno))")
            }
        }
        var found = stat()
        guard stat(directory, &found) == 0, found.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(.unreachable, "log.directory \(directory): \(FileBytes.reason(ENOTDIR))")
        }
        guard access(directory, W_OK | X_OK) == 0 else {
            throw CommandFailure(
                .unreachable, "log.directory \(directory) cannot be written: \(FileBytes.reason(errno))")
        }
    }

    /// Opens the log. Waits for a directory that another process holds, and for a broker; nil where the end was asked for
    /// meanwhile.
    static func open(
        _ configuration: SwitchyardConfiguration, log: Logger, metrics: MetricsRegistry, waiting signals: DaemonSignals
    ) throws(CommandFailure) -> DaemonLog? {
        let began = SystemClock().monotonic()
        let patience = configuration.timeouts.directoryWait
        var isTold = false
        while true {
            do throws(LogError) {
                return try open(configuration, log: log, metrics: metrics)
            } catch {
                let waits = error.kind == .heldElsewhere || error.kind == .unavailable
                guard waits, SystemClock().monotonic() - began < patience else {
                    throw error.kind == .corrupt
                        ? CommandFailure(
                            .wrong, "log: \(configuration.log.directory) is damaged, restore a copy: \(error.detail)")
                        : CommandFailure(.unreachable, "log: \(error.detail)")
                }
                if !isTold { log.warning("waiting for the log", [("reason", .text(error.detail))]) }
                isTold = true
            }
            if signals.stopRequested { return nil }
            usleep(100_000)
        }
    }

    private static func open(
        _ configuration: SwitchyardConfiguration, log: Logger, metrics: MetricsRegistry
    ) throws(LogError) -> DaemonLog {
        let shards = configuration.shards
        switch configuration.log {
        case .embedded(let settings):
            let opened = try EmbeddedLog(directory: settings.directory, options: OpenLog.options(settings))
            let retention = RetentionKeeper(opened, log: log.named("log"))
            return DaemonLog(
                appender: opened, reader: opened, ownsAll: true,
                start: { daemon in
                    retention.start()
                    let count = Int(opened.partitionCount)
                    return daemon.shards(
                        (0..<min(shards, count)).map { index in
                            opened.shard(
                                partitions: (0..<count).filter { $0 % min(shards, count) == index }.map(Int32.init))
                        })
                },
                close: {
                    retention.stop()
                    opened.close()
                })
        case .kafka(let settings):
            var kafka = try OpenLog.kafkaSettings(settings, configuration: configuration)
            let watching = KafkaMetrics(metrics, log: log.named("kafka"), groupID: settings.groupId)
            watching.attach(to: &kafka)
            let opened = try KafkaEventLog(kafka)
            try opened.checkRights()
            let appender = try opened.appender()
            watching.watch(opened)
            return DaemonLog(
                appender: appender, reader: opened.reader(), ownsAll: false,
                start: { daemon in daemon.shards((0..<shards).map { opened.shard($0) }) },
                close: {
                    appender.close()
                    opened.close()
                })
        }
    }
}
