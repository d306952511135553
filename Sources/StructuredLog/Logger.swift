/// Where lines go. Must not block for long: the daemon's own writer hands them to a thread.
public protocol LogSink: Sendable {
    /// Takes one line.
    func write(_ record: LogRecord)
}

/// What code logs with: a component, the least level that counts, a clock and a sink.
public struct Logger: Sendable {
    /// The least severe level that is written.
    public var level: LogLevel
    /// Which part says so.
    public var component: String
    private let clock: @Sendable () -> Int64
    private let sink: any LogSink

    /// A logger. `clock`: milliseconds since 1970.
    public init(component: String, level: LogLevel, clock: @escaping @Sendable () -> Int64, sink: any LogSink) {
        self.component = component
        self.level = level
        self.clock = clock
        self.sink = sink
    }

    /// The same logger for another part.
    public func named(_ component: String) -> Logger {
        var copy = self
        copy.component = component
        return copy
    }

    /// Writes a line, where its level counts. Fields are made only then.
    public func log(
        _ level: LogLevel, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> [(name: String, value: LogValue)] = []
    ) {
        guard level >= self.level else { return }
        sink.write(
            LogRecord(time: clock(), level: level, component: component, message: message(), fields: fields()))
    }

    /// See `log`.
    public func debug(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(name: String, value: LogValue)] = []
    ) { log(.debug, message(), fields()) }

    /// See `log`.
    public func info(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(name: String, value: LogValue)] = []
    ) { log(.info, message(), fields()) }

    /// See `log`.
    public func warning(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(name: String, value: LogValue)] = []
    ) { log(.warning, message(), fields()) }

    /// See `log`.
    public func error(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(name: String, value: LogValue)] = []
    ) { log(.error, message(), fields()) }

    /// Writes nothing.
    public static let silent = Logger(component: "", level: .error, clock: { 0 }, sink: NoSink())
}

private struct NoSink: LogSink {
    func write(_ record: LogRecord) {}
}
