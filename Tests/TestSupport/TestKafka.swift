import Foundation
import Glibc
import Synchronization

/// A throw-away Kafka cluster for tests, started by the scripts in the folder that `SWITCHYARD_TEST_KAFKA` names:
/// `start DIR [--secure]` (prints KAFKA_BOOTSTRAP=…), `stop DIR [--kill] [--remove]`. Without the variable the tests that
/// need a broker are skipped.
public final class TestKafka: Sendable {
    /// Why tests that need a broker are skipped; nil where they run.
    public static let skipReason: String? =
        scripts == nil ? "SWITCHYARD_TEST_KAFKA names no folder with start and stop scripts of a Kafka broker" : nil

    /// Whether tests with a real broker can run.
    public static var isAvailable: Bool { scripts != nil }

    private static let scripts: String? = {
        guard let folder = ProcessInfo.processInfo.environment["SWITCHYARD_TEST_KAFKA"],
            FileManager.default.isExecutableFile(atPath: folder + "/start")
        else { return nil }
        return folder
    }()

    private static let started = Mutex<[String]>([])
    private static let sharedResult: Result<TestKafka, any Error> = Result { try TestKafka() }

    /// One broker for all tests that do not disturb it; started at first use, stopped at exit.
    public static func shared() throws -> TestKafka { try sharedResult.get() }

    /// Where the cluster keeps its data.
    public let directory: String
    /// What the start script printed: KAFKA_BOOTSTRAP and, when secure, more.
    public let environment: [String: String]
    /// `host:port,…`.
    public var bootstrap: String { environment["KAFKA_BOOTSTRAP"] ?? "" }

    /// Why a broker did not start.
    public struct Failure: Error, CustomStringConvertible {
        /// What the script said.
        public var description: String
    }

    /// Starts a cluster of its own; `stop()` it, else it is stopped at exit.
    public init(secure: Bool = false) throws {
        guard TestKafka.scripts != nil else { throw Failure(description: TestKafka.skipReason ?? "") }
        var template = Array("\(NSTemporaryDirectory())/switchyard-kafka-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw Failure(description: "mkdtemp failed") }
        directory = String(cString: path)
        let folder = directory
        TestKafka.started.withLock { list in
            if list.isEmpty { atexit { TestKafka.stopAll() } }
            list.append(folder)
        }
        let output = try TestKafka.run("start", [directory] + (secure ? ["--secure"] : []))
        var environment: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        self.environment = environment
    }

    /// Kills or stops the broker; its data stays.
    public func halt(kill: Bool) throws { _ = try TestKafka.run("stop", [directory] + (kill ? ["--kill"] : [])) }

    /// Brings a halted broker back.
    public func restart() throws { _ = try TestKafka.run("start", [directory]) }

    /// Stalls the broker (SIGSTOP) or wakes it (SIGCONT).
    public func signal(_ number: Int32) throws {
        let text = try String(contentsOfFile: directory + "/broker-1.pid", encoding: .utf8)
        guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure(description: "no broker")
        }
        kill(pid, number)
    }

    /// Stops the cluster and removes its data.
    public func stop() {
        _ = try? TestKafka.run("stop", [directory, "--kill", "--remove"])
        TestKafka.started.withLock { $0.removeAll { $0 == directory } }
    }

    /// Runs one of Kafka's own tools, which lie beside the scripts; nil where there is no such script.
    public static func tool(_ arguments: [String], input: String? = nil) throws -> String? {
        guard let scripts, FileManager.default.isExecutableFile(atPath: scripts + "/tool") else { return nil }
        return try run("tool", arguments, input: input)
    }

    private static func stopAll() {
        for directory in started.withLock({ $0 }) { _ = try? run("stop", [directory, "--kill", "--remove"]) }
    }

    /// Foundation's `Process` waits until every descendant has closed a socket of its own, which a broker never does;
    /// so the child is spawned and awaited directly, with files for input and output.
    private static func run(_ script: String, _ arguments: [String], input: String? = nil) throws -> String {
        guard let scripts else { throw Failure(description: skipReason ?? "") }
        let output = NSTemporaryDirectory() + "/switchyard-run-\(UUID().uuidString)"
        let source = output + ".in"
        try (input ?? "").write(toFile: source, atomically: true, encoding: .utf8)
        defer {
            unlink(output)
            unlink(source)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, source, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([scripts + "/" + script] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let spawned = posix_spawn(&child, scripts + "/" + script, &actions, nil, &words, environ)
        guard spawned == 0 else { throw Failure(description: "\(script) could not be started: error \(spawned)") }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard status == 0 else {
            throw Failure(description: "\(script) \(arguments.first ?? "") ended with status \(status)")
        }
        return text
    }
}
