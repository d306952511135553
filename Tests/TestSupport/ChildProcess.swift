import Foundation
import Synchronization

/// A program of this package, or of the system, run as a child with its output read line by line.
///
/// By `posix_spawn` and `waitpid`, not by Foundation's `Process`: that one waits on run loops, which threads of
/// Swift's pool do not have.
public final class ChildProcess: Sendable {
    /// What starting a child failed with.
    public struct SpawnFailure: Error {
        /// The system's error number.
        public let code: Int32
    }

    private struct State {
        var output: [UInt8] = []
        var ended: Int32?
        var outputClosed = false
    }

    private static let spawning = NSLock()
    private let pid: pid_t
    private let input: Int32
    private let output: Int32
    private let state = Mutex(State())

    /// The path of an executable target of this package: it lies beside the test program.
    public static func built(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
    }

    /// Starts `program` (a path) with its arguments. Its standard error is this process's.
    public init(_ program: String, _ arguments: [String]) throws {
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        // One at a time: no other child may inherit this one's pipes before they are marked.
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { throw SpawnFailure(code: errno) }
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        var environment: [UnsafeMutablePointer<CChar>?] = ProcessInfo.processInfo.environment.map {
            strdup("\($0.key)=\($0.value)")
        }
        environment.append(nil)
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, nil, words, environment)
        for word in words + environment { free(word) }
        posix_spawn_file_actions_destroy(&actions)
        close(toChild[0])
        close(fromChild[1])
        guard code == 0 else {
            close(toChild[1])
            close(fromChild[0])
            throw SpawnFailure(code: code)
        }
        pid = child
        input = toChild[1]
        output = fromChild[0]
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
    }

    /// Takes in what the child has written.
    private func drain(_ state: inout State) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !state.outputClosed {
            let count = read(output, &buffer, buffer.count)
            if count > 0 {
                state.output += buffer[..<count]
            } else {
                state.outputClosed = count == 0
                return
            }
        }
    }

    /// Learns whether the child has ended; its exit status then (128 + signal where one killed it).
    private func reap(_ state: inout State, _ options: Int32) {
        guard state.ended == nil else { return }
        var status: Int32 = 0
        guard waitpid(pid, &status, options) == pid else { return }
        state.ended = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// The complete lines it has written so far.
    public var lines: [String] {
        let bytes = state.withLock { state in
            drain(&state)
            return state.output
        }
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        return String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Waits until a line satisfies the condition; nil where that does not happen within `seconds`, or the child ends
    /// without such a line.
    public func line(within seconds: Double, where condition: (String) -> Bool) async throws -> String? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let ended = state.withLock { state in
                reap(&state, WNOHANG)
                return state.ended != nil
            }
            if let line = lines.first(where: condition) { return line }
            if ended || ContinuousClock.now > deadline { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Writes a line to its standard input.
    public func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(input, bytes, bytes.count)
    }

    /// Ends it at once, as a crash does, and waits for its end.
    public func kill() {
        signal(SIGKILL)
        state.withLock { reap(&$0, 0) }
    }

    /// Sends it a signal, while it runs.
    public func signal(_ number: Int32) {
        state.withLock { state in
            reap(&state, WNOHANG)
            if state.ended == nil { Foundation.kill(pid, number) }
        }
    }

    /// Waits for its end at most `seconds`; its exit status, nil where it still runs.
    public func exitStatus(within seconds: Double) async throws -> Int32? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let ended = state.withLock { state in
                drain(&state)
                reap(&state, WNOHANG)
                return state.ended
            }
            if let ended { return ended }
            if ContinuousClock.now > deadline { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    deinit {
        state.withLock { state in
            reap(&state, WNOHANG)
            if state.ended == nil { Foundation.kill(pid, SIGKILL) }
            reap(&state, 0)
        }
        close(input)
        close(output)
    }
}
