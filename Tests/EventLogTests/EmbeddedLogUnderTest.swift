import EmbeddedLog
import EventLog
import EventLogConformance
import Synchronization
import TestSupport

/// The embedded log under the conformance suite. A crash is played by closing: what a closed log would write that a
/// killed one does not is nothing (see the tests with a child process for the real thing).
final class EmbeddedLogUnderTest: LogUnderTest {
    private let directory = TemporaryDirectory("embedded")
    private let options: EmbeddedLogOptions
    private let log: Mutex<EmbeddedLog?>
    let offsetsAreContiguous = true
    let patience = Duration.seconds(20)

    init(partitions: Int32) throws {
        var options = EmbeddedLogOptions(partitionCount: partitions)
        options.blockCacheBytes = 2 << 20
        options.writeBufferBytes = 2 << 20
        self.options = options
        log = Mutex(try EmbeddedLog(directory: directory.path, options: options))
    }

    var current: EmbeddedLog {
        guard let log = log.withLock({ $0 }) else { fatalError("the log is closed") }
        return log
    }

    var appender: any LogAppender { current }
    var reader: any LogReader { current }

    func makeShard() async throws -> any ShardLog {
        current.shard(partitions: Array(0..<current.partitionCount))
    }

    func takeOver(by successor: any ShardLog, wake: @escaping @Sendable () -> Void) async throws {
        let error = await withCheckedContinuation { continuation in
            successor.start(wake: wake) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
    }

    func crashAndReopen() async throws {
        current.close()
        let reopened = try EmbeddedLog(directory: directory.path, options: options)
        log.withLock { $0 = reopened }
    }

    func failNextCommit(_ failure: InjectedFailure) -> Bool {
        switch failure {
        case .aborted: current.failNextWrite(.refused)
        case .unknownApplied: current.failNextWrite(.applied)
        case .unknownLost: current.failNextWrite(.lost)
        }
        return true
    }

    func tearDown() async {
        current.close()
        log.withLock { $0 = nil }
    }
}
